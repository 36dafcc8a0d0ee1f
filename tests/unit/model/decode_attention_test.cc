// Against softmax attention written out over concatenated keys.
// SPDX-License-Identifier: Apache-2.0
#include "model/decode_attention.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/softmax.h>
#include <gtest/gtest.h>

#include <cmath>

namespace unirg::model {
namespace {

TEST(DecodeAttention, is_softmax_over_prompt_and_own_keys) {
  const at::NoGradGuard no_grad;
  at::manual_seed(4);
  constexpr int64_t B = 2, G = 3, K = 2, R = 2, capacity = 7;
  for (const int64_t D : {8, 20, 64}) {
    for (const int64_t P : {0, 5}) {
      for (const int64_t T : {1, 7}) {
        const Tensor q = at::randn({B, G, 1, K * R, D});
        const Tensor prefix_k = at::randn({B, K, P, D}), prefix_v = at::randn({B, K, P, D});
        const Tensor own_k = at::randn({B, K, G, capacity, D});
        const Tensor own_v = at::randn({B, K, G, capacity, D});
        const Tensor ours = decode_attention(q, prefix_k, prefix_v, own_k, own_v, T);
        for (int64_t b = 0; b < B; ++b) {
          for (int64_t g = 0; g < G; ++g) {
            for (int64_t a = 0; a < K * R; ++a) {
              const int64_t k = a / R;
              const Tensor keys = at::cat({prefix_k[b][k], own_k[b][k][g].narrow(0, 0, T)});
              const Tensor values = at::cat({prefix_v[b][k], own_v[b][k][g].narrow(0, 0, T)});
              const Tensor shares = at::softmax(
                  at::matmul(keys, q[b][g][0][a]) / std::sqrt(static_cast<double>(D)), 0);
              const Tensor expected = at::matmul(shares, values);
              EXPECT_LT((ours[b][g][0].narrow(0, a * D, D) - expected).abs().max().item<double>(),
                        2e-6);
            }
          }
        }
      }
    }
  }
}

TEST(DecodeAttention, is_for_float32_without_gradient) {
  const Tensor x = at::randn({2});
  EXPECT_TRUE(have_decode_attention(x, x));
  EXPECT_FALSE(have_decode_attention(x.to(at::kDouble), x));
  EXPECT_FALSE(have_decode_attention(x, at::randn({2}).requires_grad_()));
}

}  // namespace
}  // namespace unirg::model
