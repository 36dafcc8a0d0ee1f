// unirg-reward: rollouts + references -> one reward record a rollout.
// SPDX-License-Identifier: Apache-2.0
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
  for (size_t i = 0; i < rollouts.size();
       ++i) {  // neighbours only, so that input order is output order
    if (groups.empty() || rollouts[groups.back().front()].study_id != rollouts[i].study_id)
      groups.emplace_back();
    groups.back().push_back(i);
  }
  return groups;
}

data::Reward make_reward(const scoring::NamedReport& rollout, const scoring::Scorer& scorer,
                         const std::vector<double>& values, const cli::Weights& weights) {
  data::Reward reward;
  reward.study_id = rollout.study_id;
  reward.sample = rollout.sample;
  for (size_t m = 0; m < values.size(); ++m)
    reward.components.emplace_back(scorer.metrics()[m].name, values[m]);
  reward.weights = weights;
  for (size_t w = 0; w < weights.size(); ++w) reward.reward += weights[w].second * values[w];
  return reward;
}

using References = std::unordered_map<std::string, text::Report>;

/// The first sample where a study has several.
References load_references(const std::filesystem::path& file) {
  References references;
  for (scoring::NamedReport& r : scoring::load_reports(file, false).records)
    references.emplace(r.study_id, std::move(r.report));
  return references;
}

/// Rewards of one study's rollouts, or why there are none.
Result<std::vector<data::Reward>> reward_group(const RewardToolOptions& o,
                                               const scoring::Scorer& scorer,
                                               const References& references,
                                               const std::vector<scoring::NamedReport>& rollouts,
                                               const Group& group) {
  const std::string& id = rollouts[group.front()].study_id;
  const scoring::Sections sections = scoring::parse_sections(o.sections);
  const auto reference = references.find(id);
  if (reference == references.end())
    return bad_record(
        fmt::format("study '{}' has no reference in '{}'", id, o.references.string()));
  const std::string text = scoring::scored_text(reference->second, sections);
  if (text.empty())
    return bad_record(
        fmt::format("the reference of study '{}' lacks the sections to be scored", id));
  const scoring::Prepared prepared = scorer.prepare(text);
  std::vector<data::Reward> rewards;
  for (const size_t i : group) {
    const scoring::Prepared hypothesis =
        scorer.prepare(scoring::scored_text(rollouts[i].report, sections));
    rewards.push_back(
        make_reward(rollouts[i], scorer, scorer.score(hypothesis, prepared), o.weights));
  }
  return rewards;
}

void check(const RewardToolOptions& o) {
  if (o.weights.empty() && o.metrics.empty())
    throw Error(Exit::config, "--weights names no metric");
  if (io::is_stream(o.rollouts) && io::is_stream(o.references))
    throw Error(Exit::usage, "standard input cannot be both references and rollouts");
}

void finish_record(const RewardToolOptions& o, const scoring::Scorer& scorer,
                   const std::string& digest, io::RunRecord& record) {
  record.add_input(o.references);
  record.add_input(o.rollouts);
  io::Json signatures = io::Json::object();
  for (const scoring::MetricInfo& metric : scorer.metrics())
    signatures[metric.name] = metric.signature;
  record.note("signatures", std::move(signatures));
  record.add_output(o.output, digest);
  record.write_beside(o.output);
}

Exit run(RewardToolOptions& o, cli::Context& context) {
  check(o);
  if (o.lexicon.empty()) o.lexicon = cli::installed_file("lexicon/chest.yaml");
  const data::OnError on_error =
      o.common.on_error == "skip" ? data::OnError::skip : data::OnError::stop;
  const scoring::Scorer scorer(metric_names(o), o.lexicon, o.uncertain_is_positive);
  const References references = load_references(o.references);
  const data::Shard shard = data::parse_shard(o.common.shard);
  auto [rollouts, rejected] = scoring::load_reports(o.rollouts, true, on_error);
  // A bad line belongs to no study, so to one shard by its number: the shards' lists add up.
  std::erase_if(rejected, [&](const auto& r) { return !shard.has(r.place.line - 1); });
  const std::vector<Group> groups = group_by_study(rollouts);
  io::AtomicFile out(o.output);
  bool stopped = false;
  ordered_parallel(
      static_cast<int>(o.common.threads), static_cast<int64_t>(groups.size()),
      [&](int64_t g) {
        return shard.has(g)
                   ? reward_group(o, scorer, references, rollouts, groups[static_cast<size_t>(g)])
                   : Result<std::vector<data::Reward>>();
      },
      [&](int64_t g, const Result<std::vector<data::Reward>>& rewards) {
        if (!rewards) {
          for (const size_t i : groups[static_cast<size_t>(g)])
            rejected.push_back({{o.rollouts.string(), rollouts[i].line}, rewards.error().reason});
          if (on_error == data::OnError::stop)
            throw Error(Exit::data, fmt::format("{}: {}", rejected.back().place.text(),
                                                rejected.back().reason));
          return true;
        }
        for (const data::Reward& reward : *rewards) out.write(io::json_line(data::to_json(reward)));
        stopped = context.stop.requested() && g + 1 < static_cast<int64_t>(groups.size());
        return !stopped;
      });
  if (stopped) return Exit::interrupted;
  out.seal();
  data::write_rejected(o.output, rejected);
  if (!rejected.empty()) context.log.warning("skipped {} rollouts", rejected.size());
  finish_record(o, scorer, out.sha256(), context.record);
  out.commit();  // last: a file that is there has its run record and its rejects
  return Exit::ok;
}

}  // namespace
}  // namespace unirg

int main(int argc, char** argv) {
  unirg::RewardToolOptions options;
  return unirg::cli::run_main(
      {.name = "unirg-reward",
       .summary = "Scores reports against references: one record a report, every metric kept, and "
                  "their weighted sum.",
       .synopsis = "[options] --references FILE [ROLLOUTS]",
       .example = "unirg-reward --references data/studies.jsonl --weights "
                  "label-f1=0.5,entity-f1=0.5 -o rewards.jsonl rollouts.jsonl"},
      unirg::reward_table(options), options.common, argc, argv,
      [&](unirg::cli::Context& context) { return unirg::run(options, context); });
}
