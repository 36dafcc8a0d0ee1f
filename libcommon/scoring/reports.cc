// SPDX-License-Identifier: Apache-2.0
#include "scoring/reports.h"

#include <fmt/format.h>

#include <set>
#include <unordered_map>

#include "base/error.h"
#include "data/table.h"
#include "io/atomic_file.h"
#include "io/jsonl.h"
#include "text/bpe_bytes.h"

namespace unirg::scoring {
namespace {

using io::Json;

Result<NamedReport> from_line(const Json& object) {
  const io::Fields fields(object);
  const auto schema = fields.optional_string("schema");
  if (schema && *schema == data::kStudySchema) {
    auto study = data::study_from_json(object);
    if (!study) return tl::unexpected(study.error());
    const auto shared = std::make_shared<const data::Study>(std::move(*study));
    return NamedReport{shared->study_id, 0, {shared->findings, shared->impression}, shared};
  }
  if (schema && *schema == data::kGenerationSchema) {
    auto generation = data::generation_from_json(object);
    if (!generation) return tl::unexpected(generation.error());
    NamedReport report{
        generation->study_id, generation->sample, {generation->findings, generation->impression}};
    report.reply = generation->text;
    return report;
  }
  if (schema && *schema)
    return bad_record(fmt::format("field 'schema': '{}' is no study and no generation", **schema));
  const auto id = fields.string("study_id");
  const auto sample = fields.optional_integer("sample");
  const auto text = fields.string("text");
  if (!id) return tl::unexpected(id.error());
  if (id->empty()) return bad_record("field 'study_id' is empty");
  if (!sample) return tl::unexpected(sample.error());
  if (!text) return tl::unexpected(text.error());
  NamedReport report{*id, sample->value_or(0), text::parse_report(*text)};
  report.verbatim = *text;
  return report;
}

/// Keeps a report, or why there is none.
void add(Result<NamedReport> report, const io::Place& place, data::OnError on_error,
         data::Records<NamedReport>& reports) {
  if (report) {
    report->line = place.line;
    reports.records.push_back(std::move(*report));
  } else if (on_error == data::OnError::skip) {
    reports.rejected.push_back({place, report.error().reason});
  } else {
    throw Error(Exit::data, fmt::format("{}: {}", place.text(), report.error().reason));
  }
}

/// The reports a file has had so far.
class Seen {
 public:
  explicit Seen(const std::filesystem::path& file) : file_(file) {}
  void add(const std::string& study_id, int64_t sample) {
    if (last_ == nullptr || last_->first != study_id)
      last_ = &*samples_.try_emplace(study_id).first;
    if (!last_->second.insert(sample).second) {
      throw Error(Exit::data, fmt::format("'{}': study '{}' sample {} stands twice", file_.string(),
                                          study_id, sample));
    }
  }

 private:
  using Samples = std::unordered_map<std::string, std::set<int64_t>>;
  const std::filesystem::path& file_;
  Samples samples_;                      ///< by study
  Samples::value_type* last_ = nullptr;  ///< a study's lines stand together
};

data::Records<NamedReport> load_jsonl(const std::filesystem::path& file, data::OnError on_error,
                                      const Wanted& wanted, Seen& seen) {
  const auto is_wanted = [&](std::string_view text, int64_t line) {
    const auto head = data::read_head(text);
    if (wanted(head, line)) return true;
    if (head) seen.add(head->study_id, head->sample);
    return false;
  };
  data::Records<NamedReport> reports;
  io::JsonlReader reader(file);
  while (auto line =
             reader.next(wanted ? io::JsonlReader::Wanted(is_wanted) : io::JsonlReader::Wanted())) {
    add(line->has_value() ? from_line((*line)->object)
                          : Result<NamedReport>(tl::unexpected(line->error())),
        reader.place(), on_error, reports);
  }
  return reports;
}

Result<NamedReport> from_row(const data::TableRow& row) {
  const std::string& id = row.cells.at("study_id");
  const std::string& text = row.cells.at("report");
  if (id.empty()) return bad_record("column 'study_id' is empty");
  if (!text::is_utf8(id) || !text::is_utf8(text))
    return bad_record("the row is not UTF-8 (hint: iconv -f latin1 -t utf-8)");
  return NamedReport{id, 0, text::parse_report(text), nullptr, row.line, text};
}

data::Records<NamedReport> load_csv(const std::filesystem::path& file, data::OnError on_error) {
  data::Records<NamedReport> reports;
  for (const data::TableRow& row : data::read_table(file).rows) {
    if (!row.cells.contains("study_id") || !row.cells.contains("report")) {
      throw Error(Exit::data,
                  fmt::format("'{}': columns 'study_id' and 'report' are needed", file.string()));
    }
    add(from_row(row), {file.string(), row.line}, on_error, reports);
  }
  return reports;
}

std::optional<std::string> text_field(const Json& record, const char* name) {
  if (!record.contains(name) || !record[name].is_string()) return std::nullopt;
  std::string text = text::collapse_space(record[name].get<std::string>());
  if (text.empty()) return std::nullopt;
  return text;
}

/// As ReXrank's documented conversion prints it: as it stands, None where there is none.
std::string raw_section(const Json& record, const char* name) {
  return text_field(record, name) ? record[name].get<std::string>() : "None";
}

/// The object of a ReXrank file, its studies in the order of the file. \throws Error(Exit::data)
/// for what is none, and for a study that stands twice
Json read_rexrank(const std::filesystem::path& file) {
  std::set<std::string> seen;
  std::string twice;
  const auto watch = [&](int depth, Json::parse_event_t event, const Json& parsed) {
    if (event == Json::parse_event_t::key && depth == 1 && !seen.insert(parsed).second)
      twice = parsed;
    return true;
  };
  const Json object =
      Json::parse(without_nan(io::read_file(file)), watch, /*allow_exceptions=*/false);
  if (!object.is_object())
    throw Error(Exit::data,
                fmt::format("'{}': expected one JSON object, study id to record", file.string()));
  if (!twice.empty())
    throw Error(Exit::data, fmt::format("'{}': study '{}' stands twice", file.string(), twice));
  return object;
}

/// What a model wrote; nothing is a report, too.
Result<NamedReport> prediction(const std::string& id, const Json& record) {
  if (!record.contains("model_prediction") || !record["model_prediction"].is_string())
    return bad_record(fmt::format("study '{}': field 'model_prediction' is missing", id));
  NamedReport report{id, 0, {}, nullptr};
  report.report = text::parse_report(text_field(record, "model_prediction").value_or(""));
  report.verbatim = record["model_prediction"].get<std::string>();
  return report;
}

NamedReport rexrank_reference(const std::string& id, const Json& record) {
  NamedReport report{
      id, 0, {text_field(record, "section_findings"), text_field(record, "section_impression")}};
  if (!report.report.findings && !report.report.impression) {
    report.verbatim = text_field(record, "report").value_or("");
    report.report = text::parse_report(*report.verbatim);
  } else {
    report.verbatim =
        fmt::format("Findings: {} Impression: {}", raw_section(record, "section_findings"),
                    raw_section(record, "section_impression"));
  }
  return report;
}

Result<NamedReport> from_rexrank(const std::string& id, const Json& record, bool predictions) {
  if (id.empty()) return bad_record("a study's id is empty");
  if (!record.is_object()) return bad_record(fmt::format("study '{}': expected an object", id));
  if (predictions) return prediction(id, record);
  return rexrank_reference(id, record);
}

data::Records<NamedReport> load_rexrank(const std::filesystem::path& file, bool predictions,
                                        data::OnError on_error) {
  data::Records<NamedReport> reports;
  const Json object = read_rexrank(file);
  for (const auto& [id, record] : object.items())
    add(from_rexrank(id, record, predictions), {file.string(), 0}, on_error, reports);
  return reports;
}

}  // namespace

std::string without_nan(const std::string& json) {
  std::string out;
  bool quoted = false;
  bool escaped = false;  // the character in hand follows a backslash inside a string
  for (size_t i = 0; i < json.size(); ++i) {
    if (json[i] == '"' && !escaped) quoted = !quoted;
    escaped = quoted && json[i] == '\\' && !escaped;
    if (!quoted && json.compare(i, 3, "NaN") == 0) {
      out += "null";
      i += 2;
    } else {
      out += json[i];
    }
  }
  return out;
}

Sections parse_sections(const std::string& name) {
  if (name == "findings") return Sections::findings;
  if (name == "impression") return Sections::impression;
  if (name == "both") return Sections::both;
  throw Error(
      Exit::usage,
      fmt::format("bad value '{}' for 'sections': expected findings, impression or both", name));
}

ScoredTexts scored_texts(const NamedReport& report, const NamedReport& reference,
                         Sections sections) {
  if (sections == Sections::both && report.verbatim && reference.verbatim)
    return {*report.verbatim, *reference.verbatim};
  return {section_text(report, sections), section_text(reference, sections)};
}

std::string section_text(const NamedReport& report, Sections sections) {
  text::Report chosen;
  if (sections != Sections::impression) chosen.findings = report.report.findings;
  if (sections != Sections::findings) chosen.impression = report.report.impression;
  return text::format_report(chosen);
}

bool is_jsonl(const std::filesystem::path& file) {
  const std::string extension = file.extension().string();
  return extension != ".csv" && extension != ".tsv" && extension != ".json";
}

data::Records<NamedReport> load_reports(const std::filesystem::path& file, bool predictions,
                                        data::OnError on_error, const Wanted& wanted) {
  Seen seen(file);
  data::Records<NamedReport> reports;
  if (is_jsonl(file)) {
    reports = load_jsonl(file, on_error, wanted, seen);
  } else if (file.extension() == ".json") {
    reports = load_rexrank(file, predictions, on_error);
  } else {
    reports = load_csv(file, on_error);
  }
  for (const NamedReport& report : reports.records) seen.add(report.study_id, report.sample);
  return reports;
}

}  // namespace unirg::scoring
