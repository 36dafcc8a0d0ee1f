// Real and malformed DICOM files of ../shared against what pydicom made of them (expected.tsv there).
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <iostream>
#include <map>
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
  static const std::set<std::string> kLossy{
      "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.53",
      "1.2.840.10008.1.2.4.55", "1.2.840.10008.1.2.4.81", "1.2.840.10008.1.2.4.91"};
  return kLossy.contains(syntax);
}

// Files that pydicom reads and we see otherwise, each with its reason.
const std::map<std::string, std::string>& exceptions() {
  static const std::map<std::string, std::string> kExceptions{};
  return kExceptions;
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
    const auto exception = exceptions().find(row.file);
    if (exception == exceptions().end()) {
      EXPECT_EQ(got, row.sha256) << row.file << " (" << row.syntax << ")";
    } else {
      EXPECT_NE(got, row.sha256) << row.file << " agrees now, drop the exception";
    }
  }
  EXPECT_GT(compared, 100);
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
    if (row.decode == "ok") {
      ASSERT_TRUE(image) << row.file << ": " << image.error().reason;
      const auto shown = render_grayscale(*image);
      EXPECT_TRUE(shown) << row.file << ": " << shown.error().reason;
      const bool is_jpeg2000 = row.syntax == "1.2.840.10008.1.2.4.90" ||
                               row.syntax == "1.2.840.10008.1.2.4.91";
      EXPECT_EQ(image->decoder, is_jpeg2000 ? "gdcm" : "dcmtk") << row.file;
    }
    if (row.decode == "no pixels") {
      EXPECT_FALSE(image) << row.file;
    }
  }
}

}  // namespace
}  // namespace unirg::image
