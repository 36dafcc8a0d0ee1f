// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <unordered_map>
#include <unordered_set>

#include "base/error.h"
#include "base/parallel.h"
#include "io/atomic_file.h"
#include "reward.h"
#include "scoring/reports.h"
#include "scoring/scorer.h"

namespace unirg {
namespace {

using scoring::NamedReport;

/// Metrics of the reward first, then the further ones.
std::vector<std::string> metric_names(const scoring::Composition& composition,
                                      const std::vector<std::string>& further) {
  std::vector<std::string> names;
  for (const scoring::Term& term : composition.terms) names.push_back(term.metric);
  names.insert(names.end(), further.begin(), further.end());
  return names;
}

/// Rollouts of one study: the unit of work, its reference prepared once.
using Group = std::vector<size_t>;

/// Neighbours only, so that input order is output order.
std::vector<Group> group_by_study(const std::vector<NamedReport>& rollouts) {
  std::vector<Group> groups;
  for (size_t i = 0; i < rollouts.size(); ++i) {
    if (groups.empty() || rollouts[groups.back().front()].study_id != rollouts[i].study_id)
      groups.emplace_back();
    groups.back().push_back(i);
  }
  return groups;
}

/// What a run or a shard of it scores.
struct Work {
  data::Records<NamedReport> rollouts;
  std::vector<Group> groups;
};

/// Everything, of which the shard keeps its groups.
Work read_all(const RewardToolOptions& o, const data::Shard& shard, data::OnError on_error) {
  Work work{scoring::load_reports(o.rollouts, true, on_error), {}};
  std::vector<Group> groups = group_by_study(work.rollouts.records);
  for (size_t g = 0; g < groups.size(); ++g) {
    if (shard.has(static_cast<int64_t>(g))) work.groups.push_back(std::move(groups[g]));
  }
  // A bad line belongs to no study, so to one shard by its number: the shards' lists add up.
  std::erase_if(work.rollouts.rejected,
                [&](const auto& r) { return !shard.has(r.place.line - 1); });
  return work;
}

/// Tells a shard's lines: those of every n-th group, bad ones among them, and of lines that do not
/// show their study every n-th.
class OwnLines {
 public:
  explicit OwnLines(const data::Shard& shard) : shard_(shard) {}
  bool operator()(const std::optional<data::RecordHead>& head, int64_t line) {
    if (!head) return shard_.has(line - 1);
    if (groups_ == 0 || head->study_id != study_id_) {
      if (shard_.has(groups_)) first_lines_.push_back(line);
      study_id_ = head->study_id;
      ++groups_;
    }
    return shard_.has(groups_ - 1);
  }
  /// Of each of the shard's groups.
  [[nodiscard]] const std::vector<int64_t>& first_lines() const { return first_lines_; }

 private:
  data::Shard shard_;
  int64_t groups_ = 0;
  std::string study_id_;  ///< of the group in hand
  std::vector<int64_t> first_lines_;
};

/// The shard's lines alone: the others are read as far as they tell their study.
Work read_own(const RewardToolOptions& o, const data::Shard& shard, data::OnError on_error) {
  OwnLines own(shard);
  Work work{scoring::load_reports(o.rollouts, true, on_error, std::ref(own)), {}};
  const std::vector<int64_t>& first = own.first_lines();
  work.groups.resize(first.size());  // one of bad lines alone stays empty, and is a group
  for (size_t i = 0; i < work.rollouts.records.size(); ++i) {
    const auto after = std::upper_bound(first.begin(), first.end(), work.rollouts.records[i].line);
    work.groups[static_cast<size_t>(after - first.begin()) - 1].push_back(i);
  }
  return work;
}

data::Reward make_reward(const NamedReport& rollout, const scoring::Scorer& scorer,
                         scoring::Scored scored, const scoring::Composition& composition) {
  data::Reward reward;
  reward.study_id = rollout.study_id;
  reward.sample = rollout.sample;
  for (size_t m = 0; m < scored.values.size(); ++m)
    reward.components.emplace_back(scorer.metrics()[m].name, scored.values[m]);
  if (!scored.details.is_null()) reward.extra["details"] = std::move(scored.details);
  set_reward(reward, composition);
  return reward;
}

using References = std::unordered_map<std::string, NamedReport>;

/// The first sample where a study has several. The scorer is fitted to all of them, whatever the
/// shard, if it needs that. \param like a rollout: references take the form of its text
References load_references(const RewardToolOptions& o, const NamedReport* like,
                           scoring::Scorer& scorer) {
  References references;
  std::vector<std::string> texts;
  const scoring::Sections sections = scoring::parse_sections(o.sections);
  for (NamedReport& r : scoring::load_reports(o.references, false).records) {
    if (references.contains(r.study_id)) continue;
    if (scorer.needs_fit()) {
      std::string text = scoring::scored_texts(like ? *like : r, r, sections).reference;
      if (!text.empty()) texts.push_back(std::move(text));
    }
    references.emplace(r.study_id, std::move(r));
  }
  scorer.fit(texts);
  return references;
}

/// Those of a shard's rollouts alone.
References load_references_of(const std::vector<NamedReport>& rollouts,
                              const RewardToolOptions& o) {
  std::unordered_set<std::string_view> studies;
  for (const NamedReport& r : rollouts) studies.insert(r.study_id);
  const auto wanted = [&](const std::optional<data::RecordHead>& head, int64_t /*line*/) {
    return !head || studies.contains(head->study_id);
  };
  References references;
  for (NamedReport& r :
       scoring::load_reports(o.references, false, data::OnError::stop, wanted).records) {
    if (studies.contains(r.study_id)) references.try_emplace(r.study_id, r);
  }
  return references;
}

/// Everything the workers share.
struct Job {
  const RewardToolOptions& options;
  const scoring::Composition& composition;
  const scoring::Scorer& scorer;
  const References& references;
  const std::vector<NamedReport>& rollouts;
};

/// Rewards of one study's rollouts, each or why it has none.
using GroupRewards = std::vector<Result<data::Reward>>;

/// The texts of a group, or why it cannot be scored.
Result<scoring::TextGroup> group_texts(const Job& job, const Group& group) {
  const std::string& id = job.rollouts[group.front()].study_id;
  const auto reference = job.references.find(id);
  if (reference == job.references.end())
    return bad_record(
        fmt::format("study '{}' has no reference in '{}'", id, job.options.references.string()));
  const scoring::Sections sections = scoring::parse_sections(job.options.sections);
  scoring::TextGroup texts;
  for (const size_t i : group) {
    const NamedReport& rollout = job.rollouts[i];
    scoring::ScoredTexts pair = scoring::scored_texts(rollout, reference->second, sections);
    texts.reference = std::move(pair.reference);
    texts.replies.push_back(rollout.reply.value_or(pair.report));
    texts.hypotheses.push_back(std::move(pair.report));
  }
  if (texts.reference.empty())
    return bad_record(
        fmt::format("the reference of study '{}' lacks the sections to be scored", id));
  return texts;
}

GroupRewards reward_group(const Job& job, const Group& group) {
  if (group.empty()) return {};
  const auto texts = group_texts(job, group);
  if (!texts) return GroupRewards(group.size(), tl::unexpected(texts.error()));
  std::vector<scoring::Scored> scored = job.scorer.score(*texts);
  GroupRewards rewards;
  for (size_t i = 0; i < group.size(); ++i) {
    const NamedReport& rollout = job.rollouts[group[i]];
    try {
      rewards.emplace_back(make_reward(rollout, job.scorer, std::move(scored[i]), job.composition));
    } catch (const Error& e) {
      if (e.exit() != Exit::data) throw;
      rewards.emplace_back(bad_record(
          fmt::format("study '{}' sample {}: {}", rollout.study_id, rollout.sample, e.what())));
    }
  }
  return rewards;
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

}  // namespace

Exit score_rollouts(const RewardToolOptions& o, const scoring::Composition& composition,
                    cli::Context& context) {
  const data::OnError on_error =
      o.common.on_error == "skip" ? data::OnError::skip : data::OnError::stop;
  scoring::Scorer scorer(metric_names(composition, o.metrics), o.scoring);
  const data::Shard shard = data::parse_shard(o.common.shard);
  // What other studies' reports are matters to a scorer that is fitted, and to no other.
  const bool reads_own = shard.count > 1 && !scorer.needs_fit() && scoring::is_jsonl(o.rollouts);
  Work work = reads_own ? read_own(o, shard, on_error) : read_all(o, shard, on_error);
  const std::vector<NamedReport>& rollouts = work.rollouts.records;
  std::vector<data::RejectedLine>& rejected = work.rollouts.rejected;
  const References references =
      reads_own ? load_references_of(rollouts, o)
                : load_references(o, rollouts.empty() ? nullptr : &rollouts.front(), scorer);
  const int64_t group_size =
      std::max<int64_t>(1, std::ssize(rollouts) / std::max<int64_t>(1, std::ssize(work.groups)));
  const Job job{o, composition, scorer, references, rollouts};
  io::AtomicFile out(o.output);
  std::vector<int64_t> units;  ///< lines written for each group of the shard
  bool stopped = false;
  ordered_parallel(
      scorer.threads(o.common.threads, group_size), std::ssize(work.groups),
      [&](int64_t g) { return reward_group(job, work.groups[static_cast<size_t>(g)]); },
      [&](int64_t g, const GroupRewards& rewards) {
        units.push_back(std::count_if(rewards.begin(), rewards.end(),
                                      [](const auto& r) { return r.has_value(); }));
        for (size_t i = 0; i < rewards.size(); ++i) {
          if (rewards[i]) {
            out.write(io::json_line(data::to_json(*rewards[i])));
            continue;
          }
          const NamedReport& rollout = rollouts[work.groups[static_cast<size_t>(g)][i]];
          rejected.push_back({{o.rollouts.string(), rollout.line}, rewards[i].error().reason});
          if (on_error == data::OnError::stop)
            throw Error(Exit::data, fmt::format("{}: {}", rejected.back().place.text(),
                                                rejected.back().reason));
        }
        stopped = context.stop.requested() && g + 1 < std::ssize(work.groups);
        return !stopped;
      });
  if (stopped) return Exit::interrupted;
  out.seal();
  // By line, so that the lists of a job array's shards can be joined as they would stand in one.
  std::stable_sort(rejected.begin(), rejected.end(),
                   [](const auto& a, const auto& b) { return a.place.line < b.place.line; });
  data::write_rejected(o.output, rejected);
  if (!rejected.empty()) context.log.warning("skipped {} rollouts", rejected.size());
  if (shard.count > 1) context.record.note("units", units);
  finish_record(o, scorer, out.sha256(), context.record);
  out.commit();  // last: a file that is there has its run record and its rejects
  return Exit::ok;
}

}  // namespace unirg
