// Sentences of radiology reports. Depends on text/words.h.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "text/words.h"

namespace unirg::text {

/// The sentences of `text` in order, trimmed, none empty; byte ranges into `text`.
/// A sentence ends at '.', '?' or '!' that is followed by white space or the end, and at a blank
/// line or the line before an item mark. Not an end: the point of a decimal number ("1.5 cm"), of
/// an abbreviation ("Dr.", "vs.", "approx.", an initial behind "by", "with", "to" or "Dr.") or of
/// an item mark
/// ("1. No effusion. 2. ..."), which opens a sentence and is left out of it.
std::vector<Span> split_sentences(std::string_view text);

}  // namespace unirg::text
