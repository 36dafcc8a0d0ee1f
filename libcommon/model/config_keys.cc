// SPDX-License-Identifier: Apache-2.0
#include "model/config_keys.h"

#include <fmt/format.h>

#include "base/error.h"
#include "io/atomic_file.h"

namespace unirg::model {

Json read_json_object(const std::filesystem::path& file) {
  Json object = Json::parse(io::read_file(file), nullptr, /*allow_exceptions=*/false);
  if (object.is_discarded())
    throw Error(Exit::data, fmt::format("{}: not valid JSON", file.string()));
  if (!object.is_object())
    throw Error(Exit::data, fmt::format("{}: not a JSON object", file.string()));
  return object;
}

bool Keys::has(const char* key) const {
  return object_.contains(key) && !object_.at(key).is_null();
}

void Keys::fail(const std::string& why) const {
  throw Error(Exit::data, fmt::format("{}: {}", where_, why));
}

void Keys::fail(const char* key, const std::string& why) const {
  fail(fmt::format("key '{}': {}", key, why));
}

int64_t Keys::integer(const char* key, int64_t otherwise) const {
  if (!has(key)) return otherwise;
  if (!at(key).is_number_integer()) fail(key, "expected integer");
  return at(key).get<int64_t>();
}

int64_t Keys::integer(const char* key) const {
  if (!has(key)) fail(fmt::format("key '{}' is missing", key));
  return integer(key, 0);
}

std::vector<int64_t> Keys::integers(const char* key, const std::vector<int64_t>& otherwise) const {
  if (!has(key)) return otherwise;
  const auto values = io::Fields(object_).integers(key);
  if (!values) fail(values.error().reason);
  return *values;
}

int64_t Keys::positive(const char* key) const {
  (void)integer(key);
  return positive(key, 0);
}

int64_t Keys::positive(const char* key, int64_t otherwise, int64_t largest) const {
  if (!has(key)) return otherwise;
  const int64_t value = integer(key);
  if (value < 1 || value > largest) fail(key, fmt::format("must be 1 to {}", largest));
  return value;
}

double Keys::number(const char* key, double otherwise) const {
  if (!has(key)) return otherwise;
  if (!at(key).is_number()) fail(key, "expected number");
  return at(key).get<double>();
}

bool Keys::boolean(const char* key, bool otherwise) const {
  if (!has(key)) return otherwise;
  if (!at(key).is_boolean()) fail(key, "expected true or false");
  return at(key).get<bool>();
}

std::string Keys::string(const char* key, const std::string& otherwise) const {
  if (!has(key)) return otherwise;
  if (!at(key).is_string()) fail(key, "expected string");
  return at(key).get<std::string>();
}

Keys Keys::child(const char* key) const {
  if (!has(key) || !at(key).is_object()) fail(key, "expected object");
  return {at(key), where_ + ": " + key};
}

}  // namespace unirg::model
