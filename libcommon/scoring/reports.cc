// SPDX-License-Identifier: Apache-2.0
#include "scoring/reports.h"

#include <fmt/format.h>

#include <set>

#include "base/error.h"
#include "data/table.h"
#include "io/atomic_file.h"
#include "io/jsonl.h"

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
  if (!sample) return tl::unexpected(sample.error());
  if (!text) return tl::unexpected(text.error());
  NamedReport report{*id, sample->value_or(0), text::parse_report(*text)};
  report.verbatim = *text;
  return report;
}

data::Records<NamedReport> load_jsonl(const std::filesystem::path& file, data::OnError on_error) {
  data::Records<NamedReport> reports;
  io::JsonlReader reader(file);
  while (auto line = reader.next()) {
    auto report = line->has_value() ? from_line((*line)->object)
                                    : Result<NamedReport>(tl::unexpected(line->error()));
    if (report) {
      report->line = reader.place().line;
      reports.records.push_back(std::move(*report));
    } else if (on_error == data::OnError::skip) {
      reports.rejected.push_back({reader.place(), report.error().reason});
    } else {
      throw Error(Exit::data, fmt::format("{}: {}", reader.place().text(), report.error().reason));
    }
  }
  return reports;
}

std::vector<NamedReport> load_csv(const std::filesystem::path& file) {
  std::vector<NamedReport> reports;
  for (const data::TableRow& row : data::read_table(file).rows) {
    if (!row.cells.contains("study_id") || !row.cells.contains("report")) {
      throw Error(Exit::data,
                  fmt::format("'{}': columns 'study_id' and 'report' are needed", file.string()));
    }
    const std::string& text = row.cells.at("report");
    reports.push_back(
        {row.cells.at("study_id"), 0, text::parse_report(text), nullptr, row.line, text});
  }
  return reports;
}

/// ReXrank files hold the bare token NaN, which JSON does not know; outside strings it becomes
/// null.
std::string without_nan(const std::string& text) {
  std::string out;
  bool quoted = false;
  bool escaped = false;  // the character in hand follows a backslash inside a string
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"' && !escaped) quoted = !quoted;
    escaped = quoted && text[i] == '\\' && !escaped;
    if (!quoted && text.compare(i, 3, "NaN") == 0) {
      out += "null";
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::optional<std::string> text_field(const nlohmann::json& record, const char* name) {
  if (!record.contains(name) || !record[name].is_string()) return std::nullopt;
  std::string text = text::collapse_space(record[name].get<std::string>());
  if (text.empty()) return std::nullopt;
  return text;
}

/// As ReXrank's documented conversion prints it: as it stands, None where there is none.
std::string raw_section(const nlohmann::json& record, const char* name) {
  return text_field(record, name) ? record[name].get<std::string>() : "None";
}

std::vector<NamedReport> load_rexrank(const std::filesystem::path& file, bool predictions) {
  const auto object =
      nlohmann::json::parse(without_nan(io::read_file(file)), nullptr, /*allow_exceptions=*/false);
  if (!object.is_object())
    throw Error(Exit::data,
                fmt::format("'{}': expected one JSON object, study id to record", file.string()));
  std::vector<NamedReport> reports;
  for (const auto& [id, record] : object.items()) {
    if (!record.is_object())
      throw Error(Exit::data,
                  fmt::format("'{}': study '{}': expected an object", file.string(), id));
    NamedReport report{id, 0, {}, nullptr};
    if (predictions) {
      const auto text = text_field(record, "model_prediction");
      if (!text)
        throw Error(Exit::data, fmt::format("'{}': study '{}': field 'model_prediction' is missing",
                                            file.string(), id));
      report.report = text::parse_report(*text);
      report.verbatim = record["model_prediction"].get<std::string>();
    } else {
      report.report = {text_field(record, "section_findings"),
                       text_field(record, "section_impression")};
      if (!report.report.findings && !report.report.impression) {
        report.verbatim = text_field(record, "report").value_or("");
        report.report = text::parse_report(*report.verbatim);
      } else {
        report.verbatim =
            fmt::format("Findings: {} Impression: {}", raw_section(record, "section_findings"),
                        raw_section(record, "section_impression"));
      }
    }
    reports.push_back(std::move(report));
  }
  return reports;
}

}  // namespace

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

data::Records<NamedReport> load_reports(const std::filesystem::path& file, bool predictions,
                                        data::OnError on_error) {
  const std::string extension = file.extension().string();
  data::Records<NamedReport> reports;
  if (extension == ".csv" || extension == ".tsv") {
    reports.records = load_csv(file);
  } else if (extension == ".json") {
    reports.records = load_rexrank(file, predictions);
  } else {
    reports = load_jsonl(file, on_error);
  }
  std::set<std::pair<std::string, int64_t>> seen;
  for (const NamedReport& report : reports.records) {
    if (!seen.emplace(report.study_id, report.sample).second) {
      throw Error(Exit::data, fmt::format("'{}': study '{}' sample {} stands twice", file.string(),
                                          report.study_id, report.sample));
    }
  }
  return reports;
}

}  // namespace unirg::scoring
