// SPDX-License-Identifier: Apache-2.0
#include "io/atomic_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/hash.h"

namespace unirg::io {
namespace fs = std::filesystem;
namespace {

constexpr size_t kBufferBytes = 1 << 18;

/// What the temporary names of `path` begin with on this machine; process id and a counter follow.
std::string temporary_prefix(const fs::path& path) {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  return fmt::format(".{}.tmp-{}-", path.filename().string(), host.data());
}

/// A name beside `path` that no other process uses, checked by O_EXCL or mkdir.
fs::path temporary_name(const fs::path& path, int attempt) {
  return path.parent_path() / fmt::format("{}{}-{}", temporary_prefix(path), ::getpid(), attempt);
}

/// Removes what processes of this machine that live no more left under temporary names of `path`:
/// a checkpoint is large, and a killed run is likely to be killed again.
void sweep(const fs::path& path) {
  const std::string prefix = temporary_prefix(path);
  std::error_code ignored;
  const fs::path parent = path.has_parent_path() ? path.parent_path() : fs::path(".");
  for (const fs::directory_entry& entry : fs::directory_iterator(parent, ignored)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(prefix)) continue;
    const long pid = std::strtol(name.c_str() + prefix.size(), nullptr, 10);
    const bool is_dead = pid > 0 && ::kill(static_cast<pid_t>(pid), 0) != 0 && errno == ESRCH;
    if (is_dead) fs::remove_all(entry.path(), ignored);
  }
}

Error io_error(const char* what, const fs::path& path) {
  const std::string name = is_stream(path) ? "standard output" : "'" + path.string() + "'";
  return {Exit::io, fmt::format("cannot {} {}: {}", what, name, std::strerror(errno))};
}

Error create_error(const fs::path& path) {
  return {Exit::cannot_create,
          fmt::format("cannot create '{}': {}", path.string(), std::strerror(errno))};
}

void sync_path(const fs::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) throw io_error("open", path);
  const int rc = ::fsync(fd);
  ::close(fd);
  if (rc != 0 && errno != EINVAL) throw io_error("sync", path);
}

void sync_parent(const fs::path& path) {
  sync_path(path.has_parent_path() ? path.parent_path() : fs::path("."));
}

}  // namespace

bool is_stream(const fs::path& path) { return path == "-"; }

bool is_special(const fs::path& path) {
  std::error_code ignored;
  const fs::file_status there = fs::status(path, ignored);
  return fs::exists(there) && !fs::is_regular_file(there) && !fs::is_directory(there);
}

struct AtomicFile::Impl {
  fs::path path;
  Kind kind = Kind::output;
  fs::path temporary;
  int fd = -1;
  int64_t offset = 0;
  std::string buffer;
  Sha256 sha;
  std::string digest;

  void flush() {
    size_t done = 0;
    while (done < buffer.size()) {
      const ssize_t n = ::write(fd, buffer.data() + done, buffer.size() - done);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && errno == EPIPE && is_stream(path)) throw BrokenPipe();
      if (n < 0) throw io_error("write", path);
      done += static_cast<size_t>(n);
    }
    sha.update(buffer);
    buffer.clear();
  }
};

AtomicFile::AtomicFile(const fs::path& path, Kind kind) : impl_(std::make_unique<Impl>()) {
  impl_->path = path;
  impl_->kind = kind;
  impl_->buffer.reserve(kBufferBytes);
  if (is_stream(path)) {
    impl_->fd = STDOUT_FILENO;
    return;
  }
  if (is_special(path)) {
    impl_->fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (impl_->fd < 0) throw create_error(path);
    return;
  }
  if (kind == Kind::output) sweep(path);
  for (int attempt = 0; impl_->fd < 0; ++attempt) {
    impl_->temporary = temporary_name(path, attempt);
    impl_->fd = ::open(impl_->temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (impl_->fd < 0 && errno != EEXIST) throw create_error(path);
  }
}

AtomicFile::AtomicFile(AtomicFile&&) noexcept = default;

AtomicFile::~AtomicFile() {
  if (!impl_ || impl_->fd < 0 || is_stream(impl_->path)) return;
  ::close(impl_->fd);
  if (!impl_->temporary.empty()) ::unlink(impl_->temporary.c_str());
}

void AtomicFile::write(std::string_view bytes) {
  if (impl_->buffer.size() + bytes.size() > kBufferBytes) impl_->flush();
  impl_->buffer.append(bytes);
  impl_->offset += static_cast<int64_t>(bytes.size());
  if (impl_->buffer.size() >= kBufferBytes) impl_->flush();
}

int64_t AtomicFile::offset() const { return impl_->offset; }
const std::string& AtomicFile::sha256() const { return impl_->digest; }
const fs::path& AtomicFile::path() const { return impl_->path; }

void AtomicFile::seal() {
  impl_->flush();
  impl_->digest = impl_->sha.hex();
  const bool synced = impl_->kind == Kind::output && !impl_->temporary.empty();
  if (synced && ::fsync(impl_->fd) != 0) throw io_error("sync", impl_->path);
}

void AtomicFile::commit() {
  if (impl_->digest.empty()) seal();
  const int fd = std::exchange(impl_->fd, -1);
  if (is_stream(impl_->path)) return;  // closed and checked once more in cli::run_main
  const bool closed = ::close(fd) == 0;
  if (closed && impl_->temporary.empty()) return;
  if (!closed || ::rename(impl_->temporary.c_str(), impl_->path.c_str()) != 0) {
    const Error error = io_error("finish", impl_->path);
    if (!impl_->temporary.empty()) ::unlink(impl_->temporary.c_str());
    throw error;
  }
  if (impl_->kind == Kind::output) sync_parent(impl_->path);
}

fs::path folder_name(const fs::path& path) {
  return path.has_filename() ? path : path.parent_path();
}

void check_replaceable(const fs::path& path) {
  std::error_code ignored;
  if (!fs::exists(fs::symlink_status(path, ignored))) return;
  if (fs::is_directory(path, ignored) &&
      (fs::exists(path / "DONE", ignored) || fs::is_empty(path, ignored)))
    return;
  throw Error(Exit::cannot_create, fmt::format("'{}' is there and is not the output of an earlier "
                                               "run (hint: name another folder, or remove it)",
                                               path.string()));
}

namespace {

/// `from` takes the name `to`; a folder that had it gets the name `from`.
void exchange(const fs::path& from, const fs::path& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return;
  if (errno == EEXIST &&
      ::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_EXCHANGE) == 0)
    return;
  if (errno != EINVAL) throw io_error("finish", to);
  // Network file systems know neither flag: two renames, between which a kill leaves the old folder
  // as FROM.old.
  const fs::path aside = from.string() + ".old";
  std::error_code error;
  if (fs::exists(to)) fs::rename(to, aside, error);
  if (!error) fs::rename(from, to, error);
  if (!error && fs::exists(aside)) fs::rename(aside, from, error);
  if (error)
    throw Error(Exit::io, fmt::format("cannot finish '{}': {}", to.string(), error.message()));
}

}  // namespace

AtomicFolder::AtomicFolder(const fs::path& path) : final_(folder_name(path)) {
  check_replaceable(final_);
  sweep(final_);
  for (int attempt = 0;; ++attempt) {
    temporary_ = temporary_name(final_, attempt);
    if (::mkdir(temporary_.c_str(), 0777) == 0) return;
    if (errno != EEXIST) throw create_error(final_);
  }
}

AtomicFolder::~AtomicFolder() {
  if (committed_) return;
  std::error_code ignored;
  fs::remove_all(temporary_, ignored);
}

void AtomicFolder::commit() {
  write_file(temporary_ / "DONE", "");
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(temporary_))
    sync_path(entry.path());
  sync_path(temporary_);
  exchange(temporary_, final_);
  std::error_code ignored;
  fs::remove_all(temporary_, ignored);  // the old folder, if there was one
  committed_ = true;
  sync_parent(final_);
}

FolderLock::FolderLock(const fs::path& folder)
    : fd_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (fd_ < 0) throw io_error("open", folder);
  if (::flock(fd_, LOCK_EX | LOCK_NB) == 0) return;
  const bool taken = errno == EWOULDBLOCK;
  const Error error = taken ? Error(Exit::cannot_create,
                                    fmt::format("another run is at work in '{}'", folder.string()))
                            : io_error("lock", folder);
  ::close(fd_);
  throw error;
}

FolderLock::~FolderLock() { ::close(fd_); }

void write_file(const fs::path& path, std::string_view bytes, AtomicFile::Kind kind) {
  AtomicFile file(path, kind);
  file.write(bytes);
  file.commit();
}

std::string read_file(const fs::path& path) {
  const int fd = is_stream(path) ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    throw Error(Exit::no_input,
                fmt::format("cannot open '{}': {}", path.string(), std::strerror(errno)));
  std::string bytes;
  std::vector<char> buffer(kBufferBytes);
  for (;;) {
    const ssize_t n = ::read(fd, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const Error error(Exit::io,
                        fmt::format("cannot read '{}': {}", path.string(), std::strerror(errno)));
      if (fd != STDIN_FILENO) ::close(fd);
      throw error;
    }
    if (n == 0) break;
    bytes.append(buffer.data(), static_cast<size_t>(n));
  }
  if (fd != STDIN_FILENO) ::close(fd);
  return bytes;
}

void make_folders(const fs::path& folder) {
  std::error_code error;
  if (!folder.empty()) fs::create_directories(folder, error);
  if (error)
    throw Error(Exit::cannot_create,
                fmt::format("cannot create '{}': {}", folder.string(), error.message()));
}

}  // namespace unirg::io
