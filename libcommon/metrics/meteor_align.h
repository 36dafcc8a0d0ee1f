// The word alignment of METEOR 1.5: given every match there could be, a beam search for the one-to-
// one alignment with most exact matches, fewest chunks, shortest distance. Follows the published
// program also where its bookkeeping is odd, since that decides between alignments. Pure numbers.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace unirg::metrics {

/// Words [reference, reference + reference_length) of the reference and [hypothesis, ...) of the
/// hypothesis mean the same.
struct MeteorMatch {
  uint32_t module = 0;  ///< 0 exact, 1 stem, 2 synonym, 3 paraphrase
  uint32_t reference = 0, reference_length = 1;
  uint32_t hypothesis = 0, hypothesis_length = 1;

  /// How far the words stand apart in their texts.
  [[nodiscard]] uint32_t distance() const {
    return reference > hypothesis ? reference - hypothesis : hypothesis - reference;
  }
};

/// All matches between two texts, by the reference word they begin at; those of one word in the
/// order they were added.
class MeteorMatches {
 public:
  /// \param matches in the order they were found; every reference word is below `reference_words`
  MeteorMatches(std::vector<MeteorMatch> matches, size_t reference_words);
  [[nodiscard]] size_t reference_words() const { return begin_.size() - 1; }
  [[nodiscard]] std::span<const MeteorMatch> all() const { return matches_; }
  [[nodiscard]] std::span<const MeteorMatch> at(size_t reference) const {
    return all().subspan(begin_[reference], begin_[reference + 1] - begin_[reference]);
  }

 private:
  std::vector<MeteorMatch> matches_;
  std::vector<uint32_t> begin_;  ///< of each word's matches, and their end
};

struct MeteorAlignment {
  std::vector<MeteorMatch> matches;  ///< in the order of the reference
  size_t chunks = 0;                 ///< runs of matches that are neighbours in order on both sides
};

MeteorAlignment meteor_align(const MeteorMatches& matches, size_t hypothesis_words);

}  // namespace unirg::metrics
