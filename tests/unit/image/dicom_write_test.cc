// SPDX-License-Identifier: Apache-2.0
#include "image/dicom_write.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "base/error.h"
#include "base/rng.h"
#include "image/dicom.h"
#include "io/atomic_file.h"
#include "temp_folder.h"

namespace unirg::image {
namespace {

const DicomCodecs& codecs() {
  static const DicomCodecs instance;
  return instance;
}

/// A smooth picture with some noise, so that codecs have something to do.
Image8 picture(int64_t width, int64_t height) {
  Rng rng(5, "dicom-write-test");
  Image8 image{width, height, 1, {}};
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      const double v = 128 + 100 * std::sin(0.11 * static_cast<double>(x)) *
                                 std::cos(0.07 * static_cast<double>(y));
      image.pixels.push_back(static_cast<uint8_t>(v + static_cast<double>(rng.below(20))));
    }
  }
  image.pixels.front() = 0;
  image.pixels.back() = 255;
  return image;
}

std::vector<uint16_t> stored_values(const Image8& image, const DicomWriteOptions& options) {
  const int top = (1 << options.bits_stored) - 1;
  std::vector<uint16_t> out;
  for (const uint8_t v : image.pixels) {
    const int value = (v * top + 127) / 255;
    out.push_back(static_cast<uint16_t>(options.is_monochrome1 ? top - value : value));
  }
  return out;
}

DicomWriteOptions minimal() {
  DicomWriteOptions options;
  options.study_instance_uid = deterministic_uid("study 1");
  options.series_instance_uid = deterministic_uid("series 1");
  options.sop_instance_uid = deterministic_uid("image 1");
  options.patient_id = "P0001";
  return options;
}

struct Case {
  bool is_monochrome1;
  int bits;
  TransferSyntax syntax;
};

void check_round_trip(const std::filesystem::path& folder, const Case& c, DicomModality modality) {
  DicomWriteOptions options = minimal();
  options.modality = modality;
  options.is_monochrome1 = c.is_monochrome1;
  options.bits_stored = c.bits;
  options.transfer_syntax = c.syntax;
  const Image8 wanted = picture(61, 43);  // odd sizes: padding bytes and restart of runs
  const std::vector<uint16_t> values = stored_values(wanted, options);
  const auto path = folder / "x.dcm";
  write_dicom(path, wanted.height, wanted.width, values, options);
  const auto image = read_dicom(path);
  ASSERT_TRUE(image) << image.error().reason;
  EXPECT_EQ(image->decoder, "dcmtk");
  EXPECT_EQ(image->transfer_syntax, transfer_syntax_uid(c.syntax));
  EXPECT_EQ(image->bits_stored, c.bits);
  EXPECT_EQ(image->photometric, c.is_monochrome1 ? "MONOCHROME1" : "MONOCHROME2");
  EXPECT_EQ(image->pixels, std::vector<int32_t>(values.begin(), values.end()));
  const auto shown = render_grayscale(*image);
  ASSERT_TRUE(shown) << shown.error().reason;
  for (size_t i = 0; i < wanted.pixels.size(); ++i) {
    ASSERT_LE(std::abs(int{shown->pixels[i]} - int{wanted.pixels[i]}), 1) << "pixel " << i;
  }
}

TEST(DicomWrite, EveryCodingReadsBackExactly) {
  codecs();
  const testing::TempFolder folder;
  for (const auto syntax :
       {TransferSyntax::implicit_le, TransferSyntax::explicit_le, TransferSyntax::deflated,
        TransferSyntax::jpeg_lossless_sv1, TransferSyntax::jpeg_ls_lossless, TransferSyntax::rle}) {
    for (const int bits : {8, 10, 12, 16}) {
      for (const bool is_monochrome1 : {false, true}) {
        for (const auto modality : {DicomModality::dx, DicomModality::cr}) {
          SCOPED_TRACE(std::string(transfer_syntax_uid(syntax)) + " " + std::to_string(bits) +
                       (is_monochrome1 ? " MONOCHROME1" : " MONOCHROME2"));
          check_round_trip(folder.path(), {is_monochrome1, bits, syntax}, modality);
        }
      }
    }
  }
}

TEST(DicomWrite, SameArgumentsGiveTheSameBytes) {
  codecs();
  const testing::TempFolder folder;
  const Image8 wanted = picture(64, 64);
  for (const auto syntax : {TransferSyntax::explicit_le, TransferSyntax::deflated,
                            TransferSyntax::jpeg_lossless_sv1, TransferSyntax::jpeg_ls_lossless}) {
    DicomWriteOptions options = minimal();
    options.transfer_syntax = syntax;
    const auto values = stored_values(wanted, options);
    const std::string first = write_dicom(folder.path() / "a.dcm", 64, 64, values, options);
    EXPECT_EQ(first, write_dicom(folder.path() / "b.dcm", 64, 64, values, options));
  }
}

TEST(DicomWrite, AttributesReadBackAsUtf8) {
  codecs();
  const testing::TempFolder folder;
  DicomWriteOptions options = minimal();
  options.patient_age = "045Y";
  options.patient_sex = "F";
  options.ethnic_group = "ASIAN";
  options.institution_name = "Krankenhaus M\xC3\xBCnchen";
  options.study_date = "20200102";
  options.study_time = "101112";
  options.accession_number = "A17";
  options.view_position = "PA";
  options.study_description = "CHEST 2 VIEWS";
  options.series_description = "PA";
  options.window = WindowAttributes{1000, 800, "SIGMOID"};
  const Image8 wanted = picture(32, 32);
  write_dicom(folder.path() / "a.dcm", 32, 32, stored_values(wanted, options), options);
  const auto image = read_dicom(folder.path() / "a.dcm");
  ASSERT_TRUE(image) << image.error().reason;
  const DicomMetadata& m = image->metadata;
  EXPECT_EQ(m.patient_age, "045Y");
  EXPECT_EQ(m.patient_sex, "F");
  EXPECT_EQ(m.ethnic_group, "ASIAN");
  EXPECT_EQ(m.institution_name, "Krankenhaus M\xC3\xBCnchen");
  EXPECT_EQ(m.study_date, "20200102");
  EXPECT_EQ(m.content_date, "20200102");
  EXPECT_EQ(m.accession_number, "A17");
  EXPECT_EQ(m.view_position, "PA");
  EXPECT_EQ(m.modality, "DX");
  EXPECT_EQ(m.body_part, "CHEST");
  EXPECT_EQ(m.burned_in_annotation, "NO");
  EXPECT_EQ(m.patient_orientation, "L\\F");
  EXPECT_EQ(m.study_instance_uid, options.study_instance_uid);
  EXPECT_EQ(m.sop_class_uid, "1.2.840.10008.5.1.4.1.1.1.1");
  ASSERT_TRUE(image->window);
  EXPECT_EQ(image->window->center, 1000);
  EXPECT_EQ(image->window->function, VoiFunction::sigmoid);
}

/// An explicit little-endian file whose first `from` becomes `to` (same length).
std::filesystem::path edited(const std::filesystem::path& path, std::string_view from,
                             std::string_view to) {
  std::string bytes = io::read_file(path);
  const size_t at = bytes.find(from);
  EXPECT_NE(at, bytes.npos);
  bytes.replace(at, from.size(), to);
  io::write_file(path, bytes);
  return path;
}

TEST(DicomRead, Latin1BecomesUtf8AndBrokenTextIsMarked) {
  codecs();
  const testing::TempFolder folder;
  DicomWriteOptions options = minimal();
  options.institution_name = "Hospital XY";
  const Image8 wanted = picture(32, 32);
  const auto path = folder.path() / "a.dcm";
  write_dicom(path, 32, 32, stored_values(wanted, options), options);
  edited(path, "Hospital XY", "Hospital \xFC\xE9");
  EXPECT_EQ(read_dicom(path)->metadata.institution_name, "Hospital \xEF\xBF\xBD\xEF\xBF\xBD");
  edited(path, "ISO_IR 192", "ISO_IR 100");
  EXPECT_EQ(read_dicom(path)->metadata.institution_name, "Hospital \xC3\xBC\xC3\xA9");
}

TEST(DicomRead, TruncatedAndChangedFilesAreReasonsOrImages) {
  codecs();
  const testing::TempFolder folder;
  const Image8 wanted = picture(40, 40);
  Rng rng(9, "dicom-write-test");
  int refused = 0;
  for (const auto syntax :
       {TransferSyntax::explicit_le, TransferSyntax::deflated, TransferSyntax::rle,
        TransferSyntax::jpeg_lossless_sv1, TransferSyntax::jpeg_ls_lossless}) {
    DicomWriteOptions options = minimal();
    options.transfer_syntax = syntax;
    const auto path = folder.path() / "a.dcm";
    write_dicom(path, 40, 40, stored_values(wanted, options), options);
    const std::string bytes = io::read_file(path);
    io::write_file(path, bytes.substr(0, bytes.size() / 2));
    EXPECT_FALSE(read_dicom(path)) << transfer_syntax_uid(syntax);
    for (int i = 0; i < 60; ++i) {
      std::string changed = bytes;
      for (int k = 0; k < 4; ++k)
        changed[rng.below(changed.size())] = static_cast<char>(rng.below(256));
      std::ofstream(path, std::ios::binary) << changed;
      if (!read_dicom(path)) ++refused;
    }
  }
  EXPECT_GT(refused, 5);
}

TEST(DicomRead, AnRleHeaderThatPointsBackwardsIsAReason) {
  using namespace std::string_view_literals;
  codecs();
  const testing::TempFolder folder;
  DicomWriteOptions options = minimal();
  options.transfer_syntax = TransferSyntax::rle;
  const Image8 wanted = picture(40, 40);
  const auto path = folder.path() / "a.dcm";
  write_dicom(path, 40, 40, stored_values(wanted, options), options);
  const std::string bytes = io::read_file(path);
  const size_t header = bytes.find("\x02\x00\x00\x00\x40\x00\x00\x00"sv);
  ASSERT_NE(header, bytes.npos);
  for (const auto offset : {"\x10\x00\x00\x00"sv, "\x40\x00\x00\x00"sv, "\xff\xff\xff\xff"sv}) {
    std::string changed = bytes;
    changed.replace(header + 8, 4, offset);
    io::write_file(path, changed);
    const auto image = read_dicom(path);
    ASSERT_FALSE(image);
    EXPECT_EQ(image.error().reason, "damaged RLE header");
  }
}

TEST(DicomRead, AClaimOfMorePixelsThanTheLimitIsAReason) {
  using namespace std::string_view_literals;
  codecs();
  const testing::TempFolder folder;
  const DicomWriteOptions options = minimal();
  const Image8 wanted = picture(40, 40);
  const auto path = folder.path() / "a.dcm";
  write_dicom(path, 40, 40, stored_values(wanted, options), options);
  edited(path, "\x28\x00\x10\x00US\x02\x00\x28\x00"sv, "\x28\x00\x10\x00US\x02\x00\xff\xff"sv);
  EXPECT_EQ(read_dicom(path).error().reason, "pixel data have 3200 bytes, 5242800 are needed");
  edited(path, "\x28\x00\x11\x00US\x02\x00\x28\x00"sv, "\x28\x00\x11\x00US\x02\x00\xff\xff"sv);
  EXPECT_EQ(read_dicom(path).error().reason,
            "image has 1 x 65535 x 65535 x 1 values, over the limit of 300000000");
}

/// The data set of an implicit little-endian file with `levels` sequences, each the only element of
/// the one before.
std::string nested_sequences(int levels) {
  using namespace std::string_literals;
  std::string bytes(128, '\0');
  bytes += "DICM\x02\x00\x00\x00UL\x04\x00\x1a\x00\x00\x00"s;
  bytes +=
      "\x02\x00\x10\x00UI\x12\x00"
      "1.2.840.10008.1.2\0"s;
  for (int i = 0; i < levels; ++i) {
    bytes += "\x08\x00\x40\x11\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"s;
  }
  return bytes;
}

TEST(DicomRead, DeepNestingIsNoStackOverflow) {
  codecs();
  const testing::TempFolder folder;
  for (const int levels : {400, 20'000, 190'000, 250'000}) {
    const auto path = folder.path() / "deep.dcm";
    std::ofstream(path, std::ios::binary) << nested_sequences(levels);
    const auto image = read_dicom(path);
    ASSERT_FALSE(image);
    if (levels > 200'000) {
      EXPECT_EQ(image.error().reason, "data set has too many nested items");
    }
  }
}

TEST(DicomRead, AMissingAndAForeignFileAreReasons) {
  codecs();
  const testing::TempFolder folder;
  EXPECT_EQ(read_dicom(folder.path() / "none.dcm").error().reason, "cannot open the file");
  io::write_file(folder.path() / "text.dcm", "just some text, long enough to be looked at\n");
  EXPECT_FALSE(read_dicom(folder.path() / "text.dcm"));
  io::write_file(folder.path() / "empty.dcm", "");
  EXPECT_EQ(read_dicom(folder.path() / "empty.dcm").error().reason, "file is empty");
}

TEST(DicomWrite, ForbiddenOptionsAreErrors) {
  codecs();
  const testing::TempFolder folder;
  const auto path = folder.path() / "a.dcm";
  DicomWriteOptions options = minimal();
  EXPECT_THROW(write_dicom(path, 1, 2, {1}, options), Error);
  EXPECT_THROW(write_dicom(path, 1, 1, {4096}, options), Error);
  options.bits_stored = 11;
  EXPECT_THROW(write_dicom(path, 1, 1, {1}, options), Error);
  options = minimal();
  options.sop_instance_uid.clear();
  EXPECT_THROW(write_dicom(path, 1, 1, {1}, options), Error);
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(Uid, IsStableAndValid) {
  const std::string uid = deterministic_uid("study 1");
  EXPECT_EQ(uid, deterministic_uid("study 1"));
  EXPECT_NE(uid, deterministic_uid("study 2"));
  EXPECT_TRUE(uid.starts_with("2.25."));
  EXPECT_LE(uid.size(), 44U);
  EXPECT_EQ(uid.find_first_not_of("0123456789."), uid.npos);
  EXPECT_EQ(uid, "2.25.162779487595017496736397081407862669731");
}

}  // namespace
}  // namespace unirg::image
