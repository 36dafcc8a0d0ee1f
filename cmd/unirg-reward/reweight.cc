// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <set>

#include "base/error.h"
#include "io/atomic_file.h"
#include "io/jsonl.h"
#include "reward.h"

namespace unirg {
namespace {

/// A reward of a line with the composition applied, or why there is none.
Result<data::Reward> reweighted(const Result<io::JsonLine>& line,
                                const scoring::Composition& composition) {
  if (!line) return tl::unexpected(line.error());
  auto reward = data::reward_from_json(line->object);
  if (!reward) return reward;
  try {
    set_reward(*reward, composition);
  } catch (const Error& e) {
    if (e.exit() != Exit::data) throw;
    return bad_record(
        fmt::format("study '{}' sample {}: {}", reward->study_id, reward->sample, e.what()));
  }
  return reward;
}

/// The components are those of the run that scored them, and so are their signatures.
void take_over_signatures(const std::filesystem::path& rewards, cli::Context& context) {
  const std::filesystem::path file = rewards.string() + ".run.json";
  const io::Json record = std::filesystem::exists(file)
                              ? io::Json::parse(io::read_file(file), nullptr, false)
                              : io::Json();
  const io::Json::json_pointer place("/notes/signatures");
  if (record.is_object() && record.contains(place)) {
    context.record.note("signatures", record[place]);
  } else {
    context.log.warning("no signatures in '{}': what the components are is not recorded",
                        file.string());
  }
}

}  // namespace

Exit reweight(const RewardToolOptions& o, const scoring::Composition& composition,
              cli::Context& context) {
  io::AtomicFile out(o.output);
  std::vector<data::RejectedLine> rejected;
  io::JsonlReader reader(o.reweight);
  std::set<std::pair<std::string, int64_t>> seen;
  while (auto line = reader.next()) {
    if (context.stop.requested()) return Exit::interrupted;
    auto reward = reweighted(*line, composition);
    if (reward && !seen.emplace(reward->study_id, reward->sample).second)
      reward = bad_record(
          fmt::format("study '{}' sample {} stands twice", reward->study_id, reward->sample));
    if (reward) {
      out.write(io::json_line(data::to_json(*reward)));
      continue;
    }
    if (o.common.on_error != "skip")
      throw Error(Exit::data, fmt::format("{}: {}", reader.place().text(), reward.error().reason));
    rejected.push_back({reader.place(), reward.error().reason});
  }
  out.seal();
  data::write_rejected(o.output, rejected);
  if (!rejected.empty()) context.log.warning("skipped {} rewards", rejected.size());
  context.record.add_input(o.reweight);
  if (!io::is_stream(o.reweight)) take_over_signatures(o.reweight, context);
  context.record.add_output(o.output, out.sha256());
  context.record.write_beside(o.output);
  out.commit();
  return Exit::ok;
}

}  // namespace unirg
