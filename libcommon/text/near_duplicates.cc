// SPDX-License-Identifier: Apache-2.0
#include "text/near_duplicates.h"

#include <algorithm>
#include <set>

#include "text/words.h"

namespace unirg::text {
namespace {

constexpr size_t kShingleWords = 5;

/// splitmix64's finaliser: any change of the input changes half of the bits.
uint64_t mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

/// FNV-1a of the word in lower case.
uint64_t word_hash(std::string_view word) {
  uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : word) {
    hash ^= static_cast<unsigned char>(lower(c));
    hash *= 0x100000001b3ULL;
  }
  return mix(hash);
}

uint64_t combine(uint64_t hash, uint64_t next) { return mix(hash * 31 + next + 1); }

}  // namespace

Shingles shingles_of(std::string_view text) {
  std::vector<uint64_t> words;
  for (const Word& word : split_words(text, {0, text.size()})) {
    if (word.kind == WordKind::word)
      words.push_back(word_hash(text.substr(word.span.begin, word.span.end - word.span.begin)));
  }
  Shingles shingles;
  if (words.empty()) return shingles;
  const size_t length = std::min(kShingleWords, words.size());
  for (size_t begin = 0; begin + length <= words.size(); ++begin) {
    uint64_t hash = length;
    for (size_t i = 0; i < length; ++i) hash = combine(hash, words[begin + i]);
    shingles.push_back(hash);
  }
  std::sort(shingles.begin(), shingles.end());
  shingles.erase(std::unique(shingles.begin(), shingles.end()), shingles.end());
  return shingles;
}

double jaccard(const Shingles& a, const Shingles& b) {
  if (a.empty() || b.empty()) return 0;
  size_t both = 0;
  for (size_t i = 0, k = 0; i < a.size() && k < b.size();) {
    if (a[i] == b[k]) {
      ++both, ++i, ++k;
    } else if (a[i] < b[k]) {
      ++i;
    } else {
      ++k;
    }
  }
  return static_cast<double>(both) / static_cast<double>(a.size() + b.size() - both);
}

MinHash min_hash(const Shingles& shingles) {
  MinHash hashes;
  hashes.fill(UINT32_MAX);
  for (const uint64_t shingle : shingles) {
    for (size_t h = 0; h < kMinHashes; ++h) {
      // One permutation is one odd multiplier; the high half of the product is well mixed.
      const uint64_t factor = (0x9e3779b97f4a7c15ULL * (2 * h + 1)) | 1;
      const auto value = static_cast<uint32_t>(((shingle ^ (factor << 17)) * factor) >> 32);
      hashes[h] = std::min(hashes[h], value);
    }
  }
  return hashes;
}

uint64_t NearDuplicates::band_key(const MinHash& hashes, size_t band) {
  uint64_t key = band;
  for (size_t row = 0; row < kRows; ++row) key = combine(key, hashes[band * kRows + row]);
  return key;
}

void NearDuplicates::add(std::string_view text) {
  const size_t index = count_++;
  Shingles shingles = shingles_of(text);
  if (shingles.empty()) return;
  const MinHash hashes = min_hash(shingles);
  const auto first = bands_[0].find(band_key(hashes, 0));
  if (first != bands_[0].end()) {
    const bool is_known = std::any_of(first->second.begin(), first->second.end(),
                                      [&](uint32_t k) { return kept_[k].shingles == shingles; });
    if (is_known) return;
  }
  for (size_t band = 0; band < kBands; ++band)
    bands_[band][band_key(hashes, band)].push_back(static_cast<uint32_t>(kept_.size()));
  kept_.push_back({std::move(shingles), index});
}

std::optional<NearDuplicates::Match> NearDuplicates::nearest(std::string_view text,
                                                             double threshold) const {
  const Shingles shingles = shingles_of(text);
  if (shingles.empty()) return std::nullopt;
  const MinHash hashes = min_hash(shingles);
  std::set<uint32_t> candidates;
  for (size_t band = 0; band < kBands; ++band) {
    const auto found = bands_[band].find(band_key(hashes, band));
    if (found != bands_[band].end()) candidates.insert(found->second.begin(), found->second.end());
  }
  std::optional<Match> best;
  for (const uint32_t k : candidates) {
    const double likeness = jaccard(shingles, kept_[k].shingles);
    if (likeness >= threshold && (!best || likeness > best->jaccard))
      best = Match{kept_[k].index, likeness};
  }
  return best;
}

}  // namespace unirg::text
