// Training of a byte-level BPE vocabulary on the studies' own text, for models that start from
// nothing. Depends on text/tokenizer.h. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "text/tokenizer.h"

namespace unirg::text {

/// The special tokens of Qwen3-VL that our models use, in the order of their ids there.
const std::vector<std::string>& qwen_special_tokens();

/// Trains a vocabulary of at most `vocab_size` entries: ids 0..255 are the bytes, then one token a
/// merge, then Qwen's special tokens. Each step merges the commonest adjacent pair, ties to the
/// smaller pair of ids; it stops early when no pair occurs twice (Sennrich et al. 2016, on the
/// pieces of split_pattern()). Deterministic. \throws Error(Exit::config) if vocab_size has no room
/// for the bytes and the special tokens
Tokenizer train_bpe(const std::vector<std::string>& texts, int64_t vocab_size);

}  // namespace unirg::text
