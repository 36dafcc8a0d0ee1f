// METEOR 1.5's table of paraphrases, read from where the user has it (paraphrase-en.gz) and never
// shipped. Depends on io, zlib. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "metrics/meteor_align.h"

namespace unirg::metrics {

/// About 350 MB of memory and some seconds for the English table of 5.3 million entries.
class MeteorParaphrases {
 public:
  /// \param path three lines an entry: a probability, a phrase, its paraphrase; plain or gzip
  /// \throws Error(Exit::no_input | Exit::io), Error(Exit::data) with file and line
  explicit MeteorParaphrases(const std::filesystem::path& path);

  /// Adds every match by the table to `matches`, in the program's order: phrases of the reference
  /// whose paraphrase is in the hypothesis, then the other way round. Words as find() numbers them.
  void match(const std::vector<int32_t>& hypothesis, const std::vector<int32_t>& reference,
             std::vector<MeteorMatch>& matches) const;
  /// The table's number of a word; -1: it is in no entry.
  [[nodiscard]] int32_t find(std::string_view word) const;

 private:
  using Words = std::vector<int32_t>;
  struct Hit {
    uint32_t length;       ///< words of the phrase
    const int32_t* begin;  ///< its paraphrase
    uint32_t paraphrase_length;
  };
  [[nodiscard]] std::vector<Hit> hits(const Words& words, size_t at) const;
  int32_t number(std::string_view word);
  void add(std::string_view phrase, std::string_view paraphrase);
  void sort_entries();

  struct Entry {
    uint32_t node;   ///< of the phrase's last word
    uint32_t words;  ///< where the paraphrase begins in words_
    uint16_t length;
  };
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view s) const { return std::hash<std::string_view>{}(s); }
  };
  std::unordered_map<std::string, int32_t, Hash, std::equal_to<>> vocabulary_;
  std::unordered_map<uint64_t, uint32_t> nodes_;  ///< (node, word) -> node; 0 is the empty phrase
  std::vector<int32_t> words_;                    ///< all paraphrases, one behind the other
  std::vector<Entry> entries_;                    ///< by node, then as in the file
  std::vector<uint32_t> first_;                   ///< of each node: its first entry
};

}  // namespace unirg::metrics
