// Gradients as the backward pass finds them, one leaf after the other, so that the first can be on
// their way while the last are still computed. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <vector>

#include "train/gradients.h"

namespace unirg::train {

class GradientWatch {
 public:
  /// \param leaf its place in `leaves` \param gradient what gradients() will return for it
  using Found = std::function<void(size_t leaf, const Tensor& gradient)>;

  /// Watches the leaves until it ends. Not to be moved: autograd points to it.
  explicit GradientWatch(std::vector<Tensor> leaves);
  ~GradientWatch();
  GradientWatch(const GradientWatch&) = delete;
  GradientWatch& operator=(const GradientWatch&) = delete;

  /// As unit_gradients(); `found` is called once for each leaf that the loss touches, when its
  /// gradient is whole, by the thread of the backward pass. Several threads may each be in a call.
  std::vector<Tensor> gradients(const Tensor& loss, const Found& found);

 private:
  void tell(size_t leaf, const Tensor& gradient);

  std::vector<Tensor> leaves_;
  std::vector<unsigned> hooks_;
  std::mutex mutex_;
  std::map<int, const Found*> passes_;  ///< backward passes at work, by autograd's number
};

}  // namespace unirg::train
