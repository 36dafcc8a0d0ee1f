// SPDX-License-Identifier: Apache-2.0
#include "image/image.h"

#include "image/tiff.h"

namespace unirg::image {

Image8 to_rgb(const Image8& image) {
  if (image.channels == 3) return image;
  Image8 out{image.width, image.height, 3, {}};
  out.pixels.reserve(image.pixels.size() * 3);
  for (const uint8_t value : image.pixels) out.pixels.insert(out.pixels.end(), 3, value);
  return out;
}

Image8 to_gray(const Image8& image) {
  if (image.channels == 1) return image;
  Image8 out{image.width, image.height, 1, {}};
  out.pixels.resize(image.pixels.size() / 3);
  for (size_t i = 0; i < out.pixels.size(); ++i) {
    const uint8_t* p = image.pixels.data() + 3 * i;
    out.pixels[i] = static_cast<uint8_t>((299 * p[0] + 587 * p[1] + 114 * p[2] + 500) / 1000);
  }
  return out;
}

Result<Image8> decode_image(std::string_view bytes) {
  using namespace std::string_view_literals;
  if (bytes.starts_with("\x89PNG\r\n\x1a\n"sv)) return decode_png(bytes);
  if (bytes.starts_with("\xff\xd8\xff"sv)) return decode_jpeg(bytes);
  if (is_tiff(bytes)) return decode_tiff(bytes);
  return bad_record(bytes.empty() ? "image is empty" : "image is neither PNG, JPEG nor TIFF");
}

}  // namespace unirg::image
