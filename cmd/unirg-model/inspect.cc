// unirg-model info, verify, diff: what a checkpoint holds. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "actions.h"
#include "io/run_record.h"
#include "io/safetensors.h"
#include "model/checkpoint_tensors.h"
#include "model/compare.h"
#include "model/cost.h"
#include "model/encoder.h"
#include "model/qwen3_vl.h"
#include "train/probe.h"

namespace unirg {
namespace fs = std::filesystem;
namespace {

int64_t values_under(const model::Shapes& shapes, std::string_view prefix) {
  model::Shapes part;
  for (const auto& [name, shape] : shapes)
    if (name.starts_with(prefix)) part.emplace(name, shape);
  return model::count_values(part);
}

void print_parts(const model::ModelConfig& c) {
  const model::Shapes shapes = model::expected_parameters(c);
  const std::string text = model::text_root(c);
  fmt::print("parameters: {}\n", model::count_values(shapes));
  fmt::print("  vision: {}\n  embedding: {}\n  layers: {}\n  head: {}\n",
             values_under(shapes, model::kVisionRoot), values_under(shapes, text + "embed_tokens."),
             values_under(shapes, text + "layers."), values_under(shapes, "lm_head."));
}

/// "float32 12, bfloat16 300": tensors of each stored type.
std::string stored_types(const std::map<std::string, io::TensorView>& tensors) {
  std::map<std::string, int64_t> counts;
  for (const auto& [name, view] : tensors) ++counts[std::string(io::dtype_name(view.dtype))];
  std::vector<std::string> parts;
  for (const auto& [name, count] : counts) parts.push_back(fmt::format("{} {}", name, count));
  return fmt::format("{}", fmt::join(parts, ", "));
}

int64_t stored_bytes(const std::map<std::string, io::TensorView>& tensors) {
  int64_t bytes = 0;
  for (const auto& [name, view] : tensors) bytes += static_cast<int64_t>(view.bytes.size());
  return bytes;
}

void print_adapter(const fs::path& folder) {
  const model::AdapterConfig adapter = model::load_adapter_config(folder);
  const io::SafetensorsFile file(folder / "adapter_model.safetensors");
  int64_t values = 0;
  for (const auto& [name, view] : file.tensors())
    values += static_cast<int64_t>(view.bytes.size()) / io::dtype_bytes(view.dtype);
  fmt::print(
      "adapter: rank {}, alpha {}, dropout {}\nadapter-targets: {}\nadapter-parameters: {}\n",
      adapter.rank, adapter.alpha, adapter.dropout, fmt::join(adapter.targets, " "), values);
  fmt::print("base: {}\n", model::base_folder(folder).string());
}

void print_tensors(const std::map<std::string, io::TensorView>& tensors) {
  for (const auto& [name, view] : tensors)
    fmt::print("{}\t{}\t{}\n", name, io::dtype_name(view.dtype), fmt::join(view.shape, "x"));
}

const char* verdict_text(model::Verdict verdict) {
  switch (verdict) {
    case model::Verdict::same:
      return "same";
    case model::Verdict::same_values:
      return "same values";
    case model::Verdict::values:
      return "values";
    case model::Verdict::shape:
      return "shape";
    case model::Verdict::only_first:
      return "only in A";
    case model::Verdict::only_second:
      return "only in B";
  }
  return "";
}

Exit print_encoder(const ModelToolOptions& o) {
  const model::Encoder encoder = model::load_encoder(o.model);
  const io::SafetensorsFolder files(o.model);
  fmt::print("model: {}\nmodel-type: {}\ndigest: {}\nparameters: {}\n", o.model.string(),
             encoder.config.model_type, model::policy_digest(o.model),
             model::count_values(encoder.parameters));
  fmt::print("stored: {}\nstored-bytes: {}\n", stored_types(files.tensors()),
             stored_bytes(files.tensors()));
  if (o.list) print_tensors(files.tensors());
  return Exit::ok;
}

}  // namespace

Exit print_info(const ModelToolOptions& o) {
  if (model::is_encoder_folder(o.model)) return print_encoder(o);
  const fs::path base = model::base_folder(o.model);
  const model::ModelConfig c = model::load_config(base / "config.json");
  (void)model::load_checkpoint(base, c, {std::nullopt, at::kCPU, /*map=*/true});  // all is there
  const io::SafetensorsFolder files(base);
  fmt::print("model: {}\nmodel-type: {}\ndigest: {}\n", o.model.string(), c.model_type,
             model::policy_digest(o.model));
  print_parts(c);
  if (model::is_adapter(o.model)) print_adapter(o.model);
  const int64_t values = model::count_values(model::expected_parameters(c));
  fmt::print("stored: {}\nstored-bytes: {}\n", stored_types(files.tensors()),
             stored_bytes(files.tensors()));
  fmt::print("weights-float32-bytes: {}\nweights-bfloat16-bytes: {}\ntraining-bytes: {}\n",
             4 * values, 2 * values, 16 * values);
  fmt::print("kv-bytes-per-token: {}\n", model::kv_bytes_per_token(c.text, 4));
  if (o.list) print_tensors(files.tensors());
  return Exit::ok;
}

Exit verify_model(const ModelToolOptions& o) {
  const std::string bad = model::first_not_finite(model::stored_parameters(o.model));
  if (!bad.empty())
    throw Error(Exit::data, fmt::format("'{}': tensor '{}' holds values that are not finite",
                                        o.model.string(), bad));
  const model::Parameters out =
      model::is_encoder_folder(o.model)
          ? model::encoder_outputs(model::load_encoder(o.model), {{"input_ids", {{1, 2, 3}}}},
                                   "verify")
          : train::run_plain_probe(model::load_model(o.model, o.common.device, o.common.dtype));
  const std::string output = model::first_not_finite(out);
  if (!output.empty())
    throw Error(Exit::data, fmt::format("'{}': its {} are not finite", o.model.string(), output));
  fmt::print("{}: weights and forward pass finite\n", o.model.string());
  return Exit::ok;
}

Exit compare_models(const ModelToolOptions& o) {
  if (o.arguments.size() != 2) throw Error(Exit::usage, "diff takes two checkpoint folders");
  const auto all = model::compare_parameters(model::stored_parameters(o.arguments[0]),
                                             model::stored_parameters(o.arguments[1]));
  int64_t differing = 0;
  fmt::print("tensor\tverdict\tmax-abs\trelative\n");
  for (const model::TensorDifference& d : all) {
    if (d.verdict == model::Verdict::same) continue;
    differing += d.verdict != model::Verdict::same_values;
    fmt::print("{}\t{}\t{:.6g}\t{:.6g}\n", d.name, verdict_text(d.verdict), d.largest, d.relative);
  }
  fmt::print("# {} of {} tensors differ\n", differing, all.size());
  return differing == 0 ? Exit::ok : Exit::differ;
}

}  // namespace unirg
