// SPDX-License-Identifier: Apache-2.0
#include "train/score_rows.h"

#include "base/error.h"

#ifdef UNIRG_CUDA
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <c10/core/DeviceGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <fmt/format.h>

#include "train/score_kernels.h"
#endif

namespace unirg::train {

#ifdef UNIRG_CUDA
namespace {

LogitRows rows_of(const Tensor& logits, const Tensor& targets, double temperature) {
  UNIRG_ASSERT(targets.is_contiguous() && targets.scalar_type() == at::kLong &&
                   targets.device() == logits.device() && targets.size(0) == logits.size(0),
               "targets are not those of the logits");
  return {logits.const_data_ptr(),
          logits.scalar_type() == at::kBFloat16,
          logits.size(0),
          logits.size(1),
          static_cast<float>(1.0 / temperature),
          targets.const_data_ptr<int64_t>()};
}

void check(const char* error) {
  if (error != nullptr)
    throw Error(Exit::internal, fmt::format("a kernel was not started: {}", error));
}

/// Alive as long as the tensor it may have made.
struct FloatRow {
  Tensor row;
  explicit FloatRow(const Tensor& from) {
    if (from.defined()) row = from.to(at::kFloat).contiguous();
  }
  [[nodiscard]] const float* data() const {
    return row.defined() ? row.const_data_ptr<float>() : nullptr;
  }
};

}  // namespace

bool have_score_rows(const Tensor& logits) {
  const at::ScalarType type = logits.scalar_type();
  return logits.is_cuda() && (type == at::kFloat || type == at::kBFloat16) &&
         logits.is_contiguous() && logits.dim() == 2 && logits.numel() > 0;
}

RowScores score_rows(const Tensor& logits, const Tensor& targets, double temperature) {
  const c10::DeviceGuard guard(logits.device());
  const auto floats = [&] {
    return at::empty({logits.size(0)}, logits.options().dtype(at::kFloat));
  };
  const RowScores scores{floats(), floats(), floats(),
                         at::empty({logits.size(0)}, logits.options().dtype(at::kLong))};
  check(launch_score_rows(rows_of(logits, targets, temperature),
                          {scores.logprobs.data_ptr<float>(), scores.log_totals.data_ptr<float>(),
                           scores.entropy.data_ptr<float>(), scores.best.data_ptr<int64_t>()},
                          c10::cuda::getCurrentCUDAStream(logits.device().index()).stream()));
  return scores;
}

Tensor logit_gradient_rows(const Tensor& logits, const Tensor& targets, const RowScores& found,
                           const Tensor& logprob, const Tensor& entropy, double temperature) {
  const c10::DeviceGuard guard(logits.device());
  const FloatRow of_logprob(logprob), of_entropy(entropy);
  Tensor into = at::empty_like(logits);
  check(launch_logit_gradients(
      rows_of(logits, targets, temperature),
      {found.log_totals.const_data_ptr<float>(), found.entropy.const_data_ptr<float>(),
       of_logprob.data(), of_entropy.data(), into.data_ptr()},
      c10::cuda::getCurrentCUDAStream(logits.device().index()).stream()));
  return into;
}

#else

bool have_score_rows(const Tensor& /*logits*/) { return false; }

RowScores score_rows(const Tensor& /*logits*/, const Tensor& /*targets*/, double /*temperature*/) {
  UNIRG_ASSERT(false, "this build has no kernels");
  return {};
}

Tensor logit_gradient_rows(const Tensor& /*logits*/, const Tensor& /*targets*/,
                           const RowScores& /*found*/, const Tensor& /*logprob*/,
                           const Tensor& /*entropy*/, double /*temperature*/) {
  UNIRG_ASSERT(false, "this build has no kernels");
  return {};
}

#endif

}  // namespace unirg::train
