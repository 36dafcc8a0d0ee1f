// SPDX-License-Identifier: Apache-2.0
#include "scoring/net_cache.h"

#include <fmt/format.h>

#include <bit>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/hash.h"
#include "io/atomic_file.h"
#include "io/cache_entry.h"

namespace unirg::scoring {
namespace {

static_assert(std::endian::native == std::endian::little,
              "values are stored as they lie in memory");

constexpr std::string_view kMagic = "unirg.net-cache/1";

}  // namespace

NetCache::NetCache(std::filesystem::path folder, std::string settings, Warn warn)
    : folder_(std::move(folder)), settings_(std::move(settings)), warn_(std::move(warn)) {
  io::make_folders(folder_);
}

std::string NetCache::key(std::string_view text) const {
  Sha256 sha;
  sha.update(sha256_hex(settings_));  // of one length: no settings and text can pass for others
  sha.update(text);
  return sha.hex();
}

std::filesystem::path NetCache::file(const std::string& key) const {
  return io::cache_path(folder_, key);
}

std::optional<std::string> NetCache::get(std::string_view text) const {
  if (folder_.empty()) return std::nullopt;
  return io::read_cache_entry(folder_, kMagic, key(text), warn_);
}

void NetCache::put(std::string_view text, std::string_view value) const {
  if (folder_.empty()) return;
  io::write_cache_entry(folder_, kMagic, key(text), value);
}

void ByteWriter::integer(int64_t value) {
  char raw[sizeof value];
  std::memcpy(raw, &value, sizeof value);
  bytes_.append(raw, sizeof value);
}

void ByteWriter::string(std::string_view value) {
  integer(static_cast<int64_t>(value.size()));
  bytes_ += value;
}

void ByteWriter::floats(const std::vector<float>& values) {
  integer(static_cast<int64_t>(values.size()));
  const size_t begin = bytes_.size();
  bytes_.resize(begin + values.size() * sizeof(float));
  if (!values.empty())
    std::memcpy(bytes_.data() + begin, values.data(), values.size() * sizeof(float));
}

std::string_view ByteReader::take(uint64_t count) {
  if (count > bytes_.size()) throw Error(Exit::data, "a stored value ends too early");
  const std::string_view out = bytes_.substr(0, count);
  bytes_.remove_prefix(count);
  return out;
}

int64_t ByteReader::integer() {
  int64_t value = 0;
  std::memcpy(&value, take(sizeof value).data(), sizeof value);
  return value;
}

std::string ByteReader::string() { return std::string(take(static_cast<uint64_t>(integer()))); }

std::vector<float> ByteReader::floats() {
  const auto count = static_cast<uint64_t>(integer());
  if (count > bytes_.size()) throw Error(Exit::data, "a stored value ends too early");
  const std::string_view raw = take(count * sizeof(float));
  std::vector<float> values(count);
  if (count > 0) std::memcpy(values.data(), raw.data(), raw.size());
  return values;
}

}  // namespace unirg::scoring
