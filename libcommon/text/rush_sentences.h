// Sentences as RaTEScore cuts reports: RuSH's spans, set on the tokens of spaCy's English
// tokenizer, trimmed, those of fewer than 3 characters dropped. Depends on text/rush_rules.h.
// Source: packages PyRuSH 1.0.13 (segToSentenceSpans, split gaps), medspaCy 1.3.1, ratescore 0.6.0
// (sentence_split), spaCy 3.7 (English tokenizer: affixes and infixes; of its exceptions, units and
// symbols only what a sentence can begin or end at).
//
// Known limit: where RuSH has several captures that overlap, PyRuSH's choice is random; ours is
// fixed.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "text/rush_rules.h"

namespace unirg::text {

/// RuSH's sentences, in order. \param text characters
std::vector<CharSpan> rush_spans(const RushRules& rules, std::u32string_view text);

/// Where spaCy's English tokenizer begins a token, in order; blanks beyond one behind a word are
/// tokens.
std::vector<size_t> spacy_token_starts(std::u32string_view text);

/// Sentences of a report. Broken UTF-8 counts as U+FFFD.
std::vector<std::string> rush_sentences(const RushRules& rules, std::string_view report);

}  // namespace unirg::text
