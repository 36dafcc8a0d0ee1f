// SPDX-License-Identifier: Apache-2.0
#include "data/structured_reports.h"

#include <algorithm>
#include <tuple>

#include "text/sections.h"

namespace unirg::data {
namespace {

/// A part that the table gives stays as it is.
void fill(const text::Sections& sections, Study& study) {
  const auto take = [](std::optional<std::string>& to, const std::optional<std::string>& from) {
    if (!to) to = from;
  };
  take(study.indication, sections.indication);
  take(study.technique, sections.technique);
  take(study.comparison, sections.comparison);
  take(study.findings, sections.findings);
  take(study.impression, sections.impression);
}

/// "" if the report was taken.
std::string attach(const FoundReport& report, Draft& draft) {
  if (draft.pictures.empty()) return "structured report of a study without an image";
  if (!draft.report_file.empty()) return "another structured report of its study is newer";
  Study& study = draft.study;
  if (study.findings || study.impression) return "the table gives the report of its study";
  const text::Sections sections = text::split_sections(report.text);
  if (!sections.findings && !sections.impression)
    return "structured report without findings or impression";
  fill(sections, study);
  draft.report_file = report.file;
  if (draft.place.file.empty()) study.source_path = report.file;
  return "";
}

}  // namespace

void attach_reports(std::vector<FoundReport> reports, std::vector<Draft>& drafts,
                    std::vector<Refusal>& refusals) {
  std::sort(reports.begin(), reports.end(), [](const FoundReport& a, const FoundReport& b) {
    return std::tie(b.time, b.file) < std::tie(a.time, a.file);
  });
  for (const FoundReport& report : reports) {
    const std::string why = attach(report, drafts[report.draft]);
    if (!why.empty()) refusals.push_back({report.file, 0, why});
  }
}

void drop_unreported(bool allow_missing_report, size_t rows, std::vector<Draft>& drafts,
                     std::vector<Refusal>& refusals) {
  const auto is_dropped = [&](const Draft& draft) {
    if (draft.pictures.empty()) return true;  // its report has been refused
    if (allow_missing_report || !draft.report_file.empty()) return false;
    for (const SourcePicture& picture : draft.pictures) {
      refusals.push_back({picture.name, 0,
                          "missing report: no row of the table names this file, its study UID or "
                          "accession number, and no structured report is of its study"});
    }
    return true;
  };
  const auto first = drafts.begin() + static_cast<std::ptrdiff_t>(rows);
  drafts.erase(std::remove_if(first, drafts.end(), is_dropped), drafts.end());
}

}  // namespace unirg::data
