// unirg-reward: rollouts + references -> one reward record a rollout. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "base/error.h"
#include "base/parallel.h"
#include "cli/installed.h"
#include "data/records.h"
#include "options.h"
#include "scoring/reports.h"
#include "scoring/scorer.h"

namespace unirg {
namespace {

/// Weighted metrics first, then the further ones.
std::vector<std::string> metric_names(const RewardToolOptions& o) {
  std::vector<std::string> names;
  for (const auto& [name, weight] : o.weights) names.push_back(name);
  for (const std::string& name : o.metrics) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return names;
}

/// Rollouts of one study: the unit of work, its reference prepared once.
using Group = std::vector<size_t>;

std::vector<Group> group_by_study(const std::vector<scoring::NamedReport>& rollouts) {
  std::vector<Group> groups;
  for (size_t i = 0; i < rollouts.size(); ++i) {  // neighbours only, so that input order is output order
    if (groups.empty() || rollouts[groups.back().front()].study_id != rollouts[i].study_id) groups.emplace_back();
    groups.back().push_back(i);
  }
  return groups;
}

data::Reward make_reward(const scoring::NamedReport& rollout, const scoring::Scorer& scorer, const std::vector<double>& values, const cli::Weights& weights) {
  data::Reward reward;
  reward.study_id = rollout.study_id;
  reward.sample = rollout.sample;
  for (size_t m = 0; m < values.size(); ++m) reward.components.emplace_back(scorer.metrics()[m].name, values[m]);
  reward.weights = weights;
  for (size_t w = 0; w < weights.size(); ++w) reward.reward += weights[w].second * values[w];
  return reward;
}

Exit run(RewardToolOptions& o, cli::Context& context) {
  if (o.weights.empty() && o.metrics.empty()) throw Error(Exit::config, "--weights names no metric");
  if (o.lexicon.empty()) o.lexicon = cli::installed_file("lexicon/chest.yaml");
  const scoring::Sections sections = scoring::parse_sections(o.sections);
  const scoring::Scorer scorer(metric_names(o), o.lexicon, o.uncertain_is_positive);
  std::unordered_map<std::string, text::Report> references;
  for (scoring::NamedReport& r : scoring::load_reports(o.references, false)) references.emplace(r.study_id, std::move(r.report));
  const data::Shard shard = data::parse_shard(o.common.shard);
  const std::vector<scoring::NamedReport> rollouts = scoring::load_reports(o.rollouts, true);
  const std::vector<Group> groups = group_by_study(rollouts);
  context.record.add_input(o.references);
  context.record.add_input(o.rollouts);
  io::AtomicFile out(o.output);
  std::string rejected;
  bool stopped = false;
  ordered_parallel(
      static_cast<int>(o.common.threads), static_cast<int64_t>(groups.size()),
      [&](int64_t g) {
        std::vector<data::Reward> rewards;
        if (!shard.has(g)) return rewards;
        const Group& group = groups[static_cast<size_t>(g)];
        const auto reference = references.find(rollouts[group.front()].study_id);
        if (reference == references.end()) return rewards;
        const scoring::Prepared prepared = scorer.prepare(scoring::scored_text(reference->second, sections));
        for (const size_t i : group) {
          const scoring::Prepared hypothesis = scorer.prepare(scoring::scored_text(rollouts[i].report, sections));
          rewards.push_back(make_reward(rollouts[i], scorer, scorer.score(hypothesis, prepared), o.weights));
        }
        return rewards;
      },
      [&](int64_t g, const std::vector<data::Reward>& rewards) {
        if (rewards.empty() && shard.has(g)) {
          const std::string& id = rollouts[groups[static_cast<size_t>(g)].front()].study_id;
          const std::string reason = fmt::format("study '{}' has no reference in '{}'", id, o.references.string());
          if (o.common.on_error == "stop") throw Error(Exit::data, fmt::format("{}: {}", o.rollouts.string(), reason));
          rejected += io::json_line({{"schema", "unirg.rejected/1"}, {"file", o.rollouts.string()}, {"line", nullptr}, {"study_id", id}, {"reason", reason}});
        }
        for (const data::Reward& reward : rewards) out.write(io::json_line(data::to_json(reward)));
        stopped = context.stop.requested();
        return !stopped;
      });
  if (stopped) return Exit::interrupted;
  out.commit();
  if (!rejected.empty() && !io::is_stream(o.output)) io::write_file(o.output.string() + ".rejected.jsonl", rejected);
  io::Json signatures = io::Json::object();
  for (const scoring::MetricInfo& metric : scorer.metrics()) signatures[metric.name] = metric.signature;
  context.record.note("signatures", std::move(signatures));
  context.record.add_output(o.output, out.sha256());
  context.record.write_beside(o.output);
  return Exit::ok;
}

}  // namespace
}  // namespace unirg

int main(int argc, char** argv) {
  unirg::RewardToolOptions options;
  return unirg::cli::run_main({.name = "unirg-reward",
                               .summary = "Scores reports against references: one record a report, every metric kept, and their weighted sum.",
                               .synopsis = "[options] --references FILE [ROLLOUTS]",
                               .example = "unirg-reward --references data/studies.jsonl --weights label-f1=0.5,entity-f1=0.5 -o rewards.jsonl rollouts.jsonl"},
                              unirg::reward_table(options), options.common, argc, argv,
                              [&](unirg::cli::Context& context) { return unirg::run(options, context); });
}
