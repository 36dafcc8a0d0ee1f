// The words of METEOR 1.5: its normalisation of English text ("-norm"), its list of function words.
// Written from the behaviour of the published program and checked against it. Pure strings.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace unirg::metrics {

/// Lower-case words as METEOR counts them: punctuation apart (a decimal comma and a full stop
/// within a word stay), hyphens between letters or digits are gaps, apostrophes begin a word
/// ("don 't"), full stops stay with abbreviations and in front of a lower-case word, and are taken
/// out of "u.s.".
std::vector<std::string> meteor_words(std::string_view text);

/// METEOR's function words for English, which weigh less than content words. \param word lower case
bool is_meteor_function_word(std::string_view word);

}  // namespace unirg::metrics
