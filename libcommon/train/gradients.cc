// SPDX-License-Identifier: Apache-2.0
#include "train/gradients.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/autograd.h>

#include "base/error.h"
#include "base/parallel.h"

namespace unirg::train {
namespace {

at::ScalarType summed_type(const Tensor& leaf) {
  return leaf.scalar_type() == at::kBFloat16 ? at::kFloat : leaf.scalar_type();
}

}  // namespace

StepGradients accumulate(const std::vector<Tensor>& leaves, int threads, int64_t units,
                         const std::function<UnitLoss(int64_t)>& unit) {
  struct UnitGradients {
    std::vector<Tensor> gradients;
    Sums sums;
  };
  StepGradients step;
  step.gradients.resize(leaves.size());
  ordered_parallel(
      leaves.empty() ? threads : unit_threads(leaves.front(), threads), units,
      [&](int64_t i) {
        use_one_intra_op_thread();
        UnitLoss loss = unit(i);
        UnitGradients result{{}, std::move(loss.sums)};
        if (loss.loss.defined()) {
          result.gradients = torch::autograd::grad({loss.loss}, leaves, {}, std::nullopt, false,
                                                   /*allow_unused=*/true);
        }
        return result;
      },
      [&](int64_t, UnitGradients result) {
        const at::NoGradGuard no_grad;
        for (size_t k = 0; k < result.gradients.size(); ++k) {
          const Tensor gradient = std::move(result.gradients[k]);  // gone once it is added
          if (!gradient.defined()) continue;
          if (step.gradients[k].defined()) {
            step.gradients[k].add_(gradient);
          } else {
            // Autograd may give two leaves one tensor.
            step.gradients[k] = gradient.to(summed_type(leaves[k]), false, /*copy=*/true);
          }
        }
        for (const auto& [name, value] : result.sums) step.sums[name] += value;
        return true;
      });
  for (size_t k = 0; k < leaves.size(); ++k) {
    if (!step.gradients[k].defined())
      step.gradients[k] = at::zeros_like(leaves[k], summed_type(leaves[k]));
  }
  return step;
}

int unit_threads(const Tensor& parameter, int threads) { return parameter.is_cuda() ? 1 : threads; }

void use_one_intra_op_thread() { at::set_num_threads(1); }

}  // namespace unirg::train
