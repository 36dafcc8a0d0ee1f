// SPDX-License-Identifier: Apache-2.0
#include "text/token_json.h"

#include <fmt/format.h>

#include "base/error.h"
#include "io/atomic_file.h"
#include "text/token_classes.h"

namespace unirg::text {

void refuse_file(const std::filesystem::path& file, const std::string& why) {
  throw Error(Exit::data, fmt::format("'{}': {}", file.string(), why));
}

Document parse_json_file(const std::filesystem::path& file) {
  Document object = Document::parse(io::read_file(file), nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) refuse_file(file, "not a JSON object");
  return object;
}

bool is_token_id(const Document& value) {
  if (!value.is_number_integer()) return false;
  const auto id = value.get<int64_t>();  // an unsigned number too large comes out negative
  return id >= 0 && id <= kLargestTokenId;
}

void Node::refuse(const std::string& why) const {
  refuse_file(*file_, place_.empty() ? why : fmt::format("{}: {}", place_, why));
}

std::optional<Node> Node::find(const char* key) const {
  if (!value_->is_object()) return std::nullopt;
  const auto it = value_->find(key);
  if (it == value_->end() || it->is_null()) return std::nullopt;
  return Node(*file_, *it, place_.empty() ? key : fmt::format("{}.{}", place_, key));
}

Node Node::at(const char* key) const {
  const auto found = find(key);
  if (!found) refuse(fmt::format("key '{}' is missing", key));
  return *found;
}

std::vector<Node> Node::items() const {
  if (!value_->is_array()) refuse("expected an array");
  std::vector<Node> out;
  for (const Document& item : *value_) out.emplace_back(*file_, item, place_);
  return out;
}

std::string Node::string() const {
  if (!value_->is_string()) refuse("expected a string");
  return value_->get<std::string>();
}

int64_t Node::integer() const {
  if (!value_->is_number_integer()) refuse("expected an integer");
  return value_->get<int64_t>();
}

double Node::number() const {
  if (!value_->is_number()) refuse("expected a number");
  return value_->get<double>();
}

int64_t Node::token_id() const {
  if (!is_token_id(*value_)) refuse("expected a token id");
  return value_->get<int64_t>();
}

std::optional<std::string> Node::optional_string(const char* key) const {
  const auto found = find(key);
  return found ? std::optional(found->string()) : std::nullopt;
}

std::optional<bool> Node::optional_flag(const char* key) const {
  const auto found = find(key);
  if (!found) return std::nullopt;
  if (!found->value().is_boolean()) found->refuse("expected true or false");
  return found->value().get<bool>();
}

bool Node::flag(const char* key, bool fallback) const {
  return optional_flag(key).value_or(fallback);
}

std::string Node::character(const char* key) const {
  const std::string text = string(key);
  size_t at = 0;
  if (!text.empty()) next_char(text, at);
  if (text.empty() || at != text.size()) refuse(fmt::format("key '{}' is not one character", key));
  return text;
}

}  // namespace unirg::text
