// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "base/version.h"
#include "data/decode_picture.h"
#include "image/codec_versions.h"

namespace unirg::data {

std::string decoder_version() {
  static const std::string version =
      fmt::format("{}; {} {}{}; {}", UNIRG_DECODER_SOURCES, build_info().compiler,
                  build_info().build_type, UNIRG_DECODER_FLAGS, image::codec_versions());
  return version;
}

}  // namespace unirg::data
