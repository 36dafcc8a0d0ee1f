// Whether an ingested folder is still what its run wrote: every file against the digests of its run
// record, every picture against its study record. Depends on records.h, io.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace unirg::data {

struct FolderProblem {
  std::string file;  ///< relative to the folder
  std::string what;  ///< e.g. "missing"; of a picture, which record tells of it
};

struct FolderCheck {
  std::vector<FolderProblem> problems;  ///< by file: DONE, run.json, studies.jsonl, then by name
  int64_t files = 0;                    ///< whose digest was compared, or that were not there
  int64_t pictures = 0;                 ///< that the study records tell of
  int64_t unrecorded = 0;  ///< shards without a digest in the run record, as older runs wrote it:
                           ///< of them the pictures alone were compared
  bool whole = true;       ///< false if `go_on` ended it
};

/// Each file is read once, a shard with all its pictures, several shards at a time.
/// run.json itself has no digest, and files that it does not name are not looked at.
/// \param go_on told how many files there are before each; false ends the check
/// \throws Error(Exit::no_input) if there is no such folder, Error(Exit::io) if a file cannot be
///         read to its end
FolderCheck verify_folder(const std::filesystem::path& folder, int threads,
                          const std::function<bool(int64_t files)>& go_on);

}  // namespace unirg::data
