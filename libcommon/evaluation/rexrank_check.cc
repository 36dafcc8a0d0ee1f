// SPDX-License-Identifier: Apache-2.0
#include "evaluation/rexrank_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/error.h"
#include "text/words.h"

namespace unirg::evaluation {
namespace {

using io::Json;

constexpr std::array<std::string_view, 5> kFaults{"missing", "unknown", "empty", "duplicated",
                                                  "mistyped"};

struct Record {
  std::string id;
  Json value;
  std::set<std::string> twice;  ///< keys that stand twice in it
};

/// All records of the text in its order, those of one id, too, of which a map would keep one.
std::vector<Record> read_records(const std::string& text, const std::string& name) {
  std::vector<Record> records;
  std::set<std::string> keys;
  const auto watch = [&](int depth, Json::parse_event_t event, const Json& parsed) {
    using Event = Json::parse_event_t;
    if (event == Event::key && depth == 1) {
      records.push_back({parsed.get<std::string>(), nullptr, {}});
      keys.clear();
    } else if (event == Event::key && depth == 2) {
      if (!keys.insert(parsed.get<std::string>()).second)
        records.back().twice.insert(parsed.get<std::string>());
    } else if (depth == 1 && !records.empty() &&
               (event == Event::value || event == Event::object_end || event == Event::array_end)) {
      records.back().value = parsed;
    }
    return true;
  };
  try {
    if (Json::parse(text, watch).is_object()) return records;
  } catch (const Json::parse_error& e) {
    const auto end = text.begin() + static_cast<std::ptrdiff_t>(std::min(e.byte, text.size()));
    throw Error(Exit::data, fmt::format("'{}': no JSON from line {} on", name,
                                        1 + std::count(text.begin(), end, '\n')));
  }
  throw Error(Exit::data, fmt::format("'{}': expected one JSON object, study id to record", name));
}

bool says_something(const std::string& text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    return text::is_letter(c) || text::is_digit(c) || static_cast<unsigned char>(c) > 0x7f;
  });
}

/// Appends what is wrong with a record by itself.
void check_record(const Record& record, std::vector<SubmissionProblem>& problems) {
  const auto complain = [&](SubmissionFault fault, const std::string& what) {
    problems.push_back({fault, record.id, what});
  };
  if (record.id.empty()) return complain(SubmissionFault::mistyped, "the study's id is empty");
  for (const std::string& key : record.twice)
    complain(SubmissionFault::duplicated, fmt::format("field '{}' stands twice", key));
  if (!record.value.is_object())
    return complain(SubmissionFault::mistyped,
                    fmt::format("expected an object, got {}", record.value.type_name()));
  if (record.value.contains("report") && !record.value["report"].is_string() &&
      !record.value["report"].is_null())
    complain(SubmissionFault::mistyped, fmt::format("field 'report': expected text, got {}",
                                                    record.value["report"].type_name()));
  if (!record.value.contains("model_prediction"))
    return complain(SubmissionFault::mistyped, "field 'model_prediction' is missing");
  const Json& prediction = record.value["model_prediction"];
  if (!prediction.is_string()) {
    complain(SubmissionFault::mistyped, fmt::format("field 'model_prediction': expected text, got "
                                                    "{}",
                                                    prediction.type_name()));
  } else if (!says_something(prediction.get<std::string>())) {
    complain(SubmissionFault::empty, "field 'model_prediction' has no word");
  }
}

/// Leaves the references of the splits; others than study records are of none and stay.
void keep_splits(std::vector<scoring::NamedReport>& references,
                 const std::vector<std::string>& wanted,
                 const std::unordered_map<std::string, int64_t>& records) {
  std::set<std::string> splits(wanted.begin(), wanted.end());
  for (const std::string& split : splits) {
    if (std::none_of(references.begin(), references.end(), [&](const auto& reference) {
          return reference.study && reference.study->split == split;
        }))
      throw Error(Exit::data, fmt::format("no reference of split '{}' (hint: splits are those of "
                                          "study records)",
                                          split));
  }
  for (const scoring::NamedReport& reference : references) {
    if (wanted.empty() && reference.study && records.contains(reference.study_id))
      splits.insert(reference.study->split);
  }
  if (splits.empty()) return;
  std::erase_if(references, [&](const scoring::NamedReport& reference) {
    return reference.study && !splits.contains(reference.study->split);
  });
}

int64_t count(const SubmissionCheck& check, SubmissionFault fault) {
  return std::count_if(check.problems.begin(), check.problems.end(),
                       [&](const SubmissionProblem& p) { return p.fault == fault; });
}

}  // namespace

std::string_view fault_name(SubmissionFault fault) { return kFaults[static_cast<size_t>(fault)]; }

SubmissionCheck check_submission(const std::string& json, const std::string& name,
                                 std::vector<scoring::NamedReport> references,
                                 const std::vector<std::string>& splits) {
  const std::vector<Record> records = read_records(scoring::without_nan(json), name);
  std::unordered_map<std::string, int64_t> times;
  for (const Record& record : records) ++times[record.id];
  keep_splits(references, splits, times);
  SubmissionCheck check;
  check.references = static_cast<int64_t>(references.size());
  check.records = static_cast<int64_t>(records.size());
  std::unordered_set<std::string> known;
  for (const scoring::NamedReport& reference : references) known.insert(reference.study_id);
  for (const scoring::NamedReport& reference : references) {
    if (!times.contains(reference.study_id))
      check.problems.push_back(
          {SubmissionFault::missing, reference.study_id, "there is no record of it"});
  }
  std::unordered_set<std::string> seen;
  for (const Record& record : records) {
    check_record(record, check.problems);
    if (!seen.insert(record.id).second) continue;
    if (!record.id.empty() && !known.contains(record.id))
      check.problems.push_back(
          {SubmissionFault::unknown, record.id, "the ground truth has no such study"});
    if (times[record.id] > 1)
      check.problems.push_back({SubmissionFault::duplicated, record.id,
                                fmt::format("the study stands {} times", times[record.id])});
  }
  std::stable_sort(check.problems.begin(), check.problems.end(),
                   [](const auto& a, const auto& b) { return a.fault < b.fault; });
  std::unordered_set<std::string> bad;
  for (const SubmissionProblem& problem : check.problems) bad.insert(problem.study_id);
  check.valid = std::count_if(references.begin(), references.end(), [&](const auto& reference) {
    return !bad.contains(reference.study_id);
  });
  return check;
}

std::string check_text(const SubmissionCheck& check, size_t most) {
  std::string text = fmt::format("references: {}\nrecords: {}\nvalid: {}\n", check.references,
                                 check.records, check.valid);
  for (size_t f = 0; f < kFaults.size(); ++f)
    text += fmt::format("{}: {}\n", kFaults[f], count(check, static_cast<SubmissionFault>(f)));
  std::array<size_t, kFaults.size()> shown{};
  for (const SubmissionProblem& p : check.problems) {
    const auto fault = static_cast<size_t>(p.fault);
    if (shown[fault]++ < most)
      text += fmt::format("- {}: study '{}': {}\n", kFaults[fault], p.study_id, p.what);
  }
  for (size_t f = 0; f < kFaults.size(); ++f) {
    if (shown[f] > most)
      text += fmt::format("- {}: and {} more (hint: --format json has all)\n", kFaults[f],
                          shown[f] - most);
  }
  return text;
}

std::string check_tsv(const SubmissionCheck& check) {
  const auto cell = [](std::string text) {
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c == '\t' || c == '\n' || c == '\r'; }, ' ');
    return text;
  };
  std::string text = "fault\tstudy_id\twhat\n";
  for (const SubmissionProblem& p : check.problems)
    text += fmt::format("{}\t{}\t{}\n", fault_name(p.fault), cell(p.study_id), cell(p.what));
  return text;
}

Json check_json(const SubmissionCheck& check) {
  Json json = {{"schema", "unirg.submission-check/1"},
               {"references", check.references},
               {"records", check.records},
               {"valid", check.valid}};
  for (size_t f = 0; f < kFaults.size(); ++f)
    json[std::string(kFaults[f])] = count(check, static_cast<SubmissionFault>(f));
  json["problems"] = Json::array();
  for (const SubmissionProblem& p : check.problems)
    json["problems"].push_back(
        {{"fault", fault_name(p.fault)}, {"study_id", p.study_id}, {"what", p.what}});
  return json;
}

}  // namespace unirg::evaluation
