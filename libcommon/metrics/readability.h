// Flesch-Kincaid grade level, with syllables from a hyphenation dictionary (libhyphen behind it).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace unirg::metrics {

/// Where Debian's package hyphen-en-us keeps its dictionary.
inline constexpr const char* kHyphenationFile = "/usr/share/hyphen/hyph_en_US.dic";

/// Thread-safe after construction.
class Readability {
 public:
  /// \throws Error(Exit::no_input) for a dictionary that is missing (with the Debian package that
  /// brings it), Error(Exit::data) for one that cannot be read
  explicit Readability(const std::filesystem::path& dictionary = kHyphenationFile);
  ~Readability();
  Readability(const Readability&) = delete;
  Readability& operator=(const Readability&) = delete;

  /// Break points of a word in lower case that are at least two characters from both ends, plus
  /// one. As pyphen finds them with the same file, but that libhyphen never breaks next to the
  /// digits that a word begins or ends with.
  [[nodiscard]] size_t syllables(std::string_view word) const;
  /// 0.39 words / sentences + 11.8 syllables / words - 15.59, about 0..20; nothing for a text
  /// without a word.
  /// Words: the text without what is neither letter, number, '_' nor white space ("x-ray" is one
  /// word), split at white space. Sentences: from a word to the next run of [.!?]; those of one or
  /// two words are not counted, but at least one is.
  /// \see Kincaid et al. 1975; PyPI textstat 0.7.3 with set_rounding(False), whose pyphen is given
  /// this dictionary
  [[nodiscard]] std::optional<double> grade(std::string_view text) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace unirg::metrics
