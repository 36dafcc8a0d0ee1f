// What a network said of a text, kept on disk: one file for each text, written atomically, so that
// processes may share a folder. An entry is used only if it says what it is and its digest agrees;
// any other is computed anew, with a warning. Depends on io. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace unirg::scoring {

using Warn = std::function<void(const std::string&)>;

/// Thread-safe. FOLDER/DD/REST: the digest of settings and text, its first two digits apart.
class NetCache {
 public:
  /// Keeps nothing.
  NetCache() = default;
  /// \param settings everything besides the text that a value depends on: weights, switches, the
  /// layout of values
  /// \throws Error(Exit::cannot_create) if the folder cannot be made
  NetCache(std::filesystem::path folder, std::string settings, Warn warn);

  /// nullopt if there is no sound entry.
  [[nodiscard]] std::optional<std::string> get(std::string_view text) const;
  /// \throws Error(Exit::cannot_create), Error(Exit::io)
  void put(std::string_view text, std::string_view value) const;

 private:
  [[nodiscard]] std::string key(std::string_view text) const;
  [[nodiscard]] std::filesystem::path file(const std::string& key) const;

  std::filesystem::path folder_;
  std::string settings_;
  Warn warn_;
};

/// Values as bytes: numbers little-endian as they lie in memory, strings with their length.
class ByteWriter {
 public:
  void integer(int64_t value);
  void string(std::string_view value);
  void floats(const std::vector<float>& values);
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}
  /// \throws Error(Exit::data) where the bytes end too early or a length cannot be
  int64_t integer();
  std::string string();
  std::vector<float> floats();

 private:
  std::string_view take(uint64_t count);
  std::string_view bytes_;
};

}  // namespace unirg::scoring
