// unirg-model forward, tokenize: a checkpoint at work on one request, for comparison with other
// implementations. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "actions.h"
#include "io/atomic_file.h"
#include "io/jsonl.h"
#include "io/run_record.h"
#include "model/encoder.h"
#include "model/qwen3_vl.h"
#include "text/tokenizer.h"
#include "train/gradients.h"
#include "train/probe.h"

namespace unirg {
namespace {

/// The one further argument, "-" without it.
std::string only_argument(const ModelToolOptions& o) {
  if (o.arguments.size() > 1)
    throw Error(Exit::usage, fmt::format("'{}' takes one further argument", o.action));
  return o.arguments.empty() ? "-" : o.arguments.front();
}

model::Parameters answers(const ModelToolOptions& o, const io::Json& request,
                          const std::string& file) {
  if (model::is_encoder_folder(o.model))
    return model::encoder_outputs(model::load_encoder(o.model), request, file);
  const model::Qwen3VL model = model::load_model(o.model, o.common.device, o.common.dtype);
  return train::run_probe(model,
                          train::read_probe(request, model::base_folder(o.model), model.config));
}

}  // namespace

Exit answer_request(const ModelToolOptions& o, cli::Context& context) {
  if (o.output.empty()) throw Error(Exit::usage, "missing option '--output'");
  const std::string file = only_argument(o);
  const io::Json request = io::Json::parse(io::read_file(file), nullptr, false);
  if (request.is_discarded()) throw Error(Exit::data, fmt::format("'{}': not valid JSON", file));
  train::use_one_intra_op_thread();
  const std::string digest = model::save_tensors(o.output, answers(o, request, file));
  model::add_policy_input(context.record, o.model, model::policy_digest(o.model));
  context.record.add_output(o.output, digest);
  context.record.write_beside(o.output);
  return Exit::ok;
}

Exit tokenize_lines(const ModelToolOptions& o) {
  const text::Tokenizer tokenizer = text::Tokenizer::load(model::base_folder(o.model));
  io::JsonlReader reader(only_argument(o));
  while (auto line = reader.next()) {
    if (!*line)
      throw Error(Exit::data, fmt::format("{}: {}", reader.place().text(), line->error().reason));
    const auto text = io::Fields((*line)->object).string("text");
    if (!text)
      throw Error(Exit::data, fmt::format("{}: {}", reader.place().text(), text.error().reason));
    const io::Json ids = {{"ids", tokenizer.encode(*text)}};
    fmt::print("{}", io::json_line(ids));
  }
  return Exit::ok;
}

}  // namespace unirg
