// In a world of one; of several: tests/ranks/. SPDX-License-Identifier: Apache-2.0
#include "distributed/ordered_sum.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>

namespace unirg::distributed {
namespace {

using at::Tensor;

TEST(OrderedSum, adds_units_in_their_order) {
  World world;
  const Tensor like = at::zeros({3});
  OrderedSum sum(world, {like}, {0}, {.bucket_bytes = 8});  // two buckets
  sum.add({at::tensor({1e8F, 1.0F, -1.0F})});
  sum.add({at::tensor({1.0F, 2.0F, 1e-8F})});
  sum.add({at::tensor({-1e8F, 3.0F, 1.0F})});
  // float32: (1e8 + 1) - 1e8 is 0; (-1 + 1e-8) + 1 is 0.
  EXPECT_TRUE(at::equal(sum.finish().at(0), at::tensor({0.0F, 6.0F, 0.0F})));
}

TEST(OrderedSum, what_a_unit_did_not_touch_is_left_out) {
  World world;
  const Tensor like = at::zeros({1});
  OrderedSum sum(world, {like, like, like}, {0, 0, 0}, {.bucket_bytes = 1024});
  sum.add({Tensor(), at::tensor({-0.0F}), Tensor()});
  sum.add({at::tensor({5.0F}), Tensor(), Tensor()});
  const std::vector<Tensor> sums = sum.finish();
  EXPECT_EQ(sums[0].item<float>(), 5.0F);
  EXPECT_TRUE(std::signbit(sums[1].item<float>())) << "0 + -0 would be 0";
  EXPECT_FALSE(sums[2].defined());
}

TEST(OrderedSum, bfloat16_is_summed_in_float32_and_any_layout_taken) {
  World world;
  const Tensor like = at::zeros({2, 2}, at::kBFloat16);
  OrderedSum sum(world, {like}, {0}, {.bucket_bytes = 1024});
  const Tensor unit = at::tensor({256.0F, 1.0F, 2.0F, 3.0F}).to(at::kBFloat16).view({2, 2});
  sum.add({unit.t()});
  sum.add({at::tensor({1.0F, 1.0F, 1.0F, 1.0F}).to(at::kBFloat16).view({2, 2})});
  const Tensor result = sum.finish().at(0);
  EXPECT_EQ(result.scalar_type(), at::kFloat);
  EXPECT_TRUE(at::equal(result, at::tensor({257.0F, 3.0F, 2.0F, 4.0F}).view({2, 2})));
}

TEST(OrderedSum, what_is_put_early_in_any_order_changes_no_bit) {
  World world;
  const Tensor like = at::zeros({2});
  OrderedSum sum(world, {like, like, like}, {0, 0, 0}, {.bucket_bytes = 4, .order = {2, 0, 1}});
  const std::vector<Tensor> first{at::tensor({1e8F, 1.0F}), Tensor(), at::tensor({2.0F, 3.0F})};
  const std::vector<Tensor> second{at::tensor({1.0F, 1.0F}), at::tensor({4.0F, 5.0F}), Tensor()};
  const std::vector<Tensor> third{at::tensor({-1e8F, 1.0F}), at::tensor({6.0F, 7.0F}), Tensor()};
  sum.put(1, 1, second[1]);  // of a unit whose turn has not come
  sum.put(0, 2, first[2]);
  sum.put(0, 0, first[0]);
  for (const auto& unit : {first, second, third}) sum.add(unit);
  const std::vector<Tensor> sums = sum.finish();
  EXPECT_TRUE(at::equal(sums[0], at::tensor({0.0F, 3.0F}))) << "(1e8 + 1) - 1e8 in float32";
  EXPECT_TRUE(at::equal(sums[1], at::tensor({10.0F, 12.0F})));
  EXPECT_TRUE(at::equal(sums[2], at::tensor({2.0F, 3.0F})));
}

TEST(OrderedSum, given_up_in_the_middle_it_ends) {
  World world;
  OrderedSum sum(world, {at::zeros({1})}, {0}, {.bucket_bytes = 1024});
  sum.add({at::tensor({1.0F})});
}

TEST(OrderedSum, a_unit_of_another_shape_is_our_bug) {
  World world;
  OrderedSum sum(world, {at::zeros({1})}, {0}, {.bucket_bytes = 1024});
  EXPECT_THROW(sum.add({at::zeros({2})}), std::logic_error);
  EXPECT_THROW(sum.put(0, 1, at::zeros({1})), std::logic_error);
}

}  // namespace
}  // namespace unirg::distributed
