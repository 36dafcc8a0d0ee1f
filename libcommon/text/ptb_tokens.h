// Penn Treebank tokens as COCO caption evaluation makes them: what Stanford's PTBTokenizer 3.4.1
// prints for "-preserveLines -lowerCase" (PyPI pycocoevalcap 1.2 runs it), and COCO's text of them.
// Written from its documented behaviour and checked against the original's output. Thread-safe.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace unirg::text {

/// The tokens of one text, in lower case: brackets as "-lrb-" and so on, quotes as "``" and "''",
/// dashes as "--", three points as "...". A token may hold a no-break space (a telephone number, a
/// mixed fraction). Line ends of any kind are spaces; bytes that are no UTF-8 count as U+FFFD,
/// which like other characters that the original calls untokenizable is dropped. What stands behind
/// the text is its end, while upstream looks on into the next caption; that shows in a last word
/// like "etc.", and there only in a full stop that coco_text() drops.
std::vector<std::string> ptb_tokens(std::string_view text);

/// The tokens without COCO's list of punctuation ('' ' `` ` -LRB- -RRB- -LCB- -RCB- . ? ! , : - --
/// ... ;), joined by single spaces. The brackets of that list are in capitals and the tokens are
/// not, so brackets stay, as upstream.
std::string coco_text(std::string_view text);

}  // namespace unirg::text
