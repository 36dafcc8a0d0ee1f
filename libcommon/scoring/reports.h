// Reports to be scored, from any file people keep them in. Depends on data (records), text
// (sections), io. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "data/record_head.h"
#include "data/records.h"
#include "text/chat.h"

namespace unirg::scoring {

/// Which sections are scored.
enum class Sections { findings, impression, both };
/// \throws Error(Exit::usage) unless "findings", "impression" or "both"
Sections parse_sections(const std::string& name);
/// A report as its file has it.
struct NamedReport {
  std::string study_id;
  int64_t sample = 0;
  text::Report report;
  std::shared_ptr<const data::Study> study = nullptr;  ///< of study records only
  int64_t line = 0;                                    ///< in its file; 0 where there are no lines
  /// Of plain-text files: the text as it stands, scored when both sections are asked for.
  std::optional<std::string> verbatim = std::nullopt;
  std::optional<std::string> reply = std::nullopt;  ///< of generation records: all the model wrote
};

/// What is scored of a report and of its reference: "Findings: F Impression: I" of the chosen
/// sections present; or the verbatim texts, where both come from files of plain texts and both
/// sections are chosen. One form for both sides: equal reports score the same from every file.
struct ScoredTexts {
  std::string report, reference;
};
ScoredTexts scored_texts(const NamedReport& report, const NamedReport& reference,
                         Sections sections);
/// Either side's text by itself, in the form of sections.
std::string section_text(const NamedReport& report, Sections sections);

/// Told the head of a line (nullopt: it shows none) and its number: whether the line is read.
using Wanted = std::function<bool(const std::optional<data::RecordHead>& head, int64_t line)>;
/// Whether load_reports() reads a file line by line, so that lines can be passed over.
bool is_jsonl(const std::filesystem::path& file);

/// Study records, generation records, JSONL of {study_id, text} with an optional sample, ReXrank
/// JSON (one object: study id
/// -> record with model_prediction, or section_findings / section_impression, or report; the bare
/// token NaN counts as missing; the reference's verbatim text is ReXrank's, "Findings: F
/// Impression: I" with the word None for a missing section), or CSV with columns study_id, report.
/// Told apart by extension and schema. "-" is JSONL on standard input. \param predictions of a
/// ReXrank record take model_prediction, not the reference \param on_error what a bad line,
/// row or ReXrank record does \param wanted lines of a JSONL file; others are read whole
/// \throws Error(Exit::no_input), Error(Exit::data) "FILE:LINE: ..."; a study (and sample) that
/// stands twice is an error, in lines passed over, too
data::Records<NamedReport> load_reports(const std::filesystem::path& file, bool predictions,
                                        data::OnError on_error = data::OnError::stop,
                                        const Wanted& wanted = nullptr);

/// A JSON text in which the bare token NaN, which ReXrank files hold, is null. Lines stay lines.
std::string without_nan(const std::string& json);

}  // namespace unirg::scoring
