// SPDX-License-Identifier: Apache-2.0
#include "scoring/human_ratings.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "base/error.h"
#include "data/table.h"
#include "io/atomic_file.h"
#include "io/jsonl.h"

namespace unirg::scoring {
namespace {

namespace fs = std::filesystem;
using data::Table;
using data::TableRow;

[[noreturn]] void fail(const std::string& file, int64_t line, const std::string& why) {
  throw Error(Exit::data, fmt::format("'{}:{}': {}", file, line, why));
}

bool has_column(const Table& table, const std::string& name) {
  return std::find(table.columns.begin(), table.columns.end(), name) != table.columns.end();
}

void need_columns(const Table& table, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (has_column(table, name)) continue;
    const std::string nearest = nearest_name(name, table.columns);
    throw Error(Exit::data,
                fmt::format("'{}': column '{}' is missing{}", table.file, name,
                            nearest.empty() ? "" : fmt::format(" (hint: it has '{}')", nearest)));
  }
  if (table.rows.empty()) throw Error(Exit::data, fmt::format("'{}': no rows", table.file));
}

const std::string& cell(const Table& table, const TableRow& row, const std::string& column) {
  const auto found = row.cells.find(column);
  if (found == row.cells.end() || found->second.empty())
    fail(table.file, row.line, fmt::format("field '{}' is empty", column));
  return found->second;
}

double number(const Table& table, const TableRow& row, const std::string& column) {
  const std::string& text = cell(table, row, column);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value))
    fail(table.file, row.line,
         fmt::format("field '{}': expected a number, got '{}'", column, text));
  return value;
}

/// Mean of the numbers that raters gave.
struct Mean {
  double sum = 0;
  int64_t count = 0;
  void add(double value) {
    sum += value;
    ++count;
  }
  [[nodiscard]] double value() const { return sum / static_cast<double>(count); }
};

/// A field of a JSON object as a table has it: text as it is, a number as written.
std::string json_cell(const io::Json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.is_null() ? "" : value.dump();
}

io::Json read_json(const fs::path& file) {
  try {
    return io::Json::parse(io::read_file(file));
  } catch (const io::Json::exception& e) {
    throw Error(Exit::data, fmt::format("'{}': not JSON: {}", file.string(), e.what()));
  }
}

/// A list of objects as a table; the line of a row is its place in the list, from 1.
Table table_of_json(const fs::path& file) {
  const io::Json list = read_json(file);
  if (!list.is_array())
    throw Error(Exit::data, fmt::format("'{}': expected a list", file.string()));
  Table table{file.string(), {}, {}};
  for (const io::Json& object : list) {
    TableRow row{static_cast<int64_t>(table.rows.size()) + 1, {}};
    if (!object.is_object()) fail(table.file, row.line, "expected an object");
    for (const auto& [key, value] : object.items()) {
      row.cells[key] = json_cell(value);
      if (!has_column(table, key)) table.columns.push_back(key);
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

bool is_true(const Table& table, const TableRow& row, const std::string& column) {
  const std::string& text = cell(table, row, column);
  if (text == "True" || text == "true" || text == "1") return true;
  if (text == "False" || text == "false" || text == "0") return false;
  fail(table.file, row.line,
       fmt::format("field '{}': expected true or false, got '{}'", column, text));
}

using Pair = std::pair<std::string, std::string>;  // study or case, candidate

/// By pair, the errors that each rater counted.
std::map<Pair, std::map<std::string, double>> count_errors(const Table& table, ErrorKind kind) {
  need_columns(table, {"study_number", "candidate_type", "rater_index", "error_category",
                       "clinically_significant", "num_errors"});
  std::map<Pair, std::map<std::string, double>> by_rater;
  for (const TableRow& row : table.rows) {
    const Pair pair{cell(table, row, "study_number"), cell(table, row, "candidate_type")};
    double& errors = by_rater[pair][cell(table, row, "rater_index")];
    const double found = number(table, row, "num_errors");
    if (found < 0) fail(table.file, row.line, "field 'num_errors' is negative");
    const bool significant = is_true(table, row, "clinically_significant");
    if (kind == ErrorKind::all || significant == (kind == ErrorKind::significant)) errors += found;
  }
  return by_rater;
}

std::vector<fs::path> rater_files(const fs::path& folder) {
  if (!fs::is_directory(folder))
    throw Error(Exit::no_input, fmt::format("'{}' is no folder", folder.string()));
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.rfind("user_", 0) == 0 && entry.path().extension() == ".json")
      files.push_back(entry.path());
  }
  if (files.empty())
    throw Error(Exit::data, fmt::format("'{}': no user_N.json in it", folder.string()));
  std::sort(files.begin(), files.end());
  return files;
}

double rating_of(const io::Json& rater, const Pair& pair, const fs::path& file) {
  const auto missing = [&](const char* why) {
    throw Error(Exit::data, fmt::format("'{}': case '{}', candidate '{}': {}", file.string(),
                                        pair.first, pair.second, why));
  };
  const io::Json::json_pointer place =
      io::Json::json_pointer() / "annotations" / pair.first / pair.second / "rating";
  if (!rater.contains(place)) missing("no rating");
  const io::Json& rating = rater.at(place);
  if (!rating.is_number()) missing("the rating is no number");
  const auto value = rating.get<double>();
  if (!(value >= 1 && value <= 5)) missing("the rating is not in 1..5");
  return value;
}

}  // namespace

std::vector<HumanRating> read_plain_ratings(const fs::path& file) {
  const Table table = data::read_table(file);
  need_columns(table, {"id", "reference", "candidate"});
  const bool rated = has_column(table, "rating");
  if (rated == has_column(table, "errors"))
    throw Error(Exit::data,
                fmt::format("'{}': exactly one of the columns 'rating' and 'errors' is needed",
                            table.file));
  std::vector<HumanRating> all;
  std::vector<Mean> means;
  std::map<std::string, size_t> index;
  for (const TableRow& row : table.rows) {
    const auto group = row.cells.find("group");
    HumanRating pair{cell(table, row, "id"),
                     group == row.cells.end() ? "" : group->second,
                     cell(table, row, "reference"),
                     cell(table, row, "candidate"),
                     0,
                     rated};
    const auto [known, is_new] = index.emplace(pair.id, all.size());
    if (is_new) {
      all.push_back(pair);
      means.emplace_back();
    }
    const HumanRating& first = all[known->second];
    if (first.reference != pair.reference || first.candidate != pair.candidate ||
        first.group != pair.group)
      fail(table.file, row.line, fmt::format("id '{}' stood for another pair before", pair.id));
    means[known->second].add(number(table, row, rated ? "rating" : "errors"));
  }
  for (size_t i = 0; i < all.size(); ++i) all[i].value = means[i].value();
  return all;
}

std::vector<HumanRating> read_rexval(const fs::path& reports, const fs::path& errors,
                                     ErrorKind kind) {
  const Table texts = data::read_table(reports);
  need_columns(texts, {"study_id", "gt_report"});
  const Table counts = data::read_table(errors);
  std::map<Pair, std::map<std::string, double>> by_rater = count_errors(counts, kind);
  std::vector<HumanRating> all;
  for (size_t study = 0; study < texts.rows.size(); ++study) {
    for (const std::string& candidate : texts.columns) {
      const auto found = by_rater.find({std::to_string(study), candidate});
      if (found == by_rater.end()) continue;
      Mean mean;
      for (const auto& [rater, count] : found->second) mean.add(count);
      const TableRow& row = texts.rows[study];
      all.push_back({fmt::format("{}/{}", study, candidate), candidate,
                     cell(texts, row, "gt_report"), cell(texts, row, candidate), mean.value(),
                     false});
      by_rater.erase(found);
    }
  }
  if (!by_rater.empty())
    throw Error(Exit::data,
                fmt::format("'{}': study_number '{}', candidate_type '{}': no such report in '{}' "
                            "(hint: study numbers are its rows, from 0)",
                            counts.file, by_rater.begin()->first.first,
                            by_rater.begin()->first.second, texts.file));
  return all;
}

std::vector<HumanRating> read_radpref(const fs::path& cases, const fs::path& annotations) {
  const Table table = data::read_table(cases);
  need_columns(table, {"case_id", "candidate", "reference", "candidate_report"});
  std::vector<std::pair<fs::path, io::Json>> raters;
  for (const fs::path& file : rater_files(annotations)) raters.emplace_back(file, read_json(file));
  std::vector<HumanRating> all;
  std::map<Pair, int64_t> seen;
  for (const TableRow& row : table.rows) {
    const Pair pair{cell(table, row, "case_id"), cell(table, row, "candidate")};
    if (!seen.emplace(pair, row.line).second)
      fail(table.file, row.line,
           fmt::format("case '{}', candidate '{}' twice", pair.first, pair.second));
    Mean mean;
    for (const auto& [file, rater] : raters) mean.add(rating_of(rater, pair, file));
    all.push_back({fmt::format("{}/{}", pair.first, pair.second), pair.second,
                   cell(table, row, "reference"), cell(table, row, "candidate_report"),
                   mean.value(), true});
  }
  return all;
}

std::vector<HumanRating> read_rate_eval(const fs::path& file) {
  const Table table = file.extension() == ".json" ? table_of_json(file) : data::read_table(file);
  need_columns(table, {"gt_report", "similar_report", "Score"});
  std::vector<HumanRating> all;
  for (const TableRow& row : table.rows) {
    all.push_back({std::to_string(all.size()), "", cell(table, row, "gt_report"),
                   cell(table, row, "similar_report"), number(table, row, "Score"), true});
  }
  return all;
}

}  // namespace unirg::scoring
