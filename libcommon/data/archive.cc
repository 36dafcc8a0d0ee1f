// SPDX-License-Identifier: Apache-2.0
#include "data/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "text/bpe_bytes.h"

namespace unirg::data {
namespace fs = std::filesystem;
namespace {

using namespace std::string_view_literals;

constexpr size_t kBlock = size_t{1} << 16;
constexpr size_t kLongestName = 255;  // of a component, as file systems have it
constexpr size_t kLongestPath = 2048;
constexpr std::ptrdiff_t kDeepest = 64;  // components

struct Close {
  void operator()(archive* a) const { archive_read_free(a); }
};
using Archive = std::unique_ptr<archive, Close>;

/// What libarchive says, as one printable line.
std::string message(archive* a) {
  const char* said = archive_error_string(a);
  std::string out;
  for (const char c : std::string_view(said == nullptr ? "unknown error" : said).substr(0, 200))
    out += c >= 0x20 && c < 0x7F ? c : ' ';
  return out;
}

Archive open_archive(const fs::path& path) {
  Archive a(archive_read_new());
  if (!a) throw Error(Exit::io, "not enough memory to read an archive");
  archive_read_support_filter_gzip(a.get());
  archive_read_support_filter_bzip2(a.get());
  archive_read_support_filter_xz(a.get());
  archive_read_support_filter_zstd(a.get());
  archive_read_support_format_tar(a.get());
  archive_read_support_format_zip(a.get());
  if (::access(path.c_str(), R_OK) != 0)
    throw Error(Exit::no_input,
                fmt::format("cannot open '{}': {}", path.string(), strerror(errno)));
  if (archive_read_open_filename(a.get(), path.c_str(), kBlock) != ARCHIVE_OK) {
    throw Error(Exit::data,
                fmt::format("'{}': damaged archive: {}", path.string(), message(a.get())));
  }
  return a;
}

/// As the archive has it; libarchive knows names of zip files in UTF-8 only under the C locale.
std::string name_of(archive_entry* entry) {
  const char* raw = archive_entry_pathname(entry);
  if (raw == nullptr) raw = archive_entry_pathname_utf8(entry);
  return raw == nullptr ? "" : raw;
}

/// A path below the folder, "" for the folder itself; nullopt for one that leads elsewhere.
std::optional<fs::path> path_below(const std::string& name) {
  const fs::path path = fs::path(name).lexically_normal();
  if (name.empty() || path.is_absolute()) return std::nullopt;
  // A name with ".." is refused even where it comes back: no honest archive has one.
  const fs::path parts(name);
  if (std::find(parts.begin(), parts.end(), "..") != parts.end()) return std::nullopt;
  return path == "." ? fs::path() : path;
}

bool is_too_long(const fs::path& path) {
  return path.string().size() > kLongestPath ||
         std::distance(path.begin(), path.end()) > kDeepest ||
         std::any_of(path.begin(), path.end(),
                     [](const fs::path& part) { return part.string().size() > kLongestName; });
}

[[noreturn]] void write_error(int number) {
  throw Error(Exit::io, fmt::format("cannot write what the archive holds: {}", strerror(number)));
}

/// A file that is removed unless kept.
class NewFile {
 public:
  explicit NewFile(fs::path path) : path_(std::move(path)) {
    fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd_ < 0 && errno != EEXIST && errno != ENOTDIR && errno != EISDIR) write_error(errno);
  }
  ~NewFile() {
    if (fd_ < 0) return;
    ::close(fd_);
    if (!kept_) ::unlink(path_.c_str());
  }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  [[nodiscard]] bool is_new() const { return fd_ >= 0; }
  void write(const char* data, size_t size) const {
    while (size > 0) {
      const ssize_t n = ::write(fd_, data, size);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) write_error(errno);
      data += n;
      size -= static_cast<size_t>(n);
    }
  }
  void keep() { kept_ = true; }

 private:
  fs::path path_;
  int fd_ = -1;
  bool kept_ = false;
};

class Unpacker {
 public:
  Unpacker(const fs::path& file, const fs::path& folder, const ArchiveLimits& limits)
      : file_(file), folder_(folder), limits_(limits), archive_(open_archive(file)) {}

  /// The next entry's name and why it was refused, "" if it was not; nullopt at the end.
  std::optional<std::pair<std::string, std::string>> next() {
    archive_entry* entry = nullptr;
    const int status = archive_read_next_header(archive_.get(), &entry);
    if (status == ARCHIVE_EOF) return std::nullopt;
    if (status < ARCHIVE_WARN) fail("damaged archive: " + message(archive_.get()));
    count_entry();
    const std::string name = name_of(entry);
    return std::pair(name, unpack(entry, name));
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(Exit::data, fmt::format("'{}': {}", file_.string(), what));
  }

  std::string unpack(archive_entry* entry, const std::string& name) {
    const std::optional<fs::path> path = path_below(name);
    if (!path) return "its name leads out of the archive";
    if (archive_entry_filetype(entry) == AE_IFDIR) return "";
    if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) != nullptr)
      return "a link or device in an archive is not followed";
    if (path->empty() || !path->has_filename()) return "its name is no file name";
    if (is_too_long(*path)) return "its name is too long";
    if (archive_entry_is_encrypted(entry) != 0) return "encrypted";
    if (archive_entry_sparse_count(entry) > 0) return "a sparse file in an archive is not unpacked";
    if (archive_entry_size_is_set(entry) != 0) check_size(name, archive_entry_size(entry));
    if (!make_folders(path->parent_path())) return kClash;
    NewFile out(folder_ / *path);
    if (!out.is_new()) return kClash;
    return copy(name, out);
  }

  void count_entry() {
    if (++entries_ > limits_.entries)
      fail(fmt::format("more than {} entries (hint: --archive-entries)", limits_.entries));
  }

  /// Folders of a file, each counted as an entry when it is made. False if a file has its name.
  bool make_folders(const fs::path& parent) {
    if (parent == last_parent_) return true;
    fs::path folder = folder_;
    for (const fs::path& part : parent) {
      folder /= part;
      std::error_code error;
      if (fs::create_directory(folder, error)) count_entry();
      if (error == std::errc::not_a_directory || error == std::errc::file_exists) return false;
      if (error) write_error(error.value());
    }
    last_parent_ = parent;
    return true;
  }

  std::string copy(const std::string& name, NewFile& out) {
    int64_t size = 0;
    for (;;) {
      const void* data = nullptr;
      size_t length = 0;
      la_int64_t offset = 0;
      const int status = archive_read_data_block(archive_.get(), &data, &length, &offset);
      if (status == ARCHIVE_EOF) break;
      if (status == ARCHIVE_FATAL) fail("damaged archive: " + message(archive_.get()));
      if (status != ARCHIVE_OK) return "damaged in the archive: " + message(archive_.get());
      if (offset != size) return "a sparse file in an archive is not unpacked";
      size += static_cast<int64_t>(length);
      check_size(name, size);
      total_ += static_cast<int64_t>(length);
      if (total_ > limits_.bytes)
        fail(fmt::format("more than {} bytes unpacked (hint: --archive-bytes)", limits_.bytes));
      out.write(static_cast<const char*>(data), length);
    }
    out.keep();
    return "";
  }

  void check_size(const std::string& name, int64_t size) const {
    if (size <= limits_.entry_bytes) return;
    fail(fmt::format("entry '{}' has more than {} bytes (hint: --archive-entry-bytes)",
                     text::replace_broken_utf8(name), limits_.entry_bytes));
  }

  static constexpr const char* kClash = "its name is that of another entry";
  fs::path file_;
  fs::path folder_;
  ArchiveLimits limits_;
  Archive archive_;
  fs::path last_parent_;
  int64_t entries_ = 0;
  int64_t total_ = 0;
};

}  // namespace

bool is_archive(const fs::path& path) {
  if (!fs::is_regular_file(path)) return false;
  std::array<char, 512> head{};
  std::ifstream file(path, std::ios::binary);
  file.read(head.data(), head.size());
  const std::string_view bytes(head.data(), static_cast<size_t>(file.gcount()));
  for (const std::string_view magic : {"PK\x03\x04"sv, "PK\x05\x06"sv, "\x1f\x8b"sv, "BZh"sv,
                                       "\xfd"
                                       "7zXZ"sv,
                                       "\x28\xb5\x2f\xfd"sv}) {
    if (bytes.starts_with(magic)) return true;
  }
  return bytes.substr(std::min<size_t>(257, bytes.size())).starts_with("ustar") ||
         path.extension() == ".tar";
}

UnpackedArchive::UnpackedArchive(const fs::path& archive, fs::path folder,
                                 const ArchiveLimits& limits, const std::function<bool()>& stopped)
    : folder_(std::move(folder)) {
  if (::mkdir(folder_.c_str(), 0700) != 0) write_error(errno);
  try {
    Unpacker unpacker(archive, folder_, limits);
    while (auto entry = unpacker.next()) {
      if (!entry->second.empty())
        refused_.emplace_back(text::replace_broken_utf8(entry->first), std::move(entry->second));
      if (stopped && stopped()) {
        whole_ = false;
        return;
      }
    }
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
    throw;
  }
}

UnpackedArchive::~UnpackedArchive() {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

}  // namespace unirg::data
