// What ranks say to each other, and sums over their units, with several of them: run by
// tests/ranks/with-ranks N. Exits 0 if every rank found what it expected, else 70 with the line.
// SPDX-License-Identifier: Apache-2.0
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/rng.h"
#include "distributed/ordered_sum.h"
#include "train/rank_share.h"
#include "train/rank_sums.h"
#include "train/ranks.h"

namespace unirg {
namespace {

using at::Tensor;
using distributed::World;

void words(World& world) {
  UNIRG_ASSERT(world.size() > 1, "several ranks");
  UNIRG_ASSERT(world.first() == (world.rank() == 0), "rank 0 is the first");
  world.barrier();
  const int last = world.size() - 1;
  UNIRG_ASSERT(world.any(world.rank() == last), "one says yes");
  UNIRG_ASSERT(!world.any(false), "nobody says yes");
  UNIRG_ASSERT(world.largest(-1.0 - world.rank()) == -1.0, "the largest");
  const auto texts = world.gather(std::string(static_cast<size_t>(world.rank()), 'x') + '\0');
  for (int r = 0; r < world.size(); ++r) {
    const std::string& text = texts[static_cast<size_t>(r)];
    UNIRG_ASSERT(text == std::string(static_cast<size_t>(r), 'x') + '\0', "texts of any length");
  }
  const Tensor bytes = at::full({5}, world.rank(), at::kByte);
  world.broadcast(bytes, last);
  UNIRG_ASSERT(at::equal(bytes, at::full({5}, last, at::kByte)), "broadcast");
  // Round the ring.
  const int next = (world.rank() + 1) % world.size();
  const int previous = (world.rank() + last) % world.size();
  const std::vector<distributed::Message> received{{previous, at::empty({1 << 20}, at::kByte)}};
  world.exchange({{next, at::full({1 << 20}, world.rank(), at::kByte)}}, received);
  UNIRG_ASSERT(at::equal(received[0].bytes, at::full({1 << 20}, previous, at::kByte)),
               "from the one before");
}

/// Values whose sum depends on the order of additions.
Tensor values(const std::vector<int64_t>& shape, int64_t unit, const char* name,
              at::ScalarType type) {
  Tensor tensor = at::zeros(shape);
  Rng rng(7, name, {}, static_cast<uint64_t>(unit));
  float* const to = tensor.data_ptr<float>();
  for (int64_t i = 0; i < tensor.numel(); ++i)
    to[i] = static_cast<float>(rng.normal() * std::pow(10.0, static_cast<double>(i % 7)));
  return tensor.to(type);
}

const std::vector<std::vector<int64_t>> kShapes{{3, 5}, {7}, {}, {40, 3}, {2}, {64}};

at::ScalarType type_of(size_t k) { return k % 2 == 0 ? at::kFloat : at::kBFloat16; }

/// Tensor k of a unit; some units do not touch some tensors, none the last.
Tensor of_unit(int64_t unit, size_t k) {
  if (k + 1 == kShapes.size() || (unit + static_cast<int64_t>(k)) % 3 == 0) return {};
  return values(kShapes[k], unit, fmt::format("t{}", k).c_str(), type_of(k));
}

/// One process's sum.
Tensor expected_sum(int64_t units, size_t k) {
  Tensor sum;
  for (int64_t u = 0; u < units; ++u) {
    const Tensor value = of_unit(u, k);
    if (!value.defined()) continue;
    if (sum.defined())
      sum.add_(value);
    else
      sum = value.to(at::kFloat, false, /*copy=*/true);
  }
  return sum;
}

void ordered_sums(World& world, int64_t units, int64_t bucket_bytes) {
  std::vector<Tensor> like;
  std::vector<int64_t> sizes;
  for (size_t k = 0; k < kShapes.size(); ++k) {
    like.push_back(at::zeros(kShapes[k], type_of(k)));
    sizes.push_back(like.back().numel());
  }
  const std::vector<int> owners = distributed::share_out(sizes, world.size());
  distributed::OrderedSum sum(world, like, owners,
                              {.bucket_bytes = bucket_bytes, .order = {5, 1, 0, 4, 2, 3}});
  for (int64_t first = 0; first < units; first += world.size()) {
    const int64_t unit = first + world.rank();
    std::vector<Tensor> mine(kShapes.size());
    for (size_t k = 0; unit < units && k < kShapes.size(); ++k) {
      mine[k] = of_unit(unit, k);
      // Some early, at each rank others.
      if (mine[k].defined() && (unit + static_cast<int64_t>(k)) % 2 == 0)
        sum.put(first / world.size(), k, mine[k]);
    }
    sum.add(mine);
  }
  std::vector<Tensor> sums = sum.finish();
  for (size_t k = 0; k < kShapes.size(); ++k) {
    const Tensor expected = expected_sum(units, k);
    const bool here = owners[k] == world.rank();
    UNIRG_ASSERT(sums[k].defined() == (here && expected.defined()), "sums are at their owners");
    if (here && expected.defined())
      UNIRG_ASSERT(at::equal(sums[k], expected), "the bits of one process");
    if (!sums[k].defined()) sums[k] = at::zeros(kShapes[k]);
  }
  std::vector<Tensor> collected = sums;
  for (Tensor& tensor : collected) tensor = tensor.clone();
  distributed::share(world, sums, owners, bucket_bytes);
  distributed::collect(world, collected, owners, bucket_bytes);
  for (size_t k = 0; k < kShapes.size(); ++k) {
    Tensor expected = expected_sum(units, k);
    if (!expected.defined()) expected = at::zeros(kShapes[k]);
    UNIRG_ASSERT(at::equal(sums[k], expected), "shared with all");
    if (world.first()) UNIRG_ASSERT(at::equal(collected[k], expected), "collected at rank 0");
  }
}

/// What is there leaves before the unit is complete.
void early(World& world) {
  const std::vector<Tensor> like{at::zeros({3}), at::zeros({2})};
  distributed::OrderedSum sum(world, like, {0, 1}, {.bucket_bytes = 8, .order = {1, 0}});
  const Tensor first = values({2}, world.rank(), "first", at::kFloat);
  const Tensor second = values({3}, world.rank(), "second", at::kFloat);
  sum.put(0, 1, first);
  sum.put(0, 0, second);
  // Messages of eight bytes of what is touched and at most eight of values: two to rank 0, one
  // to 1.
  const int64_t expected = (world.rank() != 0 ? 32 : 0) + (world.rank() != 1 ? 16 : 0);
  while (sum.traffic().early_bytes < expected) std::this_thread::yield();  // or for ever
  sum.add({second, first});
  (void)sum.finish();
  UNIRG_ASSERT(sum.traffic().bytes == expected, "nothing is sent twice");
}

void numbers(World& world) {
  const int64_t units = 2 * world.size() + 1;
  int64_t all = 0;
  for (const std::string& mine : world.gather(std::to_string(train::own_units(world, units))))
    all += std::stol(mine);
  UNIRG_ASSERT(all == units, "every unit is of one rank");
  const auto number = [](int64_t i) { return std::pow(-10.0, static_cast<double>(i)) / 3; };
  const train::Sums sums = train::sum_units(world, 2, units, [&](int64_t i) {
    return i == 1 ? train::Sums{} : train::Sums{{"x", number(i)}, {"nan", std::nan("")}};
  });
  double expected = 0;
  for (int64_t i = 0; i < units; ++i) expected += i == 1 ? 0 : number(i);
  UNIRG_ASSERT(sums.at("x") == expected, "numbers are added in the order of units");
  UNIRG_ASSERT(std::isnan(sums.at("nan")), "NaN arrives");
}

/// What the run record says was measured is what the arithmetic of plans says.
void shares(World& world) {
  for (const int64_t zero : {0, 1, 2}) {
    model::Parameters p{{"a", at::ones({40, 3}).requires_grad_(true)},
                        {"b", at::ones({7}, at::kBFloat16).requires_grad_(true)},
                        {"c", at::ones({5}).requires_grad_(true)}};
    std::vector<std::string> names;
    std::vector<Tensor> leaves;
    std::vector<train::TrainedSize> sizes;
    for (const auto& [name, tensor] : p) {
      names.push_back(name);
      leaves.push_back(tensor);
      sizes.push_back({tensor.numel(), tensor.scalar_type() == at::kBFloat16});
    }
    train::RankedOptimizer optimizer(world, {zero, 32}, names, leaves);
    train::AdamWState state;
    train::StepGradients step = optimizer.accumulate(2, 2 * world.size(), [&](int64_t) {
      return train::UnitLoss{p.at("a").sum() + p.at("b").to(at::kFloat).sum() + p.at("c").sum(),
                             {}};
    });
    optimizer.step({}, 0.1, p, step, state);
    const io::Json note = optimizer.note(state);
    const auto expected = train::rank_shares(sizes, world.size(), zero, 2);
    for (size_t r = 0; r < expected.size(); ++r) {
      UNIRG_ASSERT(note.at("optimizer_bytes")[r] == expected[r].optimizer, "optimiser bytes");
      UNIRG_ASSERT(note.at("gradient_bytes")[r] == expected[r].gradients, "gradient bytes");
    }
  }
}

/// A few AdamW steps of a small model. \returns weights and the whole state's tensors at rank 0
std::vector<Tensor> trained(World& world, int64_t zero, int64_t units) {
  model::Parameters p{{"a", values({4, 6}, 0, "a", at::kFloat).requires_grad_(true)},
                      {"b", values({9}, 0, "b", at::kFloat).requires_grad_(true)},
                      {"c", values({8, 2}, 0, "c", at::kBFloat16).requires_grad_(true)},
                      {"unused", values({5}, 0, "u", at::kFloat).requires_grad_(true)}};
  std::vector<std::string> names;
  std::vector<Tensor> leaves;
  for (const auto& [name, tensor] : p) {
    names.push_back(name);
    leaves.push_back(tensor);
  }
  train::RankedOptimizer optimizer(world, {zero, 1e-4}, names, leaves);
  train::AdamWState state;
  for (int step = 0; step < 3; ++step) {
    train::StepGradients gradients = optimizer.accumulate(1, units, [&](int64_t u) {
      Tensor loss = (p.at("a") * values({4, 6}, u, "x", at::kFloat)).pow(2).sum() +
                    (p.at("c") * values({8, 2}, u, "y", at::kBFloat16)).to(at::kFloat).sum();
      if (u % 2 == 0) loss = loss + (p.at("b") * values({9}, u, "z", at::kFloat)).sum();
      return train::UnitLoss{loss, {}};
    });
    (void)optimizer.clip(gradients, 1.0);
    optimizer.step({}, 0.1, p, gradients, state);
  }
  const train::AdamWState whole = optimizer.whole(state);
  std::vector<Tensor> all;
  for (const model::Parameters* part :
       {&std::as_const(p), &whole.first, &whole.second, &whole.master}) {
    for (const auto& [name, tensor] : *part) all.push_back(tensor.detach().clone());
  }
  return all;
}

void steps(World& world, int64_t units, const std::vector<int64_t>& stages) {
  World one;
  const std::vector<Tensor> expected = trained(one, 0, units);
  for (const int64_t zero : stages) {
    const std::vector<Tensor> got = trained(world, zero, units);
    if (world.first()) UNIRG_ASSERT(got.size() == expected.size(), "the whole state is at rank 0");
    for (size_t k = 0; k < got.size(); ++k)
      UNIRG_ASSERT(at::equal(got[k], expected[k]), "weights and moments have one process's bits");
  }
}

void check(World& world) {
  words(world);
  for (const int64_t units : {1, 2, 3, 4, 9, 10}) {
    for (const int64_t bucket : {4, 50, 1 << 20}) ordered_sums(world, units, bucket);
  }
  early(world);
  numbers(world);
  shares(world);
  for (const int64_t units : {1, 2, 7}) steps(world, units, {2});
  steps(world, world.size(), {0, 1, 2});  // a unit each: the same bits at every stage
}

int run() {
  World world;
  int status = 0;
  try {
    world.start(std::getenv);
    check(world);
    if (world.first()) std::printf("%d ranks: every check passed\n", world.size());
  } catch (const std::exception& e) {
    std::fprintf(stderr, "rank %d: %s\n", world.rank(), e.what());
    status = static_cast<int>(Exit::internal);
  }
  return world.leave(status);
}

}  // namespace
}  // namespace unirg

int main() { return unirg::run(); }
