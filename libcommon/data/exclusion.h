// Lists of studies that nothing may be trained on: the test sets of a leaderboard, records of
// another run, or plain ids. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace unirg::data {

struct Exclusion {
  /// What is known of one listed study beside its id.
  struct Report {
    std::string study_id;
    std::string text;  ///< findings and impression, or the report
  };
  std::unordered_set<std::string> ids;
  std::unordered_set<std::string> picture_paths;  ///< as picture_tails gives them
  std::unordered_set<std::string> digests;  ///< SHA-256 of pictures, or of their stored pixels
  std::vector<Report> reports;

  [[nodiscard]] bool empty() const { return ids.empty() && picture_paths.empty(); }
  /// By its id, or by the path of one of its pictures: leaderboards name studies in their own ways.
  [[nodiscard]] bool has(const std::string& study_id,
                         const std::vector<std::string>& picture_sources) const;
};

/// By extension: .json (ReXrank: an object, id to {report or section_findings and
/// section_impression, key_image_path, image_path}), .jsonl (study records, or objects with
/// study_id), .csv and .tsv (column study_id; report, findings and impression where they are), else
/// an id a line. Each also with .gz behind it, but .jsonl. Adds to `exclusion`.
/// \throws Error(Exit::no_input); Error(Exit::data) for a file without study ids
void read_exclusion(const std::filesystem::path& file, Exclusion& exclusion);

/// The last two and three parts of a path without a picture's extension: what pictures of one
/// dataset are told apart by, wherever its folder lies. None for a path of one part.
std::vector<std::string> picture_tails(std::string_view path);

}  // namespace unirg::data
