// SPDX-License-Identifier: Apache-2.0
#include "image/tiff.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <tiffio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <memory>

#include "base/error.h"

namespace unirg::image {
namespace {

constexpr int64_t kMaxSide = 1'000'000;
constexpr uint64_t kMaxBlockBytes = 256 << 20;  // a strip or tile, unpacked
constexpr tmsize_t kMaxAllocation = 300 << 20;  // libtiff's largest single one

/// Bytes in memory or of an open file, and what libtiff says about them.
struct Input {
  std::string_view bytes;
  int file = -1;
  uint64_t size = 0;
  uint64_t at = 0;
  std::string problem = {};  ///< the first error since it was last emptied
};

tmsize_t read_input(thandle_t handle, void* to, tmsize_t count) {
  auto* in = static_cast<Input*>(handle);
  if (in->at >= in->size || count <= 0) return 0;
  const uint64_t length = std::min(static_cast<uint64_t>(count), in->size - in->at);
  if (in->file < 0) {
    std::memcpy(to, in->bytes.data() + in->at, length);
    in->at += length;
    return static_cast<tmsize_t>(length);
  }
  const ssize_t got = ::pread(in->file, to, length, static_cast<off_t>(in->at));
  if (got > 0) in->at += static_cast<uint64_t>(got);
  return got;
}

tmsize_t write_nothing(thandle_t, void*, tmsize_t) { return 0; }

toff_t seek_input(thandle_t handle, toff_t offset, int whence) {
  auto* in = static_cast<Input*>(handle);
  in->at = offset + (whence == SEEK_CUR ? in->at : whence == SEEK_END ? in->size : 0);
  return in->at;
}

int close_nothing(thandle_t) { return 0; }
toff_t size_of_input(thandle_t handle) { return static_cast<Input*>(handle)->size; }

// vsnprintf because libtiff gives a va_list.
int keep_error(TIFF*, void* user, const char*, const char* format, va_list values) {
  auto* in = static_cast<Input*>(user);
  std::array<char, 200> text{};
  if (in->problem.empty() && std::vsnprintf(text.data(), text.size(), format, values) >= 0) {
    in->problem = text.data();
    // A tag's text may hold anything.
    std::replace_if(
        in->problem.begin(), in->problem.end(), [](char c) { return c < 0x20 || c > 0x7E; }, '?');
  }
  return 1;
}

/// Codecs patch up what is damaged with a warning alone; others are about tags.
int keep_warning(TIFF* tiff, void* user, const char* module, const char* format, va_list values) {
  const std::string_view from = module == nullptr ? "" : module;
  if (from.starts_with("Fax") || from.starts_with("JPEG") || from.starts_with("LZW"))
    return keep_error(tiff, user, module, format, values);
  return 1;
}

struct CloseTiff {
  void operator()(TIFF* tiff) const { TIFFClose(tiff); }
};
using Tiff = std::unique_ptr<TIFF, CloseTiff>;

Tiff open_tiff(Input& input) {
  const std::unique_ptr<TIFFOpenOptions, void (*)(TIFFOpenOptions*)> options(TIFFOpenOptionsAlloc(),
                                                                             TIFFOpenOptionsFree);
  UNIRG_ASSERT(options != nullptr, "libtiff has its options");
  TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), kMaxAllocation);
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), keep_error, &input);
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), keep_warning, &input);
  // m: no mapping of the file, which another program might cut short.
  return Tiff(TIFFClientOpenExt("tiff", "rm", &input, read_input, write_nothing, seek_input,
                                close_nothing, size_of_input, nullptr, nullptr, options.get()));
}

/// How the samples of a page lie.
struct Layout {
  int64_t width = 0, height = 0;
  uint16_t bits = 1, samples = 1, photometric = 0, orientation = ORIENTATION_TOPLEFT;
  bool is_tiled = false, is_planar = false;
  int64_t channels = 1;               ///< samples of a pixel that are used: 1 or 3
  int64_t block_width = 0;            ///< of a tile, or the page's
  int64_t block_height = 0;           ///< of a tile or strip
  uint64_t block_bytes = 0;           ///< of a tile or strip, unpacked
  uint64_t row_bytes = 0;             ///< of a row of it
  std::vector<uint8_t> palette = {};  ///< RGB by index

  [[nodiscard]] int64_t out_channels() const { return palette.empty() ? channels : 3; }
};

uint16_t number(TIFF* tiff, uint32_t tag, uint16_t otherwise) {
  uint16_t value = 0;
  return TIFFGetFieldDefaulted(tiff, tag, &value) == 1 ? value : otherwise;
}

/// Entries of 16 bits, or of 8 as some old writers have it.
std::vector<uint8_t> read_palette(TIFF* tiff, uint16_t bits) {
  std::array<uint16_t*, 3> map{};
  if (TIFFGetField(tiff, TIFFTAG_COLORMAP, &map[0], &map[1], &map[2]) != 1) return {};
  const size_t count = size_t{1} << bits;
  const bool is_short = std::all_of(map.begin(), map.end(), [&](const uint16_t* channel) {
    return std::all_of(channel, channel + count, [](uint16_t v) { return v < 256; });
  });
  std::vector<uint8_t> palette;
  for (size_t i = 0; i < count; ++i) {
    for (const uint16_t* channel : map)
      palette.push_back(static_cast<uint8_t>(
          is_short ? channel[i] : (uint32_t{channel[i]} * 255 + 32767) / 65535));
  }
  return palette;
}

/// "" if the colours can be read; sets what they need.
std::string read_colors(TIFF* tiff, uint16_t compression, Layout& layout) {
  uint16_t photometric = 0;
  if (TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &photometric) != 1) {
    const bool is_fax = compression == COMPRESSION_CCITTFAX3 ||
                        compression == COMPRESSION_CCITTFAX4 || compression == COMPRESSION_CCITTRLE;
    photometric = layout.samples >= 3 ? PHOTOMETRIC_RGB
                  : is_fax            ? PHOTOMETRIC_MINISWHITE
                                      : PHOTOMETRIC_MINISBLACK;
  }
  layout.photometric = photometric;
  switch (photometric) {
    case PHOTOMETRIC_MINISBLACK:
    case PHOTOMETRIC_MINISWHITE:
      return "";
    case PHOTOMETRIC_YCBCR:
      // libjpeg upsamples and converts; other codecs leave that to their reader.
      if (compression != COMPRESSION_JPEG) return "YCbCr without JPEG";
      TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
      [[fallthrough]];
    case PHOTOMETRIC_RGB:
      layout.channels = 3;
      if (layout.samples < 3) return "colour of fewer than three samples";
      return layout.bits >= 8 ? "" : "colour of fewer than 8 bits a sample";
    case PHOTOMETRIC_PALETTE:
      if (layout.bits > 8) return "a palette of over 256 colours";
      layout.palette = read_palette(tiff, layout.bits);
      return layout.palette.empty() ? "a palette that is missing" : "";
    case PHOTOMETRIC_SEPARATED:
      return "the unsupported colour space CMYK";
    default:
      return fmt::format("the unsupported photometric interpretation {}", photometric);
  }
}

Result<Layout> read_layout(TIFF* tiff) {
  Layout layout;
  uint32_t width = 0;
  uint32_t height = 0;
  if (TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width) != 1 ||
      TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &height) != 1 || width == 0 || height == 0)
    return bad_record("damaged TIFF: it has no size");
  layout.width = width;
  layout.height = height;
  if (layout.width > kMaxSide || layout.height > kMaxSide ||
      layout.width * layout.height > kMaxPixels)
    return bad_record("TIFF has too many pixels");
  const uint16_t compression = number(tiff, TIFFTAG_COMPRESSION, COMPRESSION_NONE);
  if (compression == COMPRESSION_OJPEG || TIFFIsCODECConfigured(compression) == 0)
    return bad_record(fmt::format("TIFF has the unsupported compression {}", compression));
  layout.bits = number(tiff, TIFFTAG_BITSPERSAMPLE, 1);
  layout.samples = number(tiff, TIFFTAG_SAMPLESPERPIXEL, 1);
  const uint16_t format = number(tiff, TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_UINT);
  if (format != SAMPLEFORMAT_UINT && format != SAMPLEFORMAT_VOID)
    return bad_record("TIFF has samples that are no unsigned integers");
  if (layout.bits != 1 && layout.bits != 2 && layout.bits != 4 && layout.bits != 8 &&
      layout.bits != 16)
    return bad_record(fmt::format("TIFF has the unsupported depth of {} bits", layout.bits));
  if (layout.samples == 0) return bad_record("damaged TIFF: its pixels have no sample");
  if (const std::string what = read_colors(tiff, compression, layout); !what.empty())
    return bad_record("TIFF has " + what);
  layout.is_planar = layout.samples > 1 && number(tiff, TIFFTAG_PLANARCONFIG,
                                                  PLANARCONFIG_CONTIG) == PLANARCONFIG_SEPARATE;
  layout.orientation = number(tiff, TIFFTAG_ORIENTATION, ORIENTATION_TOPLEFT);
  return layout;
}

/// Sizes of strips or tiles, once the layout is known.
Result<Layout> with_blocks(TIFF* tiff, Layout layout) {
  layout.is_tiled = TIFFIsTiled(tiff) != 0;
  uint32_t width = 0;
  uint32_t height = 0;
  if (layout.is_tiled) {
    TIFFGetField(tiff, TIFFTAG_TILEWIDTH, &width);
    TIFFGetField(tiff, TIFFTAG_TILELENGTH, &height);
  } else {
    width = static_cast<uint32_t>(layout.width);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_ROWSPERSTRIP, &height);
    height = std::min(height, static_cast<uint32_t>(layout.height));
  }
  layout.block_width = width;
  layout.block_height = height;
  layout.block_bytes = layout.is_tiled ? TIFFTileSize64(tiff) : TIFFStripSize64(tiff);
  layout.row_bytes = layout.is_tiled ? TIFFTileRowSize64(tiff) : TIFFScanlineSize64(tiff);
  if (width == 0 || height == 0 || layout.block_bytes == 0 || layout.row_bytes == 0)
    return bad_record("damaged TIFF: its strips or tiles have no size");
  if (layout.block_bytes > kMaxBlockBytes)
    return bad_record(
        fmt::format("TIFF has a {} of {} bytes (hint: tiffcp -t or -r {} makes "
                    "smaller ones)",
                    layout.is_tiled ? "tile" : "strip", layout.block_bytes, 256));
  const uint64_t samples = layout.is_planar ? 1 : layout.samples;
  const uint64_t needed =
      (static_cast<uint64_t>(layout.block_width) * samples * layout.bits + 7) / 8;
  if (layout.row_bytes < needed || layout.block_bytes < layout.row_bytes * height)
    return bad_record("damaged TIFF: the sizes of its strips or tiles disagree");
  return layout;
}

/// Sample `i` of a row as stored.
uint32_t stored_sample(const uint8_t* row, int64_t i, int bits) {
  if (bits == 8) return row[i];
  if (bits == 16) {
    uint16_t value = 0;  // libtiff has put it into our byte order
    std::memcpy(&value, row + 2 * i, sizeof value);
    return value;
  }
  const int64_t at = i * bits;
  return (row[at / 8] >> (8 - bits - at % 8)) & ((1U << bits) - 1);
}

uint8_t to_byte(uint32_t value, int bits) {
  if (bits == 8) return static_cast<uint8_t>(value);
  if (bits == 16) return static_cast<uint8_t>((value * 255 + 32767) / 65535);
  return static_cast<uint8_t>(value * 255 / ((1U << bits) - 1));
}

/// Puts a row of a block where it belongs.
/// \param to  of the block's first pixel \param plane  of planes apart, else 0
void unpack_row(const Layout& layout, const uint8_t* row, int64_t count, int64_t plane,
                uint8_t* to) {
  const int64_t step = layout.is_planar ? 1 : layout.samples;
  const bool is_inverse = layout.photometric == PHOTOMETRIC_MINISWHITE;
  if (!layout.palette.empty()) {
    for (int64_t x = 0; x < count; ++x)
      std::copy_n(&layout.palette[size_t{3} * stored_sample(row, x * step, layout.bits)], 3,
                  to + 3 * x);
    return;
  }
  const int64_t channels = layout.is_planar ? 1 : layout.channels;
  for (int64_t x = 0; x < count; ++x) {
    for (int64_t c = 0; c < channels; ++c) {
      const uint8_t v = to_byte(stored_sample(row, x * step + c, layout.bits), layout.bits);
      to[x * layout.channels + plane + c] = is_inverse ? static_cast<uint8_t>(255 - v) : v;
    }
  }
}

/// "" or what is damaged. `pixels` grows by a row of blocks at a time.
std::string read_pixels(TIFF* tiff, const Layout& layout, const Input& input,
                        std::vector<uint8_t>& pixels) {
  const auto block = std::make_unique_for_overwrite<uint8_t[]>(layout.block_bytes);
  const auto bytes = static_cast<tmsize_t>(layout.block_bytes);
  const int64_t planes = layout.is_planar ? layout.channels : 1;
  const int64_t channels = layout.out_channels();
  for (int64_t y = 0; y < layout.height; y += layout.block_height) {
    const int64_t rows = std::min(layout.block_height, layout.height - y);
    for (int64_t plane = 0; plane < planes; ++plane) {
      for (int64_t x = 0; x < layout.width; x += layout.block_width) {
        const auto p = static_cast<uint16_t>(plane);
        const auto top = static_cast<uint32_t>(y);
        const tmsize_t got =
            layout.is_tiled
                ? TIFFReadEncodedTile(tiff,
                                      TIFFComputeTile(tiff, static_cast<uint32_t>(x), top, 0, p),
                                      block.get(), bytes)
                : TIFFReadEncodedStrip(tiff, TIFFComputeStrip(tiff, top, p), block.get(), bytes);
        if (got < 0 || !input.problem.empty())
          return input.problem.empty() ? "pixels are missing" : input.problem;
        if (static_cast<uint64_t>(got) < static_cast<uint64_t>(rows) * layout.row_bytes)
          return "a strip or tile ends early";
        // Memory for a row of blocks once one of it has been read.
        pixels.resize(static_cast<size_t>((y + rows) * layout.width * channels));
        const int64_t columns = std::min(layout.block_width, layout.width - x);
        for (int64_t r = 0; r < rows; ++r)
          unpack_row(layout, block.get() + static_cast<uint64_t>(r) * layout.row_bytes, columns,
                     plane, pixels.data() + ((y + r) * layout.width + x) * channels);
      }
    }
  }
  return "";
}

/// As the page is to be seen (TIFF 6.0, Orientation): where its row 0 and column 0 are.
Image8 turned(Image8 image, uint16_t orientation) {
  if (orientation <= ORIENTATION_TOPLEFT || orientation > ORIENTATION_LEFTBOT) return image;
  const bool swaps = orientation >= ORIENTATION_LEFTTOP;
  const bool from_right =
      orientation == ORIENTATION_TOPRIGHT || orientation == ORIENTATION_BOTRIGHT ||
      orientation == ORIENTATION_RIGHTTOP || orientation == ORIENTATION_RIGHTBOT;
  const bool from_bottom =
      orientation == ORIENTATION_BOTRIGHT || orientation == ORIENTATION_BOTLEFT ||
      orientation == ORIENTATION_RIGHTBOT || orientation == ORIENTATION_LEFTBOT;
  Image8 out{swaps ? image.height : image.width, swaps ? image.width : image.height, image.channels,
             std::vector<uint8_t>(image.pixels.size())};
  for (int64_t y = 0; y < out.height; ++y) {
    for (int64_t x = 0; x < out.width; ++x) {
      const int64_t right = from_right ? out.width - 1 - x : x;
      const int64_t down = from_bottom ? out.height - 1 - y : y;
      const int64_t from = swaps ? right * image.width + down : down * image.width + right;
      std::copy_n(&image.pixels[static_cast<size_t>(from * image.channels)], image.channels,
                  &out.pixels[static_cast<size_t>((y * out.width + x) * image.channels)]);
    }
  }
  return out;
}

Result<Image8> decode(Input& input) {
  const Tiff tiff = open_tiff(input);
  if (!tiff)
    return bad_record("damaged TIFF: " +
                      (input.problem.empty() ? "it cannot be opened" : input.problem));
  Result<Layout> layout = read_layout(tiff.get());
  if (layout) layout = with_blocks(tiff.get(), std::move(*layout));
  if (!layout) return tl::unexpected(layout.error());
  input.problem.clear();  // of tags that were not needed
  Image8 image{layout->width, layout->height, layout->out_channels(), {}};
  if (const std::string problem = read_pixels(tiff.get(), *layout, input, image.pixels);
      !problem.empty())
    return bad_record("damaged TIFF: " + problem);
  return turned(std::move(image), layout->orientation);
}

}  // namespace

bool is_tiff(std::string_view bytes) {
  using namespace std::string_view_literals;
  return bytes.starts_with("II*\0"sv) || bytes.starts_with("MM\0*"sv) ||
         bytes.starts_with("II+\0"sv) || bytes.starts_with("MM\0+"sv);
}

Result<Image8> decode_tiff(std::string_view bytes) {
  Input input{bytes, -1, bytes.size()};
  return decode(input);
}

Result<Image8> read_tiff(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0)
    throw Error(Exit::no_input, fmt::format("cannot open '{}': {}", path.string(),
                                            std::generic_category().message(errno)));
  const std::unique_ptr<const int, void (*)(const int*)> closer(&file,
                                                                [](const int* f) { ::close(*f); });
  const off_t size = ::lseek(file, 0, SEEK_END);
  Input input{{}, file, static_cast<uint64_t>(std::max<off_t>(size, 0))};
  return decode(input);
}

}  // namespace unirg::image
