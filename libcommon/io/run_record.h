// Provenance: what made an output, from what, with which settings. Written beside every output as
// OUTPUT.run.json (inside a checkpoint folder: run.json). The one output that may differ between
// identical runs. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "io/jsonl.h"

namespace unirg::io {

class RunRecord {
 public:
  RunRecord(std::string tool, std::vector<std::string> command_line, Json config);

  /// Adds an input by path; its SHA-256 is taken now. A folder is digested over its files (see
  /// digest_path); a pipe is left out.
  void add_input(const std::filesystem::path& path);
  /// The same with a digest already known.
  void add_input(const std::filesystem::path& path, const std::string& sha256);
  void add_output(const std::filesystem::path& path, const std::string& sha256);
  /// A count or other fact of the run, e.g. {"studies", 412}.
  void note(const std::string& name, Json value);
  /// The record as of now, with wall time and peak memory.
  [[nodiscard]] Json json() const;
  /// Writes json() to `path`, e.g. "rollouts.jsonl.run.json".
  void write(const std::filesystem::path& path) const;
  /// Writes beside `output`: OUTPUT.run.json. Does nothing for "-".
  void write_beside(const std::filesystem::path& output) const;

 private:
  std::string tool_;
  std::vector<std::string> command_line_;
  Json config_;
  Json inputs_ = Json::object();
  Json outputs_ = Json::object();
  Json notes_ = Json::object();
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

/// SHA-256 of a file, or of a folder: over "NAME SHA256\n" of each regular file in name order,
/// run.json, DONE and training_state/ left out, so that a checkpoint's digest names what it
/// computes, not how it came about.
std::string digest_path(const std::filesystem::path& path);

}  // namespace unirg::io
