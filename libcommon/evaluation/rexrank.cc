// SPDX-License-Identifier: Apache-2.0
#include "evaluation/rexrank.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace unirg::evaluation {
namespace {

/// A column of ours and of theirs.
struct Column {
  const char* metric;
  const char* name;
};

constexpr Column kScores[] = {{"bleu2", "bleu_score"},      {"bertscore", "bertscore"},
                              {"sembscore", "semb_score"},  {"radgraph", "radgraph_combined"},
                              {"radcliq-v0", "RadCliQ-v0"}, {"radcliq-v1", "RadCliQ-v1"},
                              {"ratescore", "ratescore"},   {"green", "green_score"}};

constexpr Column kBoard[] = {
    {"bleu2", "BLEU"},        {"bertscore", "BertScore"},          {"sembscore", "SembScore"},
    {"radgraph", "RadGraph"}, {"1/radcliq-v1", "1/RadCliQ-v1"},    {"ratescore", "RaTEScore"},
    {"green", "GREEN"},       {"1/fineradscore", "1/FineRadScore"}};

/// RFC 4180: quoted where it must be, quotes doubled.
std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

const std::optional<double>* find(const scoring::NamedValues& values, const char* metric) {
  const auto it = std::find_if(values.begin(), values.end(),
                               [&](const auto& value) { return value.first == metric; });
  return it == values.end() ? nullptr : &it->second;
}

std::string board_cell(const SystemResult& result, const char* metric) {
  const auto it = std::find_if(result.metrics.begin(), result.metrics.end(),
                               [&](const auto& value) { return value.first == metric; });
  if (it == result.metrics.end() || !std::isfinite(it->second.value)) return "-";
  return fmt::format("{:.3f}", it->second.value);
}

}  // namespace

std::string rexrank_predictions(const std::vector<Score>& scores) {
  data::Json object = data::Json::object();
  for (const Score& score : scores)
    object[score.study_id] = {{"report", score.reference}, {"model_prediction", score.text}};
  return object.dump(2) + "\n";
}

std::string rexrank_scores(const std::vector<Score>& scores) {
  std::string text = "study_id";
  for (const Column& column : kScores) {
    if (find(scores.front().metrics, column.metric)) text += fmt::format(",{}", column.name);
  }
  text += "\n";
  for (const Score& score : scores) {
    text += csv_cell(score.study_id);
    for (const Column& column : kScores) {
      const std::optional<double>* value = find(score.metrics, column.metric);
      if (value) text += *value ? fmt::format(",{}", **value) : ",";
    }
    text += "\n";
  }
  return text;
}

std::string rexrank_leaderboard(const Comparison& comparison) {
  std::string text = "Model,Split";
  for (const Column& column : kBoard) text += fmt::format(",{}", column.name);
  text += "\n";
  for (const auto& [key, result] : comparison.results) {
    text += csv_cell(key.first) + "," + csv_cell(key.second);
    for (const Column& column : kBoard) text += "," + board_cell(result, column.metric);
    text += "\n";
  }
  return text;
}

}  // namespace unirg::evaluation
