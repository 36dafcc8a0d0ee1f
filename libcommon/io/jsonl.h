// JSON Lines in and out: one object a line, UTF-8, LF, "schema" first; and the typed access to
// fields that makes "file:line: field 'x': expected number, got string" possible. Depends on base
// and nlohmann::json. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "io/atomic_file.h"

namespace unirg::io {

using Json = nlohmann::ordered_json;

/// "FILE:LINE", for messages.
struct Place {
  std::string file;
  int64_t line = 0;
  [[nodiscard]] std::string text() const;
};

struct JsonLine {
  Json object;
  Place place;
};

/// Reads a JSONL file ("-": standard input) line by line; empty lines are skipped.
class JsonlReader {
 public:
  /// \throws Error(Exit::no_input) if the file cannot be opened
  explicit JsonlReader(const std::filesystem::path& path);
  ~JsonlReader();
  JsonlReader(const JsonlReader&) = delete;
  JsonlReader& operator=(const JsonlReader&) = delete;

  /// Told a line's text and number: whether it is parsed.
  using Wanted = std::function<bool(std::string_view text, int64_t line)>;

  /// The next line, nullopt at the end. The inner Result is bad if the line is not one JSON object.
  /// \param wanted lines it says no to are passed over; none given: every line counts
  /// \throws Error(Exit::io) on a read error
  std::optional<Result<JsonLine>> next(const Wanted& wanted = nullptr);
  /// Where the line given last stands.
  [[nodiscard]] const Place& place() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// One record as its line, LF included. Invalid UTF-8 is an Error(Exit::data), not mended.
std::string json_line(const Json& object);

/// The double whose shortest decimal form is that of the float: 0.1f -> 0.1. Floats in records go
/// through here, so that they are written short and read back to the same float.
double shortest(float value);

/// Typed access to the fields of one record. Each get_* gives a BadRecord naming field, expected
/// and found type.
class Fields {
 public:
  explicit Fields(const Json& object) : object_(object) {}

  Result<std::string> string(std::string_view name) const;
  Result<int64_t> integer(std::string_view name) const;
  Result<double> number(std::string_view name) const;
  /// Missing and null both give nullopt; a wrong type is still an error.
  Result<std::optional<std::string>> optional_string(std::string_view name) const;
  Result<std::optional<int64_t>> optional_integer(std::string_view name) const;
  Result<std::optional<double>> optional_number(std::string_view name) const;
  Result<std::vector<int64_t>> integers(std::string_view name) const;
  Result<std::vector<double>> numbers(std::string_view name) const;
  Result<std::vector<std::string>> strings(std::string_view name) const;
  /// The "schema" field must equal `schema` exactly, e.g. "unirg.study/1".
  Result<bool> schema(std::string_view schema) const;

 private:
  const Json& object_;
};

}  // namespace unirg::io
