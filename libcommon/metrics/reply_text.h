// White space as Python's str.split() and \s see it, which is what the published judges' code cuts
// prompts and replies by. Pure strings. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace unirg::metrics {

/// Bytes of the white space character (Unicode's) at the start of `text`; 0 if there is none.
size_t blank_bytes(std::string_view text);
std::string_view skip_blanks(std::string_view text);
/// Without white space at both ends.
std::string_view strip_blanks(std::string_view text);

/// The first `words` words, joined by one blank each: " ".join(text.split()[:words]).
/// \param words >= 0; 0: all
std::string first_words(std::string_view text, int64_t words);

}  // namespace unirg::metrics
