// What the DICOM sources share. Not for other modules. DCMTK's classes are only named here.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "image/dicom.h"

class DcmItem;
class DcmDataset;

namespace unirg::image::internal {

/// Text attributes as UTF-8 (dicom_metadata.cc).
DicomMetadata read_metadata(DcmItem& dataset);
/// Fills what rendering needs into `image`, whose pixel layout is known: rescale, tables, window,
/// padding, inversion, palette (dicom_metadata.cc). A table whose length does not fit its
/// descriptor counts as absent if it is empty, and is a reason otherwise.
Result<DicomImage> with_display_attributes(DcmItem& dataset, DicomImage image);
/// An attribute as text, unconverted, "" if absent.
std::string raw_text(DcmItem& dataset, uint16_t group, uint16_t element);

/// Sizes, layout and pixels (dicom_decode.cc).
Result<DicomImage> decode_pixels(DcmDataset& dataset, const DicomReadOptions& options);
/// GDCM's turn (dicom_gdcm.cc): one frame of `header`'s layout from its compressed fragments, as
/// stored bytes. \param fragments  the fragments of this frame
Result<std::vector<uint8_t>> gdcm_decode_frame(const DicomImage& header,
                                               const std::vector<std::string_view>& fragments,
                                               int high_bit);

/// DCMTK parses nested sequences by recursion, so a small file can ask for any amount of stack.
/// \returns how many item tags the file holds, an upper bound of its depth; inflates a deflated
/// data set for it
Result<int64_t> count_items(const std::filesystem::path& path);
/// Runs `work` on a thread with a stack for `items` nested items. \throws what `work` throws
void run_with_stack(int64_t items, const std::function<void()>& work);

/// One line of printable ASCII, at most 200 characters: for what a library says about a file.
std::string one_line(std::string_view text);

}  // namespace unirg::image::internal
