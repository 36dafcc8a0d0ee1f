// A rule labeler over a lexicon file: CheXpert's 14 conditions with mention, negation and uncertainty, and the entities
// (condition, locations, severity, change) they come from. Thread-safe after loading. yaml-cpp stays in the sources.
// Method after CheXpert's labeler (Irvin et al. 2019, arXiv:1901.07031, section 3): mention, classify, aggregate.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace unirg::text {

/// CheXpert's order. The last, No Finding, is derived: positive when no other condition but Support Devices is positive
/// or uncertain (and the text says anything at all).
inline constexpr std::array<std::string_view, 14> kConditions{
    "Enlarged Cardiomediastinum", "Cardiomegaly", "Lung Opacity",     "Lung Lesion",   "Edema",    "Consolidation",   "Pneumonia",
    "Atelectasis",                "Pneumothorax", "Pleural Effusion", "Pleural Other", "Fracture", "Support Devices", "No Finding"};
inline constexpr size_t kNoFinding = 13;
inline constexpr size_t kSupportDevices = 12;

enum class Presence { positive, negative, uncertain };

/// One mention of a condition.
struct Entity {
  size_t condition = 0;             ///< index into kConditions
  Presence presence = Presence::positive;
  std::set<std::string> locations;  ///< names of the lexicon's "locations", e.g. {"left", "lower"}
  std::string severity;             ///< name of the lexicon's "severity", "" if none is said
  std::string change;               ///< name of the lexicon's "changes", "" if none is said
  size_t begin = 0, end = 0;        ///< byte range of the phrase in the text
};

/// 1 positive, 0 negative, -1 uncertain, nullopt not mentioned; positive over uncertain over negative.
using Labels = std::array<std::optional<int>, 14>;

struct Reading {
  Labels labels;
  std::vector<Entity> entities;  ///< in text order
};

class Labeler {
 public:
  /// \throws Error(Exit::no_input) if the lexicon cannot be opened, Error(Exit::config) naming key and line
  explicit Labeler(const std::filesystem::path& lexicon);
  [[nodiscard]] Reading read(std::string_view text) const;
  /// The lexicon's "version", for metric signatures.
  [[nodiscard]] const std::string& version() const;

 private:
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

}  // namespace unirg::text
