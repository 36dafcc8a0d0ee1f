// BERT, RoBERTa and MPNet bodies: embeddings and a stack of post-norm layers, over weights named as
// transformers names them in a bare model ("embeddings...", "encoder.layer.I...").
// Source: Devlin et al. 2019 (arXiv:1810.04805), Liu et al. 2019 (arXiv:1907.11692), Song et al.
// 2020 (arXiv:2004.09297); transformers 5.x. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "model/encoder_config.h"
#include "model/encoder_layer.h"
#include "model/parameters.h"

namespace unirg::model {

/// Name and shape of every tensor of the body, without pooler and heads.
Shapes bert_shapes(const EncoderConfig& config);

/// \param config family bert, roberta or mpnet
/// \param batch  ids and types inside the tables
/// \param layers how many layers to run, at most num_hidden_layers
/// \returns      layers + 1 tensors [B, T, H] float32: the embeddings, then each layer's output;
/// rows
///               of padding hold no meaning
std::vector<Tensor> bert_hidden(const EncoderConfig& config, const Parameters& parameters,
                                const TokenBatch& batch, int64_t layers);

}  // namespace unirg::model
