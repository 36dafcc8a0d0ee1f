// How a report compares with the study before: its comparison statements ("the effusion has
// increased"), and from them the five temporal classes of UniRG (arXiv:2601.17151, Fig. 3c: first
// study, new development, no change, progression, regression). The paper had GPT-5 label the
// reference reports; these are rules, so that everybody gets the same classes from the same text.
// Words of change are those of the rule labeler's lexicon; share/lexicon/temporal.yaml adds what is
// said about no condition, or only looks like a comparison. Depends on labeler.h, phrase_matcher.h.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/labeler.h"

namespace unirg::text {

/// What a statement says of the time since the prior study; the labeler's names: "new", "worse",
/// "better", "resolved", "same".
enum class Direction : uint8_t { fresh, worse, better, resolved, same };
std::string_view direction_name(Direction direction);

/// One comparison with an earlier study.
struct ComparisonStatement {
  Direction direction = Direction::same;
  std::optional<size_t> condition;  ///< index into kConditions; nullopt: about no condition known
  int sentence = 0;                 ///< index into split_sentences(text)
  Span span;                        ///< bytes of `text`, the words of change
};

/// In the paper's order.
enum class TemporalClass : uint8_t {
  first_study,
  new_development,
  no_change,
  progression,
  regression
};
/// "first study", "new development", "no change", "progression", "regression"
std::string_view temporal_name(TemporalClass temporal);
/// The inverse; nullopt for another name.
std::optional<TemporalClass> temporal_class(std::string_view name);

/// The class of a study that has a prior, from what its report says. Of several statements the one
/// counts that asks most of a reader: new, then worse, then better or resolved, then the same; a
/// report without any says that nothing changed. A tube or line that came, moved or went is no
/// development: statements about Support Devices count as "same".
TemporalClass class_of(const std::vector<ComparisonStatement>& statements);

/// Phrases in the syntax of phrase_matcher.h.
struct TemporalLexicon {
  std::string version;  ///< free text
  std::string digest;   ///< SHA-256 of the file's bytes, 64 hex digits
  std::vector<std::pair<Direction, std::vector<std::string>>> directions;
  std::vector<std::string> ignored;  ///< look like a comparison and are none
  std::vector<std::string> denial;   ///< "no": what follows is not there, nor is its change
};
/// \throws Error(Exit::no_input) if the file cannot be opened; Error(Exit::config) naming file,
/// line and key for an unknown or missing key, or what is no list of texts
TemporalLexicon load_temporal_lexicon(const std::filesystem::path& path);
/// The same from text; `name` stands for the file in messages.
TemporalLexicon parse_temporal_lexicon(const std::string& yaml, const std::string& name);

/// Immutable; may be called from many threads.
///
/// Rules, sentence by sentence:
/// - Of phrases that begin at one word, the one with the fewest skipped words wins, then the
/// longer;
///   phrases do not overlap, left before right. So "no interval change" is the same, and "increased
///   lung markings" is nothing.
/// - A break is a comma, a stop, a scope end or a clause break of the labeler's lexicon ("but",
///   "and").
/// - A denial reaches "new", "worse" and "better" up to the next break: "no new or increased
///   opacity" is no statement.
/// - A statement is about the nearest condition of the sentence without a break between, of two as
///   near the one behind; else, behind a comma, about the condition before it: "small effusion,
///   increased from prior".
///   Where the sentence denies that condition ("no effusion, or new opacity"), "new" and "worse"
///   are no statements about it.
/// - Doubt does not count: "possibly new" is new.
class TemporalReader {
 public:
  /// \param chest of the labeler; those of its words of change count whose value is the name of a
  /// direction \throws Error(Exit::config) naming a phrase whose syntax is wrong
  TemporalReader(const Lexicon& chest, const TemporalLexicon& temporal);
  /// \throws what the two loaders throw
  TemporalReader(const std::filesystem::path& chest, const std::filesystem::path& temporal)
      : TemporalReader(load_lexicon(chest), load_temporal_lexicon(temporal)) {}

  /// \param report findings and impression as prose, without the text of other studies
  /// \returns in order of place
  [[nodiscard]] std::vector<ComparisonStatement> statements(std::string_view report) const;
  /// class_of(statements(report)), or the first study's class without a prior, whatever it says.
  [[nodiscard]] TemporalClass classify(std::string_view report, bool has_prior) const;
  /// "temporal:rule|lexicon:V@D|temporal:V@D|v1", V a version and D 12 hex digits of the digest.
  [[nodiscard]] const std::string& signature() const;

 private:
  struct Compiled;
  std::shared_ptr<const Compiled> compiled_;
};

}  // namespace unirg::text
