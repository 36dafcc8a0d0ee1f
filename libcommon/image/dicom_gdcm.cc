// GDCM as a second set of codecs: it gets the fragments that DCMTK found and never parses a file
// itself. Debian builds it with assert() on, and a damaged codestream can trip one; it also writes
// to stderr. So each frame is decoded in a child process with memory shared for the result: what
// goes wrong there is a reason here. SPDX-License-Identifier: Apache-2.0
#include <gdcmBitmap.h>
#include <gdcmJPEG2000Codec.h>
#include <gdcmSequenceOfFragments.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <exception>

#include "image/child_process.h"
#include "image/dicom_internal.h"

namespace unirg::image::internal {
namespace {

constexpr unsigned kTimeLimitSeconds = 120;

/// The memory that parent and child share: `problem`, then the frame.
struct Shared {
  std::array<char, 256> problem;  ///< "" if the frame is whole
};

class SharedMemory {
 public:
  explicit SharedMemory(size_t frame_bytes) : size_(sizeof(Shared) + frame_bytes) {
    void* memory =
        ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    memory_ = memory == MAP_FAILED ? nullptr : memory;
  }
  ~SharedMemory() {
    if (memory_ != nullptr) ::munmap(memory_, size_);
  }
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;
  [[nodiscard]] bool ok() const { return memory_ != nullptr; }
  [[nodiscard]] char* problem() const { return static_cast<Shared*>(memory_)->problem.data(); }
  [[nodiscard]] char* frame() const { return static_cast<char*>(memory_) + sizeof(Shared); }

 private:
  size_t size_;
  void* memory_ = nullptr;
};

gdcm::Bitmap make_bitmap(const DicomImage& header, const std::vector<std::string_view>& fragments,
                         int high_bit) {
  gdcm::Bitmap bitmap;
  bitmap.SetTransferSyntax(gdcm::TransferSyntax::GetTSType(header.transfer_syntax.c_str()));
  bitmap.SetNumberOfDimensions(2);
  bitmap.SetDimension(0, static_cast<unsigned>(header.columns));
  bitmap.SetDimension(1, static_cast<unsigned>(header.rows));
  bitmap.SetPixelFormat(gdcm::PixelFormat(
      static_cast<uint16_t>(header.samples), static_cast<uint16_t>(header.bits_allocated),
      static_cast<uint16_t>(header.bits_stored), static_cast<uint16_t>(high_bit),
      header.is_signed ? 1 : 0));
  bitmap.SetPhotometricInterpretation(
      gdcm::PhotometricInterpretation::GetPIType(header.photometric.c_str()));
  gdcm::SmartPointer<gdcm::SequenceOfFragments> sequence = new gdcm::SequenceOfFragments;
  for (const std::string_view bytes : fragments) {
    gdcm::Fragment fragment;
    fragment.SetByteValue(bytes.data(), gdcm::VL(static_cast<uint32_t>(bytes.size())));
    sequence->AddFragment(fragment);
  }
  gdcm::DataElement pixels(gdcm::Tag(0x7fe0, 0x0010));
  pixels.SetVR(gdcm::VR::OB);
  pixels.SetValue(*sequence);
  bitmap.SetDataElement(pixels);
  return bitmap;
}

/// A bitmap would start a thread for every processor in OpenJPEG; its codec can be told not to.
bool decode_jpeg2000(const gdcm::Bitmap& bitmap, char* to, size_t frame_bytes) {
  gdcm::JPEG2000Codec codec;
  codec.SetNumberOfThreadsForDecompression(1);
  codec.SetNumberOfDimensions(bitmap.GetNumberOfDimensions());
  codec.SetDimensions(bitmap.GetDimensions());
  codec.SetPixelFormat(bitmap.GetPixelFormat());
  codec.SetPhotometricInterpretation(bitmap.GetPhotometricInterpretation());
  gdcm::DataElement decoded;
  if (!codec.Decode(bitmap.GetDataElement(), decoded)) return false;
  const gdcm::ByteValue* bytes = decoded.GetByteValue();
  if (bytes == nullptr) return false;
  const size_t size = bytes->GetLength();  // even; samples of another width give another
  if (size != frame_bytes && size != frame_bytes + frame_bytes % 2) return false;
  std::memcpy(to, bytes->GetPointer(), frame_bytes);
  return true;
}

bool decode_bitmap(const gdcm::Bitmap& bitmap, char* to, size_t frame_bytes) {
  const bool is_jpeg2000 = gdcm::JPEG2000Codec().CanDecode(bitmap.GetTransferSyntax());
  return is_jpeg2000 ? decode_jpeg2000(bitmap, to, frame_bytes) : bitmap.GetBuffer(to);
}

/// "" or what went wrong; the frame is in `to`.
std::string decode(const DicomImage& header, const std::vector<std::string_view>& fragments,
                   int high_bit, char* to, size_t frame_bytes) {
  try {
    const gdcm::Bitmap bitmap = make_bitmap(header, fragments, high_bit);
    if (bitmap.GetBufferLength() != frame_bytes) return "sizes disagree";
    return decode_bitmap(bitmap, to, frame_bytes) ? "" : "its codec failed";
  } catch (const std::exception& error) {
    return "its codec failed: " + one_line(error.what());
  }
}

}  // namespace

Result<std::vector<uint8_t>> gdcm_decode_frame(const DicomImage& header,
                                               const std::vector<std::string_view>& fragments,
                                               int high_bit) {
  if (gdcm::TransferSyntax::GetTSType(header.transfer_syntax.c_str()) ==
      gdcm::TransferSyntax::TS_END) {
    return bad_record("unknown transfer syntax");
  }
  if (gdcm::PhotometricInterpretation::GetPIType(header.photometric.c_str()) ==
      gdcm::PhotometricInterpretation::PI_END) {
    return bad_record("unknown photometric interpretation");
  }
  const auto frame_bytes = static_cast<size_t>(header.rows * header.columns * header.samples *
                                               (header.bits_allocated / 8));
  const SharedMemory shared(frame_bytes);
  if (!shared.ok()) return bad_record("not enough memory for the pixel data");
  const auto status = in_child("its codec", kTimeLimitSeconds, [&] {
    const std::string problem = decode(header, fragments, high_bit, shared.frame(), frame_bytes);
    std::strncpy(shared.problem(), problem.c_str(), sizeof(Shared) - 1);
    return 0;
  });
  if (!status) return tl::unexpected(status.error());
  if (*status != 0) return bad_record("its codec crashed");
  if (*shared.problem() != '\0') return bad_record(shared.problem());
  return std::vector<uint8_t>(shared.frame(), shared.frame() + frame_bytes);
}

}  // namespace unirg::image::internal
