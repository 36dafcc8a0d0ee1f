// Porter's stemmer with the extensions of nltk, which rouge-score stems with: not the stemmer of
// Snowball, which has neither the extensions nor nltk's irregular words. Pure strings.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace unirg::metrics {

/// The stem of a lower-case word of [a-z0-9]; digits count as consonants. Words of one or two
/// letters stem to themselves.
/// \see Porter 1980, "An algorithm for suffix stripping"; nltk 3.10, PorterStemmer in its mode
/// NLTK_EXTENSIONS
std::string porter_stem(std::string_view word);

}  // namespace unirg::metrics
