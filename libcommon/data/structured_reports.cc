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
std::string attach_text(const std::string& file, const std::string& text, uint32_t number,
                        Drafts& drafts) {
  if (!drafts.has_pictures(number)) return "structured report of a study without an image";
  Draft draft = drafts.report(number);
  if (!draft.report_file.empty()) return "another structured report of its study is newer";
  Study& study = draft.study;
  if (study.findings || study.impression) return "the table gives the report of its study";
  const text::Sections sections = text::split_sections(text);
  if (!sections.findings && !sections.impression)
    return "structured report without findings or impression";
  fill(sections, study);
  draft.report_file = file;
  if (draft.place.file.empty()) study.source_path = file;
  drafts.replace(number, std::move(draft));
  return "";
}

}  // namespace

void FoundReports::add(const FoundReport& report) {
  entries_.push_back({report.file, report.time, texts_.put(report.text), report.draft});
}

void FoundReports::attach(Drafts& drafts, std::vector<Refusal>& refusals) {
  std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
    return std::tie(b.time, b.file) < std::tie(a.time, a.file);
  });
  for (const Entry& entry : entries_) {
    const std::string file(entry.file);
    std::string why = attach_text(file, texts_.get(entry.text), entry.draft, drafts);
    if (!why.empty()) refusals.push_back({file, 0, std::move(why)});
  }
}

void drop_unreported(bool allow_missing_report, uint32_t rows, Drafts& drafts,
                     std::vector<Refusal>& refusals) {
  std::vector<uint32_t> kept;
  for (uint32_t number = 0; number < drafts.size(); ++number) {
    if (number >= rows && !drafts.has_pictures(number)) continue;  // its report has been refused
    if (number < rows || allow_missing_report) {
      kept.push_back(number);
      continue;
    }
    const Draft draft = drafts.get(number);
    if (!draft.report_file.empty()) {
      kept.push_back(number);
      continue;
    }
    for (const SourcePicture& picture : draft.pictures) {
      refusals.push_back({picture.name, 0,
                          "missing report: no row of the table names this file, its study UID or "
                          "accession number, and no structured report is of its study"});
    }
  }
  drafts.set_order(std::move(kept));
}

}  // namespace unirg::data
