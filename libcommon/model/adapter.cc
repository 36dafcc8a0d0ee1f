// SPDX-License-Identifier: Apache-2.0
#include "model/adapter.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fnmatch.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.h"
#include "base/rng.h"
#include "io/atomic_file.h"
#include "io/safetensors.h"
#include "model/checkpoint_tensors.h"

namespace unirg::model {
namespace fs = std::filesystem;
namespace {

constexpr const char* kConfigFile = "adapter_config.json";
constexpr const char* kWeightsFile = "adapter_model.safetensors";
constexpr std::string_view kWeight = ".weight";
constexpr std::string_view kA = ".lora_A.weight";
constexpr std::string_view kB = ".lora_B.weight";
/// peft wraps the model it adapts in two levels.
constexpr std::string_view kPeftRoot = "base_model.model.";

/// Layers by name: every tensor NAME.weight, and whether it is a linear layer (embeddings and the
/// head are not adapted).
std::map<std::string, bool> all_layers(const ModelConfig& config) {
  std::map<std::string, bool> layers;
  for (const auto& [name, shape] : expected_parameters(config)) {
    if (!name.ends_with(kWeight)) continue;
    const std::string layer = name.substr(0, name.size() - kWeight.size());
    const bool is_table =
        layer == "lm_head" || layer.ends_with("embed_tokens") || layer.ends_with("pos_embed");
    layers[layer] = shape.size() == 2 && !is_table;
  }
  return layers;
}

/// peft's rule for a list of targets: the whole name, or its end after a dot.
bool ends_as(const std::string& layer, const std::string& target) {
  return layer == target || layer.ends_with("." + target);
}

bool is_chosen(const std::string& layer, const std::string& target) {
  if (target == "all-linear") return true;
  if (target.find_first_of("*?[") != std::string::npos)
    return ::fnmatch(target.c_str(), layer.c_str(), 0) == 0;
  return ends_as(layer, target);
}

/// The shortest end of `layer` that, by peft's rule, means chosen layers only.
std::string short_target(const std::string& layer, const std::set<std::string>& chosen,
                         const std::map<std::string, bool>& layers) {
  for (size_t dot = layer.rfind('.'); dot != std::string::npos && dot > 0;
       dot = layer.rfind('.', dot - 1)) {
    const std::string end = layer.substr(dot + 1);
    const bool only_chosen = std::all_of(layers.begin(), layers.end(), [&](const auto& item) {
      return !ends_as(item.first, end) || chosen.contains(item.first);
    });
    if (only_chosen) return end;
  }
  return layer;
}

std::set<std::string> layers_of(const Parameters& parameters) {
  std::set<std::string> layers;
  for (const auto& [name, tensor] : parameters) {
    if (name.ends_with(kA)) layers.insert(name.substr(0, name.size() - kA.size()));
  }
  return layers;
}

/// Reads adapter_config.json and says which of its fields asks for what is not built.
class Reader {
 public:
  explicit Reader(const fs::path& file)
      : file_(file.string()),
        object_(Json::parse(io::read_file(file), nullptr, /*allow_exceptions=*/false)) {
    if (!object_.is_object()) fail("not a JSON object");
  }
  [[noreturn]] void fail(const std::string& why) const {
    throw Error(Exit::data, fmt::format("'{}': {}", file_, why));
  }
  /// nullptr when the field is missing or null.
  [[nodiscard]] const Json* field(const char* name) const {
    const auto it = object_.find(name);
    return it == object_.end() || it->is_null() ? nullptr : &*it;
  }
  void number(const char* name, double& out, double low, double high) const {
    const Json* value = field(name);
    if (!value) return;
    if (!value->is_number()) fail(fmt::format("field '{}': expected number", name));
    out = value->get<double>();
    if (!(out >= low && out <= high)) fail(fmt::format("field '{}': out of range", name));
  }
  /// The field may be missing, null, false, empty or `harmless`; anything else is refused.
  void refuse(const char* name, const Json& harmless = nullptr) const {
    const Json* value = field(name);
    if (!value || *value == harmless || *value == Json(false)) return;
    if ((value->is_object() || value->is_array()) && value->empty()) return;
    fail(fmt::format("field '{}': {} is not supported", name, value->dump()));
  }

 private:
  std::string file_;
  Json object_;
};

void refuse_other_kinds(const Reader& reader) {
  const Json* type = reader.field("peft_type");
  if (!type || *type != "LORA") reader.fail("field 'peft_type': only LORA is supported");
  reader.refuse("bias", "none");
  for (const char* name :
       {"use_dora", "fan_in_fan_out", "modules_to_save", "rank_pattern", "alpha_pattern",
        "lora_bias", "layer_replication", "trainable_token_indices", "target_parameters"}) {
    reader.refuse(name);
  }
}

Tensor uniform_tensor(const std::vector<int64_t>& shape, double bound, uint64_t seed,
                      const std::string& name) {
  Tensor tensor = at::empty(shape, at::kFloat);
  float* values = tensor.mutable_data_ptr<float>();
  Rng rng(seed, "adapter-init", name);
  for (int64_t i = 0; i < tensor.numel(); ++i)
    values[i] = static_cast<float>(rng.uniform(-bound, bound));
  return tensor;
}

}  // namespace

double AdapterConfig::scale() const {
  const auto r = static_cast<double>(rank);
  return alpha / (rank_stabilised ? std::sqrt(r) : r);
}

bool is_adapter(const fs::path& folder) { return fs::exists(folder / kConfigFile); }

fs::path base_folder(const fs::path& folder) {
  if (!is_adapter(folder)) return folder;
  const AdapterConfig adapter = load_adapter_config(folder);
  const fs::path base = adapter.base.is_absolute() ? adapter.base : folder / adapter.base;
  if (!fs::exists(base / "config.json")) {
    throw Error(Exit::no_input,
                fmt::format("adapter '{}': its base checkpoint '{}' is not there (hint: field "
                            "'base_model_name_or_path' of {})",
                            folder.string(), base.lexically_normal().string(), kConfigFile));
  }
  return fs::weakly_canonical(base);  // links in the adapter's path are followed as the system does
}

AdapterConfig load_adapter_config(const fs::path& folder) {
  const Reader reader(folder / kConfigFile);
  refuse_other_kinds(reader);
  AdapterConfig adapter;
  double rank = 0;
  reader.number("r", rank, 1, 1e6);
  adapter.rank = static_cast<int64_t>(rank);
  if (static_cast<double>(adapter.rank) != rank || adapter.rank < 1)
    reader.fail("field 'r': expected a whole number of at least 1");
  adapter.alpha = rank;
  reader.number("lora_alpha", adapter.alpha, 0, 1e9);
  reader.number("lora_dropout", adapter.dropout, 0, 0.999);
  if (const Json* value = reader.field("use_rslora")) {
    if (!value->is_boolean()) reader.fail("field 'use_rslora': expected true or false");
    adapter.rank_stabilised = value->get<bool>();
  }
  if (const Json* value = reader.field("target_modules")) {
    if (value->is_string()) adapter.targets = {value->get<std::string>()};
    if (value->is_array()) {
      for (const Json& target : *value)
        if (target.is_string()) adapter.targets.push_back(target.get<std::string>());
    }
  }
  const Json* base = reader.field("base_model_name_or_path");
  if (!base || !base->is_string()) reader.fail("field 'base_model_name_or_path' is missing");
  adapter.base = base->get<std::string>();
  return adapter;
}

std::vector<std::string> adapted_layers(const ModelConfig& config,
                                        const std::vector<std::string>& targets) {
  const auto layers = all_layers(config);
  std::set<std::string> chosen;
  for (const std::string& target : targets) {
    bool hits = false;
    for (const auto& [layer, linear] : layers) {
      if (!linear || !is_chosen(layer, target)) continue;
      chosen.insert(layer);
      hits = true;
    }
    if (!hits) {
      std::set<std::string> ends;
      for (const auto& [layer, linear] : layers)
        if (linear) ends.insert(layer.substr(layer.rfind('.') + 1));
      throw Error(Exit::config,
                  fmt::format("adapter target '{}' is no linear layer of the model (hint: {}, "
                              "all-linear, or a pattern of a whole name)",
                              target, fmt::join(ends, ", ")));
    }
  }
  return {chosen.begin(), chosen.end()};
}

Shapes adapter_shapes(const ModelConfig& config, const AdapterConfig& adapter) {
  const Shapes base = expected_parameters(config);
  Shapes shapes;
  for (const std::string& layer : adapted_layers(config, adapter.targets)) {
    const auto& shape = base.at(layer + std::string(kWeight));
    shapes[layer + std::string(kA)] = {adapter.rank, shape[1]};
    shapes[layer + std::string(kB)] = {shape[0], adapter.rank};
  }
  return shapes;
}

Parameters new_adapter(const ModelConfig& config, const AdapterConfig& adapter, uint64_t seed) {
  Parameters tensors;
  for (const auto& [name, shape] : adapter_shapes(config, adapter)) {
    tensors[name] =
        name.ends_with(kA)
            ? uniform_tensor(shape, 1.0 / std::sqrt(static_cast<double>(shape[1])), seed, name)
            : at::zeros(shape, at::kFloat);
  }
  return tensors;
}

Parameters load_adapter(const fs::path& folder, const ModelConfig& config,
                        const AdapterConfig& adapter) {
  const fs::path file = folder / kWeightsFile;
  const Shapes shapes = expected_parameters(config);
  const auto layers = all_layers(config);
  const Naming naming = checkpoint_naming(config);
  Parameters tensors;
  std::vector<std::string> problems;
  for (const auto& [file_name, tensor] : load_tensors(file)) {
    const std::string name =
        naming(file_name.starts_with(kPeftRoot) ? file_name.substr(kPeftRoot.size()) : file_name);
    const bool is_a = name.ends_with(kA);
    const std::string layer =
        is_adapter_tensor(name) ? name.substr(0, name.size() - kA.size()) : "";
    const auto known = layers.find(layer);
    if (known == layers.end() || !known->second) {
      problems.push_back(fmt::format("tensor '{}' is of no linear layer of the base", file_name));
      continue;
    }
    const auto& shape = shapes.at(layer + std::string(kWeight));
    const std::vector<int64_t> expected = is_a ? std::vector<int64_t>{adapter.rank, shape[1]}
                                               : std::vector<int64_t>{shape[0], adapter.rank};
    if (tensor.sizes() != at::IntArrayRef(expected))
      problems.push_back(fmt::format("tensor '{}' is [{}] instead of [{}]", file_name,
                                     fmt::join(tensor.sizes(), ","), fmt::join(expected, ",")));
    tensors[name] = tensor.to(at::kFloat);
  }
  for (const auto& [name, tensor] : tensors) {
    const std::string layer = name.substr(0, name.size() - kA.size());
    const std::string other = layer + std::string(name.ends_with(kA) ? kB : kA);
    if (!tensors.contains(other)) problems.push_back(fmt::format("tensor '{}' is missing", other));
  }
  if (tensors.empty() && problems.empty()) problems.emplace_back("no adapter tensor in it");
  if (!problems.empty()) {
    throw Error(Exit::data, fmt::format("'{}': {}", file.string(), fmt::join(problems, "; ")));
  }
  return tensors;
}

void save_adapter(const fs::path& folder, const ModelConfig& config, const AdapterConfig& adapter,
                  const Parameters& parameters) {
  const std::set<std::string> chosen = layers_of(parameters);
  const auto layers = all_layers(config);
  std::set<std::string> targets;
  for (const std::string& layer : chosen) targets.insert(short_target(layer, chosen, layers));
  const Json json = {{"alpha_pattern", Json::object()},
                     {"base_model_name_or_path", adapter.base.string()},
                     {"bias", "none"},
                     {"fan_in_fan_out", false},
                     {"inference_mode", true},
                     {"init_lora_weights", true},
                     {"lora_alpha", adapter.alpha},
                     {"lora_dropout", adapter.dropout},
                     {"modules_to_save", nullptr},
                     {"peft_type", "LORA"},
                     {"r", adapter.rank},
                     {"rank_pattern", Json::object()},
                     {"target_modules", targets},
                     {"task_type", "CAUSAL_LM"},
                     {"use_dora", false},
                     {"use_rslora", adapter.rank_stabilised}};
  io::write_file(folder / kConfigFile, json.dump(2) + "\n");
  Parameters named;
  for (const auto& [name, tensor] : parameters) {
    if (is_adapter_tensor(name)) named[std::string(kPeftRoot) + name] = tensor;
  }
  save_tensors(folder / kWeightsFile, named);
}

bool is_adapter_tensor(const std::string& name) { return name.ends_with(kA) || name.ends_with(kB); }

Parameters merged(const Parameters& parameters, const AdapterConfig& adapter) {
  Parameters base;
  for (const auto& [name, tensor] : parameters) {
    if (!is_adapter_tensor(name)) base[name] = tensor;
  }
  for (const std::string& layer : layers_of(parameters)) {
    Tensor& weight = base.at(layer + std::string(kWeight));
    const Tensor change = at::matmul(parameter(parameters, layer + std::string(kB)),
                                     parameter(parameters, layer + std::string(kA)));
    weight = (weight.to(at::kFloat) + change * adapter.scale()).to(weight.scalar_type());
  }
  return base;
}

}  // namespace unirg::model
