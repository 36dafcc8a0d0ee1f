// PNG and JPEG files, damaged or not: a picture of the size it says, or a reason.
// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "image/image.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto image = unirg::image::decode_image({reinterpret_cast<const char*>(data), size});
  if (!image) {
    UNIRG_ASSERT(!image.error().reason.empty(), "a refusal has a reason");
    return 0;
  }
  const auto again = unirg::image::decode_png(unirg::image::encode_png(*image));
  UNIRG_ASSERT(again && *again == *image, "PNG keeps every pixel");
  return 0;
}
