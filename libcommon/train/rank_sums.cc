// SPDX-License-Identifier: Apache-2.0
#include "train/rank_sums.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/hash.h"
#include "base/parallel.h"

namespace unirg::train {
namespace {

/// Of one unit: how many numbers, then each one's name, a zero byte and its eight bytes. JSON has
/// no NaN, which the callers look for.
std::string encoded(const Sums& sums) {
  std::string text;
  const auto append = [&](const auto& value) {
    text.append(reinterpret_cast<const char*>(&value), sizeof value);
  };
  append(static_cast<int64_t>(sums.size()));
  for (const auto& [name, value] : sums) {
    text += name + '\0';
    append(value);
  }
  return text;
}

/// The unit that begins at `from`, which moves on to the next.
Sums decoded(const char*& from) {
  const auto take = [&](auto value) {
    std::memcpy(&value, from, sizeof value);
    from += sizeof value;
    return value;
  };
  Sums sums;
  for (auto left = take(int64_t{0}); left > 0; --left) {
    const std::string name = from;
    from += name.size() + 1;
    sums[name] = take(0.0);
  }
  return sums;
}

}  // namespace

int64_t own_units(const distributed::World& world, int64_t units) {
  return std::max<int64_t>(0, (units - world.rank() + world.size() - 1) / world.size());
}

std::vector<Sums> gather_sums(distributed::World& world, const std::vector<Sums>& mine,
                              int64_t units) {
  if (world.alone()) return mine;
  std::string text;
  for (const Sums& sums : mine) text += encoded(sums);
  const std::vector<std::string> texts = world.gather(text);
  std::vector<const char*> from;
  for (const std::string& each : texts) from.push_back(each.data());
  std::vector<Sums> all;
  for (int64_t u = 0; u < units; ++u)
    all.push_back(decoded(from[static_cast<size_t>(u % world.size())]));
  return all;
}

Sums sum_units(distributed::World& world, int threads, int64_t units,
               const std::function<Sums(int64_t)>& unit) {
  std::vector<Sums> mine;
  ordered_parallel(
      threads, own_units(world, units),
      [&](int64_t i) {
        use_one_intra_op_thread();
        return unit(i * world.size() + world.rank());
      },
      [&](int64_t, Sums sums) {
        mine.push_back(std::move(sums));
        return true;
      });
  return add_sums(gather_sums(world, mine, units));
}

void check_same_run(distributed::World& world, const io::RunRecord& record) {
  if (world.alone()) return;
  const io::Json json = record.json();
  io::Json config = json.at("config");
  config.erase("threads");
  const io::Json facts = {json.at("commit"), config, json.at("inputs")};
  const auto digests = world.gather(sha256_hex(facts.dump()));
  if (std::all_of(digests.begin(), digests.end(),
                  [&](const std::string& digest) { return digest == digests.front(); }))
    return;
  throw Error(Exit::config,
              "ranks have different options, inputs or builds (hint: the same command and files on "
              "every node)");
}

}  // namespace unirg::train
