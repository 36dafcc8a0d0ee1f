// PNG (ISO/IEC 15948) as unirg-ingest writes it: 8-bit grey or RGB, every row filtered by Paeth's
// predictor, one IDAT chunk deflated by libdeflate. That and the digests are most of the time that
// a radiograph takes once it is decoded, and libdeflate takes a third of zlib's, which libpng is
// bound to. SPDX-License-Identifier: Apache-2.0
#include <libdeflate.h>

#include <cstdlib>
#include <memory>

#include "base/error.h"
#include "image/image.h"

namespace unirg::image {
namespace {

constexpr int kLevel = 6;            // libdeflate's default: zlib's 6 in size
constexpr char kGrey = 0, kRgb = 2;  // colour types, 11.2.2
constexpr char kPaeth = 4;           // filter type, 9.2

void append_word(std::string& out, uint32_t value) {
  for (const int shift : {24, 16, 8, 0}) out += static_cast<char>(value >> shift & 0xFF);
}

/// Length, type, data and the CRC of the last two (5.3).
void append_chunk(std::string& out, std::string_view type, std::string_view data) {
  append_word(out, static_cast<uint32_t>(data.size()));
  const size_t begin = out.size();
  out += type;
  out += data;
  append_word(out, libdeflate_crc32(0, out.data() + begin, out.size() - begin));
}

std::string header(const Image8& image) {
  std::string data;
  append_word(data, static_cast<uint32_t>(image.width));
  append_word(data, static_cast<uint32_t>(image.height));
  constexpr char kBits = 8, kDeflate = 0, kAdaptive = 0, kNoInterlace = 0;
  for (const char c :
       {kBits, image.channels == 1 ? kGrey : kRgb, kDeflate, kAdaptive, kNoInterlace})
    data += c;
  return data;
}

/// Whichever of left, above and upper left is nearest to left + above - upper left (9.4).
uint8_t paeth(int left, int above, int corner) {
  const int to_left = std::abs(above - corner);
  const int to_above = std::abs(left - corner);
  const int to_corner = std::abs(left + above - 2 * corner);
  if (to_left <= to_above && to_left <= to_corner) return static_cast<uint8_t>(left);
  return static_cast<uint8_t>(to_above <= to_corner ? above : corner);
}

/// Each row behind its filter type; what lies outside the picture is 0.
std::string filtered_rows(const Image8& image) {
  const auto stride = static_cast<size_t>(image.width * image.channels);
  const auto step = static_cast<size_t>(image.channels);
  std::string out((stride + 1) * static_cast<size_t>(image.height), '\0');
  const std::string none(stride, '\0');
  const auto* above = reinterpret_cast<const uint8_t*>(none.data());
  const uint8_t* row = image.pixels.data();
  char* to = out.data();
  for (int64_t y = 0; y < image.height; ++y) {
    *to++ = kPaeth;
    for (size_t x = 0; x < step; ++x) *to++ = static_cast<char>(row[x] - paeth(0, above[x], 0));
    for (size_t x = step; x < stride; ++x)
      *to++ = static_cast<char>(row[x] - paeth(row[x - step], above[x], above[x - step]));
    above = row;
    row += stride;
  }
  return out;
}

std::string deflated(const std::string& bytes) {
  const std::unique_ptr<libdeflate_compressor, decltype(&libdeflate_free_compressor)> compressor(
      libdeflate_alloc_compressor(kLevel), libdeflate_free_compressor);
  if (!compressor) throw Error(Exit::internal, "libdeflate cannot be initialised");
  std::string out(libdeflate_zlib_compress_bound(compressor.get(), bytes.size()), '\0');
  out.resize(libdeflate_zlib_compress(compressor.get(), bytes.data(), bytes.size(), out.data(),
                                      out.size()));
  UNIRG_ASSERT(!out.empty(), "libdeflate's bound holds");
  return out;
}

}  // namespace

std::string encode_png(const Image8& image) {
  UNIRG_ASSERT(image.width > 0 && image.height > 0 && (image.channels == 1 || image.channels == 3),
               "a PNG has at least one pixel and one or three channels");
  UNIRG_ASSERT(
      static_cast<int64_t>(image.pixels.size()) == image.width * image.height * image.channels,
      "pixel count fits the size");
  std::string out = "\x89PNG\r\n\x1a\n";
  append_chunk(out, "IHDR", header(image));
  append_chunk(out, "IDAT", deflated(filtered_rows(image)));
  append_chunk(out, "IEND", "");
  return out;
}

}  // namespace unirg::image
