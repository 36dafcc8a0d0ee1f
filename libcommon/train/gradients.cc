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

std::vector<Tensor> unit_gradients(const Tensor& loss, const std::vector<Tensor>& leaves) {
  if (!loss.defined()) return std::vector<Tensor>(leaves.size());
  return torch::autograd::grad({loss}, leaves, {}, std::nullopt, false, /*allow_unused=*/true);
}

Tensor no_gradient(const Tensor& leaf) { return at::zeros_like(leaf, summed_type(leaf)); }

UnitsSum add_units(const std::vector<Tensor>& leaves, int threads, int64_t units,
                   const std::function<UnitLoss(int64_t)>& unit) {
  struct UnitGradients {
    std::vector<Tensor> gradients;
    Sums sums;
  };
  UnitsSum all;
  all.gradients.resize(leaves.size());
  ordered_parallel(
      leaves.empty() ? threads : unit_threads(leaves.front(), threads), units,
      [&](int64_t i) {
        use_one_intra_op_thread();
        UnitLoss loss = unit(i);
        return UnitGradients{unit_gradients(loss.loss, leaves), std::move(loss.sums)};
      },
      [&](int64_t, UnitGradients result) {
        const at::NoGradGuard no_grad;
        for (size_t k = 0; k < result.gradients.size(); ++k) {
          const Tensor gradient = std::move(result.gradients[k]);  // gone once it is added
          if (!gradient.defined()) continue;
          if (all.gradients[k].defined()) {
            all.gradients[k].add_(gradient);
          } else {
            // Autograd may give two leaves one tensor.
            all.gradients[k] = gradient.to(summed_type(leaves[k]), false, /*copy=*/true);
          }
        }
        all.units.push_back(std::move(result.sums));
        return true;
      });
  return all;
}

Sums add_sums(const std::vector<Sums>& units) {
  Sums sums;
  for (const Sums& unit : units) {
    for (const auto& [name, value] : unit) sums[name] += value;
  }
  return sums;
}

StepGradients accumulate(const std::vector<Tensor>& leaves, int threads, int64_t units,
                         const std::function<UnitLoss(int64_t)>& unit) {
  UnitsSum all = add_units(leaves, threads, units, unit);
  for (size_t k = 0; k < leaves.size(); ++k) {
    if (!all.gradients[k].defined()) all.gradients[k] = no_gradient(leaves[k]);
  }
  return {std::move(all.gradients), add_sums(all.units)};
}

int unit_threads(const Tensor& parameter, int threads) { return parameter.is_cuda() ? 1 : threads; }

void use_one_intra_op_thread() { at::set_num_threads(1); }

}  // namespace unirg::train
