// SPDX-License-Identifier: Apache-2.0
#include "io/tar.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace unirg::io {
namespace {

constexpr size_t kBlock = 512;

void put_text(std::array<char, kBlock>& header, size_t at, size_t size, std::string_view text) {
  UNIRG_ASSERT(text.size() <= size, "tar header field too long");
  std::memcpy(header.data() + at, text.data(), text.size());
}

void put_octal(std::array<char, kBlock>& header, size_t at, size_t size, uint64_t value) {
  put_text(header, at, size, fmt::format("{:0{}o}", value, size - 1));
}

/// POSIX.1-1988 ustar header of a regular file, mode 0644, owner 0, time 0.
std::array<char, kBlock> make_header(std::string_view name, size_t bytes) {
  std::array<char, kBlock> header{};
  std::string_view prefix = "";  // memcpy takes no null
  if (name.size() > 100) {
    const size_t slash = name.find('/', name.size() - 101);
    UNIRG_ASSERT(slash != std::string_view::npos && slash <= 155, "tar member name too long");
    prefix = name.substr(0, slash);
    name = name.substr(slash + 1);
  }
  put_text(header, 0, 100, name);
  put_octal(header, 100, 8, 0644);
  put_octal(header, 108, 8, 0);
  put_octal(header, 116, 8, 0);
  put_octal(header, 124, 12, bytes);
  put_octal(header, 136, 12, 0);
  put_text(header, 148, 8, "        ");
  header[156] = '0';
  put_text(header, 257, 8, std::string_view("ustar\00000", 8));
  put_text(header, 345, 155, prefix);
  uint64_t sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  put_text(header, 148, 8, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
  return header;
}

}  // namespace

TarSpan TarWriter::add(std::string_view name, std::string_view content) {
  const auto header = make_header(name, content.size());
  file_.write({header.data(), header.size()});
  const TarSpan span{file_.offset(), static_cast<int64_t>(content.size())};
  file_.write(content);
  const size_t tail = content.size() % kBlock;
  if (tail != 0) file_.write(std::string(kBlock - tail, '\0'));
  return span;
}

void TarWriter::commit() {
  file_.write(std::string(2 * kBlock, '\0'));
  file_.commit();
}

ShardReader::~ShardReader() {
  for (const auto& [name, fd] : open_) ::close(fd);
}

std::string ShardReader::read(const std::string& shard, TarSpan span) {
  int fd = -1;
  {
    const std::lock_guard lock(mutex_);
    const auto it = open_.find(shard);
    if (it != open_.end()) {
      fd = it->second;
    } else {
      const std::filesystem::path path = folder_ / shard;
      fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
      if (fd < 0) {
        throw Error(Exit::no_input, fmt::format("cannot open image shard '{}': {}", path.string(),
                                                std::strerror(errno)));
      }
      open_.emplace(shard, fd);
    }
  }
  struct stat info {};
  const bool fits = ::fstat(fd, &info) == 0 && span.offset >= 0 && span.bytes >= 0 &&
                    span.offset <= info.st_size && span.bytes <= info.st_size - span.offset;
  if (!fits) {
    throw Error(Exit::data,
                fmt::format("image shard '{}' is shorter than its records say (hint: ingest again)",
                            shard));
  }
  std::string bytes(static_cast<size_t>(span.bytes), '\0');
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n = ::pread(fd, bytes.data() + done, bytes.size() - done,
                              span.offset + static_cast<off_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0)
      throw Error(Exit::io,
                  fmt::format("cannot read image shard '{}': {}", shard, std::strerror(errno)));
    if (n == 0) {
      throw Error(
          Exit::data,
          fmt::format("image shard '{}' is shorter than its records say (hint: ingest again)",
                      shard));
    }
    done += static_cast<size_t>(n);
  }
  return bytes;
}

}  // namespace unirg::io
