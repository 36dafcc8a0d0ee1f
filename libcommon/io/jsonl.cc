// SPDX-License-Identifier: Apache-2.0
#include "io/jsonl.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "base/error.h"

namespace unirg::io {
namespace {

constexpr int kDeepest = 64;  ///< records nest three deep; deeper ones would only exhaust the stack

BadRecord wrong_type(std::string_view name, std::string_view expected, const Json& found) {
  return {fmt::format("field '{}': expected {}, got {}", name, expected, found.type_name())};
}

BadRecord missing(std::string_view name) { return {fmt::format("field '{}' is missing", name)}; }

template <typename T>
bool holds(const Json& value) {
  if constexpr (std::is_same_v<T, std::string>) {
    return value.is_string();
  } else if constexpr (std::is_same_v<T, int64_t>) {
    return value.is_number_integer();
  } else {
    return value.is_number();
  }
}

template <typename T>
constexpr std::string_view kTypeName = std::is_same_v<T, std::string> ? "string"
                                       : std::is_same_v<T, int64_t>   ? "integer"
                                                                      : "number";

template <typename T>
Result<std::optional<T>> optional_field(const Json& object, std::string_view name) {
  const auto it = object.find(name);
  if (it == object.end() || it->is_null()) return std::optional<T>();
  if (!holds<T>(*it)) return tl::unexpected(wrong_type(name, kTypeName<T>, *it));
  return std::optional<T>(it->template get<T>());
}

template <typename T>
Result<T> required_field(const Json& object, std::string_view name) {
  const auto it = object.find(name);
  if (it == object.end()) return tl::unexpected(missing(name));
  if (!holds<T>(*it)) return tl::unexpected(wrong_type(name, kTypeName<T>, *it));
  return it->template get<T>();
}

template <typename T>
Result<std::vector<T>> array_field(const Json& object, std::string_view name) {
  const auto it = object.find(name);
  if (it == object.end()) return tl::unexpected(missing(name));
  if (!it->is_array()) return tl::unexpected(wrong_type(name, "array", *it));
  std::vector<T> values;
  values.reserve(it->size());
  for (const Json& value : *it) {
    if (!holds<T>(value)) {
      return tl::unexpected(
          wrong_type(fmt::format("{}[{}]", name, values.size()), kTypeName<T>, value));
    }
    values.push_back(value.template get<T>());
  }
  return values;
}

}  // namespace

std::string Place::text() const { return fmt::format("{}:{}", file, line); }

struct JsonlReader::Impl {
  std::FILE* stream = nullptr;
  bool owned = false;
  Place place;
  char* line = nullptr;
  size_t capacity = 0;
};

JsonlReader::JsonlReader(const std::filesystem::path& path) : impl_(std::make_unique<Impl>()) {
  impl_->place.file = path.string();
  impl_->owned = !is_stream(path);
  impl_->stream = impl_->owned ? std::fopen(path.c_str(), "re") : stdin;
  if (!impl_->stream) throw Error(Exit::no_input, fmt::format("cannot open '{}'", path.string()));
}

JsonlReader::~JsonlReader() {
  std::free(impl_->line);  // NOLINT: allocated by getline
  if (impl_->owned) std::fclose(impl_->stream);
}

std::optional<Result<JsonLine>> JsonlReader::next(const Wanted& wanted) {
  for (;;) {
    const ssize_t n = ::getline(&impl_->line, &impl_->capacity, impl_->stream);
    if (n < 0) {
      if (std::ferror(impl_->stream)) {
        throw Error(Exit::io, fmt::format("cannot read '{}'", impl_->place.file));
      }
      return std::nullopt;
    }
    ++impl_->place.line;
    const std::string_view text(impl_->line, static_cast<size_t>(n));
    if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) continue;
    if (wanted && !wanted(text, impl_->place.line)) continue;
    try {
      bool too_deep = false;
      const auto watch = [&](int depth, Json::parse_event_t, Json&) {
        too_deep |= depth > kDeepest;
        return depth <= kDeepest;
      };
      Json object = Json::parse(text, watch);
      if (too_deep) return bad_record(fmt::format("nested more than {} deep", kDeepest));
      if (!object.is_object()) return bad_record("not a JSON object");
      return JsonLine{std::move(object), impl_->place};
    } catch (const Json::out_of_range&) {  // 1e999
      return bad_record("a number is too large for a double");
    } catch (const Json::parse_error& e) {
      return bad_record(
          fmt::format("not valid JSON at byte {} of the line (hint: one object a line)", e.byte));
    }
  }
}

const Place& JsonlReader::place() const { return impl_->place; }

std::string json_line(const Json& object) {
  try {
    return object.dump() + "\n";
  } catch (const Json::type_error&) {
    throw Error(Exit::data, "a record holds invalid UTF-8");
  }
}

double shortest(float value) {
  if (!std::isfinite(value)) return value;
  char text[32];
  const auto written = std::to_chars(text, text + sizeof text, value);
  double result = 0;
  std::from_chars(text, written.ptr, result);
  return result;
}

Result<std::string> Fields::string(std::string_view name) const {
  return required_field<std::string>(object_, name);
}
Result<int64_t> Fields::integer(std::string_view name) const {
  return required_field<int64_t>(object_, name);
}
Result<double> Fields::number(std::string_view name) const {
  return required_field<double>(object_, name);
}
Result<std::optional<std::string>> Fields::optional_string(std::string_view name) const {
  return optional_field<std::string>(object_, name);
}
Result<std::optional<int64_t>> Fields::optional_integer(std::string_view name) const {
  return optional_field<int64_t>(object_, name);
}
Result<std::optional<double>> Fields::optional_number(std::string_view name) const {
  return optional_field<double>(object_, name);
}
Result<std::vector<int64_t>> Fields::integers(std::string_view name) const {
  return array_field<int64_t>(object_, name);
}
Result<std::vector<double>> Fields::numbers(std::string_view name) const {
  return array_field<double>(object_, name);
}
Result<std::vector<std::string>> Fields::strings(std::string_view name) const {
  return array_field<std::string>(object_, name);
}

Result<bool> Fields::schema(std::string_view schema) const {
  const auto found = string("schema");
  if (!found) return tl::unexpected(found.error());
  if (*found != schema) {
    return bad_record(fmt::format("field 'schema': expected '{}', got '{}'", schema, *found));
  }
  return true;
}

}  // namespace unirg::io
