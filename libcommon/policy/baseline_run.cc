// SPDX-License-Identifier: Apache-2.0
#include "policy/baseline_run.h"

#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/parallel.h"
#include "io/atomic_file.h"
#include "model/vision.h"

namespace unirg::policy {
namespace {

using Studies = std::vector<const data::Study*>;

void check_options(const DecodeJob& job, BaselineKind kind) {
  if (job.decode.samples != 1 || job.decode.temperature != 0)
    throw Error(Exit::usage,
                "--baseline takes one report a study and draws no tokens: --samples and "
                "--temperature are the model's");
  if (kind == BaselineKind::nearest && job.model.empty())
    throw Error(Exit::usage,
                "missing option '--model' (hint: --baseline nearest compares images by its tower)");
}

const data::Study* prior_of(const data::Study& study, const data::StudySet& set) {
  if (!study.prior) return nullptr;
  const data::Study* prior = set.find(*study.prior);
  if (!prior)
    throw Error(Exit::data, fmt::format("study '{}': its prior '{}' is not in the studies file",
                                        study.study_id, *study.prior));
  return prior;
}

model::Qwen3VL load_tower(const DecodeJob& job, const cli::Common& common) {
  model::Qwen3VL model = model::load_model(job.model, common.device, common.dtype);
  if (!model.config.sees())
    throw Error(Exit::data, fmt::format("checkpoint '{}': model_type '{}' sees no images",
                                        job.model.string(), model.config.model_type));
  return model;
}

ImageProcessor processor_of(const DecodeJob& job) {
  ImageProcessor processor = load_image_processor(model::base_folder(job.model));
  if (job.prompt.max_pixels > 0) {
    processor.max_pixels = std::min(processor.max_pixels, job.prompt.max_pixels);
    processor.min_pixels = std::min(processor.min_pixels, processor.max_pixels);
  }
  return processor;
}

using Neighbours = std::vector<std::optional<Neighbour>>;

/// Of each study by its image, in the pool.
Neighbours find_neighbours(const DecodeJob& job, ReportPool& pool, const Studies& studies,
                           const data::StudySet& set, const cli::Common& common,
                           cli::Context& context) {
  const ImageProcessor processor = processor_of(job);
  const model::Qwen3VL model = load_tower(job, common);
  const auto bank = image_embeddings(model, processor, pool.studies(), set, common, context);
  if (std::all_of(bank.begin(), bank.end(), [](const Embedding& e) { return e.empty(); }))
    throw Error(Exit::data,
                "no study that reports are taken from has an image (hint: --baseline random)");
  const auto queries = image_embeddings(model, processor, studies, set, common, context);
  std::vector<const std::vector<size_t>*> candidates;
  for (const data::Study* study : studies)
    candidates.push_back(&pool.candidates(wanted_sections(*study, job.prompt)));
  Neighbours all;
  ordered_parallel(
      static_cast<int>(common.threads), static_cast<int64_t>(studies.size()),
      [&](int64_t k) {
        const auto i = static_cast<size_t>(k);
        return nearest_of(queries[i], bank, *candidates[i], pool.place_of(studies[i]->study_id));
      },
      [&](int64_t, std::optional<Neighbour> neighbour) {
        all.push_back(neighbour);
        return !context.stop.requested();
      });
  return all;
}

/// The report of study number i.
ChosenReport choose(BaselineKind kind, const data::Study& study, size_t i, ReportPool& pool,
                    const Neighbours& neighbours, const data::StudySet& set,
                    const PromptOptions& prompt, uint64_t seed) {
  const WantedSections wanted = wanted_sections(study, prompt);
  switch (kind) {
    case BaselineKind::copy_prior:
      return copy_prior(prior_of(study, set), wanted, pool);
    case BaselineKind::random:
      return pool.random(study, wanted, seed);
    case BaselineKind::nearest: {
      if (!neighbours[i]) break;  // without an image there is none
      ChosenReport chosen = pool.take(neighbours[i]->index, wanted, kind);
      chosen.similarity = neighbours[i]->similarity;
      return chosen;
    }
    case BaselineKind::most_frequent:
      break;
  }
  return pool.most_frequent(wanted);
}

data::Generation as_generation(const data::Study& study, const ChosenReport& chosen,
                               BaselineKind kind) {
  data::Generation g;
  g.study_id = study.study_id;
  g.text = text::format_report(chosen.report);
  g.findings = chosen.report.findings;
  g.impression = chosen.report.impression;
  g.finish = "stop";
  g.extra = {{"baseline", baseline_name(kind)},
             {"from", baseline_name(chosen.by)},
             {"source", chosen.source}};
  if (chosen.similarity) g.extra["similarity"] = *chosen.similarity;
  return g;
}

/// Writes the records and what belongs beside them.
void write_all(const DecodeJob& job, const std::vector<data::Generation>& generations,
               const BaselineOptions& baseline, const data::Shard& shard, const data::StudySet& set,
               cli::Context& context) {
  io::AtomicFile out(job.output);
  std::map<std::string, int64_t> from;
  for (const data::Generation& g : generations) {
    out.write(io::json_line(data::to_json(g)));
    ++from[g.extra["from"].get<std::string>()];
  }
  out.seal();
  data::write_rejected(job.output, set.rejected());
  if (!set.rejected().empty())
    context.log.warning("skipped {} study records", set.rejected().size());
  context.record.note("studies", generations.size());
  if (shard.count > 1) context.record.note("units", std::vector<int64_t>(generations.size(), 1));
  context.record.note("baseline", {{"kind", baseline.kind}, {"from", io::Json(from)}});
  context.record.add_output(job.output, out.sha256());
  context.record.write_beside(job.output);
  out.commit();  // last: a file that is there has its run record and its rejects
  context.log.info("{} studies, reports of split '{}'", generations.size(), baseline.from);
}

}  // namespace

cli::Table baseline_table(BaselineOptions& options) {
  std::vector<std::string> kinds{""};
  kinds.insert(kinds.end(), baseline_names().begin(), baseline_names().end());
  return {
      {.name = "baseline",
       .target = &options.kind,
       .metavar = "KIND",
       .help = "Takes reports of other studies instead of writing any: copy-prior (of the "
               "patient's prior study), most-frequent, nearest (by the model's image embedding), "
               "random (by seed and study id).",
       .choices = kinds,
       .group = "Baseline"},
      {.name = "baseline-from",
       .target = &options.from,
       .metavar = "SPLIT",
       .help = "Split whose reports a baseline takes.",
       .group = "Baseline"},
  };
}

std::vector<Embedding> image_embeddings(const model::Qwen3VL& model,
                                        const ImageProcessor& processor, const Studies& studies,
                                        const data::StudySet& set, const cli::Common& common,
                                        cli::Context& context) {
  std::vector<Embedding> all;
  cli::Progress progress(context.log, "image", static_cast<int64_t>(studies.size()),
                         common.log_every);
  ordered_parallel(
      static_cast<int>(common.threads), static_cast<int64_t>(studies.size()),
      [&](int64_t i) {
        at::set_num_threads(1);
        const c10::InferenceMode no_gradient;
        const data::Study& study = *studies[static_cast<size_t>(i)];
        if (study.images.empty()) return Embedding();
        const data::StudyImage& image = study.images.front();
        const auto sized = size_image(processor, set.load_image(study, image));
        if (!sized)
          throw Error(Exit::data, fmt::format("study '{}', image '{}': {}", study.study_id,
                                              image.id, sized.error().reason));
        const Tensor rows = patch_rows(processor, *sized).to(model.text.embed.device());
        const Tensor tokens =
            model::vision_forward(model.config.vision, model.vision, rows, {sized->grid}).tokens;
        const Tensor mean = tokens.to(at::kFloat).mean(0).cpu().contiguous();
        return unit({mean.data_ptr<float>(), mean.data_ptr<float>() + mean.numel()});
      },
      [&](int64_t, Embedding embedding) {
        all.push_back(std::move(embedding));
        progress.advance();
        return !context.stop.requested();
      });
  if (all.size() < studies.size())
    throw Error(Exit::interrupted, "stopped before all images were seen (hint: run it again)");
  return all;
}

Exit run_baseline(const DecodeJob& job, const BaselineOptions& baseline, const cli::Common& common,
                  cli::Context& context) {
  at::set_num_threads(1);
  const BaselineKind kind = baseline_kind(baseline.kind);
  check_options(job, kind);
  const data::Shard shard = data::parse_shard(common.shard);
  const data::StudySet set(job.studies,
                           common.on_error == "skip" ? data::OnError::skip : data::OnError::stop);
  const auto seed = static_cast<uint64_t>(common.seed);
  Studies studies;
  const auto chosen = choose_studies(set, job.choice, seed);
  for (size_t i = 0; i < chosen.size(); ++i) {
    if (shard.has(static_cast<int64_t>(i))) studies.push_back(chosen[i]);
  }
  ReportPool pool(set.of_splits({baseline.from}), baseline.from);
  if (common.dry_run) {
    fmt::print("studies: {}\nbaseline: {}\nreports: {}\n", studies.size(), baseline.kind,
               pool.studies().size());
    return Exit::ok;
  }
  context.record.add_input(job.studies);
  std::string policy;
  Neighbours neighbours;
  if (kind == BaselineKind::nearest) {
    neighbours = find_neighbours(job, pool, studies, set, common, context);
    if (context.stop.requested()) return Exit::interrupted;
    policy = model::policy_digest(job.model);
    model::add_policy_input(context.record, job.model, policy);
  }
  std::vector<data::Generation> generations;
  for (size_t i = 0; i < studies.size(); ++i) {
    if (context.stop.requested()) return Exit::interrupted;
    generations.push_back(as_generation(
        *studies[i], choose(kind, *studies[i], i, pool, neighbours, set, job.prompt, seed), kind));
    generations.back().seed = common.seed;
    generations.back().policy = policy;
  }
  write_all(job, generations, baseline, shard, set, context);
  return Exit::ok;
}

}  // namespace unirg::policy
