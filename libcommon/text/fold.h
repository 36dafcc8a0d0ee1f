// Text as words to compare names by, in any script. ICU stays in the source. Depends on nothing.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace unirg::text {

/// UTF-8 after NFKC and case folding (Unicode Standard 3.13, toNFKC_Casefold): "MÜLLER" and
/// "Müller", composed or not, are equal then. What is neither letter, digit, mark nor control
/// character becomes a blank; ideographs, kana and Hangul syllables get blanks around them, since
/// their scripts do not tell words apart. Of plain ASCII only the letters change. Bytes that are
/// no UTF-8 become blanks, too.
std::string fold_words(std::string_view text);

}  // namespace unirg::text
