// Pixel Data to stored values (PS3.3 C.7.6.3, PS3.5 section 8). One frame is decoded at a time, so
// that a file's claim about its number of frames costs nothing. SPDX-License-Identifier: Apache-2.0
#include <dcmtk/config/osconfig.h>
//
#include <dcmtk/dcmdata/dcpixseq.h>
#include <dcmtk/dcmdata/dcpxitem.h>
#include <dcmtk/dcmdata/dctk.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "image/dicom_internal.h"

namespace unirg::image::internal {
namespace {

struct Free {
  void operator()(uint8_t* p) const { std::free(p); }
};
using Buffer = std::unique_ptr<uint8_t, Free>;

/// Zeros. calloc: memory that a failing codec never touches is never paged in.
Buffer make_buffer(int64_t bytes) {
  return Buffer(static_cast<uint8_t*>(std::calloc(static_cast<size_t>(bytes), 1)));
}

/// Bytes of a frame: a buffer of their own, or where DCMTK keeps them.
struct FrameBytes {
  Buffer own;
  const uint8_t* data = nullptr;

  FrameBytes() = default;
  explicit FrameBytes(Buffer buffer) : own(std::move(buffer)), data(own.get()) {}
};

struct Source {
  DcmDataset* dataset = nullptr;
  DcmPixelData* element = nullptr;
  bool is_encapsulated = false;
  bool is_planar = false;      ///< Planar Configuration 1: samples in planes
  bool is_subsampled = false;  ///< native YBR_FULL_422: Y Y Cb Cr for two pixels
  int high_bit = 15;
  int packed_bits = 0;  ///< native cells without gaps between them (PS3.5 8.1.1): 1 or 12; else 0
  DicomDecoder decoder = DicomDecoder::any;
};

std::optional<int64_t> get_word(DcmItem& dataset, const DcmTagKey& tag) {
  Uint16 value = 0;
  if (dataset.findAndGetUint16(tag, value).bad()) return std::nullopt;
  return value;
}

int64_t values_per_frame(const DicomImage& image) {
  return image.rows * image.columns * image.samples;
}

/// One bit (PS3.5 8.1.1), or the 12 of ACR-NEMA's time.
bool is_packed(int bits_allocated) { return bits_allocated == 1 || bits_allocated == 12; }

Result<DicomImage> read_layout(DcmDataset& dataset) {
  const auto rows = get_word(dataset, DCM_Rows);
  const auto columns = get_word(dataset, DCM_Columns);
  const auto allocated = get_word(dataset, DCM_BitsAllocated);
  if (!rows || !columns || !allocated) {
    return bad_record("image without Rows, Columns or Bits Allocated");
  }
  DicomImage image;
  image.rows = *rows;
  image.columns = *columns;
  image.bits_allocated = static_cast<int>(*allocated);
  image.bits_stored =
      static_cast<int>(get_word(dataset, DCM_BitsStored).value_or(image.bits_allocated));
  image.samples = get_word(dataset, DCM_SamplesPerPixel).value_or(1);
  image.is_signed = get_word(dataset, DCM_PixelRepresentation).value_or(0) == 1;
  image.photometric = raw_text(dataset, 0x0028, 0x0004);
  // ACR-NEMA, before DICOM, had no such attribute: low values are dark.
  const bool is_acr_nema = raw_text(dataset, 0x0008, 0x0010).starts_with("ACR-NEMA");
  if (image.photometric.empty() && is_acr_nema) image.photometric = "MONOCHROME2";
  Sint32 frames = 1;
  if (dataset.findAndGetSint32(DCM_NumberOfFrames, frames).good()) {
    if (frames < 0) return bad_record("Number of Frames is negative");
    image.frames = std::max<int64_t>(frames, 1);  // some writers put 0 for a single image
  }
  if (image.rows == 0 || image.columns == 0) return bad_record("image has no rows or columns");
  if (image.samples != 1 && image.samples != 3) {
    return bad_record(fmt::format("{} samples per pixel are not supported", image.samples));
  }
  const int bits = image.bits_allocated;
  if (!is_packed(bits) && bits != 8 && bits != 16 && bits != 32) {
    return bad_record(fmt::format("{} bits allocated are not supported", image.bits_allocated));
  }
  if (image.bits_stored < 1 || image.bits_stored > image.bits_allocated) {
    return bad_record(fmt::format("{} bits stored do not fit {} bits allocated", image.bits_stored,
                                  image.bits_allocated));
  }
  return image;
}

Result<Source> find_pixels(DcmDataset& dataset, const DicomImage& image, DicomDecoder decoder) {
  DcmElement* element = nullptr;
  if (dataset.findAndGetElement(DCM_PixelData, element).bad() || element == nullptr) {
    return bad_record("no pixel data");
  }
  Source source;
  source.dataset = &dataset;
  source.element = dynamic_cast<DcmPixelData*>(element);
  if (source.element == nullptr) return bad_record("pixel data have a wrong value representation");
  source.is_encapsulated = DcmXfer(dataset.getOriginalXfer()).isEncapsulated();
  source.is_planar =
      image.samples > 1 && get_word(dataset, DCM_PlanarConfiguration).value_or(0) == 1;
  source.is_subsampled = !source.is_encapsulated && image.photometric == "YBR_FULL_422";
  const int64_t high = get_word(dataset, DCM_HighBit).value_or(image.bits_stored - 1);
  const bool plausible = high < image.bits_allocated && high >= image.bits_stored - 1;
  source.high_bit = plausible ? static_cast<int>(high) : image.bits_stored - 1;
  source.decoder = decoder;
  if (is_packed(image.bits_allocated)) {
    if (source.is_encapsulated || source.is_planar) {
      return bad_record(fmt::format("{} bits allocated are not supported in this transfer syntax",
                                    image.bits_allocated));
    }
    source.packed_bits = image.bits_allocated;
  }
  return source;
}

int64_t native_frame_bits(const Source& source, const DicomImage& image) {
  const int64_t samples = source.is_subsampled ? 2 : image.samples;
  const int bits = source.packed_bits > 0 ? source.packed_bits : image.bits_allocated;
  return image.rows * image.columns * samples * bits;
}

/// Bytes [from, from + bytes) of uncompressed pixel data, words in this machine's byte order.
Result<FrameBytes> read_native_bytes(const Source& source, int64_t from, int64_t bytes) {
  const int64_t have = source.element->getLengthField();
  if (have < from + bytes) {
    return bad_record(fmt::format("pixel data have {} bytes, {} are needed", have, from + bytes));
  }
  Uint8* loaded = nullptr;  // of an inflated file; else they are still in the file
  if (source.element->valueLoaded() && source.element->getUint8Array(loaded).good()) {
    FrameBytes there;
    there.data = loaded + from;
    return there;
  }
  Buffer buffer(static_cast<uint8_t*>(std::malloc(static_cast<size_t>(bytes))));
  if (!buffer) return bad_record("not enough memory for the pixel data");
  const OFCondition status = source.element->getPartialValue(
      buffer.get(), static_cast<Uint32>(from), static_cast<Uint32>(bytes));
  if (status.bad()) return bad_record("cannot read pixel data: " + one_line(status.text()));
  return FrameBytes(std::move(buffer));
}

/// Cells of 1 or 12 bits, the lowest bit first, from bit `skip` on, each into a container of 8 or
/// 16 bits.
Buffer unpack(const uint8_t* bytes, int skip, int64_t cells, int bits) {
  const int width = bits == 1 ? 1 : 2;
  Buffer out = make_buffer(cells * width);
  if (!out) return out;
  for (int64_t i = 0; i < cells; ++i) {
    unsigned value = 0;
    for (int b = 0; b < bits; ++b) {
      const int64_t at = skip + i * bits + b;
      value |= (bytes[at / 8] >> (at % 8) & 1U) << b;
    }
    for (int k = 0; k < width; ++k) out.get()[i * width + k] = static_cast<uint8_t>(value >> 8 * k);
  }
  return out;
}

/// One uncompressed frame, a container of bits_allocated for each value. Packed frames follow each
/// other without a gap, so one may begin inside a byte.
Result<FrameBytes> read_native(const Source& source, const DicomImage& image, int64_t frame) {
  const int64_t bits = native_frame_bits(source, image);
  const int64_t first = bits * frame;
  auto bytes = read_native_bytes(source, first / 8, (first + bits + 7) / 8 - first / 8);
  if (!bytes || source.packed_bits == 0) return bytes;
  Buffer out =
      unpack(bytes->data, static_cast<int>(first % 8), values_per_frame(image), source.packed_bits);
  if (!out) return bad_record("not enough memory for the pixel data");
  return FrameBytes(std::move(out));
}

/// The compressed bytes of one frame, where the fragments can be told apart.
Result<std::vector<std::string_view>> frame_fragments(const Source& source, int64_t frames,
                                                      int64_t frame) {
  DcmPixelSequence* sequence = nullptr;
  E_TransferSyntax syntax = EXS_Unknown;
  const DcmRepresentationParameter* parameter = nullptr;
  source.element->getOriginalRepresentationKey(syntax, parameter);
  if (source.element->getEncapsulatedRepresentation(syntax, parameter, sequence).bad() ||
      sequence == nullptr) {
    return bad_record("no compressed fragments");
  }
  const auto count = static_cast<int64_t>(sequence->card()) - 1;  // item 0 is the offset table
  if (count < 1) return bad_record("no compressed fragments");
  if (frames != 1 && count != frames) {
    return bad_record("several fragments per frame of several frames");
  }
  std::vector<std::string_view> fragments;
  for (int64_t i = frames == 1 ? 0 : frame; i < (frames == 1 ? count : frame + 1); ++i) {
    DcmPixelItem* item = nullptr;
    Uint8* data = nullptr;
    if (sequence->getItem(item, static_cast<unsigned long>(i + 1)).bad() || item == nullptr ||
        item->getUint8Array(data).bad()) {
      return bad_record("a compressed fragment cannot be read");
    }
    if (data == nullptr) continue;
    fragments.emplace_back(reinterpret_cast<const char*>(data), item->getLength());
  }
  if (fragments.empty()) return bad_record("the compressed fragments are empty");
  return fragments;
}

/// DCMTK 3.6.7 trusts the offsets of an RLE header (PS3.5 G.5) and reads outside the fragment if
/// they are wrong.
bool has_sound_rle_header(const DicomImage& image, std::string_view fragment) {
  constexpr size_t kHeaderBytes = 64;
  if (fragment.size() < kHeaderBytes) return false;
  const auto word = [&](size_t i) {
    uint32_t value = 0;
    for (size_t b = 0; b < 4; ++b) {
      value |= uint32_t{static_cast<uint8_t>(fragment[4 * i + b])} << (8 * b);
    }
    return value;
  };
  const uint32_t segments = word(0);
  if (segments != static_cast<uint32_t>(image.samples * (image.bits_allocated / 8))) return false;
  uint32_t before = 0;
  for (uint32_t i = 1; i <= segments; ++i) {
    const uint32_t offset = word(i);
    if (offset < kHeaderBytes || offset <= before || offset >= fragment.size()) return false;
    before = offset;
  }
  return true;
}

struct Frame {
  FrameBytes bytes;
  bool is_planar = false;
  bool by_gdcm = false;
  std::string photometric;
};

Result<Frame> read_compressed(const Source& source, const DicomImage& image, int64_t frame,
                              Uint32& fragment) {
  const int64_t bytes = values_per_frame(image) * (image.bits_allocated / 8);
  Frame out{FrameBytes(make_buffer(bytes + bytes % 2)), false, false, image.photometric};
  uint8_t* const to = out.bytes.own.get();
  if (to == nullptr) return bad_record("not enough memory for the pixel data");
  const bool is_rle = image.transfer_syntax == UID_RLELosslessTransferSyntax;
  const auto fragments = frame_fragments(source, image.frames, frame);
  if (is_rle &&
      (!fragments || fragments->size() != 1 || !has_sound_rle_header(image, fragments->front()))) {
    return bad_record("damaged RLE header");
  }
  OFString model;
  const OFCondition status = source.decoder == DicomDecoder::gdcm
                                 ? EC_IllegalCall
                                 : source.element->getUncompressedFrame(
                                       source.dataset, static_cast<Uint32>(frame), fragment, to,
                                       static_cast<Uint32>(bytes + bytes % 2), model);
  if (status.good()) {
    // The RLE decoder keeps planes as they are, the others were told to interleave.
    out.is_planar = source.is_planar && is_rle;
    if (!model.empty()) out.photometric = one_line({model.c_str(), model.size()});
    return out;
  }
  const std::string first =
      source.decoder == DicomDecoder::gdcm ? "not asked" : one_line(status.text());
  if (source.decoder == DicomDecoder::dcmtk) return bad_record("dcmtk cannot decode: " + first);
  if (!fragments) {
    return bad_record(
        fmt::format("dcmtk cannot decode: {}; gdcm: {}", first, fragments.error().reason));
  }
  auto decoded = gdcm_decode_frame(image, *fragments, source.high_bit);
  if (!decoded) {
    return bad_record(fmt::format("dcmtk cannot decode: {}; gdcm cannot decode: {}", first,
                                  decoded.error().reason));
  }
  std::memcpy(to, decoded->data(), decoded->size());
  out.by_gdcm = true;
  if (image.photometric == "YBR_RCT" || image.photometric == "YBR_ICT") out.photometric = "RGB";
  return out;
}

/// Bits high_bit-bits_stored+1 .. high_bit of a container as a number.
template <typename Container>
void append_values(const uint8_t* bytes, int64_t count, int shift, int bits, bool is_signed,
                   int32_t* out) {
  const uint32_t mask = bits == 32 ? ~uint32_t{0} : (uint32_t{1} << bits) - 1;
  const uint32_t sign = is_signed ? uint32_t{1} << (bits - 1) : 0;
  for (int64_t i = 0; i < count; ++i) {
    Container word;
    std::memcpy(&word, bytes + i * static_cast<int64_t>(sizeof word), sizeof word);
    const uint32_t value = (uint32_t{word} >> shift) & mask;
    out[i] = static_cast<int32_t>((value ^ sign) - sign);
  }
}

void convert(const uint8_t* bytes, int64_t count, const Source& source, const DicomImage& image,
             int32_t* out) {
  const int bits = image.bits_stored;
  const int shift = source.high_bit + 1 - bits;
  switch (image.bits_allocated) {
    case 8:
      return append_values<uint8_t>(bytes, count, shift, bits, image.is_signed, out);
    case 16:
      return append_values<uint16_t>(bytes, count, shift, bits, image.is_signed, out);
    default:
      return append_values<uint32_t>(bytes, count, shift, bits, image.is_signed, out);
  }
}

void interleave(int32_t* values, int64_t pixels) {
  std::vector<int32_t> planes(values, values + 3 * pixels);
  for (int64_t i = 0; i < pixels; ++i) {
    for (int64_t c = 0; c < 3; ++c) {
      values[3 * i + c] = planes[static_cast<size_t>(c * pixels + i)];
    }
  }
}

/// Y Y Cb Cr of two neighbours to Y Cb Cr, Y Cb Cr (PS3.3 C.7.6.3.1.2, YBR_FULL_422).
std::vector<int32_t> upsample(const std::vector<int32_t>& in) {
  std::vector<int32_t> out;
  out.reserve(in.size() / 2 * 3);
  for (size_t i = 0; i + 3 < in.size(); i += 4) {
    for (const size_t k : {size_t{0}, size_t{1}}) {
      out.insert(out.end(), {in[i + k], in[i + 2], in[i + 3]});
    }
  }
  return out;
}

Result<DicomImage> read_frames(const Source& source, DicomImage image) {
  const int64_t per_frame = values_per_frame(image);
  Uint32 fragment = 0;
  image.decoder = "dcmtk";
  std::string photometric = image.photometric;
  for (int64_t f = 0; f < image.frames_read; ++f) {
    Frame frame;
    if (source.is_encapsulated) {
      auto decoded = read_compressed(source, image, f, fragment);
      if (!decoded) return tl::unexpected(decoded.error());
      frame = std::move(*decoded);
    } else {
      auto native = read_native(source, image, f);
      if (!native) return tl::unexpected(native.error());
      frame = Frame{std::move(*native), source.is_planar, false, image.photometric};
    }
    if (image.pixels.empty()) {
      image.pixels.resize(static_cast<size_t>(per_frame * image.frames_read));
    }
    int32_t* to = image.pixels.data() + f * per_frame;
    if (source.is_subsampled) {
      std::vector<int32_t> values(static_cast<size_t>(image.rows * image.columns * 2));
      convert(frame.bytes.data, static_cast<int64_t>(values.size()), source, image, values.data());
      const std::vector<int32_t> full = upsample(values);
      std::copy(full.begin(), full.end(), to);
    } else {
      convert(frame.bytes.data, per_frame, source, image, to);
      if (frame.is_planar) interleave(to, image.rows * image.columns);
    }
    if (frame.by_gdcm) image.decoder = "gdcm";
    photometric = frame.photometric;
  }
  image.photometric = photometric;
  return image;
}

}  // namespace

Result<DicomImage> decode_pixels(DcmDataset& dataset, const std::string& transfer_syntax,
                                 const DicomReadOptions& options) {
  if (!dataset.tagExists(DCM_PixelData)) return bad_record("no pixel data");
  auto layout = read_layout(dataset);
  if (!layout) return layout;
  DicomImage& image = *layout;
  image.transfer_syntax = transfer_syntax;
  image.frames_read = options.all_frames ? image.frames : 1;
  if (image.frames_read > kMaxPixels || values_per_frame(image) > kMaxPixels / image.frames_read) {
    return bad_record(fmt::format("image has {} x {} x {} x {} values, over the limit of {}",
                                  image.frames_read, image.rows, image.columns, image.samples,
                                  kMaxPixels));
  }
  const auto source = find_pixels(dataset, image, options.decoder);
  if (!source) return tl::unexpected(source.error());
  if (source->packed_bits > 0) image.bits_allocated = source->packed_bits == 1 ? 8 : 16;
  if (source->is_subsampled &&
      (image.samples != 3 || image.bits_allocated != 8 || image.columns % 2 != 0)) {
    return bad_record("YBR_FULL_422 image with an impossible layout");
  }
  auto decoded = read_frames(*source, std::move(image));
  if (!decoded) return decoded;
  const bool overflows =
      decoded->bits_stored == 32 && !decoded->is_signed &&
      std::any_of(decoded->pixels.begin(), decoded->pixels.end(), [](int32_t v) { return v < 0; });
  if (overflows) return bad_record("stored values over 2147483647 are not supported");
  return decoded;
}

}  // namespace unirg::image::internal
