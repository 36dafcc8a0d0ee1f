// SPDX-License-Identifier: Apache-2.0
#include "train/gradient_watch.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <thread>

#include "model/recompute.h"

namespace unirg::train {
namespace {

/// What was told, in order.
struct Told {
  std::vector<size_t> leaves;
  std::vector<Tensor> gradients;
  GradientWatch::Found found() {
    return [this](size_t leaf, const Tensor& gradient) {
      leaves.push_back(leaf);
      gradients.push_back(gradient);
    };
  }
};

class Watch : public ::testing::Test {
 protected:
  Tensor a = at::tensor({1.0F, 2.0F}).requires_grad_(true);
  Tensor b = at::tensor({3.0F, 4.0F}).requires_grad_(true);
  Tensor unused = at::ones({3}).requires_grad_(true);
};

TEST_F(Watch, tells_the_leaf_nearest_to_the_loss_first_and_each_once) {
  GradientWatch watch({a, b, unused});
  Told told;
  // a is used twice: its gradient is whole at the end only. d/da (a^2 b + a) = 2 a b + 1.
  const auto gradients = watch.gradients(((a * a) * b + a).sum(), told.found());
  EXPECT_EQ(told.leaves, (std::vector<size_t>{1, 0}));
  EXPECT_TRUE(at::equal(told.gradients[1], at::tensor({7.0F, 17.0F})));
  EXPECT_TRUE(at::equal(told.gradients[0], at::tensor({1.0F, 4.0F}))) << "a^2";
  EXPECT_TRUE(gradients[0].is_same(told.gradients[1])) << "what is told is what is returned";
  EXPECT_TRUE(gradients[1].is_same(told.gradients[0]));
  EXPECT_FALSE(gradients[2].defined());
}

TEST_F(Watch, a_part_that_is_computed_twice_does_not_tell_its_part_of_a_gradient) {
  GradientWatch watch({a, b});
  const auto part = [&](const std::vector<Tensor>& x) { return std::vector<Tensor>{x[0] * b}; };
  const Tensor first = model::recomputed(part, {a * a}, {b})[0];
  const Tensor second = model::recomputed(part, {first}, {b})[0];  // b is in both
  Told told;
  const auto gradients = watch.gradients(second.sum(), told.found());  // of a^2 b^2
  EXPECT_EQ(told.leaves.size(), 2U);
  EXPECT_TRUE(at::equal(gradients[0], at::tensor({18.0F, 64.0F})));
  EXPECT_TRUE(at::equal(gradients[1], at::tensor({6.0F, 32.0F})));
  for (size_t i = 0; i < 2; ++i)
    EXPECT_TRUE(at::equal(told.gradients[i], gradients[told.leaves[i]])) << i;
}

TEST_F(Watch, threads_are_told_of_their_own_passes) {
  GradientWatch watch({a});
  std::vector<Told> told(4);
  {
    std::vector<std::jthread> threads;
    for (size_t t = 0; t < told.size(); ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 50; ++i)
          (void)watch.gradients((a * static_cast<double>(t)).sum(), told[t].found());
      });
    }
  }
  for (size_t t = 0; t < told.size(); ++t) {
    EXPECT_EQ(told[t].leaves, std::vector<size_t>(50, 0));
    for (const Tensor& gradient : told[t].gradients)
      EXPECT_EQ(gradient[0].item<float>(), static_cast<float>(t));
  }
}

TEST_F(Watch, ends_with_it_and_a_loss_that_is_none_tells_nothing) {
  Told told;
  {
    GradientWatch watch({a});
    EXPECT_FALSE(watch.gradients(Tensor(), told.found()).at(0).defined());
  }
  (void)unit_gradients(a.sum(), {a});
  EXPECT_TRUE(told.leaves.empty());
}

}  // namespace
}  // namespace unirg::train
