// SPDX-License-Identifier: Apache-2.0
#include "io/gzip.h"

#include <fmt/format.h>
#include <zlib.h>

#include <array>

#include "base/error.h"
#include "io/atomic_file.h"

namespace unirg::io {
namespace {

/// An inflater of gzip members that is closed whatever happens.
class Inflater {
 public:
  Inflater() {
    // 16: a gzip header is expected, not a zlib one.
    if (inflateInit2(&stream_, 16 + MAX_WBITS) != Z_OK)
      throw Error(Exit::internal, "zlib cannot be initialised");
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  z_stream& stream() { return stream_; }

 private:
  z_stream stream_{};
};

}  // namespace

std::string gunzip(std::string_view bytes, const std::string& name, int64_t limit) {
  const auto refuse = [&](const char* why) {
    throw Error(Exit::data, fmt::format("'{}': {}", name, why));
  };
  Inflater inflater;
  z_stream& stream = inflater.stream();
  std::string out;
  std::array<char, 1 << 16> block{};
  int status = Z_OK;
  while (true) {
    if (stream.avail_in == 0 && !bytes.empty()) {
      // zlib counts in 32 bits.
      const std::string_view part = bytes.substr(0, 1 << 30);
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(part.data()));
      stream.avail_in = static_cast<uInt>(part.size());
      bytes.remove_prefix(part.size());
    }
    if (status == Z_STREAM_END) {
      if (stream.avail_in == 0) return out;
      inflateReset(&stream);  // the next member
    }
    stream.next_out = reinterpret_cast<Bytef*>(block.data());
    stream.avail_out = static_cast<uInt>(block.size());
    const bool had_input = stream.avail_in > 0;
    status = inflate(&stream, Z_NO_FLUSH);
    out.append(block.data(), block.size() - stream.avail_out);
    if (static_cast<int64_t>(out.size()) > limit) refuse("unpacks to more than may be read");
    if (status == Z_BUF_ERROR || (status == Z_OK && !had_input && stream.avail_out > 0))
      refuse("ends early: not a whole gzip file");
    if (status != Z_OK && status != Z_STREAM_END) refuse("not a gzip file, or damaged");
  }
}

std::filesystem::path without_gz(const std::filesystem::path& path) {
  return path.extension() == ".gz" ? std::filesystem::path(path).replace_extension() : path;
}

std::string read_unpacked(const std::filesystem::path& path) {
  std::string bytes = read_file(path);
  return path.extension() == ".gz" ? gunzip(bytes, path.string()) : bytes;
}

}  // namespace unirg::io
