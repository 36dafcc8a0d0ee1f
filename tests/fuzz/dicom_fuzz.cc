// DICOM files, damaged or not: pixels that can be rendered, or a reason.
// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <fstream>

#include "base/error.h"
#include "image/dicom_file.h"
#include "temp_folder.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const unirg::image::DicomCodecs codecs;
  static const unirg::testing::TempFolder folder;
  const auto file = folder.path() / "input.dcm";
  std::ofstream(file, std::ios::binary)
      .write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  (void)unirg::image::read_dicom_header(file);
  (void)unirg::image::read_dicomdir(file);
  const auto image = unirg::image::read_dicom(file);
  if (image) {
    (void)unirg::image::stored_pixel_sha256(*image);
    (void)unirg::image::render_grayscale(*image);
  } else {
    UNIRG_ASSERT(!image.error().reason.empty(), "a refusal has a reason");
  }
  return 0;
}
