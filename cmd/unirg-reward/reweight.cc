// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "base/error.h"
#include "io/atomic_file.h"
#include "io/jsonl.h"
#include "reward.h"

namespace unirg {

Exit reweight(const RewardToolOptions& o, const scoring::Composition& composition,
              cli::Context& context) {
  const data::OnError on_error =
      o.common.on_error == "skip" ? data::OnError::skip : data::OnError::stop;
  auto [rewards, rejected] = data::read_rewards(o.reweight, on_error);
  io::AtomicFile out(o.output);
  for (data::Reward& reward : rewards) {
    try {
      set_reward(reward, composition);
    } catch (const Error& e) {
      const std::string reason =
          fmt::format("study '{}' sample {}: {}", reward.study_id, reward.sample, e.what());
      if (on_error == data::OnError::stop)
        throw Error(Exit::data, fmt::format("'{}': {}", o.reweight.string(), reason));
      rejected.push_back({{o.reweight.string(), 0}, reason});
      continue;
    }
    out.write(io::json_line(data::to_json(reward)));
  }
  out.seal();
  data::write_rejected(o.output, rejected);
  if (!rejected.empty()) context.log.warning("skipped {} rewards", rejected.size());
  context.record.add_input(o.reweight);
  context.record.add_output(o.output, out.sha256());
  context.record.write_beside(o.output);
  out.commit();
  return Exit::ok;
}

}  // namespace unirg
