// JPEG through libjpeg-turbo. Errors come by longjmp: see png.cc for why setjmp stands in functions
// that own nothing. SPDX-License-Identifier: Apache-2.0
#include <csetjmp>
#include <cstdio>
// jpeglib.h needs size_t and FILE first
#include <jerror.h>
#include <jpeglib.h>

#include <array>

#include "image/image.h"

namespace unirg::image {
namespace {

// A progressive file may repeat scans without end, each of which costs a pass over the whole image.
constexpr int kMaxScans = 200;

struct Context {
  jpeg_decompress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg_progress_mgr progress{};
  std::jmp_buf jump{};
  std::array<char, JMSG_LENGTH_MAX> message{};
  bool damaged = false;
};

Context* context_of(j_common_ptr jpeg) { return static_cast<Context*>(jpeg->client_data); }

[[noreturn]] void on_error(j_common_ptr jpeg) {
  Context* context = context_of(jpeg);
  jpeg->err->format_message(jpeg, context->message.data());
  std::longjmp(context->jump, 1);
}

/// Warnings (level -1) mean damaged data that libjpeg patched up, and we do not want patched
/// pixels; except for stray bytes between markers and odd header versions, which leave the pixels
/// whole.
void on_message(j_common_ptr jpeg, int level) {
  Context* context = context_of(jpeg);
  const int code = jpeg->err->msg_code;
  const bool harmless =
      code == JWRN_EXTRANEOUS_DATA || code == JWRN_ADOBE_XFORM || code == JWRN_JFIF_MAJOR;
  if (level >= 0 || context->damaged || harmless) return;
  context->damaged = true;
  jpeg->err->format_message(jpeg, context->message.data());
}

void no_output(j_common_ptr) {}

void on_progress(j_common_ptr jpeg) {
  if (context_of(jpeg)->jpeg.input_scan_number > kMaxScans) ERREXIT(jpeg, JERR_BAD_PROGRESSION);
}

bool read_header(Context& c, std::string_view bytes) {
  if (setjmp(c.jump) != 0) return false;
  jpeg_create_decompress(&c.jpeg);
  c.jpeg.client_data = &c;  // jpeg_create_decompress keeps it
  c.jpeg.progress = &c.progress;
  jpeg_mem_src(&c.jpeg, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  jpeg_read_header(&c.jpeg, TRUE);
  c.jpeg.out_color_space = c.jpeg.jpeg_color_space == JCS_GRAYSCALE ? JCS_GRAYSCALE : JCS_RGB;
  c.jpeg.dct_method = JDCT_ISLOW;
  return true;
}

bool start(Context& c) {
  if (setjmp(c.jump) != 0) return false;
  jpeg_start_decompress(&c.jpeg);
  return true;
}

bool read_rows(Context& c, uint8_t* pixels, size_t stride) {
  if (setjmp(c.jump) != 0) return false;
  while (c.jpeg.output_scanline < c.jpeg.output_height) {
    JSAMPROW row = pixels + stride * c.jpeg.output_scanline;
    jpeg_read_scanlines(&c.jpeg, &row, 1);
  }
  jpeg_finish_decompress(&c.jpeg);
  return true;
}

Result<Image8> decode(Context& c, std::string_view bytes) {
  const auto damaged = [&c] {
    return bad_record(std::string("damaged JPEG: ") + c.message.data());
  };
  if (!read_header(c, bytes)) return damaged();
  if (c.jpeg.jpeg_color_space == JCS_CMYK || c.jpeg.jpeg_color_space == JCS_YCCK) {
    return bad_record("JPEG has the unsupported colour space CMYK");
  }
  Image8 image{
      c.jpeg.image_width, c.jpeg.image_height, c.jpeg.out_color_space == JCS_GRAYSCALE ? 1 : 3, {}};
  if (image.width * image.height > kMaxPixels) return bad_record("JPEG has too many pixels");
  if (!start(c)) return damaged();
  const auto stride = static_cast<size_t>(image.width * image.channels);
  image.pixels.resize(stride * static_cast<size_t>(image.height));
  if (!read_rows(c, image.pixels.data(), stride) || c.damaged) return damaged();
  return image;
}

}  // namespace

Result<Image8> decode_jpeg(std::string_view bytes) {
  Context context;
  context.jpeg.err = jpeg_std_error(&context.errors);
  context.jpeg.client_data = &context;
  context.errors.error_exit = on_error;
  context.errors.emit_message = on_message;
  context.errors.output_message = no_output;
  context.progress.progress_monitor = on_progress;
  if (bytes.empty()) return bad_record("damaged JPEG: file is empty");
  Result<Image8> result = decode(context, bytes);
  jpeg_destroy_decompress(&context.jpeg);
  return result;
}

}  // namespace unirg::image
