// WordNet synonyms as METEOR 1.5 reads them: two text files that its jar holds under synonym/. They
// are read from where the user has them and never shipped. Depends on io (files).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace unirg::metrics {

class MeteorSynonyms {
 public:
  /// \param synsets english.synsets: a word on one line, the numbers of its synsets on the next
  /// \param exceptions english.exceptions: a word on one line, its irregular forms on the next
  /// \throws Error(Exit::no_input | Exit::io), Error(Exit::data) with file and line
  MeteorSynonyms(const std::filesystem::path& synsets, const std::filesystem::path& exceptions);

  /// Synsets of the word and of its base forms: what its irregular forms' list says, else the first
  /// form without a regular ending that has synsets. Sorted, each once.
  [[nodiscard]] std::vector<int32_t> synsets(const std::string& word) const;

 private:
  [[nodiscard]] std::string regular_base(const std::string& word) const;
  std::unordered_map<std::string, std::vector<int32_t>> synsets_;
  std::unordered_map<std::string, std::vector<std::string>> bases_;  ///< of irregular forms
};

}  // namespace unirg::metrics
