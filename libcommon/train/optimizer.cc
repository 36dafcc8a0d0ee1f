// SPDX-License-Identifier: Apache-2.0
#include "train/optimizer.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros_like.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.h"

namespace unirg::train {
namespace {

Tensor& moment(Parameters& moments, const std::string& name, const Tensor& like) {
  Tensor& m = moments[name];
  if (!m.defined()) m = at::zeros_like(like);
  return m;
}

/// The tensor that steps are taken on.
Tensor stepped(AdamWState& state, const std::string& name, const Tensor& weight) {
  if (weight.scalar_type() != at::kBFloat16) return weight;
  Tensor& master = state.master[name];
  if (!master.defined()) master = weight.to(at::kFloat);
  return master;
}

at::ScalarType stepped_type(const Tensor& weight) {
  return weight.scalar_type() == at::kBFloat16 ? at::kFloat : weight.scalar_type();
}

}  // namespace

void place_state(AdamWState& state, const Parameters& parameters) {
  for (Parameters* part : {&state.first, &state.second, &state.master}) {
    for (auto& [name, tensor] : *part) {
      const auto it = parameters.find(name);
      const bool fits = it != parameters.end() && tensor.sizes() == it->second.sizes() &&
                        tensor.scalar_type() == stepped_type(it->second);
      if (!fits) {
        throw Error(Exit::data,
                    fmt::format("training_state: what it holds of '{}' does not fit the "
                                "checkpoint's tensor",
                                name));
      }
      tensor = tensor.to(it->second.device());
    }
  }
  std::erase_if(state.master, [&](const auto& entry) {
    return parameters.at(entry.first).scalar_type() != at::kBFloat16;
  });
}

void adamw_step(const AdamWOptions& options, double rate, const std::vector<std::string>& names,
                Parameters& parameters, const std::vector<Tensor>& gradients, AdamWState& state) {
  UNIRG_ASSERT(names.size() == gradients.size(), "one gradient a name");
  const at::NoGradGuard no_grad;
  ++state.step;
  for (const bool decays : {true, false}) {
    std::vector<Tensor> weights, held, grads, first, second, steps;
    for (size_t i = 0; i < names.size(); ++i) {
      Tensor& weight = parameters.at(names[i]);
      if ((weight.dim() >= 2) != decays) continue;
      held.push_back(weight);
      weights.push_back(stepped(state, names[i], weight));
      grads.push_back(gradients[i]);
      first.push_back(moment(state.first, names[i], weights.back()));
      second.push_back(moment(state.second, names[i], weights.back()));
      steps.push_back(at::full({}, static_cast<double>(state.step),
                               at::TensorOptions().dtype(at::kFloat).device(weight.device())));
    }
    if (weights.empty()) continue;
    at::_fused_adamw_(weights, grads, first, second, /*max_exp_avg_sqs=*/{}, steps, rate,
                      options.beta1, options.beta2, decays ? options.weight_decay : 0.0,
                      options.epsilon, /*amsgrad=*/false, /*maximize=*/false);
    for (size_t k = 0; k < held.size(); ++k) {
      if (!held[k].is_same(weights[k])) held[k].copy_(weights[k]);
    }
  }
}

std::vector<double> gradient_norms(const std::vector<Tensor>& gradients) {
  std::vector<Tensor> each;
  for (const Tensor& gradient : gradients)
    each.push_back(at::linalg_vector_norm(gradient, 2, std::nullopt, false, at::kDouble));
  if (each.empty()) return {};
  const Tensor all = at::stack(each).to(at::kCPU);  // a GPU is waited for once, not for each
  return {all.const_data_ptr<double>(), all.const_data_ptr<double>() + all.numel()};
}

double global_norm(const std::vector<double>& norms) {
  double squares = 0;
  for (const double norm : norms) squares += norm * norm;
  return std::sqrt(squares);
}

void scale_to_norm(std::vector<Tensor>& gradients, double norm, double max_norm) {
  if (max_norm <= 0 || !(norm > max_norm)) return;
  for (Tensor& gradient : gradients) gradient.mul_(max_norm / (norm + 1e-6));
}

double clip_gradients(std::vector<Tensor>& gradients, double max_norm) {
  const double norm = global_norm(gradient_norms(gradients));
  scale_to_norm(gradients, norm, max_norm);
  return norm;
}

double learning_rate(const Schedule& s, int64_t step) {
  if (step < s.warmup_steps)
    return s.learning_rate * static_cast<double>(step + 1) / static_cast<double>(s.warmup_steps);
  if (s.shape == "constant") return s.learning_rate;
  const auto span = static_cast<double>(std::max<int64_t>(1, s.total_steps - s.warmup_steps));
  const double progress = std::min(1.0, static_cast<double>(step - s.warmup_steps) / span);
  const double cosine = 0.5 * (1.0 + std::cos(std::numbers::pi * progress));
  return s.learning_rate * (s.final_ratio + (1.0 - s.final_ratio) * cosine);
}

}  // namespace unirg::train
