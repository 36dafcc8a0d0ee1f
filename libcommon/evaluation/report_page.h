// The evaluation report as one HTML file: it opens offline, loads nothing, and shows texts of
// unknown origin as text. Plain data in, bytes out; the style sheet and the program that draws the
// page are share/report/. Depends on comparison.h, study_cards.h, rollout_cards.h.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "evaluation/comparison.h"
#include "evaluation/error_histogram.h"
#include "evaluation/rollout_cards.h"
#include "evaluation/study_cards.h"

namespace unirg::evaluation {

/// One line of a learning curve.
struct Curve {
  std::string chart;    ///< charts with equal name are drawn in one plot, e.g. "reward"
  std::string name;     ///< legend, e.g. "seed 1"
  std::string x_label;  ///< e.g. "step"; the first curve's of a chart is shown
  std::vector<std::pair<double, double>>
      points;  ///< ordered by x; a y that is not finite leaves a gap
};

struct ReportPage {
  std::string title;
  Comparison comparison;
  std::map<std::string, std::string> signatures;  ///< metric -> what exactly was computed
  std::vector<scoring::MetricInfo> metrics;       ///< direction and meaning, as far as known
  std::vector<ErrorHistogram> errors;
  /// What the cards' images are, as addresses: data: (embedded_png()) or, below the page's own
  /// folder, a file (relative_address()).
  std::vector<std::string> images;
  bool linked_images = false;  ///< whether the page may load files beside it
  std::vector<StudyCard> studies;
  std::vector<RolloutSet> rollouts;
  std::vector<Curve> curves;
};

/// data: address of a PNG file's bytes.
std::string embedded_png(std::string_view bytes);
/// Percent-encoded: a folder's or file's name, whatever it holds, as part of an address.
std::string relative_address(std::string_view name);

/// The page. Same input, same bytes. All data stand in one JSON element in which no character has a
/// meaning to HTML; a Content-Security-Policy forbids every load but of data: images and, with
/// linked_images, of images that come from where the page does.
/// \param css, js texts of share/report/, put in as they are, the program in a scope of its own
/// \throws Error(Exit::data) if a text is not UTF-8, Error(Exit::config) if css or js would end its
/// own element
std::string report_page(const ReportPage& page, const std::string& css, const std::string& js);

}  // namespace unirg::evaluation
