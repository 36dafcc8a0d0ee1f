// unirg-model init: a checkpoint of random weights with a tokenizer of the studies' words.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <charconv>

#include "actions.h"
#include "data/study_loader.h"
#include "io/atomic_file.h"
#include "model/checkpoint_tensors.h"
#include "policy/checkpoint_files.h"
#include "policy/report_writer.h"
#include "text/tokenizer_train.h"

namespace unirg {
namespace {

std::vector<int64_t> parse_list(const std::string& name, const std::string& text) {
  std::vector<int64_t> values;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    int64_t value = 0;
    const auto [stop, error] = std::from_chars(text.data() + begin, text.data() + end, value);
    if (error != std::errc() || stop != text.data() + end)
      throw Error(Exit::usage,
                  fmt::format("bad value '{}' for '{}': expected numbers and commas", text, name));
    values.push_back(value);
    begin = end + 1;
  }
  return values;
}

/// Everything a prompt or a reply may be made of.
std::vector<std::string> training_texts(const ModelToolOptions& o) {
  const data::StudySet set(o.studies);
  std::vector<std::string> texts;
  for (const data::Study* study : set.of_splits(o.splits)) {
    texts.push_back(policy::context_text(*study, nullptr, {}));
    texts.push_back(policy::target_text(*study, {}));
  }
  return texts;
}

/// The checks of a checkpoint that is loaded, but what is wrong here is the configuration.
void check_sizes(const ModelToolOptions& o) {
  try {
    (void)model::config_from_json(model::to_json(o.config), "the options given");
  } catch (const Error& e) {
    throw Error(Exit::config, e.what());
  }
  int64_t sections = 0;
  for (const int64_t n : o.config.text.mrope_section) sections += n;
  if (2 * sections != o.config.text.head_dim) {
    throw Error(Exit::config,
                fmt::format("mrope-section '{}' adds up to {}, half of head-dim is {}",
                            o.mrope_section, sections, o.config.text.head_dim / 2));
  }
  if (o.processor.min_pixels > o.processor.max_pixels) {
    throw Error(Exit::config, fmt::format("min-pixels {} is above max-pixels {}",
                                          o.processor.min_pixels, o.processor.max_pixels));
  }
}

}  // namespace

Exit init_model(ModelToolOptions& o, cli::Context& context) {
  if (o.studies.empty()) throw Error(Exit::usage, "missing option '--studies'");
  o.config.text.mrope_section = parse_list("mrope-section", o.mrope_section);
  o.config.vision.deepstack_visual_indexes = parse_list("deepstack", o.deepstack);
  o.config.vision.out_hidden_size = o.config.text.hidden_size;
  o.processor.patch_size = o.config.vision.patch_size;
  o.processor.std = {o.image_std, o.image_std, o.image_std};
  const text::Tokenizer tokenizer = text::train_bpe(training_texts(o), o.vocab_size);
  policy::set_token_ids(o.config, tokenizer);
  check_sizes(o);
  if (context.stop.requested()) return Exit::interrupted;
  const model::Parameters parameters = model::random_parameters(
      model::expected_parameters(o.config), static_cast<uint64_t>(o.common.seed), o.init_std);
  io::AtomicFolder folder(o.model);
  policy::write_checkpoint_files(folder.temporary(), o.config, tokenizer, o.processor);
  model::save_parameters(folder.temporary(), parameters, o.max_shard_size);
  context.record.add_input(o.studies);
  context.record.add_output(o.model, io::digest_path(folder.temporary()));
  context.record.write(folder.temporary() / "run.json");
  if (context.stop.requested()) return Exit::interrupted;
  folder.commit();
  context.log.info("{} parameters, {} tokens", model::count_values(parameters), tokenizer.size());
  return Exit::ok;
}

}  // namespace unirg
