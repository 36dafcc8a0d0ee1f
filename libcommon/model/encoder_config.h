// Architecture of an encoder checkpoint: config.json of BERT (also CXR-BERT), RoBERTa (also
// XLM-RoBERTa), MPNet and DeBERTa-v2/v3 as transformers writes it. Depends on io (JSON).
// Specification: transformers 5.x, models bert, roberta, mpnet, deberta_v2.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "io/jsonl.h"

namespace unirg::model {

enum class EncoderFamily { bert, roberta, mpnet, deberta_v2 };

enum class Activation {
  gelu,       ///< x Phi(x), the exact erf form
  gelu_tanh,  ///< gelu_new, gelu_fast, gelu_pytorch_tanh: the tanh approximation
  relu,
  silu,
  tanh,
};

/// What DeBERTa-v2 adds to BERT (He et al. 2021, arXiv:2006.03654 and arXiv:2111.09543).
struct DebertaConfig {
  int64_t embedding_size = 0;  ///< width of the word table; another than hidden_size is projected
  bool position_biased_input = true;  ///< absolute positions are added to the words
  bool relative_attention = false;
  int64_t position_buckets = -1;         ///< log buckets of distance; < 1: distances as they are
  int64_t max_relative_positions = 512;  ///< resolved: -1 in the file means max_position_embeddings
  bool norm_rel_ebd = false;             ///< LayerNorm on the table of relative positions
  bool share_att_key = false;            ///< positions are projected by the words' own projections
  bool c2p = false;                      ///< content-to-position term
  bool p2c = false;                      ///< position-to-content term
  int64_t conv_kernel_size = 0;          ///< odd; 0: no convolution beside layer 0
  int64_t conv_groups = 1;
  Activation conv_act = Activation::tanh;

  /// S: distances are clamped to [-S, S); the table has 2 S rows.
  [[nodiscard]] int64_t span() const {
    return position_buckets > 0 ? position_buckets : max_relative_positions;
  }
};

struct EncoderConfig {
  EncoderFamily family = EncoderFamily::bert;
  std::string model_type = "bert";
  int64_t vocab_size = 0;
  int64_t hidden_size = 0;
  int64_t num_hidden_layers = 0;
  int64_t num_attention_heads = 0;
  int64_t intermediate_size = 0;
  int64_t max_position_embeddings = 0;  ///< rows of the position table
  int64_t type_vocab_size = 2;          ///< 0: no token types
  int64_t pad_token_id = 0;
  double layer_norm_eps = 1e-12;
  Activation hidden_act = Activation::gelu;
  int64_t relative_attention_num_buckets = 32;  ///< rows of MPNet's table of distances
  DebertaConfig deberta;
  /// Class names of a token classification head, in class order; empty: the checkpoint has none.
  std::vector<std::string> labels;
  bool has_pooler = false;  ///< not in config.json: load_encoder sees it from the weights

  /// Width of one attention head.
  [[nodiscard]] int64_t head_dim() const { return hidden_size / num_attention_heads; }
  /// Longest sequence the position table allows; nullopt: none (DeBERTa without absolute
  /// positions).
  [[nodiscard]] std::optional<int64_t> max_tokens() const;
};

/// Whether a config.json with this model_type is an encoder this module reads.
bool is_encoder_type(const std::string& model_type);

/// \throws Error(Exit::data) naming file and key: unknown architecture, missing or ill-typed key,
/// or a switch whose result we would not reproduce (is_decoder, relative_key positions, ...)
EncoderConfig load_encoder_config(const std::filesystem::path& config_json);
/// \param object       must be an object
/// \param default_type the model_type of files that name none; "": they are refused
EncoderConfig encoder_config_from_json(const io::Json& object, const std::string& file,
                                       const std::string& default_type = "");

}  // namespace unirg::model
