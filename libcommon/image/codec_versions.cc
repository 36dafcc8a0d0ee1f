// SPDX-License-Identifier: Apache-2.0
#include "image/codec_versions.h"

#include <fmt/format.h>
#include <libdeflate.h>
#include <openslide/openslide.h>
#include <png.h>
#include <tiffio.h>
#include <zlib.h>

#include <algorithm>
#include <cstdio>
#include <string_view>
//
#include <jpeglib.h>

#include "base/version.h"

namespace unirg::image {

std::string codec_versions() {
  // "LIBTIFF, Version 4.5.0\nCopyright ..."
  std::string_view tiff = TIFFGetVersion();
  tiff = tiff.substr(0, tiff.find('\n'));
  tiff.remove_prefix(std::min(tiff.size(), tiff.rfind(' ') + 1));
  return fmt::format(
      "dcmtk {}, gdcm {}, libpng {}, zlib {}, libdeflate {}, libjpeg-turbo {}, libtiff {}, "
      "openslide {}",
      build_info().dcmtk, build_info().gdcm, png_access_version_number(), zlibVersion(),
      LIBDEFLATE_VERSION_STRING, LIBJPEG_TURBO_VERSION_NUMBER, tiff, openslide_get_version());
}

}  // namespace unirg::image
