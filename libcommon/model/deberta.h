// DeBERTa-v2 and v3 bodies: BERT's layers whose scores also see how far apart two tokens stand
// (disentangled attention), with the optional convolution beside layer 0 that v2-xlarge has.
// Source: He et al. 2021 (arXiv:2006.03654, arXiv:2111.09543); transformers 5.x, deberta_v2.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "model/encoder_config.h"
#include "model/encoder_layer.h"
#include "model/parameters.h"

namespace unirg::model {

/// Name and shape of every tensor of the body, without heads.
Shapes deberta_shapes(const EncoderConfig& config);

/// \param config family deberta_v2; otherwise as bert_hidden()
std::vector<Tensor> deberta_hidden(const EncoderConfig& config, const Parameters& parameters,
                                   const TokenBatch& batch, int64_t layers);

}  // namespace unirg::model
