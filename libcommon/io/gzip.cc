// SPDX-License-Identifier: Apache-2.0
#include "io/gzip.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "base/error.h"
#include "io/atomic_file.h"

namespace unirg::io {
namespace {

constexpr size_t kPieceBytes = 1 << 18;

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

/// What gzip members hold, a block at a time.
class MemberReader {
 public:
  /// \param more  gives packed bytes, at most 2^30 at once since zlib counts in 32 bits; "" at the
  ///              end
  MemberReader(std::function<std::string_view()> more, std::string name, int64_t limit)
      : more_(std::move(more)), name_(std::move(name)), limit_(limit) {}

  /// A full block, or what is left; valid until the next call, "" at the end.
  std::string_view next() {
    z_stream& stream = inflater_.stream();
    stream.next_out = reinterpret_cast<Bytef*>(block_.data());
    stream.avail_out = static_cast<uInt>(block_.size());
    while (stream.avail_out > 0) {
      if (stream.avail_in == 0) {
        const std::string_view part = more_();
        stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(part.data()));
        stream.avail_in = static_cast<uInt>(part.size());
      }
      if (status_ == Z_STREAM_END) {
        if (stream.avail_in == 0) break;
        inflateReset(&stream);  // the next member
      }
      inflate_more();
    }
    return {block_.data(), block_.size() - stream.avail_out};
  }

 private:
  void inflate_more() {
    z_stream& stream = inflater_.stream();
    const bool had_input = stream.avail_in > 0;
    const uInt room = stream.avail_out;
    status_ = inflate(&stream, Z_NO_FLUSH);
    total_ += room - stream.avail_out;
    if (total_ > limit_) refuse("unpacks to more than may be read");
    if (status_ == Z_BUF_ERROR || (status_ == Z_OK && !had_input && stream.avail_out > 0))
      refuse("ends early: not a whole gzip file");
    if (status_ != Z_OK && status_ != Z_STREAM_END) refuse("not a gzip file, or damaged");
  }
  [[noreturn]] void refuse(const char* why) const {
    throw Error(Exit::data, fmt::format("'{}': {}", name_, why));
  }

  std::function<std::string_view()> more_;
  std::string name_;
  int64_t limit_;
  Inflater inflater_;
  std::array<char, 1 << 16> block_{};
  int status_ = Z_OK;
  int64_t total_ = 0;
};

}  // namespace

std::string gunzip(std::string_view bytes, const std::string& name, int64_t limit) {
  const auto more = [&] {
    const std::string_view part = bytes.substr(0, 1 << 30);
    bytes.remove_prefix(part.size());
    return part;
  };
  MemberReader reader(more, name, limit);
  std::string out;
  for (std::string_view block = reader.next(); !block.empty(); block = reader.next())
    out.append(block);
  return out;
}

struct UnpackedReader::Impl {
  std::filesystem::path path;
  int fd = -1;
  std::vector<char> buffer = std::vector<char>(kPieceBytes);
  std::optional<MemberReader> members;  ///< of a packed file

  ~Impl() {
    if (fd >= 0) ::close(fd);
  }
  /// Bytes as they lie in the file: as many as the buffer takes, or all to the end.
  std::string_view read() {
    size_t size = 0;
    while (size < buffer.size()) {
      const ssize_t n = ::read(fd, buffer.data() + size, buffer.size() - size);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0)
        throw Error(Exit::io,
                    fmt::format("cannot read '{}': {}", path.string(), std::strerror(errno)));
      if (n == 0) break;
      size += static_cast<size_t>(n);
    }
    return {buffer.data(), size};
  }
};

UnpackedReader::UnpackedReader(const std::filesystem::path& path)
    : impl_(std::make_unique<Impl>()) {
  impl_->path = path;
  impl_->fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (impl_->fd < 0)
    throw Error(Exit::no_input,
                fmt::format("cannot open '{}': {}", path.string(), std::strerror(errno)));
  if (path.extension() == ".gz")
    impl_->members.emplace([impl = impl_.get()] { return impl->read(); }, path.string(),
                           kMaxUnpacked);
}

UnpackedReader::~UnpackedReader() = default;

std::string_view UnpackedReader::next() {
  return impl_->members ? impl_->members->next() : impl_->read();
}

std::filesystem::path without_gz(const std::filesystem::path& path) {
  return path.extension() == ".gz" ? std::filesystem::path(path).replace_extension() : path;
}

std::string read_unpacked(const std::filesystem::path& path) {
  std::string bytes = read_file(path);
  return path.extension() == ".gz" ? gunzip(bytes, path.string()) : bytes;
}

}  // namespace unirg::io
