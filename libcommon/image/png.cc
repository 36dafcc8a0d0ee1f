// Reading PNG through libpng. libpng reports errors by longjmp, so the functions that call setjmp
// hold only plain pointers and own nothing with a destructor; what they fill belongs to their
// caller. SPDX-License-Identifier: Apache-2.0
#include <png.h>

#include <array>
#include <cstdio>
#include <cstring>

#include "base/error.h"
#include "image/image.h"

namespace unirg::image {
namespace {

struct Context {
  const uint8_t* input = nullptr;
  size_t left = 0;
  std::array<char, 160> message{};
};

[[noreturn]] void on_error(png_structp png, png_const_charp text) {
  auto* context = static_cast<Context*>(png_get_error_ptr(png));
  std::snprintf(context->message.data(), context->message.size(), "%s", text);
  png_longjmp(png, 1);
}

void on_warning(png_structp, png_const_charp) {}

void read_bytes(png_structp png, png_bytep to, size_t count) {
  auto* context = static_cast<Context*>(png_get_io_ptr(png));
  if (context->left < count) png_error(png, "file ends early");
  std::memcpy(to, context->input, count);
  context->input += count;
  context->left -= count;
}

/// Reads the header and asks libpng to give 8-bit grey or RGB. False after a libpng error.
bool read_header(png_structp png, png_infop info, Image8& image) {
  if (setjmp(png_jmpbuf(png)) != 0) return false;
  png_read_info(png, info);
  const int color = png_get_color_type(png, info);
  const int depth = png_get_bit_depth(png, info);
  if (color == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png);
  if (color == PNG_COLOR_TYPE_GRAY && depth < 8) png_set_expand_gray_1_2_4_to_8(png);
  if (depth == 16) png_set_scale_16(png);
  png_set_strip_alpha(png);
  png_set_interlace_handling(png);
  png_read_update_info(png, info);
  image.width = png_get_image_width(png, info);
  image.height = png_get_image_height(png, info);
  image.channels = png_get_channels(png, info);
  return true;
}

bool read_rows(png_structp png, png_infop info, png_bytep* rows) {
  if (setjmp(png_jmpbuf(png)) != 0) return false;
  png_read_image(png, rows);
  png_read_end(png, info);
  return true;
}

Result<Image8> decode(png_structp png, png_infop info, Context& context) {
  Image8 image;
  if (!read_header(png, info, image)) {
    return bad_record(std::string("damaged PNG: ") + context.message.data());
  }
  if (image.width * image.height > kMaxPixels) return bad_record("PNG has too many pixels");
  if (image.channels != 1 && image.channels != 3) return bad_record("PNG has an unknown layout");
  const int64_t stride = image.width * image.channels;
  image.pixels.resize(static_cast<size_t>(stride * image.height));
  std::vector<png_bytep> rows(static_cast<size_t>(image.height));
  for (size_t y = 0; y < rows.size(); ++y) {
    rows[y] = image.pixels.data() + y * static_cast<size_t>(stride);
  }
  if (!read_rows(png, info, rows.data())) {
    return bad_record(std::string("damaged PNG: ") + context.message.data());
  }
  return image;
}

}  // namespace

Result<Image8> decode_png(std::string_view bytes) {
  Context context{reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), {}};
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &context, on_error, on_warning);
  png_infop info = png == nullptr ? nullptr : png_create_info_struct(png);
  if (info == nullptr) {
    png_destroy_read_struct(&png, nullptr, nullptr);
    throw Error(Exit::internal, "libpng cannot be initialised");
  }
  png_set_user_limits(png, 1'000'000, 1'000'000);
  png_set_chunk_malloc_max(png, 8'000'000);  // a text or profile chunk may claim gigabytes
  png_set_read_fn(png, &context, read_bytes);
  Result<Image8> result = decode(png, info, context);
  png_destroy_read_struct(&png, &info, nullptr);
  return result;
}

}  // namespace unirg::image
