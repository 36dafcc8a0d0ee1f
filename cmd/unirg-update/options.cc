// SPDX-License-Identifier: Apache-2.0
#include "options.h"

#include "policy/prompt_options.h"
#include "train/optimizer_options.h"
#include "train/trainable.h"

namespace unirg {
namespace {

const char* const kObjective = "Objective";

/// How rewards become advantages, and which samples are trained on.
cli::Table advantage_rows(UpdateToolOptions& o) {
  rl::GroupOptions& g = o.job.options.groups;
  return {
      {.name = "advantage",
       .target = &o.advantage,
       .metavar = "KIND",
       .help = "grpo: over the group's deviation; dr-grpo: not divided; batch: over the batch's; "
               "rloo: above the others' mean; greedy: above --greedy-rewards; gdpo: each term of "
               "the reward by itself, then over the batch.",
       .choices = {"grpo", "dr-grpo", "batch", "rloo", "greedy", "gdpo"},
       .group = kObjective},
      {.name = "advantage-epsilon",
       .target = &g.epsilon,
       .metavar = "E",
       .help = "Added to standard deviations.",
       .min = 0,
       .max = 10,
       .group = kObjective},
      {.name = "greedy-rewards",
       .target = &o.greedy_rewards,
       .metavar = "FILE",
       .help = "Reward records of greedy replies, one a study: the baseline of --advantage greedy.",
       .group = kObjective},
      {.name = "reward-clip",
       .target = &g.reward_clip,
       .metavar = "X",
       .help = "Keeps rewards within -X and X; 0 leaves them.",
       .min = 0,
       .max = 1e9,
       .group = kObjective},
      {.name = "overlong-limit",
       .target = &g.overlong_limit,
       .metavar = "TOKENS",
       .help = "Length at which a reply's reward is 1 lower; 0 punishes no length.",
       .min = 0,
       .max = 1e9,
       .group = kObjective},
      {.name = "overlong-buffer",
       .target = &g.overlong_buffer,
       .metavar = "TOKENS",
       .help = "From so many tokens below --overlong-limit the punishment grows linearly.",
       .min = 0,
       .max = 1e9,
       .group = kObjective},
      {.name = "drop-unfinished",
       .target = &g.drop_unfinished,
       .help = "Does not train on replies that were cut off.",
       .group = kObjective},
      {.name = "drop-equal-groups",
       .target = &g.drop_equal_groups,
       .help = "Leaves groups without an advantage out of what losses are averaged over.",
       .group = kObjective},
  };
}

/// The loss of a token, and how tokens are averaged.
cli::Table loss_rows(UpdateToolOptions& o) {
  rl::PolicyLossOptions& l = o.job.options.loss;
  return {
      {.name = "ratio",
       .target = &o.ratio,
       .metavar = "KIND",
       .help = "token: PPO's and GRPO's clipped ratio; sequence: GSPO; cispo: weights capped at "
               "--clip-upper itself; cispo-band: at 1 + --clip-upper and 1 - --clip-lower; sapo: a "
               "smooth gate.",
       .choices = {"token", "sequence", "cispo", "cispo-band", "sapo"},
       .group = kObjective},
      {.name = "clip-lower",
       .target = &l.clip_lower,
       .metavar = "E",
       .help = "The ratio is clipped below 1 - E.",
       .min = 0,
       .max = 1,
       .group = kObjective},
      {.name = "clip-upper",
       .target = &l.clip_upper,
       .metavar = "E",
       .help = "The ratio is clipped above 1 + E; higher than the lower one keeps exploration "
               "alive (DAPO).",
       .min = 0,
       .max = 100,
       .group = kObjective},
      {.name = "dual-clip",
       .target = &l.dual_clip,
       .metavar = "C",
       .help = "Bounds the loss of tokens with a negative advantage A at -C A; 0 does not.",
       .min = 0,
       .max = 1e6,
       .group = kObjective},
      {.name = "aggregation",
       .target = &o.aggregation,
       .metavar = "KIND",
       .help = "What a step's losses are averaged over: all its tokens, samples of their tokens "
               "(sequence), or samples x --max-tokens (constant, Dr.GRPO).",
       .choices = {"token", "sequence", "constant"},
       .group = kObjective},
      {.name = "max-tokens",
       .target = &o.job.options.max_tokens,
       .metavar = "N",
       .help = "Most tokens a reply may have, for --aggregation constant.",
       .min = 0,
       .max = 1e9,
       .group = kObjective},
      {.name = "temperature",
       .target = &o.job.options.temperature,
       .metavar = "T",
       .help = "Temperature the rollouts were drawn at.",
       .min = 1e-3,
       .max = 100,
       .group = kObjective},
  };
}

cli::Table kl_rows(UpdateToolOptions& o) {
  rl::UpdateOptions& u = o.job.options;
  return {
      {.name = "kl",
       .target = &u.loss.kl_coefficient,
       .metavar = "BETA",
       .help = "Weight of the KL penalty towards --reference (of an adapter: its base); 0 is none.",
       .min = 0,
       .max = 100,
       .group = kObjective},
      {.name = "kl-estimator",
       .target = &o.kl_estimator,
       .metavar = "KIND",
       .help = "Of the penalty, with d the reference's log-probability less the policy's: k1 is "
               "-d, k2 is d^2 / 2, k3 is exp(d) - d - 1, k3-ratio is k3 times the ratio.",
       .choices = {"k1", "k2", "k3", "k3-ratio"},
       .group = kObjective},
      {.name = "kl-in",
       .target = &o.kl_in,
       .metavar = "WHERE",
       .help =
           "loss: as above; reward: a sample's reward falls by BETA times the sum of -d over its "
           "tokens, before advantages.",
       .choices = {"loss", "reward"},
       .group = kObjective},
      {.name = "kl-target",
       .target = &u.kl_target,
       .metavar = "KL",
       .help = "Adapts BETA after each step of n samples by the factor 1 + clip(KL / target - 1, "
               "+-0.2) min(1, n / horizon), KL in nats a token; later updates go on from it. 0 "
               "keeps it.",
       .min = 0,
       .max = 1e6,
       .group = kObjective},
      {.name = "kl-horizon",
       .target = &u.kl_horizon,
       .metavar = "SAMPLES",
       .help = "Horizon of --kl-target.",
       .min = 1,
       .max = 1e12,
       .group = kObjective},
      {.name = "entropy-bonus",
       .target = &u.loss.entropy_bonus,
       .metavar = "C",
       .help = "Weight of the mean entropy of the policy's tokens, which is to grow.",
       .min = 0,
       .max = 100,
       .group = kObjective},
      {.name = "importance-cap",
       .target = &u.importance_cap,
       .metavar = "C",
       .help = "For rollouts of another program or precision: old log-probabilities are computed "
               "anew, and tokens weighed by min(trainer / sampler, C). 0 trusts the sampler's.",
       .min = 0,
       .max = 1e6,
       .group = kObjective},
      {.name = "cross-entropy",
       .target = &u.cross_entropy,
       .metavar = "SHARE",
       .help = "Share of the cross-entropy of the reference reports in the loss, beside 1 - SHARE "
               "of all the rest.",
       .min = 0,
       .max = 1,
       .group = kObjective},
      {.name = "max-logprob-gap",
       .target = &u.max_logprob_gap,
       .metavar = "X",
       .help = "Stops with 65 when trainer and sampler log-probabilities (nats) differ by more "
               "before the first step.",
       .min = 0,
       .max = 1e9,
       .group = kObjective},
  };
}

}  // namespace

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
      {.name = "on-collapse",
       .target = &o.on_collapse,
       .metavar = "ACTION",
       .help =
           "Where the rewards of every study are equal, or every report was cut off: stop (65), "
           "or go-on.",
       .choices = {"stop", "go-on"},
       .group = "Training"},
      {.name = "rollouts",
       .target = &o.rollouts,
       .metavar = "ROLLOUTS",
       .help = "Rollout records; - is standard input.",
       .required = true,
       .positional = true},
  };
  cli::append(table, advantage_rows(o));
  cli::append(table, loss_rows(o));
  cli::append(table, kl_rows(o));
  train::add_optimizer_options(table, u.schedule, u.adamw, u.max_grad_norm);
  train::add_trainable_options(table, u.trainable);
  train::add_rank_options(table, u.ranks);
  policy::add_prompt_options(table, o.prompt);
  cli::add_seed(table, o.common);
  cli::add_threads(table, o.common);
  cli::add_device(table, o.common);
  cli::add_dry_run(table, o.common);
  policy::add_training_machine_options(table, o.machine);
  return table;
}

}  // namespace unirg
