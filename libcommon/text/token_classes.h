// Classes of characters as the `tokenizers` library sees them: some of its tables are older than
// ours, and a tokenizer must agree with it, not with Unicode. Depends on nothing (ICU in the
// source).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace unirg::text {

/// The character at `at`, which moves past it. \param text valid UTF-8, at < text.size()
char32_t next_char(std::string_view text, size_t& at);
/// The character that ends at `at`, which moves before it. \param text valid UTF-8, at > 0
char32_t previous_char(std::string_view text, size_t& at);
void append_char(std::string& out, char32_t c);
bool is_ascii(std::string_view text);

/// White_Space.
bool is_white(char32_t c);
/// `\w` of Rust's regular expressions.
bool is_word(char32_t c);
/// Categories Nd, Nl, No.
bool is_numeric(char32_t c);
/// ASCII symbols, or category P as of Unicode 8.
bool is_punctuation(char32_t c);
/// Categories Cc, Cf, Co as of Unicode 8, but tab, line feed and carriage return.
bool is_control(char32_t c);
/// Category Mn as of Unicode 8.
bool is_nonspacing_mark(char32_t c);
/// Category M as of Unicode 9.
bool is_combining_mark(char32_t c);
/// CJK ideographs by BERT's ranges.
bool is_ideograph(char32_t c);
/// Lower case of one character, without a look at its neighbours.
void append_lower(std::string& out, char32_t c);

}  // namespace unirg::text
