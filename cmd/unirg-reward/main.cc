// unirg-reward: rollouts + references -> one reward record a rollout.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "base/error.h"
#include "reward.h"

namespace unirg {
namespace {

scoring::Composition composition_of(const RewardToolOptions& o) {
  if (o.composition.empty()) return scoring::weighted_sum(o.weights);
  if (o.weights != RewardToolOptions().weights)
    throw Error(Exit::usage, "--weights and --composition exclude each other");
  return scoring::load_composition(scoring::composition_file(o.composition));
}

void check(const RewardToolOptions& o) {
  if (!o.reweight.empty()) {
    if (!o.references.empty() || !io::is_stream(o.rollouts))
      throw Error(Exit::usage, "--reweight takes neither references nor rollouts");
    if (!o.metrics.empty() || o.common.shard != cli::Common().shard)
      throw Error(Exit::usage, "--reweight scores nothing: it takes neither --metrics nor --shard");
    return;
  }
  if (o.references.empty()) throw Error(Exit::usage, "missing option '--references'");
  if (o.composition.empty() && o.weights.empty() && o.metrics.empty())
    throw Error(Exit::config, "--weights names no metric");
  if (io::is_stream(o.rollouts) && io::is_stream(o.references))
    throw Error(Exit::usage, "standard input cannot be both references and rollouts");
}

Exit run(RewardToolOptions& o, cli::Context& context) {
  check(o);
  scoring::settle(o.scoring, context);
  const scoring::Composition composition = composition_of(o);
  context.record.note("reward", scoring::formula(composition));
  return o.reweight.empty() ? score_rollouts(o, composition, context)
                            : reweight(o, composition, context);
}

}  // namespace

void set_reward(data::Reward& reward, const scoring::Composition& composition) {
  reward.weights.clear();
  for (const scoring::Term& term : composition.terms)
    reward.weights.emplace_back(term.metric, term.weight);
  const auto value = scoring::compose(composition, reward.components);
  if (!value) throw Error(Exit::data, "no term of the reward has a value");
  reward.reward = *value;
  reward.terms.clear();
  if (!scoring::is_plain(composition))
    reward.terms = scoring::term_values(composition, reward.components);
}

}  // namespace unirg

int main(int argc, char** argv) {
  unirg::RewardToolOptions options;
  return unirg::cli::run_main(
      {.name = "unirg-reward",
       .summary = "Scores reports against references: one record a report, every metric kept, and "
                  "their composition.",
       .synopsis = "[options] --references FILE [ROLLOUTS] | [options] --reweight REWARDS",
       .example = "unirg-reward --references data/studies.jsonl --weights "
                  "label-f1=0.5,entity-f1=0.5 -o rewards.jsonl rollouts.jsonl"},
      unirg::reward_table(options), options.common, argc, argv,
      [&](unirg::cli::Context& context) { return unirg::run(options, context); });
}
