// Near-duplicate texts: sets of word 5-grams ("shingles", Broder, "On the resemblance and
// containment of documents", 1997) compared by Jaccard's index, candidates found by MinHash with
// banding (Leskovec, Rajaraman, Ullman, "Mining of Massive Datasets", section 3.4). Nothing random:
// the same texts give the same answer everywhere. Depends on words.h.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace unirg::text {

/// Hashes of a text's runs of five words, in lower case and without punctuation, sorted, each once.
/// A text of one to four words is one shingle; one without words has none.
using Shingles = std::vector<uint64_t>;
Shingles shingles_of(std::string_view text);

/// |a and b| / |a or b|, 0 to 1; 0 if one of them is empty.
double jaccard(const Shingles& a, const Shingles& b);

inline constexpr size_t kMinHashes = 128;
/// Of each of 128 permutations the smallest member of a set. Two sets agree in a share of them that
/// estimates their Jaccard index.
using MinHash = std::array<uint32_t, kMinHashes>;
MinHash min_hash(const Shingles& shingles);

/// Texts that others are looked for in.
///
/// Bands of four hashes: texts of Jaccard index 0.6 are found in 98.8 of 100 cases, of 0.7 in all
/// but 2 of 10,000, of 0.8 and above in all but one of ten million. What is found is exact: the
/// shingles themselves are compared.
class NearDuplicates {
 public:
  struct Match {
    size_t index = 0;  ///< of the text, in the order of add()
    double jaccard = 0;
  };
  /// Texts without words are counted and never found.
  void add(std::string_view text);
  /// The most similar one of at least `threshold` (0.6 and above, see above), of equals the first.
  [[nodiscard]] std::optional<Match> nearest(std::string_view text, double threshold) const;
  [[nodiscard]] size_t size() const { return count_; }

 private:
  static constexpr size_t kRows = 4;
  static constexpr size_t kBands = kMinHashes / kRows;
  static uint64_t band_key(const MinHash& hashes, size_t band);

  struct Kept {
    Shingles shingles;
    size_t index;  ///< of the first text with them
  };
  std::vector<Kept>
      kept_;  ///< texts with other shingles than those before: boilerplate is kept once
  std::array<std::unordered_map<uint64_t, std::vector<uint32_t>>, kBands> bands_;
  size_t count_ = 0;
};

}  // namespace unirg::text
