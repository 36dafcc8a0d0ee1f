// SPDX-License-Identifier: Apache-2.0
#include "policy/decode_run.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <span>

#include "base/error.h"
#include "base/parallel.h"
#include "base/rng.h"
#include "policy/batch_sampler.h"
#include "policy/meter.h"
#include "policy/plan.h"
#include "policy/prompt_options.h"

namespace unirg::policy {

cli::Table decode_table(DecodeJob& job, cli::Common& common) {
  cli::Table table{
      {.name = "studies",
       .target = &job.studies,
       .metavar = "FILE",
       .help = "Study records (studies.jsonl of unirg-ingest); images lie beside it.",
       .required = true},
      {.name = "model",
       .target = &job.model,
       .metavar = "DIR",
       .help = "Checkpoint that writes.",
       .letter = 'm',
       .required = true},
      {.name = "output",
       .target = &job.output,
       .metavar = "FILE",
       .help = "Where generation records go; - is standard output.",
       .letter = 'o'},
      {.name = "split",
       .target = &job.choice.splits,
       .metavar = "NAME,...",
       .help = "Split to write for; without it, all."},
      {.name = "prompts",
       .target = &job.choice.prompts,
       .metavar = "N",
       .help = "Takes N studies in a seeded order instead of all in file order; 0 takes all.",
       .min = 0,
       .max = 1e9},
      {.name = "round",
       .target = &job.choice.round,
       .metavar = "K",
       .help =
           "With --prompts: which N studies, from 0; each pass over the split has its own order.",
       .min = 0,
       .max = 1e9},
      {.name = "samples",
       .target = &job.decode.samples,
       .metavar = "G",
       .help = "Reports for each study.",
       .min = 1,
       .max = 4096,
       .group = "Decoding"},
      {.name = "temperature",
       .target = &job.decode.temperature,
       .metavar = "T",
       .help = "Divides the logits; 0 is greedy decoding.",
       .min = 0,
       .max = 100,
       .group = "Decoding"},
      {.name = "top-k",
       .target = &job.decode.top_k,
       .metavar = "K",
       .help = "Draws among the K likeliest tokens; 0 is off.",
       .min = 0,
       .max = 1e9,
       .group = "Decoding"},
      {.name = "top-p",
       .target = &job.decode.top_p,
       .metavar = "P",
       .help = "Draws among the fewest tokens whose probability reaches P; 1 is off.",
       .min = 1e-6,
       .max = 1,
       .group = "Decoding"},
      {.name = "max-new-tokens",
       .target = &job.decode.max_new_tokens,
       .metavar = "N",
       .help = "Longest reply in tokens; a reply cut there has finish \"length\".",
       .min = 1,
       .max = 1e6,
       .group = "Decoding"},
      {.name = "at-once",
       .target = &job.at_once,
       .metavar = "N",
       .help =
           "Studies decoded together; 0: 16 on a GPU, 1 elsewhere. Low bits then depend on which "
           "studies meet, and so on --shard.",
       .min = 0,
       .max = 65536,
       .group = "Decoding"},
  };
  add_prompt_options(table, job.prompt);
  cli::add_seed(table, common);
  cli::add_threads(table, common);
  cli::add_device(table, common);
  cli::add_shard(table, common);
  cli::add_on_error(table, common);
  cli::add_dry_run(table, common);
  add_machine_options(table, job.machine);
  return table;
}

namespace {

/// Threads that have studies in hand. Of a GPU's two one decodes while the other reads pictures.
int64_t decoding_threads(bool gpu, int64_t threads) {
  return gpu ? std::min<int64_t>(2, threads) : threads;
}

int64_t decoded_together(const DecodeJob& job, bool gpu) {
  if (job.at_once > 0) return job.at_once;
  return gpu ? kGpuStudies : 1;
}

struct StudyReplies {
  std::vector<data::Generation> generations;
  model::PassShape shape;  ///< with the mean length of the replies
  int64_t tokens = 0;
};

StudyReplies study_replies(const ReportWriter& writer, const EncodedStudy& encoded,
                           const std::vector<Reply>& replies) {
  StudyReplies made;
  for (size_t s = 0; s < replies.size(); ++s) {
    made.generations.push_back(writer.generation(encoded, replies[s], static_cast<int64_t>(s)));
    made.tokens += static_cast<int64_t>(replies[s].tokens.size());
  }
  made.shape = shape_of(encoded);
  made.shape.replies = std::ssize(replies);
  made.shape.reply_tokens = made.tokens / std::ssize(replies);
  return made;
}

/// Replies to studies that are decoded together.
std::vector<StudyReplies> decode_studies(const model::Qwen3VL& model, const ReportWriter& writer,
                                         const DecodeOptions& options, const data::StudySet& set,
                                         std::span<const data::Study* const> studies) {
  at::set_num_threads(1);
  std::vector<EncodedStudy> encoded;
  std::vector<DecodeRequest> requests;
  for (const data::Study* study : studies) {
    encoded.push_back(writer.encode(*study, set));
    requests.push_back({writer.materialise(encoded.back()), encoded.back().study_id});
  }
  std::vector<std::vector<Reply>> replies;
  if (requests.size() == 1) {
    const DecodeRequest& one = requests.front();
    replies.push_back(sample_replies(model, one.prompt, one.subject, writer.rules(), options));
  } else {
    replies = sample_together(model, requests, writer.rules(), options);
  }
  std::vector<StudyReplies> made;
  for (size_t i = 0; i < replies.size(); ++i)
    made.push_back(study_replies(writer, encoded[i], replies[i]));
  return made;
}

/// Bytes of a logit while tokens are drawn from it. On the CPU the logits and their weights. On a
/// GPU (draw_tokens) logits and what is allowed of them, float32; weights, their sums and the ids
/// that weigh something, 8 bytes each; a mask; and with top-k or top-p the weights once more,
/// sorted, with their order.
int64_t draw_bytes(const DecodeOptions& options, bool gpu) {
  if (!gpu) return 2 * 4;
  const bool sorts = options.top_k > 0 || options.top_p < 1;
  return 2 * 4 + 3 * 8 + 1 + (sorts ? 2 * 8 : 0);
}

/// The caches of a study are the prompt's and, for every sample, room for the longest reply. Of the
/// prompt's pass there is one layer at work.
Plan decoding_plan(const DecodeJob& job, const cli::Common& common,
                   const model::ModelConfig& config, const Lengths& lengths, int64_t studies) {
  const Machine machine = machine_of(job.machine);
  const bool gpu = plans_gpu(common.device, machine);
  const bool half =
      common.dtype == "bfloat16" || (common.dtype == "auto" && config.dtype == "bfloat16");
  const int64_t item = half ? 2 : 4;
  const int64_t cached =
      lengths.longest.prompt_tokens + job.decode.samples * job.decode.max_new_tokens;
  const int64_t at_once =
      std::min(studies, decoding_threads(gpu, common.threads) * decoded_together(job, gpu));
  model::PassShape prompt = lengths.longest;
  prompt.replies = 0;
  Plan plan;
  plan.facts = {{"studies", studies},
                {"samples", job.decode.samples},
                {"max-new-tokens", job.decode.max_new_tokens}};
  const Plan::Parts process{{"process", resident_bytes_at_work(/*trains=*/false)}};
  plan.memory = gpu ? Plan::Parts{{"context", kContextBytes}} : process;
  if (gpu) plan.host = process;
  plan.memory.insert(plan.memory.end(),
                     {{"weights", weight_bytes(job.model, common.dtype)},
                      {"layer", at_once * model::layer_bytes(config, prompt, item)},
                      {"caches", at_once * cached * model::kv_bytes_per_token(config.text, item)},
                      {"logits", at_once * draw_bytes(job.decode, gpu) * job.decode.samples *
                                     config.text.vocab_size}});
  plan.run = {.name = "decoding",
              .flops = static_cast<double>(studies) * model::forward_flops(config, lengths.mean),
              .decodes = true};
  return plan;
}

void print_job(const DecodeJob& job, const cli::Common& common, const ReportWriter& writer,
               const std::vector<const data::Study*>& studies, const data::StudySet& set) {
  Lengths lengths = sample_lengths(writer, studies, set);
  for (model::PassShape* shape : {&lengths.mean, &lengths.longest}) {
    shape->replies = job.decode.samples;
    shape->reply_tokens = job.decode.max_new_tokens;
  }
  print_plan(decoding_plan(job, common, writer.config(), lengths, std::ssize(studies)),
             machine_of(job.machine), job.machine.format);
}

}  // namespace

Exit run_decode(DecodeJob& job, const cli::Common& common, cli::Context& context) {
  at::set_num_threads(1);
  job.decode.seed = static_cast<uint64_t>(common.seed);
  const data::Shard shard = data::parse_shard(common.shard);
  const data::StudySet set(job.studies,
                           common.on_error == "skip" ? data::OnError::skip : data::OnError::stop);
  const ReportWriter writer(job.model, job.prompt);
  std::vector<const data::Study*> studies;
  const auto chosen = job.instead_of.empty()
                          ? choose_studies(set, job.choice, job.decode.seed)
                          : replacements(set, job.choice, job.decode.seed,
                                         data::read_rewards(job.instead_of).records);
  for (size_t i = 0; i < chosen.size(); ++i) {
    if (shard.has(static_cast<int64_t>(i))) studies.push_back(chosen[i]);
  }
  if (common.dry_run) {
    warn_of_missing_weights(context.log, job.model);
    print_job(job, common, writer, studies, set);
    return Exit::ok;
  }
  model::Qwen3VL model = model::load_model(job.model, common.device, common.dtype);
  model::pack_weights(model);
  const std::string policy = model::policy_digest(job.model);
  context.record.add_input(job.studies);
  if (!job.instead_of.empty()) context.record.add_input(job.instead_of);
  model::add_policy_input(context.record, job.model, policy);
  io::AtomicFile out(job.output);
  cli::Progress progress(context.log, "study", static_cast<int64_t>(studies.size()),
                         common.log_every);
  Meter meter(model, static_cast<int>(common.threads));
  bool stopped = false;
  const bool on_gpu = model.text.embed.is_cuda();
  const int64_t at_once = decoded_together(job, on_gpu);
  const std::span<const data::Study* const> all(studies);
  const int64_t batches = (std::ssize(studies) + at_once - 1) / at_once;
  ordered_parallel(
      static_cast<int>(decoding_threads(on_gpu, common.threads)), batches,
      [&](int64_t i) {
        const auto first = static_cast<size_t>(i * at_once);
        return decode_studies(
            model, writer, job.decode, set,
            all.subspan(first, std::min(static_cast<size_t>(at_once), all.size() - first)));
      },
      [&](int64_t i, std::vector<StudyReplies> batch) {
        for (StudyReplies& made : batch) {
          for (data::Generation& g : made.generations) {
            g.seed = common.seed;
            g.policy = policy;
            out.write(io::json_line(data::to_json(g)));
          }
          meter.add(made.shape, 1, made.tokens);
          progress.advance();
        }
        stopped = context.stop.requested() && i + 1 < batches;
        return !stopped;
      });
  if (stopped) return Exit::interrupted;
  out.seal();
  data::write_rejected(job.output, set.rejected());
  if (!set.rejected().empty())
    context.log.warning("skipped {} study records", set.rejected().size());
  context.record.note("studies", studies.size());
  if (shard.count > 1)
    context.record.note("units", std::vector<int64_t>(studies.size(), job.decode.samples));
  const io::Json speed = meter.note();
  context.record.note("speed", speed);
  context.record.add_output(job.output, out.sha256());
  context.record.write_beside(job.output);
  out.commit();  // last: a file that is there has its run record and its rejects
  context.log.info("{} studies, {} reports, {} tokens, {:.0f} a second", studies.size(),
                   static_cast<int64_t>(studies.size()) * job.decode.samples,
                   speed["tokens"].get<int64_t>(), speed["tokens_per_s"].get<double>());
  return Exit::ok;
}

}  // namespace unirg::policy
