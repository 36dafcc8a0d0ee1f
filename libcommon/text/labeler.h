// The rule labeler: which of CheXpert's 14 conditions a report states, denies or doubts, and each
// mention with its place, severity and change. All words come from a Lexicon; the rules here are
// those of NegEx (Chapman et al. 2001) and of the CheXpert labeler (Irvin et al. 2019, section 3)
// in spirit, written anew. Depends on lexicon.h, phrase_matcher.h, sentences.h.
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

#include "text/lexicon.h"
#include "text/words.h"

namespace unirg::text {

enum class Presence { negative, uncertain, positive };

/// One statement about a condition.
struct Entity {
  size_t condition = 0;  ///< index into kConditions, never kNoFinding
  std::string kind;      ///< the lexicon's finer name, e.g. "pacemaker"
  Presence presence = Presence::positive;
  bool implied = false;  ///< negative only by what a statement of normality about others implies
  std::set<std::string> locations;  ///< lexicon values, e.g. {"base", "left"}
  std::string severity;             ///< lexicon value, e.g. "mild", or ""
  std::string change;               ///< lexicon value, e.g. "new", or ""
  int sentence = 0;                 ///< index into split_sentences(text)
  Span span;                        ///< bytes of `text` from the phrase's first to its last word
};

/// By condition: 1 stated, 0 denied, -1 uncertain, nullopt not mentioned.
using Labels = std::array<std::optional<int>, kConditions.size()>;

struct Reading {
  Labels labels{};
  std::vector<Entity> entities;  ///< in order of sentence, then of place
};

/// Labels from entities. Per condition positive beats uncertain beats negative. No Finding is 1 if
/// no other condition but Support Devices is positive or uncertain (CheXpert's rule), else 0 (blank
/// there).
Labels labels_of(const std::vector<Entity>& entities);

/// Immutable; read() may be called from many threads.
///
/// Rules, sentence by sentence:
/// - Of phrases that begin at one word, the one with the fewest skipped words wins, then the
/// longer;
///   phrases do not overlap, left before right.
/// - A negation or doubt before a finding reaches it unless a stop (";", ":", ...) or a scope end
///   ("but") lies between. A comma ends a negation when an article or an attribute follows it and
///   no "or" shows that the list goes on: "no pneumothorax, small left effusion". Doubt also ends
///   at "and", "with", and at a comma unless an "or" follows it: "may be edema, pneumonia or both".
///   Cues after a finding reach back to the nearest such break.
/// - An "or" right between two findings doubts both ("atelectasis or scar"), unless they are
/// negated.
/// - Negation beats doubt.
/// - A statement of normality is dropped where its sentence states or doubts the same condition.
/// - An attribute belongs to the finding around it, else to the next one without a break between,
///   else to the one before; commas, clause breaks and cues are breaks. Behind a break the one
///   before is the thing itself, not its doubtful reading: "opacity concerning for pneumonia, new".
/// - Entities of one condition and kind in one sentence that agree in presence, or of which one
///   doubts what the other states, are one, unless both name places and share none.
/// Text without any word has no label at all, not even No Finding.
class Labeler {
 public:
  /// \throws Error(Exit::config) naming a phrase whose syntax is wrong
  explicit Labeler(const Lexicon& lexicon);
  /// \throws what load_lexicon() throws
  explicit Labeler(const std::filesystem::path& lexicon_file)
      : Labeler(load_lexicon(lexicon_file)) {}

  [[nodiscard]] Reading read(std::string_view text) const;
  /// The lexicon's version, for metric signatures.
  [[nodiscard]] const std::string& version() const;
  /// SHA-256 of the lexicon's text, 64 hex digits; "" for a lexicon made by hand.
  [[nodiscard]] const std::string& digest() const;

 private:
  struct Compiled;
  std::shared_ptr<const Compiled> compiled_;
};

}  // namespace unirg::text
