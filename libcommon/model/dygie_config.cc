// SPDX-License-Identifier: Apache-2.0
#include "model/dygie_config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <sstream>

#include "base/error.h"
#include "io/atomic_file.h"
#include "model/config_keys.h"

namespace unirg::model {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kEntityFile = "__ner_labels.txt";
constexpr std::string_view kRelationFile = "__relation_labels.txt";

/// Data sets whose entity labels the folder holds, in name order.
std::vector<std::string> datasets(const fs::path& vocabulary) {
  std::error_code error;
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(vocabulary, error)) {
    const std::string file = entry.path().filename().string();
    if (file.ends_with(kEntityFile))
      names.push_back(file.substr(0, file.size() - kEntityFile.size()));
  }
  if (names.empty()) {
    throw Error(
        Exit::no_input,
        fmt::format("no file '*{}' in '{}' (hint: scripts/convert-weights makes such a folder)",
                    kEntityFile, vocabulary.string()));
  }
  std::sort(names.begin(), names.end());
  return names;
}

void choose_dataset(const fs::path& vocabulary, const std::string& wanted, DygieConfig& config) {
  std::vector<std::string> names = datasets(vocabulary);
  const auto chosen = wanted.empty() && names.size() == 1
                          ? names.begin()
                          : std::find(names.begin(), names.end(), wanted);
  if (chosen == names.end()) {
    throw Error(Exit::data, wanted.empty()
                                ? fmt::format("'{}' has labels of {}: one must be named",
                                              vocabulary.string(), fmt::join(names, ", "))
                                : fmt::format("'{}' has labels of {}, not of '{}'",
                                              vocabulary.string(), fmt::join(names, ", "), wanted));
  }
  config.dataset = *chosen;
  names.erase(chosen);
  config.other_datasets = names;
}

std::vector<std::string> lines_of(const fs::path& file) {
  std::istringstream text(io::read_file(file));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    lines.push_back(line);
  }
  return lines;
}

/// The null label stands first in the entities' file and not at all in the relations'.
void read_labels(const fs::path& vocabulary, DygieConfig& config) {
  const fs::path entity_file = vocabulary / (config.dataset + std::string(kEntityFile));
  config.entity_labels = lines_of(entity_file);
  if (config.entity_labels.size() < 2 || !config.entity_labels.front().empty()) {
    throw Error(Exit::data,
                fmt::format("{}: expected an empty line, then labels", entity_file.string()));
  }
  config.entity_labels.erase(config.entity_labels.begin());
  const fs::path relation_file = vocabulary / (config.dataset + std::string(kRelationFile));
  config.relation_labels = lines_of(relation_file);
  const auto& relations = config.relation_labels;
  if (relations.empty() || std::find(relations.begin(), relations.end(), "") != relations.end())
    throw Error(Exit::data, fmt::format("{}: expected labels, one a line", relation_file.string()));
}

/// num_layers times hidden_dims, which is one width or a list of them.
std::vector<int64_t> read_hidden_dims(const Keys& keys) {
  const int64_t layers = keys.positive("num_layers");
  if (layers > 100) keys.fail("num_layers", "must be at most 100");
  if (!keys.has("hidden_dims") || !keys.at("hidden_dims").is_array())
    return std::vector<int64_t>(static_cast<size_t>(layers), keys.positive("hidden_dims"));
  std::vector<int64_t> widths;
  for (const Json& width : keys.at("hidden_dims")) {
    if (!width.is_number_integer() || width.get<int64_t>() < 1)
      keys.fail("hidden_dims", "expected positive integers");
    widths.push_back(width.get<int64_t>());
  }
  if (static_cast<int64_t>(widths.size()) != layers)
    keys.fail("hidden_dims", fmt::format("expected {} widths", layers));
  return widths;
}

/// The one token embedder: its key, and how many pieces it takes at once.
void read_embedder(const Keys& model, DygieConfig& config) {
  const Keys embedders = model.child("embedder").child("token_embedders");
  const Json& object = model.at("embedder").at("token_embedders");
  if (object.size() != 1) model.fail("embedder", "expected one token embedder");
  config.embedder = object.begin().key();
  const Keys embedder = embedders.child(config.embedder.c_str());
  const std::string type = embedder.string("type", "");
  if (type != "pretrained_transformer_mismatched")
    embedder.fail("type", fmt::format("'{}' is not supported", type));
  config.max_length = embedder.integer("max_length", config.max_length);
  const int64_t longest = config.encoder.max_tokens().value_or(config.max_length);
  if (config.max_length < 3 || config.max_length > longest)
    embedder.fail("max_length", fmt::format("must be between 3 and {}", longest));
}

}  // namespace

DygieConfig load_dygie_config(const fs::path& folder, const std::string& dataset) {
  DygieConfig config;
  config.encoder = load_encoder_config(folder / "bert_config.json");
  config.encoder.labels.clear();
  choose_dataset(folder / "vocabulary", dataset, config);
  read_labels(folder / "vocabulary", config);

  const fs::path file = folder / "config.json";
  const Json object = read_json_object(file);
  const Keys model = Keys(object, file.string()).child("model");
  read_embedder(model, config);
  config.max_span_width = model.positive("max_span_width");
  if (config.max_span_width > 512) model.fail("max_span_width", "must be at most 512");
  config.feature_size = model.positive("feature_size");
  config.hidden_dims = read_hidden_dims(model.child("feedforward_params"));
  const Keys relation = model.child("modules").child("relation");
  config.spans_per_word = relation.number("spans_per_word", 0);
  // No report has more spans than words times their widths.
  if (!(config.spans_per_word > 0) ||
      config.spans_per_word > static_cast<double>(config.max_span_width))
    relation.fail("spans_per_word", "must be positive and at most max_span_width");
  return config;
}

}  // namespace unirg::model
