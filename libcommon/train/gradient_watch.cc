// SPDX-License-Identifier: Apache-2.0
#include "train/gradient_watch.h"

#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/graph_task.h>

#include <utility>

namespace unirg::train {

GradientWatch::GradientWatch(std::vector<Tensor> leaves) : leaves_(std::move(leaves)) {
  for (size_t k = 0; k < leaves_.size(); ++k)
    hooks_.push_back(
        leaves_[k].register_hook([this, k](const Tensor& gradient) { tell(k, gradient); }));
}

GradientWatch::~GradientWatch() {
  for (size_t k = 0; k < leaves_.size(); ++k) leaves_[k].remove_hook(hooks_[k]);
}

/// A part that is computed twice has a backward pass of its own within the pass, in which the
/// leaves turn up with a part of their gradients: the pass's number tells them apart.
void GradientWatch::tell(size_t leaf, const Tensor& gradient) {
  const Found* found = nullptr;
  {
    const std::lock_guard lock(mutex_);
    const auto pass = passes_.find(torch::autograd::get_current_graph_task_id());
    if (pass != passes_.end()) found = pass->second;
  }
  if (found != nullptr) (*found)(leaf, gradient);
}

std::vector<Tensor> GradientWatch::gradients(const Tensor& loss, const Found& found) {
  if (!loss.defined()) return std::vector<Tensor>(leaves_.size());
  int number = -1;
  loss.register_hook([&](const Tensor&) {  // the first thing that the pass does
    const std::lock_guard lock(mutex_);
    number = torch::autograd::get_current_graph_task_id();
    passes_[number] = &found;
  });
  struct Forget {
    GradientWatch& watch;
    const int& number;
    ~Forget() {
      const std::lock_guard lock(watch.mutex_);
      watch.passes_.erase(number);
    }
  } const forget{*this, number};
  return unit_gradients(loss, leaves_);
}

}  // namespace unirg::train
