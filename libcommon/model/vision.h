// The Qwen3-VL vision tower: patches to visual tokens, and the deepstack features that feed early
// text layers. Source: transformers qwen3_vl (Qwen3VLVisionModel); parity in tests/unit/model.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "model/config.h"
#include "model/layers.h"
#include "model/positions.h"

namespace unirg::model {

struct VisionBlock {
  Tensor norm1_weight, norm1_bias, norm2_weight, norm2_bias;
  Linear qkv, proj, fc1, fc2;
};

struct VisionMerger {
  Tensor norm_weight, norm_bias;
  Linear fc1, fc2;
};

/// The tower's weights, looked up once. Tensors share storage (and autograd identity) with the
/// store.
struct VisionWeights {
  Tensor patch_weight, patch_bias;  ///< [h, 3, 2, 16, 16], [h]
  Tensor pos_embed;                 ///< [G*G, h]
  std::vector<VisionBlock> blocks;
  VisionMerger merger;
  std::vector<VisionMerger> deepstack;
};
VisionWeights bind_vision(const VisionConfig& config, const Parameters& parameters,
                          double lora_scale = 0);

struct VisionOutput {
  Tensor tokens;                  ///< [n, H]: merged tokens of all images, in order
  std::vector<Tensor> deepstack;  ///< one [n, H] per entry of deepstack_visual_indexes
};

/// \param pixels [P, patch_values] float32: patch rows of all images, block order (see
/// policy/image_processor.h) \param grids  one per image; sum of patches() == P
VisionOutput vision_forward(const VisionConfig& config, const VisionWeights& weights,
                            const Tensor& pixels, const std::vector<Grid>& grids,
                            const Pass& pass = {});

}  // namespace unirg::model
