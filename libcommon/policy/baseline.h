// Reports without a writer, to hold systems against: those of other studies. Choices only, no model
// and no file. UniRG's Fig. 3 has the copy of the prior report as a baseline (arXiv:2601.17151);
// the others are the usual ones (a fixed report, a neighbour by image, chance).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "data/records.h"
#include "policy/report_writer.h"
#include "text/chat.h"

namespace unirg::policy {

enum class BaselineKind : uint8_t { copy_prior, most_frequent, nearest, random };
/// "copy-prior", "most-frequent", "nearest", "random"
std::string_view baseline_name(BaselineKind kind);
const std::vector<std::string>& baseline_names();
/// \throws Error(Exit::usage) for another name
BaselineKind baseline_kind(const std::string& name);

/// The sections that a report is to have: those the study's prompt asks for.
struct WantedSections {
  bool findings = true, impression = true;
  auto operator<=>(const WantedSections&) const = default;
};
/// Of --target's sections those that the study's reference has, all of them when it has none, as
/// the prompt is chosen (report_writer.h).
WantedSections wanted_sections(const data::Study& study, const PromptOptions& options);
/// Those of the wanted sections that a study's report has.
text::Report report_of(const data::Study& study, const WantedSections& wanted);

/// A report and whose it is.
struct ChosenReport {
  text::Report report;
  std::string source;                      ///< study_id
  BaselineKind by = BaselineKind::random;  ///< what it was chosen by, where that is a substitute
  std::optional<double> similarity = std::nullopt;  ///< nearest: cosine, -1..1
};

/// Reports of the training studies, to choose from. For a wanted set of sections those that have
/// all of it; where none does, those that have any.
class ReportPool {
 public:
  /// \param training in file order; those without a report are passed over \param split their name,
  /// for messages
  ReportPool(std::vector<const data::Study*> training, std::string split);

  /// \returns indices into studies(), ascending
  /// \throws Error(Exit::data) if no report has any of the sections
  const std::vector<size_t>& candidates(const WantedSections& wanted);
  [[nodiscard]] const std::vector<const data::Study*>& studies() const { return studies_; }
  /// Where a study stands in studies(); nullopt if it is none of them.
  [[nodiscard]] std::optional<size_t> place_of(const std::string& study_id) const;

  /// The text that most candidates have, blanks apart; of several the one that comes first.
  ChosenReport most_frequent(const WantedSections& wanted);
  /// A candidate drawn by seed and study id, never the study itself.
  ChosenReport random(const data::Study& study, const WantedSections& wanted, uint64_t seed);
  /// The report of studies()[index].
  [[nodiscard]] ChosenReport take(size_t index, const WantedSections& wanted,
                                  BaselineKind by) const;
  /// \throws Error(Exit::data): nothing can be taken for this study
  [[noreturn]] void fail_for(const data::Study& study) const;

 private:
  std::vector<const data::Study*> studies_;
  std::string split_;
  std::unordered_map<std::string, size_t> places_;
  std::map<WantedSections, std::vector<size_t>> candidates_;
  std::map<WantedSections, size_t> most_frequent_;
};

/// The prior's report, or the most frequent one for a study without prior, or whose prior has none
/// of the sections.
/// \param prior nullptr: none
ChosenReport copy_prior(const data::Study* prior, const WantedSections& wanted, ReportPool& pool);

/// A vector of length 1, or of zeros; empty for a study without image.
using Embedding = std::vector<float>;
/// At length 1, where it is not all zeros.
Embedding unit(Embedding embedding);
struct Neighbour {
  size_t index = 0;       ///< into the bank
  double similarity = 0;  ///< cosine
};
/// The candidate (index into `bank`) of the largest cosine with `query`, of several the first;
/// nullopt if there is none with an image. \param except does not count: the study itself
std::optional<Neighbour> nearest_of(const Embedding& query, const std::vector<Embedding>& bank,
                                    const std::vector<size_t>& candidates,
                                    std::optional<size_t> except = std::nullopt);

}  // namespace unirg::policy
