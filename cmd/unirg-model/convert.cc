// unirg-model merge, convert: the same weights in another form. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "actions.h"
#include "io/atomic_file.h"
#include "io/run_record.h"
#include "model/compare.h"
#include "model/qwen3_vl.h"
#include "train/checkpoint.h"
#include "train/trainable.h"

namespace unirg {
namespace {

void check_output(const ModelToolOptions& o) {
  if (o.output.empty()) throw Error(Exit::usage, "missing option '--output'");
}

Exit save(const ModelToolOptions& o, const model::Qwen3VL& model, cli::Context& context) {
  model::add_policy_input(context.record, o.model, model::policy_digest(o.model));
  io::make_folders(o.output.parent_path());
  train::save_checkpoint(o.output, o.model, model, context.record, std::nullopt, {},
                         o.max_shard_size);
  context.log.info("{} tensors to '{}'", model.parameters.size(), o.output.string());
  return Exit::ok;
}

}  // namespace

Exit merge_adapter(const ModelToolOptions& o, cli::Context& context) {
  check_output(o);
  if (!model::is_adapter(o.model))
    throw Error(Exit::data, fmt::format("'{}' is no adapter: adapter_config.json is missing",
                                        o.model.string()));
  train::check_base_stays(o.model, o.output);
  const model::Qwen3VL adapted = model::load_model(o.model, "cpu", o.common.dtype);
  return save(
      o, model::bind_model(adapted.config, model::merged(adapted.parameters, *adapted.adapter)),
      context);
}

Exit convert_model(const ModelToolOptions& o, cli::Context& context) {
  check_output(o);
  model::Qwen3VL model = model::load_model(o.model, "cpu", o.common.dtype);
  model.parameters = model::cast(model.parameters, o.common.dtype);  // adapters come in float32
  return save(o, model, context);
}

}  // namespace unirg
