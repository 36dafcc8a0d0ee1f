// What the DICOM sources share. Not for other modules. DCMTK's classes are only named here.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "image/dicom.h"

class DcmItem;
class DcmDataset;
class DcmTagKey;

namespace unirg::image::internal {

/// header: up to Pixel Data, whose damage then does not show; only as much is read as it takes
enum class Extent { whole, header };

/// Is given a file's data set and the UID of the transfer syntax it was stored in.
using UseDataset = std::function<void(DcmDataset&, const std::string& transfer_syntax)>;
/// Parses a file and calls `use` with its data set, on a stack as large as its nesting needs
/// (dicom.cc). \returns "", or why it cannot be read: `use` was not called, or memory ran out in it
std::string with_dataset(const std::filesystem::path& path, Extent extent, const UseDataset& use);

/// Text attributes as UTF-8 (dicom_metadata.cc).
DicomMetadata read_metadata(DcmItem& dataset);
/// Fills what rendering needs into `image`, whose pixel layout is known: rescale, tables, window,
/// padding, inversion, palette (dicom_metadata.cc). A table whose length does not fit its
/// descriptor counts as absent if it is empty, and is a reason otherwise.
Result<DicomImage> with_display_attributes(DcmItem& dataset, DicomImage image);
/// 16 raw bits of a US, SS or xs attribute (dicom_tables.cc).
std::optional<uint16_t> raw_word(DcmItem& item, const DcmTagKey& tag, unsigned long position);
int32_t as_int(uint16_t word, bool is_signed);
/// The table in the first item of a Modality or VOI LUT sequence; empty optional where there is
/// none (dicom_tables.cc).
Result<std::optional<LookupTable>> read_sequence_table(DcmItem& dataset, const DcmTagKey& sequence,
                                                       bool is_signed);
/// Red, green, blue, plain or segmented; empty optional where one is missing (dicom_tables.cc).
Result<std::optional<std::array<LookupTable, 3>>> read_palette(DcmItem& dataset);
/// Text of a Structured Report, "" where there is none (dicom_report.cc).
std::string report_text(DcmItem& dataset);
/// Text with escape sequences of ISO 2022; `charsets` is (0008,0005). Empty optional where it holds
/// something else (dicom_iso2022.cc).
std::optional<std::string> iso2022_to_utf8(std::string_view text, std::string_view charsets);
/// An attribute as text, unconverted, "" if absent (dicom_text.cc).
std::string raw_text(DcmItem& dataset, uint16_t group, uint16_t element);

/// Sizes, layout and pixels (dicom_decode.cc).
Result<DicomImage> decode_pixels(DcmDataset& dataset, const std::string& transfer_syntax,
                                 const DicomReadOptions& options);
/// GDCM's turn (dicom_gdcm.cc): one frame of `header`'s layout from its compressed fragments, as
/// stored bytes. \param fragments  the fragments of this frame
Result<std::vector<uint8_t>> gdcm_decode_frame(const DicomImage& header,
                                               const std::vector<std::string_view>& fragments,
                                               int high_bit);

/// A data set that was stored deflated (PS3.5 A.5), in Explicit VR Little Endian.
struct Inflated {
  std::unique_ptr<char[]> bytes;
  size_t size = 0;
};
/// So many nested items are parsed on any thread's stack, more on one of run_with_stack().
constexpr int64_t kPlainItems = 500;
struct FileScan {
  /// How many item tags the file holds, an upper bound of how deep its sequences nest: DCMTK parses
  /// them by recursion, so a small file can ask for any amount of stack.
  int64_t items = 0;
  /// Of a deflated file, so that it is inflated once; not where it is damaged or very large.
  std::optional<Inflated> inflated;
};
/// What has to be known of a file before DCMTK parses it (dicom_scan.cc).
Result<FileScan> scan_file(const std::filesystem::path& path);

/// A file's beginning, where the attributes before Pixel Data are.
struct FileHead {
  std::string bytes;         ///< of the file or, of a deflated one, of its data set inflated
  bool is_inflated = false;  ///< in Explicit VR Little Endian, without the file's meta header
  bool is_whole = false;     ///< nothing follows
  int64_t items = 0;         ///< as in FileScan, of `bytes`
};
/// At most 64 KiB (dicom_scan.cc). Damage is not reported: whoever reads the whole file does.
FileHead read_head(const std::filesystem::path& path);
/// Runs `work` on a thread with a stack for `items` nested items. \throws what `work` throws
void run_with_stack(int64_t items, const std::function<void()>& work);

/// One line of printable ASCII, at most 200 characters: for what a library says about a file.
std::string one_line(std::string_view text);

}  // namespace unirg::image::internal
