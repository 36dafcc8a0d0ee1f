// One sentence on its way through the labeler: matches sorted into layers, then cues, attributes
// and merging. Internal to text/labeler.cc. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "text/labeler.h"
#include "text/phrase_matcher.h"

namespace unirg::text {

/// What a phrase is for. Layers are matched apart from each other.
enum class Layer : uint8_t { finding, normal, cue, location, severity, change };
enum class Cue : uint8_t {
  negation_before,
  negation_after,
  uncertainty_before,
  uncertainty_after,
  uncertainty_between,
  ignore_before,
  no_cue,
  scope_end,
  clause_break,
  clause_opener,
  list_word
};

/// What a matcher payload stands for: a rule of the lexicon, or a kind of cue.
struct PhraseUse {
  Layer layer = Layer::finding;
  int32_t rule = 0;  ///< index into the lexicon's list of that layer; for cues a Cue
};

/// The entities of one sentence, in order of place.
std::vector<Entity> read_sentence(const Lexicon& lexicon, const std::vector<PhraseUse>& uses,
                                  const PhraseMatcher& matcher, std::string_view text,
                                  Span sentence, int index);

}  // namespace unirg::text
