// Looks for known identifiers in files that are to be given away: a check that no run of ours, and
// nothing done since, has let one through. Depends on image, text.
//
// An identifier is a row of words (text::fold_words()), compared without regard to case and to what
// stands between the words: "Doe^Jane" is found in "DOE, Jane", "12-34-56" in "12/34/56", in
// Japanese text, which has no blanks, a name in the middle of a row of characters. Only whole words
// count, but for one to three letters before digits: "10000032" is found in "p10000032". An
// identifier of fewer than four letters and digits is not looked for: it stands everywhere. What a
// file does to hide one (compression, a hash, pixels) is not undone.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace unirg::data {

class Identifiers {
 public:
  /// \param origin  for messages, which never hold the identifier: "line 3 of 'ids.txt'"
  void add(std::string_view text, const std::string& origin);
  /// A file with one a line, empty lines and those that begin with '#' passed over; or a folder:
  /// those of the headers of all DICOM files below it (image::read_dicom_identifiers), other files
  /// passed over. \throws Error(Exit::no_input) if it cannot be opened, Error(Exit::data) if it
  /// holds none
  void add_source(const std::filesystem::path& source, int threads);

  [[nodiscard]] size_t size() const { return origins_.size(); }   ///< different ones
  [[nodiscard]] int64_t too_short() const { return too_short_; }  ///< not looked for
  /// Origins of those in a line of text, in the order in which they end there, each once.
  [[nodiscard]] std::vector<std::string> find(std::string_view line) const;

 private:
  void add_list(const std::filesystem::path& file);
  void add_headers(const std::filesystem::path& folder, int threads);
  void find_in_row(const std::vector<std::string>& words, std::vector<std::string>& found) const;

  std::unordered_map<std::string, std::string> origins_;  ///< words with a blank between -> origin
  /// Numbers of words of identifiers whose last word it is: what find() looks up behind a word.
  std::unordered_map<std::string, std::vector<size_t>> lengths_;
  int64_t given_ = 0;  ///< to add()
  int64_t too_short_ = 0;
};

struct IdentifierPlace {
  std::string file;
  int64_t line = 0;  ///< from 1; in a tar file the member
  std::string origin;
};

/// Places in a file, or in all files below a folder, sorted by path: in .json and .jsonl files the
/// strings, numbers and structure apart; in .tar files the names of members; in others all text.
/// \throws Error(Exit::no_input) if there is no such path, Error(Exit::data) for a damaged tar
std::vector<IdentifierPlace> find_identifiers(const std::filesystem::path& path,
                                              const Identifiers& identifiers);

/// \throws Error(Exit::data) naming the first places, if there are any; `consequence` ends the
/// message, e.g. "nothing was written"
void refuse_identifiers(const std::vector<IdentifierPlace>& places, std::string_view consequence);

}  // namespace unirg::data
