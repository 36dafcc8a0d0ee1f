// SPDX-License-Identifier: Apache-2.0
#include "options.h"

#include "policy/prompt_options.h"
#include "train/optimizer_options.h"
#include "train/trainable.h"

namespace unirg {

cli::Table update_table(UpdateToolOptions& o) {
  rl::UpdateOptions& u = o.job.options;
  cli::Table table{
      {.name = "policy",
       .target = &o.job.policy,
       .metavar = "DIR",
       .help = "Checkpoint that drew the rollouts; its optimiser state goes on if an earlier "
               "update left one.",
       .letter = 'm',
       .required = true},
      {.name = "rewards",
       .target = &o.rewards,
       .metavar = "FILE",
       .help = "Reward records of the rollouts.",
       .required = true},
      {.name = "studies",
       .target = &o.studies,
       .metavar = "FILE",
       .help = "Study records the rollouts were drawn for.",
       .required = true},
      {.name = "output",
       .target = &o.job.output,
       .metavar = "DIR",
       .help = "The next policy's checkpoint; DIR.metrics.jsonl gets a line an optimiser step.",
       .letter = 'o',
       .required = true},
      {.name = "reference",
       .target = &o.job.reference,
       .metavar = "DIR",
       .help = "Checkpoint the KL penalty pulls towards, needed when --kl is above 0; without it, "
               "an adapter is pulled towards its base, which costs no second copy."},
      {.name = "total-steps",
       .target = &u.schedule.total_steps,
       .metavar = "N",
       .help = "Optimiser steps of all updates together; --schedule cosine needs it, and the "
               "warm-up is counted over all too.",
       .min = 0,
       .max = 1e9,
       .group = "Training"},
      {.name = "epochs",
       .target = &u.epochs,
       .metavar = "N",
       .help = "Passes over the rollouts.",
       .min = 1,
       .max = 1000,
       .group = "Training"},
      {.name = "groups-per-step",
       .target = &u.groups_per_step,
       .metavar = "N",
       .help = "Prompt groups of one optimiser step; 0 takes all.",
       .min = 0,
       .max = 1e9,
       .group = "Training"},
      {.name = "temperature",
       .target = &u.temperature,
       .metavar = "T",
       .help = "Temperature the rollouts were drawn at.",
       .min = 1e-3,
       .max = 100,
       .group = "Objective"},
      {.name = "clip-lower",
       .target = &u.grpo.clip_lower,
       .metavar = "E",
       .help = "The ratio is clipped below 1 - E.",
       .min = 0,
       .max = 1,
       .group = "Objective"},
      {.name = "clip-upper",
       .target = &u.grpo.clip_upper,
       .metavar = "E",
       .help = "The ratio is clipped above 1 + E; higher than the lower one keeps exploration "
               "alive (DAPO).",
       .min = 0,
       .max = 100,
       .group = "Objective"},
      {.name = "kl",
       .target = &u.grpo.kl_coefficient,
       .metavar = "BETA",
       .help = "Weight of the k3 KL penalty towards --reference; 0 is none.",
       .min = 0,
       .max = 100,
       .group = "Objective"},
      {.name = "advantage-epsilon",
       .target = &u.advantage_epsilon,
       .metavar = "E",
       .help = "Added to the group's standard deviation.",
       .min = 0,
       .max = 10,
       .group = "Objective"},
      {.name = "max-logprob-gap",
       .target = &u.max_logprob_gap,
       .metavar = "X",
       .help = "Stops with 65 when trainer and sampler log-probabilities (nats) differ by more "
               "before the first step.",
       .min = 0,
       .max = 1e9,
       .group = "Objective"},
      {.name = "rollouts",
       .target = &o.rollouts,
       .metavar = "ROLLOUTS",
       .help = "Rollout records; - is standard input.",
       .required = true,
       .positional = true},
  };
  train::add_optimizer_options(table, u.schedule, u.adamw, u.max_grad_norm);
  train::add_trainable_options(table, u.trainable);
  policy::add_prompt_options(table, o.prompt);
  cli::add_seed(table, o.common);
  cli::add_threads(table, o.common);
  cli::add_device(table, o.common);
  cli::add_dry_run(table, o.common);
  return table;
}

}  // namespace unirg
