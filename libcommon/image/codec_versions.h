// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace unirg::image {

/// The libraries that the bytes of a PNG made of a file depend on, as they are loaded:
/// "dcmtk 3.6.7, gdcm 3.0.21, libpng 10639, zlib 1.2.13, libjpeg-turbo 2001005, libtiff 4.5.0,
/// openslide 3.4.1". What DCMTK and GDCM use themselves has no version here.
std::string codec_versions();

}  // namespace unirg::image
