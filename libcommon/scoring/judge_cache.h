// Answers of judges on disk, one file each, so that a killed run goes on without asking again and
// runs beside each other share what they have. FOLDER/PLACE/ab/abcd....json, written whole or not
// at all; PLACE is of the judge's address, so that servers at two addresses that call their models
// alike do not share answers (and one that moves to another address or port is asked anew).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "io/jsonl.h"
#include "scoring/judge_prompt.h"

namespace unirg::scoring {

/// Names a request: SHA-256 over the prompt's version and the request as JSON.
std::string judge_digest(const JudgePrompt& prompt, const io::Json& request);

/// The part of `folder` for one JudgeBackend::place(): twelve digits of its SHA-256, as an address
/// need not be known to who reads the cache; `folder` itself for "".
std::filesystem::path judge_folder(const std::filesystem::path& folder, const std::string& place);

/// Thread-safe, and safe among processes on one file system.
class JudgeCache {
 public:
  /// \param folder  made if it is not there; empty: nothing is kept
  /// \param refresh leaves aside what earlier runs kept and writes it anew
  /// \param warn    is told of entries that cannot be read; they count as absent
  /// \throws Error(Exit::cannot_create)
  JudgeCache(std::filesystem::path folder, bool refresh,
             std::function<void(const std::string&)> warn);

  [[nodiscard]] std::optional<JudgeAnswer> find(const std::string& digest) const;
  /// \throws Error(Exit::cannot_create or Exit::io), e.g. on a full disk
  void keep(const std::string& digest, const JudgePrompt& prompt, const JudgeAnswer& answer);
  [[nodiscard]] std::filesystem::path file(const std::string& digest) const;

 private:
  std::filesystem::path folder_;
  bool refresh_;
  std::function<void(const std::string&)> warn_;
  mutable std::mutex mutex_;
  std::set<std::string> kept_;  // with refresh_: what this run wrote
};

}  // namespace unirg::scoring
