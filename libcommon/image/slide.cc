// OpenSlide trusts a slide more than hostile files deserve, so a child process calls it and sends
// what it found through a pipe: what goes wrong there is a reason here.
// SPDX-License-Identifier: Apache-2.0
#include "image/slide.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <optional>

#include "base/error.h"
#include "image/child_process.h"
#include "image/slide_reader.h"
#include "image/tiff.h"

namespace unirg::image {
namespace fs = std::filesystem;
namespace {

constexpr unsigned kDetectSeconds = 60;
constexpr unsigned kReadSeconds = 1800;  // a slide without a small level is read whole
constexpr int kNo = 10, kYes = 11;       // exit statuses that nothing else has

std::string extension(const fs::path& path) {
  std::string text = path.extension().string();
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

class Pipe {
 public:
  Pipe() {
    if (::pipe2(ends_.data(), O_CLOEXEC) != 0)
      throw Error(Exit::unavailable, "cannot make a pipe for OpenSlide");
  }
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  /// Of the child, which ends if its parent has gone.
  void write(const void* bytes, size_t count) {
    const auto* at = static_cast<const char*>(bytes);
    while (count > 0) {
      const ssize_t done = ::write(ends_[1], at, count);
      if (done < 0 && errno == EINTR) continue;
      if (done <= 0) ::_exit(kNo);
      at += done;
      count -= static_cast<size_t>(done);
    }
  }
  /// Of the parent, after close_writer(). False where the child ended before.
  bool read(void* bytes, size_t count) {
    auto* at = static_cast<char*>(bytes);
    while (count > 0) {
      const ssize_t done = ::read(ends_[0], at, count);
      if (done < 0 && errno == EINTR) continue;
      if (done <= 0) return false;
      at += done;
      count -= static_cast<size_t>(done);
    }
    return true;
  }
  void close_writer() { close_end(1); }
  /// The child then ends at its next write().
  void close_reader() { close_end(0); }
  [[nodiscard]] int writer() const { return ends_[1]; }

 private:
  void close_end(size_t end) {
    if (ends_[end] >= 0) ::close(ends_[end]);
    ends_[end] = -1;
  }
  std::array<int, 2> ends_{-1, -1};
};

enum class Kind : int64_t {
  tile,        ///< its pixels follow
  candidates,  ///< the last message: how many
  problem      ///< the last message: text of so many bytes follows
};

struct Message {
  Kind kind = Kind::tile;
  int64_t number = 0;  ///< of candidates or bytes; of a tile its side
  int64_t x = 0, y = 0, width = 0, height = 0, level = 0;
  double mpp = 0, tissue = 0;
};

void send_tile(Pipe& pipe, const SlideTile& tile) {
  const Message message{Kind::tile,  tile.image.width, tile.x,   tile.y,     tile.width,
                        tile.height, tile.level,       tile.mpp, tile.tissue};
  pipe.write(&message, sizeof message);
  pipe.write(tile.image.pixels.data(), tile.image.pixels.size());
}

int send_tiles(Pipe& pipe, const fs::path& path, const TileOptions& options) {
  const auto candidates = internal::read_slide_tiles(
      path, options, [&](const SlideTile& tile) { send_tile(pipe, tile); });
  const std::string reason = candidates ? "" : candidates.error().reason;
  Message last;
  last.kind = candidates ? Kind::candidates : Kind::problem;
  last.number = candidates ? *candidates : std::ssize(reason);
  pipe.write(&last, sizeof last);
  pipe.write(reason.data(), reason.size());
  return kYes;
}

/// What the child ended with; nothing if it ended before, or says what cannot be.
std::optional<Result<int64_t>> receive_tiles(Pipe& pipe, int64_t size,
                                             const std::function<void(SlideTile)>& take) {
  constexpr size_t kLongestReason = 1000;
  Message message;
  while (pipe.read(&message, sizeof message)) {
    const auto number = static_cast<size_t>(message.number);
    if (message.kind == Kind::candidates) return message.number;
    if (message.kind == Kind::problem) {
      if (number > kLongestReason) return std::nullopt;
      std::string reason(number, ' ');
      if (!pipe.read(reason.data(), number)) return std::nullopt;
      return bad_record(reason);
    }
    if (message.kind != Kind::tile || message.number != size) return std::nullopt;
    SlideTile tile{{message.number, message.number, 3, std::vector<uint8_t>(number * number * 3)},
                   message.x,
                   message.y,
                   message.width,
                   message.height,
                   message.level,
                   message.mpp,
                   message.tissue};
    if (!pipe.read(tile.image.pixels.data(), tile.image.pixels.size())) return std::nullopt;
    take(std::move(tile));
  }
  return std::nullopt;
}

}  // namespace

bool is_one_file(const fs::path& path) {
  const std::string end = extension(path);
  return end != ".mrxs" && end != ".vms" && end != ".vmu";
}

Result<bool> is_slide(const fs::path& path) {
  std::string head(4, '\0');
  if (!std::ifstream(path, std::ios::binary).read(head.data(), 4)) return false;
  // Others need not be shown to OpenSlide.
  if (!is_tiff(head) && is_one_file(path) && extension(path) != ".svslide") return false;
  const auto status = internal::in_child("OpenSlide", kDetectSeconds,
                                         [&] { return internal::detect_slide(path) ? kYes : kNo; });
  if (!status) return tl::unexpected(status.error());
  if (*status != kYes && *status != kNo) return bad_record("OpenSlide crashed");
  return *status == kYes;
}

Result<int64_t> read_tiles(const fs::path& path, const TileOptions& options,
                           const std::function<void(SlideTile)>& take) {
  Pipe pipe;
  std::optional<Result<int64_t>> received;
  const auto status = internal::in_child(
      "OpenSlide", kReadSeconds, [&] { return send_tiles(pipe, path, options); }, pipe.writer(),
      [&] {
        pipe.close_writer();
        received = receive_tiles(pipe, options.size, take);
        pipe.close_reader();
      });
  if (!status) return tl::unexpected(status.error());
  if (!received || *status != kYes) return bad_record("OpenSlide crashed");
  return *received;
}

}  // namespace unirg::image
