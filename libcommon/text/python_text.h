// Characters and strings as Python's `str` and `re` see them: published metrics are written in
// Python, and their tokens hang on its idea of a blank or a letter. Depends on nothing (ICU in the
// source). Source: Python 3.11, documentation of str and re. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace unirg::text {

/// str.isspace() and `\s`.
bool is_python_space(char32_t c);
/// `\w`: str.isalnum() or '_'. Marks are none.
bool is_python_word(char32_t c);
bool is_python_alnum(char32_t c);
bool is_python_digit(char32_t c);
bool is_python_upper(char32_t c);
bool is_python_lower(char32_t c);

/// str.lower(): every character, final sigma included. \param text valid UTF-8
std::string python_lower(std::string_view text);
/// str.strip(). \param text valid UTF-8
std::string_view python_strip(std::string_view text);
/// str.split(): parts of `text` between runs of blanks, none empty. \param text valid UTF-8
std::vector<std::string_view> python_split(std::string_view text);
/// The characters of a text. Broken UTF-8 counts as U+FFFD.
std::u32string code_points(std::string_view utf8);
std::string to_utf8(std::u32string_view characters);

}  // namespace unirg::text
