// unirg-model: makes, inspects, compares and converts checkpoints.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "actions.h"

namespace unirg {
namespace {

Exit run(ModelToolOptions& o, cli::Context& context) {
  const bool takes_arguments =
      o.action == "diff" || o.action == "forward" || o.action == "tokenize";
  if (!takes_arguments && !o.arguments.empty())
    throw Error(Exit::usage, fmt::format("'{}' takes no further argument", o.action));
  if (o.action != "diff" && o.model.empty()) throw Error(Exit::usage, "missing option '--model'");
  if (o.action == "init") return init_model(o, context);
  if (o.action == "info") return print_info(o);
  if (o.action == "verify") return verify_model(o);
  if (o.action == "diff") return compare_models(o);
  if (o.action == "merge") return merge_adapter(o, context);
  if (o.action == "convert") return convert_model(o, context);
  if (o.action == "forward") return answer_request(o, context);
  return tokenize_lines(o);
}

}  // namespace
}  // namespace unirg

int main(int argc, char** argv) {
  unirg::ModelToolOptions options;
  options.common.dtype = "auto";  // these tools look at weights, or keep them
  return unirg::cli::run_main(
      {.name = "unirg-model",
       .summary =
           "Makes a checkpoint of random weights; inspects, compares, converts and tries out "
           "checkpoints.",
       .synopsis = "[options] init|info|verify|merge|convert|diff|forward|tokenize [ARGUMENT ...]",
       .example = "unirg-model convert -m sft/best -o sft-bf16 --dtype bfloat16"},
      unirg::model_table(options), options.common, argc, argv,
      [&](unirg::cli::Context& context) { return unirg::run(options, context); });
}
