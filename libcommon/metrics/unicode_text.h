// The few things of Python's str that published metrics lean on, on UTF-8 text (ICU behind them).
// Bytes that are no UTF-8 count as U+FFFD. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace unirg::metrics {

/// The code point at `at`, which moves behind it.
char32_t next_code_point(std::string_view text, size_t& at);
void append_code_point(std::string& text, char32_t c);

/// str.split(): words between white space of any kind, U+00A0 and U+001C..1F included.
std::vector<std::string> unicode_words(std::string_view text);
bool is_python_space(char32_t c);
/// \w of Python's re: letters, numbers of any kind, '_'.
bool is_word_character(char32_t c);
/// Lower case code point by code point; ASCII at once.
std::string lower_case(std::string_view text);

}  // namespace unirg::metrics
