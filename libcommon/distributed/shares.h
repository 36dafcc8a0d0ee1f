// Which rank keeps which tensor of a list, and in what pieces tensors travel. Whole tensors are
// shared out, so that what a rank does to one of its own is what one process would do; the largest
// tensor bounds the largest share. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

namespace unirg::distributed {

/// The rank that keeps each tensor: the largest is given to the rank that has least, and so on
/// (at most 4/3 of the best possible largest share: Graham, 1969). Ties go to the earlier tensor
/// and the lower rank. \param sizes of the tensors, in any unit
std::vector<int> share_out(const std::vector<int64_t>& sizes, int ranks);

/// Elements begin..begin+count-1 of a tensor, flat.
struct Piece {
  size_t tensor = 0;
  int64_t begin = 0, count = 0;
};
/// Pieces that travel together.
using Bucket = std::vector<Piece>;

/// The tensors of one rank cut into buckets of at most `bucket_bytes` (but one element at least),
/// in order. \param values, item_bytes number of elements of every tensor of the list and bytes of
/// one \param order in which the list is gone through, a permutation of 0, 1, ...; empty: as it is
std::vector<Bucket> cut_buckets(const std::vector<int64_t>& values,
                                const std::vector<int64_t>& item_bytes,
                                const std::vector<int>& owners, int owner, int64_t bucket_bytes,
                                const std::vector<size_t>& order = {});

}  // namespace unirg::distributed
