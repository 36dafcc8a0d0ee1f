// The word alignment of METEOR 1.5: given every match there could be, a beam search for the one-to-
// one alignment with most exact matches, fewest chunks, shortest distance. Follows the published
// program also where its bookkeeping is odd, since that decides between alignments. Pure numbers.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

namespace unirg::metrics {

/// Words [reference, reference + reference_length) of the reference and [hypothesis, ...) of the
/// hypothesis mean the same.
struct MeteorMatch {
  size_t module = 0;  ///< 0 exact, 1 stem, 2 synonym, 3 paraphrase
  size_t reference = 0, reference_length = 1;
  size_t hypothesis = 0, hypothesis_length = 1;
};

/// All matches by the reference word they begin at, each list in the order they were found.
using MeteorMatches = std::vector<std::vector<MeteorMatch>>;

struct MeteorAlignment {
  std::vector<MeteorMatch> matches;  ///< in the order of the reference
  size_t chunks = 0;                 ///< runs of matches that are neighbours in order on both sides
};

/// \param matches one list for each word of the reference
MeteorAlignment meteor_align(const MeteorMatches& matches, size_t hypothesis_words);

}  // namespace unirg::metrics
