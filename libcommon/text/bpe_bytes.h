// GPT-2's byte alphabet: each byte as a printable character, as vocab.json and tokenizer.json spell
// tokens. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace unirg::text {

/// Bytes to their spelling: printable ASCII and Latin-1 as themselves, the other 68 bytes as U+0100
/// and up.
std::string spell_bytes(std::string_view bytes);
/// The inverse; nullopt if the text holds a character outside the alphabet.
std::optional<std::string> unspell_bytes(std::string_view spelling);
/// Valid UTF-8: each maximal broken sequence replaced by U+FFFD.
std::string replace_broken_utf8(std::string_view bytes);
/// True for bytes that are UTF-8 from end to end.
bool is_utf8(std::string_view bytes);
/// Bytes at the end that begin a character and lack its rest: 0 to 3.
size_t unfinished_utf8(std::string_view bytes);

}  // namespace unirg::text
