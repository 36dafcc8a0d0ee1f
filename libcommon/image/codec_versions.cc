// SPDX-License-Identifier: Apache-2.0
#include "image/codec_versions.h"

#include <fmt/format.h>
#include <libdeflate.h>
#include <png.h>
#include <zlib.h>

#include <cstdio>
//
#include <jpeglib.h>

#include "base/version.h"

namespace unirg::image {

std::string codec_versions() {
  return fmt::format("dcmtk {}, gdcm {}, libpng {}, zlib {}, libdeflate {}, libjpeg-turbo {}",
                     build_info().dcmtk, build_info().gdcm, png_access_version_number(),
                     zlibVersion(), LIBDEFLATE_VERSION_STRING, LIBJPEG_TURBO_VERSION_NUMBER);
}

}  // namespace unirg::image
