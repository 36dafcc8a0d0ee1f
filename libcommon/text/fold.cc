// SPDX-License-Identifier: Apache-2.0
#include "text/fold.h"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/uscript.h>

#include <algorithm>

#include "base/error.h"
#include "text/bpe_bytes.h"
#include "text/words.h"

namespace unirg::text {
namespace {

bool is_in_word(UChar32 c) {
  constexpr uint32_t kKept = U_GC_L_MASK | U_GC_M_MASK | U_GC_N_MASK | U_GC_CC_MASK;
  return (U_GET_GC_MASK(c) & kKept) != 0;
}

bool is_word_itself(UChar32 c) {
  UErrorCode status = U_ZERO_ERROR;
  const UScriptCode script = uscript_getScript(c, &status);
  return script == USCRIPT_HAN || script == USCRIPT_HIRAGANA || script == USCRIPT_KATAKANA ||
         script == USCRIPT_HANGUL;
}

const icu::Normalizer2& nfkc_casefold() {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* normalizer = icu::Normalizer2::getNFKCCasefoldInstance(status);
  if (U_FAILURE(status) != 0) throw Error(Exit::internal, "ICU has no data to fold case");
  return *normalizer;
}

}  // namespace

std::string fold_words(std::string_view text) {
  std::string out(text);
  if (std::all_of(text.begin(), text.end(),
                  [](char c) { return static_cast<uint8_t>(c) < 0x80; })) {
    std::transform(out.begin(), out.end(), out.begin(), lower);
    return out;
  }
  UErrorCode status = U_ZERO_ERROR;
  const icu::UnicodeString folded =
      nfkc_casefold().normalize(icu::UnicodeString::fromUTF8(replace_broken_utf8(out)), status);
  if (U_FAILURE(status) != 0) throw Error(Exit::internal, "ICU cannot fold case");
  icu::UnicodeString words;
  for (int32_t at = 0; at < folded.length(); at = folded.moveIndex32(at, 1)) {
    const UChar32 c = folded.char32At(at);
    const bool alone = is_word_itself(c);
    if (alone) words.append(UChar32{' '});
    words.append(is_in_word(c) ? c : UChar32{' '});
    if (alone) words.append(UChar32{' '});
  }
  out.clear();
  words.toUTF8String(out);
  return out;
}

}  // namespace unirg::text
