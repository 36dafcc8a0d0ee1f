// SPDX-License-Identifier: Apache-2.0
#include "model/recompute.h"

#include <ATen/core/grad_mode.h>
#include <ATen/core/ivalue.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

namespace unirg::model {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

bool needs_gradient(const Tensor& tensor) { return tensor.defined() && tensor.requires_grad(); }

/// What the backward pass needs besides tensors.
struct Recipe : torch::CustomClassHolder {
  Recipe(Part part_in, size_t arguments_in) : part(std::move(part_in)), arguments(arguments_in) {}
  Part part;
  size_t arguments;  ///< the first so many inputs; the others are weights
};

/// One gradient an input; undefined where none is needed.
variable_list gradients_of(const variable_list& outputs, const variable_list& gradients,
                           const variable_list& inputs) {
  variable_list wanted;
  std::copy_if(inputs.begin(), inputs.end(), std::back_inserter(wanted), needs_gradient);
  variable_list result(inputs.size());
  if (outputs.empty() || wanted.empty()) return result;
  const variable_list found =
      torch::autograd::grad(outputs, wanted, gradients, /*retain_graph=*/false,
                            /*create_graph=*/false, /*allow_unused=*/true);
  size_t next = 0;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (needs_gradient(inputs[i])) result[i] = found[next++];
  }
  return result;
}

/// The part as one node of the graph.
struct Recompute : torch::autograd::Function<Recompute> {
  static variable_list forward(AutogradContext* context, const c10::intrusive_ptr<Recipe>& recipe,
                               at::TensorList inputs) {
    context->saved_data["recipe"] = c10::IValue::make_capsule(recipe);
    context->save_for_backward(inputs.vec());
    const auto* const end = inputs.begin() + recipe->arguments;
    return recipe->part({inputs.begin(), end});
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto recipe =
        c10::static_intrusive_pointer_cast<Recipe>(context->saved_data["recipe"].toCapsule());
    variable_list inputs = context->get_saved_variables();
    const at::AutoGradMode enable_grad(true);
    for (size_t i = 0; i < recipe->arguments; ++i)
      inputs[i] = inputs[i].detach().requires_grad_(inputs[i].requires_grad());
    const auto end = inputs.begin() + static_cast<std::ptrdiff_t>(recipe->arguments);
    const variable_list outputs = recipe->part({inputs.begin(), end});
    variable_list reached;
    variable_list reached_gradients;
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (!gradients[i].defined() || !outputs[i].requires_grad()) continue;
      reached.push_back(outputs[i]);
      reached_gradients.push_back(gradients[i]);
    }
    variable_list result = gradients_of(reached, reached_gradients, inputs);
    result.insert(result.begin(), Tensor());  // of the recipe
    return result;
  }
};

}  // namespace

std::vector<Tensor> recomputed(const Part& part, const std::vector<Tensor>& arguments,
                               const std::vector<Tensor>& weights) {
  variable_list inputs = arguments;
  std::copy_if(weights.begin(), weights.end(), std::back_inserter(inputs), needs_gradient);
  // Function looks for tensors in a TensorList, not in a vector.
  return Recompute::apply(c10::make_intrusive<Recipe>(part, arguments.size()),
                          at::TensorList(inputs));
}

}  // namespace unirg::model
