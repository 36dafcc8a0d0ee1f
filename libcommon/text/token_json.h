// Typed access to tokenizer.json and its relatives, whose content may be hostile. Private to the
// text module.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace unirg::text {

/// Not io::Json: that keeps key order in a list, and a vocabulary has 150,000 keys.
using Document = nlohmann::json;

constexpr int64_t kLargestTokenId = 1 << 22;
constexpr size_t kMostSteps = 64;    ///< of one kind of component in a file
constexpr int kDeepestSequence = 8;  ///< of components in components

/// \throws Error(Exit::data) "'FILE': why"
[[noreturn]] void refuse_file(const std::filesystem::path& file, const std::string& why);
/// \throws Error(Exit::data) if the file does not hold a JSON object
Document parse_json_file(const std::filesystem::path& file);
bool is_token_id(const Document& value);

/// A value inside a file with a name for messages, e.g. "normalizer". Getters throw
/// Error(Exit::data) naming file, place and key.
class Node {
 public:
  /// \param file, value must outlive this
  Node(const std::filesystem::path& file, const Document& value, std::string place)
      : file_(&file), value_(&value), place_(std::move(place)) {}

  [[nodiscard]] const Document& value() const { return *value_; }
  [[noreturn]] void refuse(const std::string& why) const;
  /// The member `key`; nullopt if this is no object, or the member is missing or null.
  [[nodiscard]] std::optional<Node> find(const char* key) const;
  [[nodiscard]] Node at(const char* key) const;
  /// The elements of an array.
  [[nodiscard]] std::vector<Node> items() const;

  [[nodiscard]] std::string string() const;
  [[nodiscard]] int64_t integer() const;
  [[nodiscard]] double number() const;
  [[nodiscard]] int64_t token_id() const;
  [[nodiscard]] std::string string(const char* key) const { return at(key).string(); }
  [[nodiscard]] std::optional<std::string> optional_string(const char* key) const;
  [[nodiscard]] bool flag(const char* key, bool fallback) const;
  [[nodiscard]] std::optional<bool> optional_flag(const char* key) const;
  /// Member "type".
  [[nodiscard]] std::string type() const { return string("type"); }
  /// Like string(), of exactly one character.
  [[nodiscard]] std::string character(const char* key) const;

 private:
  const std::filesystem::path* file_;
  const Document* value_;
  std::string place_;
};

}  // namespace unirg::text
