// CheXbert: a BERT whose first token 14 linear heads read, one for each CheXpert observation, and
// whose first-token vector is the SembScore embedding. Source: Smit et al. 2020 (arXiv:2004.09167);
// github.com/stanfordmlgroup/CheXbert, models/bert_labeler.py. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "model/encoder.h"

namespace unirg::model {

/// Enlarged Cardiomediastinum, Cardiomegaly, Lung Opacity, Lung Lesion, Edema, Consolidation,
/// Pneumonia, Atelectasis, Pneumothorax, Pleural Effusion, Pleural Other, Fracture, Support
/// Devices, No Finding, in this order.
constexpr size_t kChexbertHeads = 14;
/// Tokens of the longest input, [CLS] and [SEP] included.
constexpr size_t kChexbertTokens = 512;

/// Classes of the first 13 heads; No Finding has the first two.
enum class ChexbertClass : int64_t { blank = 0, positive = 1, negative = 2, uncertain = 3 };

struct Chexbert {
  Encoder encoder;  ///< with "linear_heads.K.{weight,bias}" among its parameters
};

/// A folder with config.json (of the BERT; model_type may be missing) and model.safetensors with
/// `bert.*` and `linear_heads.*`, as scripts/convert-weights makes it from chexbert.pth.
/// \throws Error as load_encoder()
Chexbert load_chexbert(const std::filesystem::path& folder, const at::Device& device = at::kCPU);

/// A report as the labeler reads it: every run of white space (Unicode's) is one blank, none at the
/// ends. \param text UTF-8
std::string chexbert_text(std::string_view text);

/// [CLS] pieces [SEP], cut to kChexbertTokens with [SEP] kept last; no pieces: [CLS] [SEP].
std::vector<int64_t> chexbert_ids(const std::vector<int64_t>& pieces, int64_t cls, int64_t sep);

struct ChexbertOutput {
  Tensor vectors;              ///< [B, H] last hidden state of the first token
  std::vector<Tensor> scores;  ///< per head [B, 4]; the last [B, 2]
  /// Class with the highest score, per sequence and head.
  std::vector<std::array<ChexbertClass, kChexbertHeads>> classes;
};
ChexbertOutput chexbert_forward(const Chexbert& chexbert, const TokenBatch& batch);

}  // namespace unirg::model
