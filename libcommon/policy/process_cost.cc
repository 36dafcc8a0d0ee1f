// SPDX-License-Identifier: Apache-2.0
#include "policy/process_cost.h"

#include <fmt/format.h>

namespace unirg::policy {
namespace {

int64_t divided_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

}  // namespace

std::vector<StageCost> process_cost(const Process& process, const TrainedModel& trained,
                                    const Machine& machine) {
  model::PassShape group = trained.study;
  group.replies = process.samples;
  const auto studies = static_cast<double>(process.studies);
  const double written = studies * model::forward_flops(trained.config, trained.study);
  const double drawn = studies * model::forward_flops(trained.config, group);
  const double passes = trained.recompute ? 4 : 3;
  const auto sft_epochs = static_cast<double>(process.sft_epochs);
  const auto steps = static_cast<double>(divided_up(process.studies, process.batch));
  const int64_t batches = divided_up(process.batch, process.micro_batch);
  const auto sent = [&](int64_t units) {
    return steps *
           step_bytes(machine, trained.values, trained.item, divided_up(units, machine.ranks));
  };
  return {{fmt::format("SFT, {} epochs", process.sft_epochs), sft_epochs * passes * written,
           sft_epochs * sent(batches), false, batches},
          {fmt::format("rollouts, {} a study, 2 epochs", process.samples), 2 * drawn, 0, true, 0},
          {"update, step 1, 1 epoch", passes * drawn, sent(process.batch), false, process.batch},
          {"update, step 2 with KL, 1 epoch", (passes + 1) * drawn, sent(process.batch), false,
           process.batch}};
}

double stage_seconds(const StageCost& stage, const Machine& machine) {
  const double share = stage.decodes ? machine.decode_share : machine.flops_share;
  const double busy = busy_ranks(machine, stage.units > 0 ? stage.units : machine.ranks);
  return work_seconds(machine, busy, stage.flops, share, stage.sent);
}

}  // namespace unirg::policy
