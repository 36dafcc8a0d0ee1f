// SPDX-License-Identifier: Apache-2.0
#include "train/sft_loop.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "base/error.h"
#include "base/rng.h"
#include "io/atomic_file.h"
#include "model/checkpoint_tensors.h"
#include "policy/meter.h"
#include "policy/plan.h"
#include "train/checkpoint.h"
#include "train/sft.h"

namespace unirg::train {
namespace fs = std::filesystem;
namespace {

constexpr const char* kHeadWeight = "label_head.weight";
constexpr const char* kHeadBias = "label_head.bias";

/// Counters that live in training_state/state.json.
struct Progress {
  int64_t step = 0;
  double best = std::numeric_limits<double>::infinity();
  int64_t best_step = 0;
  int64_t since_best = 0;
  std::string metrics;  ///< metrics.jsonl so far
};

io::Json to_json(const Progress& p, const std::string& fingerprint) {
  return {{"step", p.step},
          {"best", p.best_step > 0 ? io::Json(p.best) : io::Json(nullptr)},
          {"best_step", p.best_step},
          {"since_best", p.since_best},
          {"fingerprint", fingerprint},
          {"metrics", p.metrics}};
}

/// \throws Error(Exit::data) naming a field that is missing or ill-typed
Progress progress_from_json(const io::Json& json, const fs::path& file) {
  const io::Fields fields(json);
  const auto get = [&](const auto& value) {
    if (!value)
      throw Error(Exit::data, fmt::format("'{}': {}", file.string(), value.error().reason));
    return *value;
  };
  Progress p;
  p.step = get(fields.integer("step"));
  p.best_step = get(fields.integer("best_step"));
  if (p.best_step > 0) p.best = get(fields.number("best"));
  p.since_best = get(fields.integer("since_best"));
  p.metrics = get(fields.string("metrics"));
  return p;
}

class SftRun {
 public:
  SftRun(const SftJob& job, const policy::ReportWriter& writer, distributed::World& world,
         cli::Context& context)
      : job_(job),
        writer_(writer),
        world_(world),
        context_(context),
        partial_(job.output.string() + ".partial") {}

  Exit run();

 private:
  [[nodiscard]] LabelHead head() const {
    return {trained_.at(kHeadWeight), trained_.at(kHeadBias)};
  }
  [[nodiscard]] bool labels() const { return job_.options.objective == "labels"; }
  [[nodiscard]] int64_t steps_per_epoch() const {
    const auto n = static_cast<int64_t>(job_.train.size());
    return (n + job_.options.batch_size - 1) / job_.options.batch_size;
  }
  void load();
  [[nodiscard]] bool prepare_folder();
  void remove_leftovers(bool resumes) const;
  void restore();
  void add_head();
  void train_step();
  double learn(const std::vector<int64_t>& batch, int64_t epoch, double rate);
  [[nodiscard]] UnitLoss unit_loss(const std::vector<int64_t>& unit, double scale,
                                   const Augmentation& augmentation) const;
  void count_work(const policy::EncodedStudy& study, double passes, int64_t tokens);
  void validate();
  [[nodiscard]] io::Json validation() const;  ///< fields of a metrics line
  void save_best() const;
  void save_last();
  void finish();
  void publish();
  void write_metric(io::Json line);

  const SftJob& job_;
  const policy::ReportWriter& writer_;
  distributed::World& world_;
  cli::Context& context_;
  fs::path partial_;
  std::optional<io::FolderLock> lock_;  ///< two runs of one make target would mix their steps
  model::Qwen3VL model_;
  Parameters trained_;  ///< what the optimiser sees: model parameters, or tower and head; shares
                        ///< tensors with model_
  std::optional<RankedOptimizer> optimizer_;
  std::vector<float> positive_weight_;
  Schedule schedule_;
  TrainingState state_;
  Progress progress_;
  std::optional<policy::Meter> meter_;
  int64_t total_steps_ = 0;
  int64_t evaluate_every_ = 0;
};

/// What a kill in the middle of a save left behind must not get into the output.
void SftRun::remove_leftovers(bool resumes) const {
  std::vector<fs::path> leftovers;
  for (const fs::directory_entry& entry : fs::directory_iterator(partial_)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with('.') || (!resumes && name == "best")) leftovers.push_back(entry.path());
  }
  for (const fs::path& path : leftovers) fs::remove_all(path);
}

/// Rank 0 takes the folder before the others look. \returns true if there is a run to go on with
bool SftRun::prepare_folder() {
  bool resumes = false;
  if (world_.first()) {
    io::make_folders(partial_);
    lock_.emplace(partial_);
    resumes = fs::exists(partial_ / "last" / "DONE");
    remove_leftovers(resumes);
  }
  return world_.any(resumes);
}

void SftRun::load() {
  const bool resumes = prepare_folder();
  const fs::path last = partial_ / "last";
  model_ = model::load_model(resumes ? last : job_.base, job_.device, job_.dtype);
  prepare_adapter(model_, job_.options.trainable, model::base_folder(job_.base), job_.seed);
  const auto names = trained_names(model_, job_.options.trainable, /*vision_only=*/labels());
  (void)make_leaves(model_, names);
  log_share(context_.log, model_, names);
  for (const std::string& name : names) trained_[name] = model_.parameters.at(name);
  if (labels()) add_head();
  if (resumes) restore();
  std::vector<std::string> leaf_names;
  std::vector<Tensor> leaves;
  for (auto& [name, tensor] : trained_) {
    leaf_names.push_back(name);
    leaves.push_back(tensor.requires_grad_(true));
  }
  optimizer_.emplace(world_, job_.options.ranks, std::move(leaf_names), std::move(leaves));
  optimizer_->keep_share(state_.optimizer);
}

void SftRun::add_head() {
  const auto device = model_.text.embed.device();
  const auto outputs = static_cast<int64_t>(job_.train_labels.names.size());
  const int64_t inputs = label_inputs(model_, job_.train.front());
  trained_[kHeadWeight] = normal_tensor({outputs, inputs}, job_.seed, kHeadWeight, 0.01).to(device);
  trained_[kHeadBias] = normal_tensor({outputs}, job_.seed, kHeadBias, 0.0).to(device);
  positive_weight_ = positive_weights(job_.train_labels);
}

void SftRun::restore() {
  auto state = load_training_state(partial_ / "last");
  if (!state)
    throw Error(Exit::data,
                fmt::format("'{}' has no training_state (hint: remove the folder to begin again)",
                            (partial_ / "last").string()));
  if (state->progress.value("fingerprint", "") != job_.fingerprint) {
    throw Error(Exit::config, fmt::format("'{}' is a run with another configuration or other "
                                          "inputs (hint: remove it to begin again)",
                                          partial_.string()));
  }
  state_ = std::move(*state);
  progress_ = progress_from_json(state_.progress, partial_ / "last/training_state/state.json");
  if (labels()) {
    for (const auto& [name, tensor] :
         model::load_tensors(partial_ / "last" / "training_state" / "extra.safetensors")) {
      trained_[name] = tensor.to(model_.text.embed.device());
    }
  }
  place_state(state_.optimizer, trained_);
  context_.log.info("goes on at step {} of {}", progress_.step, partial_.string());
}

UnitLoss SftRun::unit_loss(const std::vector<int64_t>& unit, double scale,
                           const Augmentation& augmentation) const {
  const std::string& first = job_.train[static_cast<size_t>(unit.front())].study_id;
  const model::Pass pass =
      training_pass(model_, job_.options.trainable, job_.seed, first, augmentation.epoch);
  if (!labels()) return sft_unit(model_, writer_, job_.train, unit, scale, augmentation, pass);
  return label_unit(model_, writer_, job_.train, job_.train_labels, positive_weight_, unit, head(),
                    scale, augmentation, pass);
}

double SftRun::learn(const std::vector<int64_t>& batch, int64_t epoch, double rate) {
  const auto units = micro_batches(job_.train, batch, job_.options.micro_batch);
  const double count = labels() ? label_count(job_.train_labels, batch)
                                : static_cast<double>(reply_tokens(job_.train, batch));
  const Augmentation augmentation{job_.options.brightness, job_.seed, epoch};
  StepGradients step =
      optimizer_->accumulate(job_.threads, static_cast<int64_t>(units.size()), [&](int64_t i) {
        return unit_loss(units[static_cast<size_t>(i)], 1.0 / count, augmentation);
      });
  const double loss = step.sums["loss"] / count;
  if (!std::isfinite(loss))
    throw Error(
        Exit::data,
        fmt::format("loss is not finite at step {} (hint: lower --learning-rate)", progress_.step));
  const double norm = optimizer_->clip(step, job_.options.max_grad_norm);
  if (!std::isfinite(norm))
    throw Error(Exit::data,
                fmt::format("gradient is not finite at step {} (hint: lower --learning-rate)",
                            progress_.step));
  optimizer_->step(job_.options.adamw, rate, trained_, step, state_.optimizer);
  write_metric(
      {{"step", progress_.step + 1},
       {"epoch", static_cast<double>(progress_.step + 1) / static_cast<double>(steps_per_epoch())},
       {"learning_rate", rate},
       {"loss", loss},
       {"accuracy", step.sums["correct"] / count},
       {"grad_norm", norm},
       {"tokens", count}});
  return loss;
}

/// The labels objective looks at the pictures alone.
void SftRun::count_work(const policy::EncodedStudy& study, double passes, int64_t tokens) {
  model::PassShape shape = policy::shape_of(study);
  if (labels()) shape.prompt_tokens = shape.reply_tokens = 0;
  meter_->add(shape, passes, labels() ? 0 : tokens);
}

void SftRun::train_step() {
  const int64_t epoch = progress_.step / steps_per_epoch();
  const int64_t first = (progress_.step % steps_per_epoch()) * job_.options.batch_size;
  const auto order = epoch_order(static_cast<int64_t>(job_.train.size()), job_.seed, epoch);
  const auto last = std::min(first + job_.options.batch_size, static_cast<int64_t>(order.size()));
  const std::vector<int64_t> batch(order.begin() + first, order.begin() + last);
  learn(batch, epoch, learning_rate(schedule_, progress_.step));
  for (const int64_t i : batch) {
    const policy::EncodedStudy& study = job_.train[static_cast<size_t>(i)];
    count_work(study, 3, static_cast<int64_t>(study.reply.size()));
  }
  ++progress_.step;
}

io::Json SftRun::validation() const {
  if (!labels()) {
    const Evaluation e =
        evaluate(model_, writer_, job_.validation, job_.threads, job_.options.micro_batch, world_);
    return {{"validation_loss", e.loss}, {"validation_accuracy", e.accuracy}};
  }
  const LabelEvaluation e =
      evaluate_labels(model_, writer_, job_.validation, job_.validation_labels, positive_weight_,
                      head(), job_.threads, job_.options.micro_batch, world_);
  io::Json by_target = io::Json::object();
  for (const auto& [name, f1] : e.f1_by_target) by_target[name] = f1;
  return {{"validation_loss", e.loss}, {"validation_f1", e.f1}, {"f1_by_target", by_target}};
}

void SftRun::validate() {
  if (job_.validation.empty()) return;
  io::Json line = {{"step", progress_.step}};
  line.update(validation());
  for (const policy::EncodedStudy& study : job_.validation) count_work(study, 1, 0);
  const double loss = line.at("validation_loss").get<double>();
  const char* const second = labels() ? "validation_f1" : "validation_accuracy";
  context_.log.info("step {}: validation_loss {:.4f}, {} {:.4f}", progress_.step, loss, second,
                    line.at(second).get<double>());
  write_metric(std::move(line));
  ++progress_.since_best;
  if (loss < progress_.best) {
    progress_.best = loss;
    progress_.best_step = progress_.step;
    progress_.since_best = 0;
    save_best();
  }
  save_last();
}

void SftRun::save_best() const {
  if (world_.first())
    save_checkpoint(partial_ / "best", job_.base, model_, context_.record, std::nullopt);
}

/// After best/, so that a kill between the two repeats steps instead of losing the better
/// checkpoint.
void SftRun::save_last() {
  const TrainingState whole{optimizer_->whole(state_.optimizer),
                            to_json(progress_, job_.fingerprint)};
  if (!world_.first()) return;
  Parameters extra;
  for (const char* name : {kHeadWeight, kHeadBias}) {
    if (labels()) extra[name] = trained_.at(name);
  }
  save_checkpoint(partial_ / "last", job_.base, model_, context_.record, whole, extra);
}

void SftRun::write_metric(io::Json line) {
  io::Json object = {{"schema", "unirg.metrics/1"}};
  object.update(line);
  progress_.metrics += io::json_line(object);
}

void SftRun::finish() {
  // No validation split: the last is the best known.
  if (world_.first() && !fs::exists(partial_ / "best" / "DONE")) save_best();
  save_last();
  const io::Json ranks = optimizer_->note(state_.optimizer);
  context_.record.note("ranks", ranks);
  if (!world_.alone()) context_.log.info("{}", RankedOptimizer::told(ranks));
  if (world_.first()) publish();
}

void SftRun::publish() {
  io::write_file(partial_ / "metrics.jsonl", progress_.metrics);
  context_.record.note("steps", progress_.step);
  context_.record.note("best_step", progress_.best_step);
  context_.record.note("speed", meter_->note());
  for (const char* name : {"best", "last", "metrics.jsonl"}) {
    context_.record.add_output(job_.output / name, io::digest_path(partial_ / name));
  }
  context_.record.write(partial_ / "run.json");
  io::write_file(partial_ / "DONE", "");
  io::check_replaceable(job_.output);
  std::error_code error;
  fs::remove_all(job_.output, error);
  fs::rename(partial_, job_.output, error);
  if (error)
    throw Error(Exit::io,
                fmt::format("cannot finish '{}': {}", job_.output.string(), error.message()));
}

Exit SftRun::run() {
  if (job_.train.empty())
    throw Error(Exit::data, "no study to train on (hint: --split, and studies need a report)");
  io::check_replaceable(job_.output);
  const SftOptions& o = job_.options;
  total_steps_ = o.epochs * steps_per_epoch();
  if (o.max_steps > 0) total_steps_ = std::min(total_steps_, o.max_steps);
  evaluate_every_ = o.evaluate_every > 0 ? o.evaluate_every : steps_per_epoch();
  schedule_ = o.schedule;
  schedule_.total_steps = total_steps_;
  load();
  meter_.emplace(model_, job_.threads * world_.size());
  cli::Progress bar(context_.log, "step", total_steps_ - progress_.step, job_.log_every);
  while (progress_.step < total_steps_) {
    if (world_.any(context_.stop.requested())) {
      save_last();
      return Exit::interrupted;
    }
    if (o.patience > 0 && progress_.since_best >= o.patience) {
      context_.log.info("stops at step {}: {} validations without improvement", progress_.step,
                        progress_.since_best);
      break;
    }
    train_step();
    bar.advance();
    if (progress_.step % evaluate_every_ == 0 || progress_.step == total_steps_)
      validate();
    else if (o.save_every > 0 && progress_.step % o.save_every == 0)
      save_last();
  }
  finish();
  return Exit::ok;
}

}  // namespace

Exit run_sft(const SftJob& job, const policy::ReportWriter& writer, distributed::World& world,
             cli::Context& context) {
  SftRun run(job, writer, world, context);
  const Exit exit = run.run();
  world.barrier();  // nobody leaves before rank 0 has written
  return exit;
}

}  // namespace unirg::train
