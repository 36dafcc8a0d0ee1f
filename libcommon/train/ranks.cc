// SPDX-License-Identifier: Apache-2.0
#include "train/ranks.h"

#include <ATen/Context.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/parallel.h"
#include "distributed/shares.h"
#include "train/rank_sums.h"

namespace unirg::train {
namespace {

int64_t bytes_of(const std::vector<Tensor>& tensors) {
  int64_t bytes = 0;
  for (const Tensor& tensor : tensors)
    bytes += tensor.defined() ? static_cast<int64_t>(tensor.nbytes()) : 0;
  return bytes;
}

int64_t bytes_of(const AdamWState& state) {
  int64_t bytes = 0;
  for (const Parameters* part : {&state.first, &state.second, &state.master}) {
    for (const auto& [name, tensor] : *part) bytes += static_cast<int64_t>(tensor.nbytes());
  }
  return bytes;
}

int64_t peak_memory_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<int64_t>(usage.ru_maxrss) * 1024;
}

}  // namespace

void add_rank_options(cli::Table& table, RankOptions& options) {
  const cli::Table rows{
      {.name = "zero",
       .target = &options.zero,
       .metavar = "STAGE",
       .help = "What the ranks of mpirun or srun share out: 0 nothing, 1 the optimiser's state, 2 "
               "gradients too, which are then added unit by unit: the bytes of one process.",
       .min = 0,
       .max = 2,
       .group = "Resources"},
      {.name = "bucket-mib",
       .target = &options.bucket_mib,
       .metavar = "X",
       .help = "Largest piece, in MiB, in which ranks exchange gradients and weights.",
       .min = 1e-6,
       .max = 1024,
       .group = "Resources"},
  };
  table.insert(table.end(), rows.begin(), rows.end());
}

void join_ranks(distributed::World& world, const distributed::Environment& environment,
                const cli::Common& common, Logger& log) {
  world.start(environment);
  if (!world.first())
    log.set(LogLevel::error, common.log_format == "json" ? LogFormat::json : LogFormat::text);
}

std::string device_of_rank(const std::string& device, int local_rank, int64_t gpus) {
  if (device.starts_with("cuda:"))
    throw Error(Exit::usage,
                fmt::format("--device {} would put all ranks on one GPU (hint: --device cuda gives "
                            "each its own)",
                            device));
  if (device == "cpu" || gpus == 0) return device;
  return fmt::format("cuda:{}", local_rank % gpus);
}

std::string device_of_rank(const distributed::World& world, const std::string& device,
                           const distributed::Environment& environment) {
  if (world.alone()) return device;
  return device_of_rank(device, distributed::local_rank(environment),
                        static_cast<int64_t>(at::getNumGPUs()));
}

RankedOptimizer::RankedOptimizer(distributed::World& world, const RankOptions& options,
                                 std::vector<std::string> names, std::vector<Tensor> leaves)
    : world_(world),
      zero_(world.alone() ? 0 : options.zero),
      bucket_bytes_(static_cast<int64_t>(options.bucket_mib * 1024 * 1024)),
      names_(std::move(names)),
      leaves_(std::move(leaves)) {
  UNIRG_ASSERT(names_.size() == leaves_.size(), "a name a leaf");
  if (!leaves_.empty()) world.use(leaves_.front().device());
  std::vector<int64_t> sizes;
  for (const Tensor& leaf : leaves_) sizes.push_back(leaf.numel());
  owners_ = distributed::share_out(sizes, world.size());
  if (zero_ == 2) watch_.emplace(leaves_);
}

/// Stage 2. \returns the sums that are this rank's, and the numbers of its units
UnitsSum RankedOptimizer::add_in_order(int threads, int64_t units,
                                       const std::function<UnitLoss(int64_t)>& unit) {
  struct UnitGradients {
    std::vector<Tensor> gradients;
    Sums sums;
    bool real = false;
  };
  UnitsSum mine;
  std::vector<size_t> found;  // in the first unit, by the one thread that has it
  distributed::OrderedSum sum(world_, leaves_, owners_,
                              {.bucket_bytes = bucket_bytes_, .order = order_});
  const int64_t rounds = (units + world_.size() - 1) / world_.size();  // at every rank
  ordered_parallel(
      threads, rounds,
      [&](int64_t i) {
        use_one_intra_op_thread();
        const int64_t u = i * world_.size() + world_.rank();
        if (u >= units) return UnitGradients{std::vector<Tensor>(leaves_.size()), {}, false};
        UnitLoss loss = unit(u);
        auto gradients = watch_->gradients(loss.loss, [&](size_t k, const Tensor& gradient) {
          if (i == 0) found.push_back(k);
          sum.put(i, k, gradient);
        });
        return UnitGradients{std::move(gradients), std::move(loss.sums), true};
      },
      [&](int64_t, UnitGradients result) {
        if (result.real) mine.units.push_back(std::move(result.sums));
        sum.add(result.gradients);
        return true;
      });
  mine.gradients = sum.finish();
  traffic_.bytes += sum.traffic().bytes;
  traffic_.early_bytes += sum.traffic().early_bytes;
  if (order_.empty()) settle_order(found);
  return mine;
}

/// Buckets of later steps are filled as the backward pass of rank 0 found the leaves, so that the
/// first is full early; what it did not find comes last.
void RankedOptimizer::settle_order(const std::vector<size_t>& found) {
  std::string mine(found.size() * sizeof(size_t), '\0');
  if (!found.empty()) std::memcpy(mine.data(), found.data(), mine.size());
  const std::string first = world_.gather(mine).front();
  if (first.empty()) return;  // it had nothing to learn from: the next step may
  order_.resize(first.size() / sizeof(size_t));
  std::memcpy(order_.data(), first.data(), first.size());
  std::vector<bool> there(leaves_.size(), false);
  for (const size_t k : order_) there[k] = true;
  for (size_t k = 0; k < leaves_.size(); ++k) {
    if (!there[k]) order_.push_back(k);
  }
}

/// Stages 0 and 1. \returns as above
UnitsSum RankedOptimizer::add_then_exchange(int threads, int64_t units,
                                            const std::function<UnitLoss(int64_t)>& unit) {
  UnitsSum mine = add_units(leaves_, threads, own_units(world_, units),
                            [&](int64_t i) { return unit(i * world_.size() + world_.rank()); });
  gradient_bytes_ = bytes_of(mine.gradients);
  distributed::OrderedSum sum(world_, leaves_, owners_,
                              {.bucket_bytes = bucket_bytes_, .already_summed = true});
  sum.add(mine.gradients);
  mine.gradients = sum.finish();
  traffic_.bytes += sum.traffic().bytes;
  return mine;
}

/// Zeros where this rank keeps a leaf that no unit touched; at stage 0 all of them from all ranks.
void RankedOptimizer::complete(std::vector<Tensor>& gradients) const {
  for (size_t k = 0; k < leaves_.size(); ++k) {
    if (keeps(k) && !gradients[k].defined()) gradients[k] = no_gradient(leaves_[k]);
  }
  if (zero_ == 0) distributed::share(world_, gradients, owners_, bucket_bytes_);
}

StepGradients RankedOptimizer::accumulate(int threads, int64_t units,
                                          const std::function<UnitLoss(int64_t)>& unit) {
  StepGradients step;
  gradient_bytes_ = 0;
  if (world_.alone()) {
    step = train::accumulate(leaves_, threads, units, unit);
  } else {
    UnitsSum mine =
        zero_ == 2 ? add_in_order(threads, units, unit) : add_then_exchange(threads, units, unit);
    step.gradients = std::move(mine.gradients);
    complete(step.gradients);
    step.sums = add_sums(gather_sums(world_, mine.units, units));
  }
  gradient_bytes_ = std::max(gradient_bytes_, bytes_of(step.gradients));
  return step;
}

double RankedOptimizer::clip(StepGradients& step, double max_norm) const {
  if (zero_ == 0) return clip_gradients(step.gradients, max_norm);
  std::vector<Tensor> kept;
  for (const Tensor& gradient : step.gradients) {
    if (gradient.defined()) kept.push_back(gradient);
  }
  const std::vector<double> mine = gradient_norms(kept);
  std::string bytes(mine.size() * sizeof(double), '\0');
  if (!mine.empty()) std::memcpy(bytes.data(), mine.data(), bytes.size());
  const std::vector<std::string> all = world_.gather(bytes);
  std::vector<size_t> taken(all.size(), 0);
  std::vector<double> norms;
  for (const int owner : owners_) {  // in the order of names, as one process adds their squares
    const auto rank = static_cast<size_t>(owner);
    double norm = 0;
    std::memcpy(&norm, all[rank].data() + sizeof(double) * taken[rank]++, sizeof norm);
    norms.push_back(norm);
  }
  const double norm = global_norm(norms);
  scale_to_norm(kept, norm, max_norm);
  return norm;
}

void RankedOptimizer::step(const AdamWOptions& options, double rate, Parameters& parameters,
                           const StepGradients& step, AdamWState& state) const {
  if (zero_ == 0) {
    adamw_step(options, rate, names_, parameters, step.gradients, state);
    return;
  }
  std::vector<std::string> names;
  std::vector<Tensor> gradients;
  for (size_t k = 0; k < names_.size(); ++k) {
    if (!keeps(k)) continue;
    names.push_back(names_[k]);
    gradients.push_back(step.gradients[k]);
  }
  adamw_step(options, rate, names, parameters, gradients, state);
  const at::NoGradGuard no_grad;
  std::vector<Tensor> weights;
  for (const std::string& name : names_) weights.push_back(parameters.at(name).detach());
  distributed::share(world_, weights, owners_, bucket_bytes_);
}

void RankedOptimizer::keep_share(AdamWState& state) const {
  for (Parameters* part : {&state.first, &state.second, &state.master}) {
    for (size_t k = 0; k < names_.size(); ++k) {
      if (!keeps(k)) part->erase(names_[k]);
    }
  }
}

/// One of moments and masters, of all ranks together.
Parameters RankedOptimizer::whole(const Parameters& mine) const {
  std::string there(names_.size(), '0');  // masters are not there for every tensor
  for (size_t k = 0; k < names_.size(); ++k) {
    if (mine.contains(names_[k])) there[k] = '1';
  }
  const std::vector<std::string> by_rank = world_.gather(there);
  Parameters all;
  std::vector<Tensor> tensors(names_.size());
  for (size_t k = 0; k < names_.size(); ++k) {
    if (by_rank[static_cast<size_t>(owners_[k])][k] == '0') continue;
    if (keeps(k))
      tensors[k] = mine.at(names_[k]).cpu();
    else if (world_.first())
      tensors[k] = at::empty(leaves_[k].sizes(), at::kFloat);
    if (world_.first()) all[names_[k]] = tensors[k];
  }
  distributed::collect(world_, tensors, owners_, bucket_bytes_);
  return all;
}

AdamWState RankedOptimizer::whole(const AdamWState& state) const {
  if (zero_ == 0) return world_.first() ? state : AdamWState{};
  return {whole(state.first), whole(state.second), whole(state.master), state.step};
}

io::Json RankedOptimizer::note(const AdamWState& state) const {
  const io::Json mine = {{"optimizer_bytes", bytes_of(state)},
                         {"gradient_bytes", gradient_bytes_},
                         {"peak_memory_bytes", peak_memory_bytes()},
                         {"sent_bytes", traffic_.bytes},
                         {"sent_early_bytes", traffic_.early_bytes}};
  io::Json note = {{"count", world_.size()}};
  if (!world_.alone()) note["zero"] = zero_;
  for (const std::string& text : world_.gather(mine.dump())) {
    const io::Json theirs = io::Json::parse(text);
    for (const auto& [name, value] : theirs.items()) {
      if (!world_.alone() || !name.starts_with("sent")) note[name].push_back(value);
    }
  }
  return note;
}

std::string RankedOptimizer::told(const io::Json& note) {
  constexpr double kMiB = 1024.0 * 1024.0;
  const auto range = [&](const char* name) {
    const auto [least, most] = std::minmax_element(note.at(name).begin(), note.at(name).end());
    return fmt::format("{:.1f} to {:.1f} MiB", least->get<double>() / kMiB,
                       most->get<double>() / kMiB);
  };
  return fmt::format("{} ranks, --zero {}: optimiser state {} a rank, gradients {}, peak memory {}",
                     note.at("count").get<int>(), note.at("zero").get<int>(),
                     range("optimizer_bytes"), range("gradient_bytes"), range("peak_memory_bytes"));
}

}  // namespace unirg::train
