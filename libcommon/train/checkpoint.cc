// SPDX-License-Identifier: Apache-2.0
#include "train/checkpoint.h"

#include <fmt/format.h>

#include "base/error.h"
#include "io/atomic_file.h"

namespace unirg::train {
namespace fs = std::filesystem;
namespace {

/// Files that save_checkpoint writes itself or that speak of another run.
bool is_own(const std::string& name) {
  return name == "config.json" || name == "run.json" || name.starts_with("adapter_") ||
         name == "DONE" || name == "training_state" || name.starts_with("model.safetensors") ||
         (name.starts_with("model-") && name.ends_with(".safetensors"));
}

void copy_rest(const fs::path& base, const fs::path& to) {
  for (const fs::directory_entry& entry : fs::directory_iterator(base)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_regular_file() && !is_own(name) && !name.starts_with('.'))
      io::write_file(to / name, io::read_file(entry.path()));
  }
}

/// config.json of the base, whatever else it holds, with the type the weights now have. Of
/// Janus-Pro the language side alone is there, so that becomes the whole.
void write_config(const fs::path& base, const fs::path& to, const model::Qwen3VL& model) {
  io::Json config = io::Json::parse(io::read_file(base / "config.json"));
  if (model.config.model_type == "multi_modality") {
    config = io::Json(config.at("language_config"));
    config["model_type"] = "llama";
    config["architectures"] = {"LlamaForCausalLM"};
  }
  const at::ScalarType type = model.text.embed.scalar_type();
  const char* const dtype = type == at::kBFloat16 ? "bfloat16"
                            : type == at::kHalf   ? "float16"
                                                  : "float32";
  const auto patch = [&](io::Json& object) {
    for (const char* key : {"dtype", "torch_dtype"})
      if (object.contains(key)) object[key] = dtype;
  };
  patch(config);
  if (config.contains("text_config")) patch(config["text_config"]);
  io::write_file(to / "config.json", config.dump(2) + "\n");
}

/// The adapter, its base named as seen from `folder`, so that both can be moved together.
void write_adapter(const fs::path& base, const fs::path& folder, const fs::path& to,
                   const model::Qwen3VL& model) {
  model::AdapterConfig adapter = *model.adapter;
  adapter.base = fs::relative(fs::absolute(base), fs::absolute(folder));
  io::write_file(to / "config.json", io::read_file(base / "config.json"));
  model::save_adapter(to, model.config, adapter, model.parameters);
}

void save_state(const fs::path& folder, const TrainingState& state, const Parameters& extra) {
  io::make_folders(folder);
  Parameters moments;
  for (const auto& [name, tensor] : state.optimizer.first) moments["first." + name] = tensor;
  for (const auto& [name, tensor] : state.optimizer.second) moments["second." + name] = tensor;
  for (const auto& [name, tensor] : state.optimizer.master) moments["master." + name] = tensor;
  model::save_tensors(folder / "moments.safetensors", moments);
  if (!extra.empty()) model::save_tensors(folder / "extra.safetensors", extra);
  const io::Json json = {{"schema", "unirg.training_state/1"},
                         {"optimizer_step", state.optimizer.step},
                         {"progress", state.progress}};
  io::write_file(folder / "state.json", json.dump(2) + "\n");
}

}  // namespace

std::string save_checkpoint(const fs::path& folder, const fs::path& base,
                            const model::Qwen3VL& model, const io::RunRecord& record,
                            const std::optional<TrainingState>& state, const Parameters& extra,
                            int64_t max_shard_bytes) {
  const fs::path files = model::base_folder(base);
  io::AtomicFolder made(folder);
  copy_rest(files, made.temporary());
  if (model.adapter) {
    write_adapter(files, folder, made.temporary(), model);
  } else {
    write_config(files, made.temporary(), model);
    model::save_parameters(made.temporary(), model.parameters, max_shard_bytes);
  }
  if (state) save_state(made.temporary() / "training_state", *state, extra);
  const std::string digest = io::digest_path(made.temporary());
  io::RunRecord with_output = record;
  with_output.add_output(folder, digest);
  with_output.write(made.temporary() / "run.json");
  made.commit();
  return digest;
}

std::optional<TrainingState> load_training_state(const fs::path& checkpoint) {
  const fs::path folder = checkpoint / "training_state";
  if (!fs::exists(folder / "state.json")) return std::nullopt;
  const io::Json json =
      io::Json::parse(io::read_file(folder / "state.json"), nullptr, /*allow_exceptions=*/false);
  const auto step = json.is_object() ? io::Fields(json).integer("optimizer_step")
                                     : Result<int64_t>(bad_record("not a JSON object"));
  if (!step || !json.contains("progress") || !json.at("progress").is_object()) {
    throw Error(Exit::data,
                fmt::format("'{}' is damaged: {}", (folder / "state.json").string(),
                            step ? "field 'progress' is missing" : step.error().reason));
  }
  TrainingState state;
  state.optimizer.step = *step;
  state.progress = json.at("progress");
  for (auto& [name, tensor] : model::load_tensors(folder / "moments.safetensors")) {
    if (name.starts_with("first.")) state.optimizer.first[name.substr(6)] = tensor;
    if (name.starts_with("second.")) state.optimizer.second[name.substr(7)] = tensor;
    if (name.starts_with("master.")) state.optimizer.master[name.substr(7)] = tensor;
  }
  return state;
}

}  // namespace unirg::train
