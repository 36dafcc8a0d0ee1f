// unirg-sft: studies + base checkpoint -> supervised checkpoint.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cstdlib>

#include "base/error.h"
#include "base/hash.h"
#include "base/parallel.h"
#include "cli/installed.h"
#include "io/atomic_file.h"
#include "io/run_record.h"
#include "options.h"
#include "text/labeler.h"
#include "train/gradients.h"
#include "train/plan.h"
#include "train/rank_sums.h"

namespace unirg {
namespace fs = std::filesystem;
namespace {

using Studies = std::vector<const data::Study*>;

/// Studies that have a target to learn from: a report, and for the labels objective an image.
Studies usable(const Studies& studies, const policy::PromptOptions& prompt, bool labels) {
  Studies kept;
  for (const data::Study* study : studies) {
    if (!policy::target_text(*study, prompt).empty() && !(labels && study->images.empty()))
      kept.push_back(study);
  }
  return kept;
}

std::vector<policy::EncodedStudy> encode(const Studies& studies, const data::StudySet& set,
                                         const policy::ReportWriter& writer, int threads) {
  std::vector<policy::EncodedStudy> encoded;
  ordered_parallel(
      threads, static_cast<int64_t>(studies.size()),
      [&](int64_t i) { return writer.encode(*studies[static_cast<size_t>(i)], set); },
      [&](int64_t, policy::EncodedStudy study) {
        encoded.push_back(std::move(study));
        return true;
      });
  return encoded;
}

/// What must be equal for a partial run to be continued: all settings but where it runs and how
/// ranks share it, and the inputs, wherever they lie.
std::string fingerprint(const SftToolOptions& o, const std::string& inputs) {
  SftToolOptions copy = o;
  copy.common.threads = 0;
  copy.machine = {};
  copy.sft.ranks = {};
  copy.studies = copy.model = copy.output = copy.lexicon = "";
  cli::OptionParser parser({"unirg-sft", "", "", ""}, sft_table(copy));
  io::Json config = parser.config();
  for (const char* name : {"zero", "bucket-mib"}) config.erase(name);
  return sha256_hex(config.dump() + inputs);
}

void print_plan(const SftToolOptions& o, const policy::ReportWriter& writer,
                const data::StudySet& set, const Studies& training, const Studies& validation) {
  const train::Place place = train::place_of(o.machine, o.sft.ranks, o.common);
  train::TrainingWork work =
      train::sft_work(o.sft, writer.config(), policy::sample_lengths(writer, training, set),
                      {std::ssize(training), std::ssize(validation)}, place);
  work.process.studies = o.machine.studies;
  policy::print_plan(train::training_plan(o.model, o.common.dtype, o.sft.trainable, work, place),
                     place.machine, o.machine.format);
}

/// Digests of all, which go into the run record too.
std::string add_inputs(const std::vector<fs::path>& paths, io::RunRecord& record) {
  std::string all;
  for (const fs::path& path : paths) {
    const std::string digest = io::digest_path(path);
    record.add_input(path, digest);
    all += digest;
  }
  return all;
}

Exit run(SftToolOptions& o, distributed::World& world, cli::Context& context) {
  train::join_ranks(world, std::getenv, o.common, context.log);
  train::check_trainable(o.model, o.common.dtype, o.sft.trainable, o.output);
  train::use_one_intra_op_thread();
  const bool labels = o.sft.objective == "labels";
  const data::StudySet set(o.studies,
                           o.common.on_error == "skip" ? data::OnError::skip : data::OnError::stop);
  const policy::ReportWriter writer(o.model, o.prompt);
  train::SftJob job;
  job.options = o.sft;
  job.base = o.model;
  job.output = io::folder_name(o.output);
  job.seed = static_cast<uint64_t>(o.common.seed);
  job.threads = static_cast<int>(o.common.threads);
  job.device = train::device_of_rank(world, o.common.device, std::getenv);
  job.dtype = o.common.dtype;
  job.log_every = o.common.log_every;
  const Studies train_studies = usable(set.of_splits(o.splits), o.prompt, labels);
  const Studies validation = usable(set.of_splits(o.validation_splits), o.prompt, labels);
  if (o.common.dry_run) {
    if (!world.first()) return Exit::ok;
    policy::warn_of_missing_weights(context.log, o.model);
    print_plan(o, writer, set, train_studies, validation);
    return Exit::ok;
  }
  job.train = encode(train_studies, set, writer, job.threads);
  job.validation = encode(validation, set, writer, job.threads);
  std::vector<fs::path> inputs{o.studies, o.model};
  if (model::is_adapter(o.model)) inputs.push_back(model::base_folder(o.model));
  if (labels) {
    const fs::path lexicon =
        o.lexicon.empty() ? cli::installed_file("lexicon/chest.yaml") : o.lexicon;
    inputs.push_back(lexicon);
    const text::Labeler labeler(lexicon);
    job.train_labels = train::label_targets(train_studies, labeler);
    job.validation_labels = train::label_targets(validation, labeler, job.train_labels.names);
  }
  job.fingerprint = fingerprint(o, add_inputs(inputs, context.record));
  train::check_same_run(world, context.record);
  if (world.first()) {
    io::make_folders(job.output.parent_path());
    data::write_rejected(job.output, set.rejected());
  }
  if (!set.rejected().empty())
    context.log.warning("skipped {} study records", set.rejected().size());
  context.log.info("{} studies to learn, {} to validate", job.train.size(), job.validation.size());
  return train::run_sft(job, writer, world, context);
}

}  // namespace
}  // namespace unirg

int main(int argc, char** argv) {
  unirg::SftToolOptions options;
  unirg::distributed::World world;
  return world.leave(unirg::cli::run_main(
      {.name = "unirg-sft",
       .summary = "Fine-tunes a checkpoint on studies and their reports.",
       .synopsis = "[options] --studies FILE --model DIR --output DIR",
       .example =
           "unirg-sft --studies data/studies.jsonl -m base -o sft --epochs 3 --learning-rate 5e-5"},
      unirg::sft_table(options), options.common, argc, argv,
      [&](unirg::cli::Context& context) { return unirg::run(options, world, context); }));
}
