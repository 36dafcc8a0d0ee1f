// SPDX-License-Identifier: Apache-2.0
#include "scoring/net_cache.h"

#include <fmt/format.h>

#include <bit>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/hash.h"
#include "io/atomic_file.h"

namespace unirg::scoring {
namespace {

static_assert(std::endian::native == std::endian::little,
              "values are stored as they lie in memory");

constexpr std::string_view kMagic = "unirg.net-cache/1";

/// The first line of an entry.
std::string head(const std::string& key, std::string_view value) {
  return fmt::format("{} {} {}\n", kMagic, key, sha256_hex(value));
}

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
  return folder_ / key.substr(0, 2) / key.substr(2);
}

std::optional<std::string> NetCache::get(std::string_view text) const {
  if (folder_.empty()) return std::nullopt;
  const std::string k = key(text);
  const std::filesystem::path path = file(k);
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return std::nullopt;
  const std::string bytes = io::read_file(path);
  const size_t line = bytes.find('\n');
  std::string value = line == std::string::npos ? "" : bytes.substr(line + 1);
  if (line != std::string::npos && bytes.compare(0, line + 1, head(k, value)) == 0) return value;
  if (warn_) warn_(fmt::format("cache entry '{}' is damaged; it is computed anew", path.string()));
  return std::nullopt;
}

void NetCache::put(std::string_view text, std::string_view value) const {
  if (folder_.empty()) return;
  const std::string k = key(text);
  const std::filesystem::path path = file(k);
  io::make_folders(path.parent_path());
  io::write_file(path, head(k, value) + std::string(value), io::AtomicFile::Kind::cache_entry);
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
