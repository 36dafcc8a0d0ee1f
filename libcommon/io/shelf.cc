// SPDX-License-Identifier: Apache-2.0
#include "io/shelf.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <utility>

#include "base/error.h"

namespace unirg::io {
namespace fs = std::filesystem;
namespace {

constexpr size_t kAtOnce = 4096;  ///< read with the length: most records are shorter

/// Opened without a name where the file system can (O_TMPFILE), else with one that goes at once.
int open_unnamed(const fs::path& folder) {
  const int fd = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
  if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR)) return fd;
  std::string name = (folder / ".shelf-XXXXXX").string();
  const int named = ::mkostemp(name.data(), O_CLOEXEC);
  if (named >= 0) ::unlink(name.c_str());
  return named;
}

}  // namespace

Shelf::Shelf(const fs::path& folder) : folder_(folder), fd_(open_unnamed(folder)) {
  if (fd_ < 0)
    throw Error(Exit::cannot_create, fmt::format("cannot create a temporary file in '{}': {}",
                                                 folder.string(), std::strerror(errno)));
}

Shelf::~Shelf() {
  if (fd_ >= 0) ::close(fd_);
}

Shelf::Shelf(Shelf&& other) noexcept
    : folder_(std::move(other.folder_)),
      fd_(std::exchange(other.fd_, -1)),
      end_(std::exchange(other.end_, 0)) {}

Shelf& Shelf::operator=(Shelf&& other) noexcept {
  std::swap(folder_, other.folder_);
  std::swap(fd_, other.fd_);
  std::swap(end_, other.end_);
  return *this;
}

void Shelf::fail(const char* what) const {
  throw Error(Exit::io, fmt::format("cannot {} a temporary file in '{}': {}", what,
                                    folder_.string(), std::strerror(errno)));
}

uint64_t Shelf::put(std::string_view bytes) {
  UNIRG_ASSERT(bytes.size() <= std::numeric_limits<uint32_t>::max(), "too long for a shelf");
  const auto length = static_cast<uint32_t>(bytes.size());
  std::string record(sizeof length, '\0');
  std::memcpy(record.data(), &length, sizeof length);
  record += bytes;
  for (size_t done = 0; done < record.size();) {
    const ssize_t n =
        ::pwrite(fd_, record.data() + done, record.size() - done, static_cast<off_t>(end_ + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("write");
    done += static_cast<size_t>(n);
  }
  return std::exchange(end_, end_ + record.size());
}

size_t Shelf::read(uint64_t place, char* bytes, size_t size) const {
  size_t done = 0;
  while (done < size) {
    const ssize_t n = ::pread(fd_, bytes + done, size - done, static_cast<off_t>(place + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("read");
    if (n == 0) break;
    done += static_cast<size_t>(n);
  }
  return done;
}

std::string Shelf::get(uint64_t place) const {
  std::array<char, kAtOnce> head;  // NOLINT: filled below
  const size_t there = read(place, head.data(), head.size());
  uint32_t length = 0;
  UNIRG_ASSERT(there >= sizeof length, "no record of a shelf begins there");
  std::memcpy(&length, head.data(), sizeof length);
  const size_t in_head = std::min<size_t>(length, there - sizeof length);
  std::string bytes(head.data() + sizeof length, in_head);
  bytes.resize(length);
  const size_t rest = length - in_head;
  if (rest > 0)
    UNIRG_ASSERT(read(place + sizeof length + in_head, bytes.data() + in_head, rest) == rest,
                 "a record of a shelf is cut");
  return bytes;
}

}  // namespace unirg::io
