// How the networks of metrics run: on one thread, in batches. Depends on nothing (LibTorch in the
// source). SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

namespace unirg::scoring {

/// One intra-op thread for the calling thread: threads take whole texts instead, and a text's
/// numbers do not depend on how many there are.
void use_one_thread();

/// Padded tokens of one batch at most, but for a single text: bounds the memory of a pass.
constexpr size_t kBatchTokens = 4096;

/// Indices of texts in batches of at most `size`, each text once. With 1 every text is alone, in
/// its place; else they are sorted by length, longest first, so that little is padded.
/// \param lengths tokens of each text \param size at least 1
std::vector<std::vector<size_t>> make_batches(const std::vector<size_t>& lengths, size_t size);

}  // namespace unirg::scoring
