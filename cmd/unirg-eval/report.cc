// SPDX-License-Identifier: Apache-2.0
#include "report.h"

#include <fmt/format.h>

#include <array>

#include "base/error.h"
#include "cards.h"
#include "cli/installed.h"
#include "evaluation/report_page.h"
#include "evaluation/series.h"
#include "io/atomic_file.h"
#include "scoring/scorer.h"

namespace unirg {
namespace {

using evaluation::Score;
/// Programs of share/report/ in the order in which they use each other.
constexpr std::array<const char*, 9> kProgram{"base.js",    "tables.js",   "plots.js",
                                              "curves.js",  "groups.js",   "texts.js",
                                              "studies.js", "rollouts.js", "page.js"};

/// "CHART:NAME=FILE:FIELD"
evaluation::Curve load_curve(const std::string& value, io::RunRecord& record) {
  const size_t colon = value.find(':');
  const size_t equals = value.find('=', colon == std::string::npos ? 0 : colon);
  const size_t last = value.rfind(':');
  if (colon == std::string::npos || equals == std::string::npos || last < equals) {
    throw Error(Exit::usage,
                fmt::format("bad value '{}' for 'curve': expected CHART:NAME=FILE:FIELD", value));
  }
  const std::string file = value.substr(equals + 1, last - equals - 1);
  record.add_input(file);
  return {value.substr(0, colon), value.substr(colon + 1, equals - colon - 1), "step",
          evaluation::read_series(file, value.substr(last + 1))};
}

std::string program() {
  std::string text;
  for (const char* part : kProgram)
    text += io::read_file(cli::installed_file(std::string("report/") + part));
  return text;
}

}  // namespace

void write_report(const EvalToolOptions& o, const std::vector<Score>& scores,
                  const evaluation::Comparison& comparison,
                  const std::map<std::string, std::string>& signatures, io::RunRecord& record) {
  evaluation::ReportPage page;
  page.title = o.title;
  page.comparison = comparison;
  page.signatures = signatures;
  page.metrics = scoring::known_metrics(o.scoring);
  page.errors = evaluation::error_histograms(scores);
  const StudySets sets = load_studies(o.studies, record);
  const text::Labeler labeler(o.scoring.lexicon);
  Pictures pictures(o.images, o.html);
  const CardMaker maker{sets, labeler, pictures, o.shown_studies};
  page.studies = maker.studies(scores);
  for (const std::string& value : o.rollouts)
    page.rollouts.push_back(maker.rollouts(value, record));
  page.images = pictures.addresses();
  page.linked_images = pictures.linked();
  for (const std::string& value : o.curves) page.curves.push_back(load_curve(value, record));
  io::AtomicFile out(o.html);
  out.write(evaluation::report_page(page, io::read_file(cli::installed_file("report/report.css")),
                                    program()));
  out.commit();
  record.add_output(o.html, out.sha256());
}

}  // namespace unirg
