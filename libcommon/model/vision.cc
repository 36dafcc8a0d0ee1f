// SPDX-License-Identifier: Apache-2.0
#include "model/vision.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/tensor.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "base/error.h"
#include "model/checkpoint_tensors.h"
#include "model/dense.h"
#include "model/recompute.h"

namespace unirg::model {
namespace {

VisionMerger bind_merger(const Parameters& p, const std::string& name, double lora_scale) {
  return {parameter(p, name + ".norm.weight"), parameter(p, name + ".norm.bias"),
          bind_linear(p, name + ".linear_fc1", true, lora_scale),
          bind_linear(p, name + ".linear_fc2", true, lora_scale)};
}

/// (row, column) of each patch, block order: merge x merge patches of one token stand together.
std::vector<std::pair<int64_t, int64_t>> patch_places(const Grid& grid, int64_t merge) {
  std::vector<std::pair<int64_t, int64_t>> places;
  places.reserve(static_cast<size_t>(grid.patches()));
  for (int64_t block_row = 0; block_row < grid.height; block_row += merge) {
    for (int64_t block_column = 0; block_column < grid.width; block_column += merge) {
      for (int64_t r = 0; r < merge; ++r) {
        for (int64_t c = 0; c < merge; ++c) places.emplace_back(block_row + r, block_column + c);
      }
    }
  }
  return places;
}

/// Geometry of one grid: what to gather from the position table, and the rotary angles.
struct GridTables {
  Tensor index;     ///< [4, P] int64 rows of the table
  Tensor weight;    ///< [4, P, 1] float32 bilinear weights
  Tensor cos, sin;  ///< [P, 1, d] float32
};

struct Corner {
  int64_t low = 0, high = 0;
  float fraction = 0;
};

/// Align-corners position of patch i of n in a table of `side` entries.
Corner corner(int64_t i, int64_t n, int64_t side) {
  const float y = static_cast<float>(i) *
                  (static_cast<float>(side - 1) / static_cast<float>(std::max<int64_t>(n - 1, 1)));
  const auto low = static_cast<int64_t>(std::floor(y));
  return {low, std::min(low + 1, side - 1), y - static_cast<float>(low)};
}

GridTables make_tables(const VisionConfig& config, const Grid& grid) {
  const auto places = patch_places(grid, config.spatial_merge_size);
  const auto n = static_cast<int64_t>(places.size());
  const auto side = static_cast<int64_t>(
      std::llround(std::sqrt(static_cast<double>(config.num_position_embeddings))));
  const int64_t quarter = config.head_dim() / 4;
  const int64_t d = config.head_dim();
  GridTables tables{at::empty({4, n}, at::kLong), at::empty({4, n, 1}, at::kFloat),
                    at::empty({n, 1, d}, at::kFloat), at::empty({n, 1, d}, at::kFloat)};
  int64_t* index = tables.index.mutable_data_ptr<int64_t>();
  float* weight = tables.weight.mutable_data_ptr<float>();
  float* cos = tables.cos.mutable_data_ptr<float>();
  float* sin = tables.sin.mutable_data_ptr<float>();
  for (int64_t i = 0; i < n; ++i) {
    const auto [row, column] = places[static_cast<size_t>(i)];
    const Corner y = corner(row, grid.height, side);
    const Corner x = corner(column, grid.width, side);
    const int64_t rows[4] = {y.low * side + x.low, y.low * side + x.high, y.high * side + x.low,
                             y.high * side + x.high};
    const float weights[4] = {(1 - y.fraction) * (1 - x.fraction), (1 - y.fraction) * x.fraction,
                              y.fraction * (1 - x.fraction), y.fraction * x.fraction};
    for (int64_t k = 0; k < 4; ++k) {
      index[k * n + i] = rows[k];
      weight[k * n + i] = weights[k];
    }
    for (int64_t k = 0; k < d; ++k) {
      const int64_t f =
          k % (2 * quarter);  // angles repeat after d/2 entries: rows first, then columns
      const auto exponent = static_cast<float>(2 * (f % quarter)) / static_cast<float>(2 * quarter);
      const float inverse = 1.0F / std::pow(static_cast<float>(config.rope_theta), exponent);
      const float angle = static_cast<float>(f < quarter ? row : column) * inverse;
      cos[i * d + k] = std::cos(angle);
      sin[i * d + k] = std::sin(angle);
    }
  }
  return tables;
}

/// Images of equal grid that follow each other, attended as one batch.
struct Run {
  Grid grid;
  int64_t images = 0;
  int64_t first_patch = 0;
  Tensor cos, sin;
};

struct Geometry {
  Tensor position;  ///< [P, h] interpolated position embedding
  std::vector<Run> runs;
};

Geometry make_geometry(const VisionConfig& config, const VisionWeights& weights,
                       const std::vector<Grid>& grids) {
  Geometry geometry;
  std::vector<Tensor> positions;
  int64_t patch = 0;
  size_t i = 0;
  while (i < grids.size()) {
    size_t end = i;
    while (end < grids.size() && grids[end] == grids[i]) ++end;
    const auto images = static_cast<int64_t>(end - i);
    GridTables tables = make_tables(config, grids[i]);
    const auto device = weights.pos_embed.device();
    const Tensor rows = at::embedding(weights.pos_embed, tables.index.to(device));  // [4, P, h]
    const Tensor one = (rows * tables.weight.to(device).to(rows.scalar_type())).sum(0);  // [P, h]
    positions.push_back(one.unsqueeze(0).expand({images, -1, -1}).reshape({-1, one.size(1)}));
    geometry.runs.push_back(
        {grids[i], images, patch, tables.cos.to(device), tables.sin.to(device)});
    patch += images * grids[i].patches();
    i = end;
  }
  geometry.position = positions.size() == 1 ? positions[0] : at::cat(positions, 0);
  return geometry;
}

/// Attention of every patch over the patches of its own image.
Tensor vision_attention(const VisionConfig& config, const VisionBlock& block, const Tensor& x,
                        const Geometry& geometry, const Dropout& dropout) {
  const int64_t d = config.head_dim();
  const Tensor qkv = apply(block.qkv, x, dropout).view({x.size(0), 3, config.num_heads, d});
  std::vector<Tensor> outputs;
  for (const Run& run : geometry.runs) {
    const int64_t n = run.images * run.grid.patches();
    const Tensor part = qkv.narrow(0, run.first_patch, n)
                            .view({run.images, run.grid.patches(), 3, config.num_heads, d});
    const auto heads = [&](int64_t which) { return part.select(2, which); };  // [I, P, heads, d]
    const auto rotated = [&](int64_t which) {
      const Tensor wide = heads(which).to(at::kFloat);
      return rotate(wide, run.cos, run.sin)
          .to(x.scalar_type())
          .transpose(1, 2);  // [I, heads, P, d]
    };
    const Tensor out =
        at::scaled_dot_product_attention(rotated(0), rotated(1), heads(2).transpose(1, 2));
    outputs.push_back(out.transpose(1, 2).reshape({n, config.hidden_size}));
  }
  const Tensor all = outputs.size() == 1 ? outputs[0] : at::cat(outputs, 0);
  return apply(block.proj, all, dropout);
}

Tensor vision_block(const VisionConfig& config, const VisionBlock& block, const Tensor& x,
                    const Geometry& geometry, const Dropout& dropout) {
  const Tensor attended =
      x + vision_attention(config, block, layer_norm(x, block.norm1_weight, block.norm1_bias),
                           geometry, dropout);
  const Tensor normed = layer_norm(attended, block.norm2_weight, block.norm2_bias);
  return attended + apply(block.fc2, at::gelu(apply(block.fc1, normed, dropout), "tanh"), dropout);
}

Tensor merge_mlp(const VisionMerger& merger, const Tensor& grouped, const Dropout& dropout) {
  return apply(merger.fc2, at::gelu(apply(merger.fc1, grouped, dropout)), dropout);
}

/// Everything of a block that may be trained, for `recomputed`.
std::vector<Tensor> weights_of(const VisionBlock& block) {
  std::vector<Tensor> all{block.norm1_weight, block.norm1_bias, block.norm2_weight,
                          block.norm2_bias};
  for (const Linear* linear : {&block.qkv, &block.proj, &block.fc1, &block.fc2})
    all.insert(all.end(), {linear->weight, linear->bias, linear->lora_a, linear->lora_b});
  return all;
}

}  // namespace

VisionWeights bind_vision(const VisionConfig& config, const Parameters& p, double lora_scale) {
  const std::string root = kVisionRoot;
  VisionWeights weights;
  weights.patch_weight = parameter(p, root + "patch_embed.proj.weight");
  weights.patch_bias = parameter(p, root + "patch_embed.proj.bias");
  weights.pos_embed = parameter(p, root + "pos_embed.weight");
  for (int64_t i = 0; i < config.depth; ++i) {
    const std::string block = fmt::format("{}blocks.{}.", root, i);
    const auto get = [&](const char* name) { return parameter(p, block + name); };
    const auto linear = [&](const char* name) {
      return bind_linear(p, block + name, true, lora_scale);
    };
    weights.blocks.push_back({get("norm1.weight"), get("norm1.bias"), get("norm2.weight"),
                              get("norm2.bias"), linear("attn.qkv"), linear("attn.proj"),
                              linear("mlp.linear_fc1"), linear("mlp.linear_fc2")});
  }
  weights.merger = bind_merger(p, root + "merger", lora_scale);
  for (size_t j = 0; j < config.deepstack_visual_indexes.size(); ++j) {
    weights.deepstack.push_back(
        bind_merger(p, fmt::format("{}deepstack_merger_list.{}", root, j), lora_scale));
  }
  return weights;
}

VisionOutput vision_forward(const VisionConfig& config, const VisionWeights& weights,
                            const Tensor& pixels, const std::vector<Grid>& grids,
                            const Pass& pass) {
  int64_t patches = 0;
  for (const Grid& grid : grids) patches += grid.patches();
  UNIRG_ASSERT(!grids.empty() && pixels.dim() == 2 && pixels.size(0) == patches &&
                   pixels.size(1) == config.patch_values(),
               "pixel rows do not match the grids");
  const int64_t merged = config.merged_patches() * config.hidden_size;
  const auto geometry = std::make_shared<const Geometry>(make_geometry(config, weights, grids));
  const Tensor patch_weight =
      weights.patch_weight.view({config.hidden_size, config.patch_values()});
  Tensor x = dense_linear(pixels.to(patch_weight.scalar_type()), patch_weight, weights.patch_bias) +
             geometry->position;
  VisionOutput output;
  const auto& taken = config.deepstack_visual_indexes;
  for (int64_t i = 0; i < config.depth; ++i) {
    const VisionBlock& block = weights.blocks[static_cast<size_t>(i)];
    const Part part = [&config, &block, geometry,
                       dropout = pass.dropout](const std::vector<Tensor>& in) {
      return std::vector<Tensor>{vision_block(config, block, in[0], *geometry, dropout)};
    };
    x = (pass.recompute ? recomputed(part, {x}, weights_of(block)) : part({x})).front();
    // Features come in the order of the blocks; the place in the list chooses the merger.
    const auto place = std::find(taken.begin(), taken.end(), i);
    if (place == taken.end()) continue;
    const VisionMerger& merger = weights.deepstack[static_cast<size_t>(place - taken.begin())];
    output.deepstack.push_back(  // here the norm comes after grouping
        merge_mlp(merger, layer_norm(x.view({-1, merged}), merger.norm_weight, merger.norm_bias),
                  pass.dropout));
  }
  output.tokens = merge_mlp(
      weights.merger,
      layer_norm(x, weights.merger.norm_weight, weights.merger.norm_bias).view({-1, merged}),
      pass.dropout);
  return output;
}

}  // namespace unirg::model
