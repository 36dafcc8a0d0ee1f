// The evaluation report as one HTML file: it opens offline, loads nothing, and shows texts of
// unknown origin as text. Plain data in, bytes out; the style sheet and the program that draws the
// page are share/report/report.{css,js}. Depends on comparison.h.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "evaluation/comparison.h"

namespace unirg::evaluation {

/// One study of the browser: image, reference and what each system wrote.
struct StudyCard {
  std::string study_id, split, site, seed;
  std::string image_png;  ///< bytes of a PNG file, empty when the study has no image
  std::string indication;
  std::string reference;  ///< report text
  struct Text {
    std::string system, text;
    scoring::NamedValues metrics;  ///< of this report, by name
  };
  std::vector<Text> texts;
  std::vector<std::string> conditions;  ///< present in the reference
};

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
  std::vector<StudyCard> studies;
  std::vector<Curve> curves;
};

/// The page. Same input, same bytes. All data stand in one JSON element in which no character has a
/// meaning to HTML; a Content-Security-Policy forbids every load but of data: images. \param css,
/// js texts of share/report/report.css and report.js, put in as they are \throws Error(Exit::data)
/// if a text is not UTF-8, Error(Exit::config) if css or js would end its own element
std::string report_page(const ReportPage& page, const std::string& css, const std::string& js);

}  // namespace unirg::evaluation
