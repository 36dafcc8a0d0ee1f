// SPDX-License-Identifier: Apache-2.0
#include <dcmtk/config/osconfig.h>
//
#include <dcmtk/dcmdata/dcistrmb.h>
#include <dcmtk/dcmdata/dctk.h>
#include <libdeflate.h>
#include <pthread.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <fstream>

#include "base/error.h"
#include "image/dicom_internal.h"
#include "io/atomic_file.h"

namespace unirg::image::internal {
namespace {

constexpr size_t kChunk = size_t{1} << 18;
constexpr size_t kHead = size_t{1} << 16;
// A deflated data set may be a thousand times its file.
constexpr int64_t kMaxInflated = int64_t{4} * kMaxPixels;
constexpr size_t kInflatedAtOnce = size_t{256} << 20;

/// Counts item tags (FFFE,E000) in either byte order; matches may span two chunks.
class ItemCounter {
 public:
  void add(const char* data, size_t size) {
    std::string_view bytes(data, size);
    for (const char* tail = tail_.data(); tail_size_ > 0;) {  // 3 bytes of the chunk before
      std::array<char, 6> joint{};
      std::memcpy(joint.data(), tail, tail_size_);
      const size_t more = std::min<size_t>(size, 3);
      std::memcpy(joint.data() + tail_size_, data, more);
      count_in({joint.data(), tail_size_ + more});
      break;
    }
    count_in(bytes);
    tail_size_ = std::min<size_t>(size, 3);
    std::memcpy(tail_.data(), data + size - tail_size_, tail_size_);
  }
  [[nodiscard]] int64_t count() const { return count_; }

 private:
  void count_in(std::string_view bytes) {
    using namespace std::string_view_literals;
    // 0xFE is rare in pixel data, so memchr does nearly all the work.
    for (size_t at = bytes.find('\xfe'); at != bytes.npos; at = bytes.find('\xfe', at + 1)) {
      if (bytes.substr(at, 4) == "\xfe\xff\x00\xe0"sv) ++count_;
      if (at > 0 && bytes.substr(at - 1, 4) == "\xff\xfe\xe0\x00"sv) ++count_;
    }
  }
  int64_t count_ = 0;
  std::array<char, 3> tail_{};
  size_t tail_size_ = 0;
};

/// Where a deflated data set begins, else 0. \param head  the file's first bytes
/// DCMTK reads the meta header, as it does when it reads the file: by its own reading of damaged
/// ones it would inflate from another place than where nesting was counted.
Result<size_t> deflated_start(std::string_view head, bool is_whole) {
  DcmInputBufferStream stream;
  stream.setBuffer(head.data(), static_cast<offile_off_t>(head.size()));
  if (is_whole) stream.setEos();
  DcmMetaInfo meta;
  OFCondition status;
  const auto read = [&] {
    meta.transferInit();
    status = meta.read(stream, EXS_Unknown, EGL_noChange, DCM_MaxReadLength);
    meta.transferEnd();
  };
  ItemCounter counter;
  counter.add(head.data(), head.size());
  if (counter.count() <= kPlainItems)
    read();
  else
    run_with_stack(counter.count(), read);
  const char* uid = nullptr;
  const bool is_told = meta.findAndGetString(DCM_TransferSyntaxUID, uid).good() && uid != nullptr;
  const bool is_deflated = is_told && DcmXfer(uid).getStreamCompression() != ESC_none;
  // Of a whole file that is for DCMTK to report when it reads it.
  const bool goes_on = status == EC_StreamNotifyClient && !is_whole;
  if (goes_on && (is_deflated || !is_told)) return bad_record("its meta header is over 64 KiB");
  return status.good() && is_deflated ? static_cast<size_t>(stream.tell()) : 0;
}

/// The data set in memory, by libdeflate, which is faster than zlib; none where the stream is
/// damaged or the data set larger than kInflatedAtOnce: those are read as they are inflated.
std::optional<Inflated> inflate_at_once(std::string_view deflated) {
  const std::unique_ptr<libdeflate_decompressor, decltype(&libdeflate_free_decompressor)> inflater(
      libdeflate_alloc_decompressor(), libdeflate_free_decompressor);
  if (!inflater) throw Error(Exit::internal, "libdeflate cannot start");
  // Most radiographs shrink less than two times.
  for (size_t room = 2 * deflated.size(); room <= kInflatedAtOnce; room *= 4) {
    Inflated out{std::unique_ptr<char[]>(new (std::nothrow) char[room]), 0};
    if (!out.bytes) return std::nullopt;
    const libdeflate_result result = libdeflate_deflate_decompress(
        inflater.get(), deflated.data(), deflated.size(), out.bytes.get(), room, &out.size);
    if (result == LIBDEFLATE_SUCCESS) return out;
    if (result != LIBDEFLATE_INSUFFICIENT_SPACE) return std::nullopt;
  }
  return std::nullopt;
}

/// As many as kHead bytes of a data set from the first bytes of its deflated ones.
std::string inflate_head(std::string_view deflated) {
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) throw Error(Exit::internal, "zlib cannot start");
  std::string out(kHead, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(deflated.data()));
  stream.avail_in = static_cast<uInt>(deflated.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  inflate(&stream, Z_SYNC_FLUSH);
  out.resize(out.size() - stream.avail_out);
  inflateEnd(&stream);
  return out;
}

Result<int64_t> count_inflated(std::ifstream& file, size_t start) {
  file.clear();
  file.seekg(static_cast<std::streamoff>(start));
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) throw Error(Exit::internal, "zlib cannot start");
  ItemCounter counter;
  std::vector<char> in(kChunk);
  std::vector<char> out(kChunk);
  int64_t total = 0;
  int status = Z_OK;
  while (status == Z_OK && total <= kMaxInflated) {
    if (stream.avail_in == 0) {
      file.read(in.data(), static_cast<std::streamsize>(in.size()));
      stream.next_in = reinterpret_cast<Bytef*>(in.data());
      stream.avail_in = static_cast<uInt>(file.gcount());
      if (stream.avail_in == 0) break;
    }
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    status = inflate(&stream, Z_NO_FLUSH);
    const size_t made = out.size() - stream.avail_out;
    if (made > 0) counter.add(out.data(), made);
    total += static_cast<int64_t>(made);
  }
  inflateEnd(&stream);
  if (total > kMaxInflated) return bad_record("deflated data set is too large");
  return counter.count();  // a damaged stream is DCMTK's to report
}

Result<FileScan> scan_deflated(const std::filesystem::path& path, std::ifstream& file,
                               size_t start) {
  std::error_code error;
  const bool is_small = std::filesystem::file_size(path, error) <= kInflatedAtOnce / 2 && !error;
  const std::string bytes = is_small ? io::read_file(path) : "";
  if (bytes.size() > start) {
    auto inflated = inflate_at_once(std::string_view(bytes).substr(start));
    if (inflated) {
      ItemCounter counter;
      counter.add(inflated->bytes.get(), inflated->size);
      return FileScan{counter.count(), std::move(inflated)};
    }
  }
  const auto items = count_inflated(file, start);
  if (!items) return tl::unexpected(items.error());
  return FileScan{*items, std::nullopt};
}

struct Task {
  const std::function<void()>* work = nullptr;
  std::exception_ptr failure;
};

void* run_task(void* argument) {
  auto* task = static_cast<Task*>(argument);
  try {
    (*task->work)();
  } catch (...) {
    task->failure = std::current_exception();
  }
  return nullptr;
}

}  // namespace

Result<FileScan> scan_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return bad_record("cannot open the file");
  std::vector<char> chunk(kChunk);
  ItemCounter counter;
  bool is_first = true;
  while (file) {
    file.read(chunk.data(), static_cast<std::streamsize>(chunk.size()));
    const auto got = static_cast<size_t>(file.gcount());
    if (got == 0) break;
    if (is_first) {
      const auto start = deflated_start({chunk.data(), std::min(got, kHead)}, got < kHead);
      if (!start) return tl::unexpected(start.error());
      if (*start > 0) return scan_deflated(path, file, *start);
    }
    is_first = false;
    counter.add(chunk.data(), got);
  }
  if (file.bad()) return bad_record("cannot read the file");
  if (is_first) return bad_record("file is empty");
  return FileScan{counter.count(), std::nullopt};
}

FileHead read_head(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  FileHead head;
  head.bytes.resize(kHead);
  file.read(head.bytes.data(), static_cast<std::streamsize>(head.bytes.size()));
  head.bytes.resize(static_cast<size_t>(file.gcount()));
  head.is_whole = file.eof() && !file.bad();
  const size_t start = deflated_start(head.bytes, head.is_whole).value_or(0);
  if (start > 0) {
    head.is_inflated = true;
    head.is_whole = false;
    head.bytes = inflate_head(std::string_view(head.bytes).substr(start));
  }
  ItemCounter counter;
  counter.add(head.bytes.data(), head.bytes.size());
  head.items = counter.count();
  return head;
}

void run_with_stack(int64_t items, const std::function<void()>& work) {
  constexpr int64_t kBase = int64_t{8} << 20;
  constexpr int64_t kPerItem = 4096;  // measured: under 1.5 KiB a level in DCMTK 3.6.7
  Task task{&work, nullptr};
  pthread_attr_t attributes;
  pthread_t thread{};
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, static_cast<size_t>(kBase + items * kPerItem));
  const int status = pthread_create(&thread, &attributes, run_task, &task);
  pthread_attr_destroy(&attributes);
  if (status != 0) throw Error(Exit::unavailable, "cannot start a thread with a larger stack");
  pthread_join(thread, nullptr);
  if (task.failure) std::rethrow_exception(task.failure);
}

}  // namespace unirg::image::internal
