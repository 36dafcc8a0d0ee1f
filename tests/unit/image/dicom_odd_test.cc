// Layouts, tables and texts that a radiograph seldom has, with values worked by hand.
// SPDX-License-Identifier: Apache-2.0
#include <libdeflate.h>

#include <array>
#include <fstream>
#include <sstream>

#include "dicom_builder.h"
#include "image/dicom_file.h"
#include "image/dicom_write.h"
#include "io/atomic_file.h"

namespace unirg::image {
namespace {

using Values = std::vector<int32_t>;

Values pixels_of(const Result<DicomImage>& image) {
  EXPECT_TRUE(image) << image.error().reason;
  return image ? image->pixels : Values{};
}

// PS3.5 8.1.1: cells of one bit follow each other from the lowest bit of the first byte on, frames
// too: the second of two 3 x 3 frames begins with bit 1 of byte 1.
TEST(DicomOdd, OneBitCellsArePackedAcrossFrames) {
  FileBuilder file;
  file.layout(3, 3, 1, 1).text(DCM_NumberOfFrames, "2").bytes(DCM_PixelData, {0x55, 0x0F, 0x02, 0});
  const auto image = file.read(EXS_LittleEndianExplicit, {.all_frames = true});
  EXPECT_EQ(pixels_of(image), (Values{1, 0, 1, 0, 1, 0, 1, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 1}));
  EXPECT_EQ(image->bits_allocated, 8);
  const auto first = file.read();
  EXPECT_EQ(first->frames_read, 1) << "the first frame is taken";
  EXPECT_EQ(render_grayscale(*first)->pixels,
            (std::vector<uint8_t>{255, 0, 255, 0, 255, 0, 255, 0, 255}));
}

// ACR-NEMA: 0xABC and 0x123 in three bytes.
TEST(DicomOdd, TwelveBitCellsArePacked) {
  FileBuilder file;
  file.layout(1, 2, 12, 12).words(DcmTag(DCM_PixelData, EVR_OW), {0x3ABC, 0x0012});
  const auto image = file.read();
  EXPECT_EQ(pixels_of(image), (Values{0xABC, 0x123}));
  EXPECT_EQ(image->bits_allocated, 16);
}

TEST(DicomOdd, AnAcrNemaFileWithoutPhotometricInterpretationIsDarkWhereItIsLow) {
  FileBuilder file;
  file.layout(1, 2, 16, 12)
      .text(DCM_PhotometricInterpretation, "")
      .text(DcmTagKey(0x0008, 0x0010), "ACR-NEMA 2.0")
      .words(DcmTag(DCM_PixelData, EVR_OW), {7, 4095});
  const auto image = file.read();
  EXPECT_EQ(pixels_of(image), (Values{7, 4095}));
  EXPECT_EQ(image->photometric, "MONOCHROME2");
}

TEST(DicomOdd, EveryNumberOfBitsReadsBackSignedAndNot) {
  for (int bits = 1; bits <= 16; ++bits) {
    const int top = (1 << bits) - 1;
    for (const bool is_signed : {false, true}) {
      FileBuilder file;
      // What stands above Bits Stored is no part of the value.
      const auto noise = static_cast<uint16_t>(~top & 0xFFFF);
      file.layout(1, 3, 16, bits, is_signed)
          .words(DcmTag(DCM_PixelData, EVR_OW),
                 {0, static_cast<uint16_t>(top | noise), static_cast<uint16_t>(1 << (bits - 1))});
      const int32_t low = 1 << (bits - 1);
      EXPECT_EQ(pixels_of(file.read()), is_signed ? (Values{0, -1, -low}) : (Values{0, top, low}))
          << bits;
    }
  }
}

TEST(DicomOdd, AHighBitAboveTheStoredBitsShiftsThem) {
  FileBuilder file;
  file.layout(1, 2, 16, 12, true)
      .word(DCM_HighBit, 15)
      .words(DcmTag(DCM_PixelData, EVR_OW), {0x7FFF, 0x8000});
  EXPECT_EQ(pixels_of(file.read()), (Values{2047, -2048}));
}

TEST(DicomOdd, BigEndianWordsAndBytesReadBack) {
  FileBuilder words;
  words.layout(1, 3, 16, 16).words(DcmTag(DCM_PixelData, EVR_OW), {1, 256, 0xFF00});
  EXPECT_EQ(pixels_of(words.read(EXS_BigEndianExplicit)), (Values{1, 256, 0xFF00}));
  FileBuilder bytes;
  bytes.layout(2, 2, 8, 8).bytes(DcmTag(DCM_PixelData, EVR_OB), {1, 2, 3, 4});
  EXPECT_EQ(pixels_of(bytes.read(EXS_BigEndianExplicit)), (Values{1, 2, 3, 4}));
}

// Nine bytes of pixels and, against PS3.5 7.1.1, a length of nine.
TEST(DicomOdd, PixelDataOfOddLengthAreWhole) {
  FileBuilder file;
  file.layout(3, 3, 8, 8).bytes(DcmTag(DCM_PixelData, EVR_OB), {1, 2, 3, 4, 5, 6, 7, 8, 9, 0});
  const testing::TempFolder folder;
  const auto path = folder.path() / "x.dcm";
  file.save(path);
  std::stringstream read;
  read << std::ifstream(path, std::ios::binary).rdbuf();
  std::string bytes = read.str();
  ASSERT_EQ(bytes[bytes.size() - 14], 10);  // the length, before the ten bytes
  bytes[bytes.size() - 14] = 9;
  bytes.pop_back();
  std::ofstream(path, std::ios::binary) << bytes;
  EXPECT_EQ(pixels_of(read_dicom(path)), (Values{1, 2, 3, 4, 5, 6, 7, 8, 9}));
}

// A blank picture shrinks a thousandfold, noise not at all: the buffer grows to what there is.
TEST(DicomOdd, ADeflatedDataSetIsReadHoweverMuchItShrank) {
  const testing::TempFolder folder;
  const auto path = folder.path() / "a.dcm";
  constexpr int kSide = 700;
  for (const bool is_blank : {true, false}) {
    std::vector<uint16_t> words(kSide * kSide, 5);
    uint32_t state = 1;
    for (uint16_t& word : words) {
      if (!is_blank) word = static_cast<uint16_t>((state = state * 1664525 + 1013904223) >> 20);
    }
    FileBuilder file;
    file.layout(kSide, kSide, 16, 12).words(DcmTag(DCM_PixelData, EVR_OW), words);
    file.save(path, EXS_DeflatedLittleEndianExplicit);
    const auto image = read_dicom(path);
    EXPECT_EQ(pixels_of(image), Values(words.begin(), words.end())) << is_blank;
    EXPECT_EQ(image->transfer_syntax, UID_DeflatedExplicitVRLittleEndianTransferSyntax);
  }
  std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
  EXPECT_FALSE(read_dicom(path)) << "half of it is not a picture";
  EXPECT_TRUE(read_dicom_header(path)) << "but what comes before its pixels can be read";
}

/// A raw deflate stream (RFC 1951).
std::string deflated(const std::string& bytes) {
  const std::unique_ptr<libdeflate_compressor, decltype(&libdeflate_free_compressor)> compressor(
      libdeflate_alloc_compressor(6), libdeflate_free_compressor);
  std::string out(libdeflate_deflate_compress_bound(compressor.get(), bytes.size()), '\0');
  out.resize(libdeflate_deflate_compress(compressor.get(), bytes.data(), bytes.size(), out.data(),
                                         out.size()));
  return out;
}

/// An element of a meta header, explicit VR, little endian.
std::string meta_element(uint16_t element, const char* vr, const std::string& value) {
  const bool is_long = std::string_view(vr) == "OB";
  std::string out{"\x02\x00", 2};
  const auto put = [&](uint32_t number, size_t bytes) {
    for (size_t i = 0; i < bytes; ++i) out += static_cast<char>(number >> (8 * i) & 255);
  };
  put(element, 2);
  out += vr;
  if (is_long) put(0, 2);
  put(static_cast<uint32_t>(value.size()), is_long ? 4 : 2);
  return out + value;
}

// The stack that nesting asks for is found by inflating where DCMTK does, however odd the header.
TEST(DicomOdd, ADeflatedDataSetMayNestDeeplyBehindAnOddMetaHeader) {
  const std::string uid = meta_element(0x0010, "UI", std::string("1.2.840.10008.1.2.1.99\0\0", 24));
  const auto length = [](size_t bytes) {
    return meta_element(0, "UL",
                        {static_cast<char>(bytes & 255), static_cast<char>(bytes >> 8), 0, 0});
  };
  const std::string large = meta_element(0x0102, "OB", std::string(5000, '\0')) + uid;
  const std::vector<std::string> headers{
      length(uid.size()) + uid, uid, length(uid.size() - 1) + uid,
      meta_element(0x0002, "UI", "1.2.") + uid, length(large.size()) + large};
  std::string nested;
  for (int i = 0; i < 60000; ++i) {
    nested += std::string("\x40\x00\x30\xa7SQ\0\0\xff\xff\xff\xff", 12) +
              std::string("\xfe\xff\x00\xe0\xff\xff\xff\xff", 8);
  }
  const testing::TempFolder folder;
  for (const std::string& header : headers) {
    const auto path = folder.path() / "a.dcm";
    io::write_file(path, std::string(128, '\0') + "DICM" + header + deflated(nested));
    EXPECT_FALSE(read_dicom(path));
    static_cast<void>(read_dicom_header(path));
  }
}

// C.7.6.16: rescale and window of an enhanced image stand in functional groups.
TEST(DicomOdd, FunctionalGroupsOfTheFirstFrameComeBeforeTheSharedOnes) {
  FileBuilder file;
  ItemBuilder& root = file.layout(1, 2, 16, 12).text(DCM_NumberOfFrames, "2");
  root.words(DcmTag(DCM_PixelData, EVR_OW), {0, 100, 7, 7});
  root.item(DCM_SharedFunctionalGroupsSequence)
      .item(DCM_PixelValueTransformationSequence)
      .text(DCM_RescaleSlope, "2")
      .text(DCM_RescaleIntercept, "-100");
  root.item(DCM_SharedFunctionalGroupsSequence)
      .item(DCM_FrameVOILUTSequence)
      .text(DCM_WindowCenter, "1")
      .text(DCM_WindowWidth, "2");
  auto image = file.read();
  ASSERT_TRUE(image) << image.error().reason;
  EXPECT_EQ(image->rescale_slope, 2.0);
  EXPECT_EQ(image->rescale_intercept, -100.0);
  ASSERT_TRUE(image->window);
  EXPECT_EQ(image->window->width, 2.0);
  for (const int frame : {0, 1}) {
    root.item(DCM_PerFrameFunctionalGroupsSequence, frame)
        .item(DCM_FrameVOILUTSequence)
        .text(DCM_WindowCenter, frame == 0 ? "0" : "5")
        .text(DCM_WindowWidth, "400")
        .text(DCM_VOILUTFunction, "LINEAR_EXACT");
  }
  image = file.read();
  ASSERT_TRUE(image && image->window);
  EXPECT_EQ(image->window->center, 0.0);
  // 0 -> -100 -> (-100 - 0)/400 + 0.5 = 0.25 -> floor(63.75 + 0.5); 100 -> 100 -> 0.75.
  EXPECT_EQ(render_grayscale(*image)->pixels, (std::vector<uint8_t>{64, 191}));
}

ItemBuilder& palette_image(FileBuilder& file, const std::vector<uint16_t>& pixels) {
  file.layout(1, static_cast<int>(pixels.size()), 16, 8)
      .text(DCM_PhotometricInterpretation, "PALETTE COLOR")
      .words(DcmTag(DCM_PixelData, EVR_OW), pixels);
  for (const DcmTagKey& tag :
       {DCM_RedPaletteColorLookupTableDescriptor, DCM_GreenPaletteColorLookupTableDescriptor,
        DCM_BluePaletteColorLookupTableDescriptor})
    file.root().words(DcmTag(tag, EVR_US), {8, 0, 16});
  return file.root();
}

std::array<DcmTagKey, 3> segmented_tags() {
  return {DCM_SegmentedRedPaletteColorLookupTableData,
          DCM_SegmentedGreenPaletteColorLookupTableData,
          DCM_SegmentedBluePaletteColorLookupTableData};
}

// C.7.9.2: two values; four points on a line to 500; the first segment once more.
TEST(DicomOdd, SegmentedPalettesAreExpanded) {
  FileBuilder file;
  ItemBuilder& root = palette_image(file, {0, 7});
  for (const DcmTagKey& tag : segmented_tags())
    root.words(DcmTag(tag, EVR_OW), {0, 2, 0, 100, 1, 4, 500, 2, 1, 0, 0});
  const auto image = file.read();
  ASSERT_TRUE(image) << image.error().reason;
  ASSERT_TRUE(image->palette);
  EXPECT_EQ((*image->palette)[2].values,
            (std::vector<uint16_t>{0, 100, 200, 300, 400, 500, 0, 100}));
}

TEST(DicomOdd, DamagedSegmentsAreAReason) {
  const std::vector<std::vector<uint16_t>> damaged{
      {0, 9, 1, 2},                          // longer than the data
      {1, 8, 500, 0},                        // a line from nowhere
      {0, 4, 1, 2, 3, 4},                    // four entries short
      {0, 1, 5, 2, 1, 6, 0, 0},              // an indirect segment that points at itself
      {0, 1, 5, 2, 1, 0xFFFE, 0xFFFF, 0},    // or outside
      {0, 0, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8},  // one without entries
      {0, 1, 5, 2, 0, 0, 0, 0, 7, 1, 2, 3, 4, 5, 6, 7},  // no segments
      {3, 1, 5, 5}};                                     // an unknown kind
  for (const auto& data : damaged) {
    FileBuilder file;
    ItemBuilder& root = palette_image(file, {0, 7});
    for (const DcmTagKey& tag : segmented_tags()) root.words(DcmTag(tag, EVR_OW), data);
    const auto image = file.read();
    ASSERT_FALSE(image);
    EXPECT_EQ(image.error().reason, "palette segmented lookup table is damaged");
  }
}

// PS3.5 annexes H and I, and single-byte sets: U+5C71 U+7530, U+6D2A, Cyrillic, half-width kana.
TEST(DicomOdd, CharacterSetsBecomeUtf8) {
  struct Case {
    const char* charset;
    std::string bytes;
    const char* utf8;
  };
  const std::vector<Case> cases{
      {"\\ISO 2022 IR 87", "Clinic \x1b$B\x3b\x33\x45\x44\x1b(B",
       "Clinic \xE5\xB1\xB1\xE7\x94\xB0"},
      // Annex H.3.2: JIS X 0201 and its half-width kana, then JIS X 0208.
      {"ISO 2022 IR 13\\ISO 2022 IR 87", "\xd4\xcf\x1b$B\x3b\x33\x45\x44\x1b(J 1",
       "\xEF\xBE\x94\xEF\xBE\x8F\xE5\xB1\xB1\xE7\x94\xB0 1"},
      {"\\ISO 2022 IR 149", "\x1b$)C\xfb\xf3 Hospital", "\xE6\xB4\xAA Hospital"},
      {"ISO_IR 144", "\xbb\xde\xda", "\xD0\x9B\xD0\xBE\xD0\xBA"},
      {"ISO_IR 13", "\xd4\xcf", "\xEF\xBE\x94\xEF\xBE\x8F"},
      {"GB18030", "\xcd\xf5", "\xE7\x8E\x8B"},
      {"ISO_IR 192", "\xC3\xBC", "\xC3\xBC"},
      {"ISO_IR 6", "\xfc", "\xEF\xBF\xBD"}};  // not ASCII: marked
  for (const Case& c : cases) {
    FileBuilder file;
    file.layout(1, 2, 8, 8).bytes(DcmTag(DCM_PixelData, EVR_OB), {0, 1});
    file.root().text(DCM_SpecificCharacterSet, c.charset).text(DCM_InstitutionName, c.bytes);
    const auto image = file.read();
    ASSERT_TRUE(image) << image.error().reason;
    EXPECT_EQ(image->metadata.institution_name, c.utf8) << c.charset;
  }
}

TEST(DicomOdd, BurnedInAnnotationAndOverlaysAreTold) {
  FileBuilder file;
  file.layout(1, 2, 8, 8).bytes(DcmTag(DCM_PixelData, EVR_OB), {0, 1});
  EXPECT_EQ(file.read()->metadata.overlays, 0);
  file.root()
      .text(DCM_BurnedInAnnotation, "YES")
      .words(DcmTag(0x6000, 0x0010, EVR_US), {1})
      .words(DcmTag(0x6002, 0x0010, EVR_US), {1});
  const auto image = file.read();
  EXPECT_EQ(image->metadata.burned_in_annotation, "YES");
  EXPECT_EQ(image->metadata.overlays, 2);
}

TEST(DicomOdd, BothDecodersFindTheSameValues) {
  test_codecs();
  DicomWriteOptions options;
  options.study_instance_uid = options.series_instance_uid = options.sop_instance_uid = "1.2.3";
  options.patient_id = "p";
  std::vector<uint16_t> values(64 * 64);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<uint16_t>(i * 7919 % 4096);
  const testing::TempFolder folder;
  for (const TransferSyntax syntax :
       {TransferSyntax::jpeg_lossless_sv1, TransferSyntax::jpeg_ls_lossless, TransferSyntax::rle}) {
    options.transfer_syntax = syntax;
    const auto path = folder.path() / "x.dcm";
    write_dicom(path, 64, 64, values, options);
    const auto ours = read_dicom(path, {.decoder = DicomDecoder::dcmtk});
    const auto theirs = read_dicom(path, {.decoder = DicomDecoder::gdcm});
    EXPECT_EQ(pixels_of(ours), Values(values.begin(), values.end()));
    EXPECT_EQ(pixels_of(theirs), pixels_of(ours)) << transfer_syntax_uid(syntax);
    EXPECT_EQ(theirs->decoder, "gdcm");
  }
}

}  // namespace
}  // namespace unirg::image
