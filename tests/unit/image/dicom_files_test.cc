// Real and malformed DICOM files of ../shared against what pydicom made of them (expected.tsv
// there). SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <fstream>
#include <set>

#include "image/dicom.h"

namespace unirg::image {
namespace {

const std::filesystem::path kFolder = UNIRG_SOURCE_DIR "/../shared/data/dicom";

struct Row {
  std::string file, syntax, photometric, decode, sha256;
};

std::vector<Row> expected_rows() {
  std::ifstream table(kFolder / "expected.tsv");
  std::vector<Row> rows;
  std::string line;
  std::getline(table, line);
  while (std::getline(table, line)) {
    std::vector<std::string> fields(1);
    for (const char c : line) {
      if (c == '\t') {
        fields.emplace_back();
      } else {
        fields.back() += c;
      }
    }
    if (fields.size() < 16) fields.resize(16);
    rows.push_back({fields[0], fields[2], fields[4], fields[11], fields[15]});
  }
  return rows;
}

const DicomCodecs& codecs() {
  static const DicomCodecs instance;
  return instance;
}

bool is_lossy(const std::string& syntax) {
  static const std::set<std::string> kLossy{"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51",
                                            "1.2.840.10008.1.2.4.53", "1.2.840.10008.1.2.4.55",
                                            "1.2.840.10008.1.2.4.81", "1.2.840.10008.1.2.4.91"};
  return kLossy.contains(syntax);
}

// Files whose expected digest is not ours, with what we give, and why.
struct Exception {
  const char* file;
  const char* ours;  // a digest, or how the reason begins after "refused: "
};
constexpr const char* kParser = "refused: cannot read DICOM: ";
constexpr Exception kExceptions[] = {
    // pydicom converts native YBR_FULL_422 to RGB; this is the digest of its pixel_array(raw=True).
    {"cornerstone/US-YBR_FULL_422-EVRLE.dcm",
     "eeba3e3c252e3933e54d0f063dbc5638abb24f629ca37018a8414553dda0b784"},
    // A Modality LUT of 23 words that claims 256: the stored values are whole, no right picture can
    // be made of them.
    {"malformed/cat18_cve_dcmtk_minmax_voi/TC0943_modality_lut_string.dcm",
     "refused: modality lookup table is shorter than its descriptor says"},
    // Bytes behind the last attribute that are no data element: DCMTK refuses the file, pydicom
    // drops them.
    {"malformed/cat08_string_encoding/TC0405_latin1_utf8_payload.dcm", kParser},
    {"malformed/cat09_logic_bombs/TC0445_duplicate_tags.dcm", kParser},
    // An unknown VR in the file meta information: DCMTK reads a length of four bytes after it,
    // pydicom of two.
    {"malformed/cat10_cve_2026_3650/TC0533_meta_0003_vr_5858.dcm", kParser},
    {"malformed/cat10_cve_2026_3650/TC0537_meta_0003_vr_4242.dcm", kParser},
    {"malformed/cat10_cve_2026_3650/TC0539_meta_0003_vr_5151.dcm", kParser},
    {"malformed/cat10_cve_2026_3650/TC0591_meta_0012_vr_4141.dcm", kParser},
    {"malformed/cat10_cve_2026_3650/TC0593_meta_0012_vr_4242.dcm", kParser},
    {"malformed/cat10_cve_2026_3650/TC0595_meta_0012_vr_5151.dcm", kParser},
    {"malformed/cat10_cve_2026_3650/TC0615_meta_0013_vr_5a5a.dcm", kParser},
    {"malformed/cat10_cve_2026_3650/TC0617_meta_0013_vr_5858.dcm", kParser},
    {"malformed/cat10_cve_2026_3650/TC0619_meta_0013_vr_4141.dcm", kParser},
    {"malformed/cat10_cve_2026_3650/TC0621_meta_0013_vr_4242.dcm", kParser},
    // A sequence delimiter outside any sequence; pydicom skips it.
    {"malformed/cat03_sequence_nesting/TC0279_stray_seq_delim.dcm", kParser},
    // An ultrasound clip with a stray item tag in a data element; pydicom skips it.
    {"fo-dicom/GH364.dcm", kParser},
};

const Exception* exception_for(const std::string& file) {
  for (const Exception& e : kExceptions) {
    if (file == e.file) return &e;
  }
  return nullptr;
}

TEST(DicomFiles, StoredPixelsOfLosslessFilesAgreeWithPydicom) {
  if (!std::filesystem::exists(kFolder)) GTEST_SKIP() << "../shared/data/dicom is missing";
  codecs();
  int compared = 0;
  for (const Row& row : expected_rows()) {
    if (row.decode != "ok" || is_lossy(row.syntax)) continue;
    ++compared;
    const auto image = read_dicom(kFolder / row.file, {.all_frames = true});
    const std::string got =
        image ? stored_pixel_sha256(*image) : "refused: " + image.error().reason;
    if (const Exception* exception = exception_for(row.file)) {
      EXPECT_TRUE(got.starts_with(exception->ours)) << row.file << ": " << got;
    } else {
      EXPECT_EQ(got, row.sha256) << row.file << " (" << row.syntax << ")";
    }
  }
  EXPECT_GT(compared, 100);
}

/// RGB as pydicom makes it of YBR_FULL (PS3.3 C.7.6.3.1.2), rounded, in `image`'s layout.
DicomImage to_rgb(DicomImage image) {
  for (size_t i = 0; i + 2 < image.pixels.size(); i += 3) {
    const auto y = static_cast<float>(image.pixels[i]);
    const auto cb = static_cast<float>(image.pixels[i + 1] - 128);
    const auto cr = static_cast<float>(image.pixels[i + 2] - 128);
    const std::array<float, 3> rgb{
        y + 1.402F * cr, y - (0.114F * 1.772F / 0.587F) * cb - (0.299F * 1.402F / 0.587F) * cr,
        y + 1.772F * cb};
    for (size_t c = 0; c < 3; ++c) {
      image.pixels[i + c] =
          static_cast<int32_t>(std::clamp(std::floor(rgb[c] + 0.5F), 0.0F, 255.0F));
    }
  }
  return image;
}

// The one lossless file whose digest is not ours (kExceptions): pydicom's is that of our values as
// RGB.
TEST(DicomFiles, TheYbrFileIsPydicomsAfterItsColourConversion) {
  if (!std::filesystem::exists(kFolder)) GTEST_SKIP() << "../shared/data/dicom is missing";
  codecs();
  for (const Row& row : expected_rows()) {
    if (row.file != kExceptions[0].file) continue;
    const auto image = read_dicom(kFolder / row.file);
    ASSERT_TRUE(image) << image.error().reason;
    EXPECT_EQ(stored_pixel_sha256(to_rgb(*image)), row.sha256);
  }
}

struct Difference {
  int32_t most = 0;
  double mean_a = 0.0, mean_b = 0.0;
};

Difference difference(const DicomImage& a, const DicomImage& b) {
  Difference out;
  for (size_t i = 0; i < a.pixels.size(); ++i) {
    out.most = std::max(out.most, std::abs(a.pixels[i] - b.pixels[i]));
    out.mean_a += a.pixels[i];
    out.mean_b += b.pixels[i];
  }
  const auto count = static_cast<double>(a.pixels.size());
  out.mean_a /= count;
  out.mean_b /= count;
  return out;
}

// Lossy files: the digest of the table, or else no value further than one grey level from what the
// other decoder finds; where only one decodes, it is that one's.
TEST(DicomFiles, LossyFilesAreWithinOneLevelOfTheOtherDecoder) {
  if (!std::filesystem::exists(kFolder)) GTEST_SKIP() << "../shared/data/dicom is missing";
  codecs();
  int compared = 0;
  for (const Row& row : expected_rows()) {
    if (!is_lossy(row.syntax)) continue;
    const auto ours = read_dicom(kFolder / row.file);
    const auto dcmtk = read_dicom(kFolder / row.file, {.decoder = DicomDecoder::dcmtk});
    const auto gdcm = read_dicom(kFolder / row.file, {.decoder = DicomDecoder::gdcm});
    EXPECT_EQ(bool(ours), dcmtk || gdcm) << row.file;
    if (!ours) {
      EXPECT_FALSE(row.decode == "ok") << row.file << ": " << ours.error().reason;
      continue;
    }
    ++compared;
    if (stored_pixel_sha256(*ours) == row.sha256) continue;
    for (const auto* other : {&dcmtk, &gdcm}) {
      if (!*other || (*other)->photometric != ours->photometric) continue;
      EXPECT_LE(difference(*ours, **other).most, 1) << row.file << " " << (*other)->decoder;
    }
  }
  EXPECT_GE(compared, 11);
}

// An ACR-NEMA file of packed 12-bit cells, which pydicom does not read: GDCM 3.0.21's digest.
TEST(DicomFiles, PackedTwelveBitCellsAreGdcms) {
  if (!std::filesystem::exists(kFolder)) GTEST_SKIP() << "../shared/data/dicom is missing";
  codecs();
  const auto image = read_dicom(kFolder / "fo-dicom/GH340.dcm");
  ASSERT_TRUE(image) << image.error().reason;
  EXPECT_EQ(stored_pixel_sha256(*image),
            "6a270fd645d709984a07dba2b84c66f5ac5dd5209125fe5c1e28f561bc655410");
  EXPECT_TRUE(render_grayscale(*image));
}

TEST(DicomFiles, EveryMalformedFileEndsInAResultInTime) {
  if (!std::filesystem::exists(kFolder)) GTEST_SKIP() << "../shared/data/dicom is missing";
  codecs();
  const auto start = std::chrono::steady_clock::now();
  int files = 0;
  int images = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(kFolder / "malformed")) {
    if (entry.path().extension() != ".dcm") continue;
    ++files;
    const auto image = read_dicom(entry.path());
    if (image) {
      ++images;
      if (const auto shown = render_grayscale(*image); !shown) {
        EXPECT_FALSE(shown.error().reason.empty());
      }
    } else {
      EXPECT_FALSE(image.error().reason.empty()) << entry.path();
      EXPECT_EQ(image.error().reason.find('\n'), std::string::npos);
    }
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  EXPECT_EQ(files, 214);
  EXPECT_GT(images, 90);
  EXPECT_LT(seconds.count(), 20.0);
}

TEST(DicomFiles, EveryOtherFileIsAnImageOrAReasonAndJpeg2000ComesFromGdcm) {
  if (!std::filesystem::exists(kFolder)) GTEST_SKIP() << "../shared/data/dicom is missing";
  codecs();
  for (const Row& row : expected_rows()) {
    if (row.file.starts_with("malformed/")) continue;
    const auto image = read_dicom(kFolder / row.file);
    if (row.decode == "ok" && exception_for(row.file) == nullptr) {
      ASSERT_TRUE(image) << row.file << ": " << image.error().reason;
      const auto shown = render_grayscale(*image);
      // Its window lies below all of its values.
      const bool is_white = row.file.ends_with("JPEG2KLossless_1s_1f_u_16_16.dcm");
      EXPECT_EQ(shown ? "" : shown.error().reason,
                is_white ? "the image has one grey level after its window" : "")
          << row.file;
      const bool is_jpeg2000 =
          row.syntax == "1.2.840.10008.1.2.4.90" || row.syntax == "1.2.840.10008.1.2.4.91";
      EXPECT_EQ(image->decoder, is_jpeg2000 ? "gdcm" : "dcmtk") << row.file;
    }
    if (row.decode == "no pixels") {
      EXPECT_FALSE(image) << row.file;
    }
  }
}

}  // namespace
}  // namespace unirg::image
