// Reading the keys of a model's JSON files, with messages that name file and key. Depends on io.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "io/jsonl.h"

namespace unirg::model {

using io::Json;

/// \throws Error(Exit::no_input) if the file cannot be opened, Error(Exit::data) if it is not JSON
/// or no object
Json read_json_object(const std::filesystem::path& file);

/// No architecture has a size near this; products of two below it stay far from overflow.
constexpr int64_t kLargestSize = int64_t{1} << 24;
/// Nor so many layers.
constexpr int64_t kMostLayers = 4096;

/// The keys of one object. Every reader throws Error(Exit::data) "FILE: key 'x': ..."; a key that
/// is missing or null counts as absent.
class Keys {
 public:
  /// \param object must outlive this
  Keys(const Json& object, std::string where) : object_(object), where_(std::move(where)) {}

  [[nodiscard]] bool has(const char* key) const;
  [[nodiscard]] bool is_list(const char* key) const { return has(key) && at(key).is_array(); }
  [[nodiscard]] int64_t integer(const char* key, int64_t otherwise) const;
  /// Required.
  [[nodiscard]] int64_t integer(const char* key) const;
  /// Required, 1 .. largest.
  [[nodiscard]] int64_t positive(const char* key) const;
  [[nodiscard]] int64_t positive(const char* key, int64_t otherwise,
                                 int64_t largest = kLargestSize) const;
  [[nodiscard]] std::vector<int64_t> integers(const char* key,
                                              const std::vector<int64_t>& otherwise) const;
  [[nodiscard]] double number(const char* key, double otherwise) const;
  [[nodiscard]] bool boolean(const char* key, bool otherwise) const;
  [[nodiscard]] std::string string(const char* key, const std::string& otherwise) const;
  /// Required.
  [[nodiscard]] Keys child(const char* key) const;
  [[nodiscard]] const Json& at(const char* key) const { return object_.at(key); }
  [[noreturn]] void fail(const std::string& why) const;
  [[noreturn]] void fail(const char* key, const std::string& why) const;

 private:
  const Json& object_;
  std::string where_;
};

}  // namespace unirg::model
