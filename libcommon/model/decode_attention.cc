// SPDX-License-Identifier: Apache-2.0
#include "model/decode_attention.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/error.h"
#include "model/lane_sum.h"

namespace unirg::model {
namespace {

/// Rows of keys or values that follow each other.
struct Span {
  const float* rows;
  int64_t count;
};

/// One query's softmax over two spans of keys, and the values it draws.
[[gnu::always_inline]] inline void attend(const float* q, const Span (&keys)[2],
                                          const Span (&values)[2], int64_t D, float* scores,
                                          float* out) {
  const float scale = 1.0F / std::sqrt(static_cast<float>(D));
  int64_t n = 0;
  for (const Span& span : keys) {
    for (int64_t i = 0; i < span.count; ++i) {
      const float* key = span.rows + i * D;
      scores[n++] = scale * lane_sum(D, [&](int64_t d) { return q[d] * key[d]; });
    }
  }
  const float largest = *std::max_element(scores, scores + n);
  float sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += scores[i] = std::exp(scores[i] - largest);
  std::fill(out, out + D, 0.0F);
  const float* score = scores;
  for (const Span& span : values) {
    for (int64_t i = 0; i < span.count; ++i) {
      const float* value = span.rows + i * D;
      const float share = *score++ / sum;
      for (int64_t d = 0; d < D; ++d) out[d] += share * value[d];
    }
  }
}

struct Shape {
  int64_t B, G, K, R, P, T, capacity, D;
};

struct Arrays {
  const float *q, *prefix_k, *prefix_v, *own_k, *own_v;
  float* out;
};

[[gnu::always_inline]] inline void attend_all(const Shape& s, const Arrays& a, float* scores) {
  for (int64_t bk = 0; bk < s.B * s.K; ++bk) {
    const int64_t b = bk / s.K;
    const int64_t k = bk % s.K;
    for (int64_t g = 0; g < s.G; ++g) {
      const int64_t prompt = bk * s.P * s.D;
      const int64_t own = (bk * s.G + g) * s.capacity * s.D;
      const Span keys[2] = {{a.prefix_k + prompt, s.P}, {a.own_k + own, s.T}};
      const Span values[2] = {{a.prefix_v + prompt, s.P}, {a.own_v + own, s.T}};
      const int64_t query = (((b * s.G + g) * s.K + k) * s.R) * s.D;
      for (int64_t r = 0; r < s.R; ++r)
        attend(a.q + query + r * s.D, keys, values, s.D, scores, a.out + query + r * s.D);
    }
  }
}

// The same sums in the same order (no fused multiply-add), so the same bits; eight lanes, not four.
#if defined(__x86_64__)
[[gnu::target("avx2")]] void attend_avx2(const Shape& s, const Arrays& a, float* scores) {
  attend_all(s, a, scores);
}
bool has_avx2() { return __builtin_cpu_supports("avx2") != 0; }
#else
void attend_avx2(const Shape& s, const Arrays& a, float* scores) { attend_all(s, a, scores); }
bool has_avx2() { return false; }
#endif
void attend_plain(const Shape& s, const Arrays& a, float* scores) { attend_all(s, a, scores); }

}  // namespace

bool have_decode_attention(const Tensor& q, const Tensor& prefix_k) {
  const auto fits = [](const Tensor& t) {
    return t.device().is_cpu() && t.scalar_type() == at::kFloat &&
           !(at::GradMode::is_enabled() && t.requires_grad());
  };
  return fits(q) && fits(prefix_k);
}

Tensor decode_attention(const Tensor& q, const Tensor& prefix_k, const Tensor& prefix_v,
                        const Tensor& own_k, const Tensor& own_v, int64_t T) {
  const int64_t K = prefix_k.size(1);
  const Shape s{.B = q.size(0),
                .G = q.size(1),
                .K = K,
                .R = q.size(3) / K,
                .P = prefix_k.size(2),
                .T = T,
                .capacity = own_k.size(3),
                .D = q.size(4)};
  UNIRG_ASSERT(q.size(2) == 1 && T <= s.capacity && s.P + T > 0, "one token, its key cached");
  UNIRG_ASSERT(prefix_k.is_contiguous() && prefix_v.is_contiguous() && own_k.is_contiguous() &&
                   own_v.is_contiguous(),
               "caches without gaps");
  const Tensor queries = q.contiguous();
  Tensor out = at::empty({s.B, s.G, 1, q.size(3) * s.D}, q.options());
  const Arrays arrays{queries.const_data_ptr<float>(),  prefix_k.const_data_ptr<float>(),
                      prefix_v.const_data_ptr<float>(), own_k.const_data_ptr<float>(),
                      own_v.const_data_ptr<float>(),    out.mutable_data_ptr<float>()};
  std::vector<float> scores(static_cast<size_t>(s.P + T));
  (has_avx2() ? attend_avx2 : attend_plain)(s, arrays, scores.data());
  return out;
}

}  // namespace unirg::model
