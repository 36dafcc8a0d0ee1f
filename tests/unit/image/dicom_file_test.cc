// SPDX-License-Identifier: Apache-2.0
#include "image/dicom_file.h"

#include <fstream>

#include "dicom_builder.h"

namespace unirg::image {
namespace {

DicomHeader header_of(FileBuilder& file) {
  const testing::TempFolder folder;
  file.save(folder.path() / "x");
  const auto header = read_dicom_header(folder.path() / "x");
  EXPECT_TRUE(header) << header.error().reason;
  return header.value_or(DicomHeader{});
}

TEST(DicomHeader, StopsBeforeThePixels) {
  FileBuilder file;
  file.layout(4, 4, 8, 8).bytes(DcmTag(DCM_PixelData, EVR_OB), std::vector<uint8_t>(16, 1));
  file.root().text(DCM_StudyInstanceUID, "1.2.3.4").text(DCM_ContentDate, "20240102");
  file.root().text(DCM_ContentTime, "030405.5");
  const testing::TempFolder folder;
  const auto path = folder.path() / "x";
  file.save(path);
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 8);
  EXPECT_FALSE(read_dicom(path)) << "its pixels are cut off";
  const auto header = read_dicom_header(path);
  ASSERT_TRUE(header) << header.error().reason;
  EXPECT_EQ(header->metadata.study_instance_uid, "1.2.3.4");
  EXPECT_EQ(header->content_time, "202401020304055");
  EXPECT_FALSE(header->is_report);
}

// Attributes before Pixel Data may be longer than what is read of a file at first, and nest deeper.
TEST(DicomHeader, IsReadHoweverLongItIs) {
  std::vector<uint8_t> document(200'000);
  uint32_t state = 1;
  for (uint8_t& byte : document) byte = (state = state * 1664525 + 1013904223) >> 24;
  for (const bool is_long : {false, true}) {
    for (const auto syntax : {EXS_LittleEndianExplicit, EXS_LittleEndianImplicit,
                              EXS_BigEndianExplicit, EXS_DeflatedLittleEndianExplicit}) {
      FileBuilder file;
      file.layout(4, 4, 8, 8).bytes(DcmTag(DCM_PixelData, EVR_OB), std::vector<uint8_t>(16, 1));
      file.root().text(DCM_BodyPartExamined, "CHEST").text(DCM_ViewPosition, "PA");
      if (is_long) file.root().bytes(DcmTag(0x0019, 0x1001, EVR_OB), document);
      file.root().text(DcmTagKey(0x0020, 0x0020), "L\\F");  // behind the long one
      ItemBuilder item = file.root();
      for (int depth = 0; is_long && depth < 600; ++depth) item = item.item(DCM_ContentSequence);
      const testing::TempFolder folder;
      file.save(folder.path() / "x", syntax);
      const auto header = read_dicom_header(folder.path() / "x");
      ASSERT_TRUE(header) << header.error().reason;
      EXPECT_EQ(header->metadata.view_position, "PA");
      EXPECT_EQ(header->metadata.patient_orientation, "L\\F") << is_long << syntax;
    }
  }
}

TEST(DicomHeader, HasThePlaceOfASliceAndTheViewOfAMammogram) {
  FileBuilder file;
  file.root().text(DCM_ImagePositionPatient, "-250\\-1.5e2\\+30.25");
  file.root().text(DCM_ImageOrientationPatient, "1\\0\\0\\0\\1\\0");
  file.root().code(DCM_ViewCodeSequence, "399162004", "cranio-caudal");
  const DicomMetadata found = header_of(file).metadata;
  EXPECT_EQ(found.image_position, (std::array<double, 3>{-250, -150, 30.25}));
  EXPECT_EQ(found.image_orientation, (std::array<double, 6>{1, 0, 0, 0, 1, 0}));
  EXPECT_EQ(found.view_code, "399162004");
  FileBuilder short_of;
  short_of.root().text(DCM_ImagePositionPatient, "-250\\30.25");
  const DicomMetadata none = header_of(short_of).metadata;
  EXPECT_FALSE(none.image_position);
  EXPECT_FALSE(none.image_orientation);
  EXPECT_EQ(none.view_code, "");
}

TEST(DicomHeader, SaysWhetherValuesAreHounsfieldUnits) {
  const auto is_hounsfield = [](const char* slope, const char* intercept, const char* type) {
    FileBuilder file;
    file.layout(2, 2, 16, 12).words(DcmTag(DCM_PixelData, EVR_OW), {1, 2, 3, 4});
    if (*slope != '\0') file.root().text(DCM_RescaleSlope, slope);
    if (*intercept != '\0') file.root().text(DCM_RescaleIntercept, intercept);
    if (*type != '\0') file.root().text(DCM_RescaleType, type);
    const auto image = file.read();
    EXPECT_TRUE(image);
    return image && image->is_hounsfield;
  };
  EXPECT_TRUE(is_hounsfield("1", "-1024", "HU"));
  EXPECT_TRUE(is_hounsfield("1", "-1024", ""));
  EXPECT_FALSE(is_hounsfield("1", "-1024", "US"));
  EXPECT_FALSE(is_hounsfield("1", "", ""));
  EXPECT_FALSE(is_hounsfield("", "-1024", "HU"));
}

TEST(DicomHeader, WhatIsNoDicomIsAReason) {
  test_codecs();
  const testing::TempFolder folder;
  std::ofstream(folder.path() / "x") << "a letter\n";
  EXPECT_FALSE(read_dicom_header(folder.path() / "x"));
  EXPECT_FALSE(read_dicom_header(folder.path() / "absent"));
}

ItemBuilder content(ItemBuilder parent, long index, const char* type, const char* code,
                    const char* meaning) {
  ItemBuilder item = parent.item(DCM_ContentSequence, index);
  item.text(DCM_RelationshipType, "CONTAINS").text(DCM_ValueType, type);
  item.code(DCM_ConceptNameCodeSequence, code, meaning);
  return item;
}

// PS3.16 TID 2000 in short: the observer's name is left out, Latin-1 becomes UTF-8.
TEST(DicomReport, ContentBecomesTextWithHeadings) {
  FileBuilder file;
  ItemBuilder& root = file.root();
  root.text(DCM_SpecificCharacterSet, "ISO_IR 100").text(DCM_ValueType, "CONTAINER");
  root.code(DCM_ConceptNameCodeSequence, "18748-4", "Diagnostic Imaging Report");
  content(root, 0, "PNAME", "121008", "Person Observer Name").text(DCM_PersonName, "Secret^Name");
  ItemBuilder findings = content(root, 1, "CONTAINER", "121070", "Befunde");
  content(findings, 0, "TEXT", "121071", "Finding")
      .text(DCM_TextValue, "Kein Erguss.\r\nHerz normal gro\xDF.");
  ItemBuilder width = content(findings, 1, "NUM", "1", "Cardiothoracic ratio");
  ItemBuilder value = width.item(DCM_MeasuredValueSequence);
  value.text(DCM_NumericValue, "48").code(DCM_MeasurementUnitsCodeSequence, "%", "percent");
  content(findings, 2, "CODE", "2", "Laterality")
      .code(DCM_ConceptCodeSequence, "24028007", "Right");
  ItemBuilder own = content(root, 2, "CONTAINER", "X-7", "Addendum");
  content(own, 0, "TEXT", "X-8", "Text").text(DCM_TextValue, "See above.");
  content(root, 3, "TEXT", "121077", "Conclusion").text(DCM_TextValue, "Normal.");
  const DicomHeader header = header_of(file);
  EXPECT_TRUE(header.is_report);
  EXPECT_EQ(header.report,
            "FINDINGS:\nKein Erguss.\nHerz normal gro\xC3\x9F.\nCardiothoracic ratio 48 %.\n"
            "Laterality Right.\n\nAddendum:\nSee above.\n\nIMPRESSION:\nNormal.\n");
}

TEST(DicomReport, AnEmptyOneHasNoText) {
  FileBuilder file;
  content(file.root(), 0, "CONTAINER", "121070", "Findings");
  content(file.root(), 1, "TEXT", "121071", "Finding");
  EXPECT_TRUE(header_of(file).is_report);
  EXPECT_EQ(header_of(file).report, "FINDINGS:\n");
}

Result<std::vector<std::filesystem::path>> directory_of(const std::vector<std::string>& ids) {
  FileBuilder file;
  file.root().item(DCM_DirectoryRecordSequence).text(DCM_DirectoryRecordType, "PATIENT");
  for (size_t i = 0; i < ids.size(); ++i) {
    file.root()
        .item(DCM_DirectoryRecordSequence, static_cast<long>(i + 1))
        .text(DCM_DirectoryRecordType, "IMAGE")
        .text(DCM_ReferencedFileID, ids[i]);
  }
  const testing::TempFolder folder;
  file.save(folder.path() / "DICOMDIR");
  return read_dicomdir(folder.path() / "DICOMDIR");
}

TEST(Dicomdir, NamesItsFilesOnceInOrder) {
  const auto files = directory_of({"IMAGES\\B\\2", "IMAGES\\A\\1", "IMAGES\\B\\2"});
  ASSERT_TRUE(files) << files.error().reason;
  EXPECT_EQ(*files, (std::vector<std::filesystem::path>{"IMAGES/B/2", "IMAGES/A/1"}));
}

TEST(Dicomdir, ARecordThatIsNotInUseIsPassedOver) {
  FileBuilder file;
  for (const uint16_t in_use : {0, 0xFFFF}) {
    file.root()
        .item(DCM_DirectoryRecordSequence, in_use == 0 ? 0 : 1)
        .word(DcmTagKey(0x0004, 0x1410), in_use)
        .text(DCM_ReferencedFileID, in_use == 0 ? "OLD" : "NEW");
  }
  const testing::TempFolder folder;
  file.save(folder.path() / "DICOMDIR");
  EXPECT_EQ(read_dicomdir(folder.path() / "DICOMDIR").value(),
            (std::vector<std::filesystem::path>{"NEW"}));
}

TEST(Dicomdir, AFileIdThatLeadsElsewhereIsAReason) {
  for (const char* id : {"..\\secret", "/etc/passwd", "A\\\\B", ".\\x", "A\\..\\..\\x"}) {
    EXPECT_FALSE(directory_of({"A", id})) << id;
  }
}

TEST(Dicomdir, AnImageIsNone) {
  FileBuilder file;
  file.layout(1, 1, 8, 8).bytes(DcmTag(DCM_PixelData, EVR_OB), {1, 0});
  const testing::TempFolder folder;
  file.save(folder.path() / "DICOMDIR");
  const auto files = read_dicomdir(folder.path() / "DICOMDIR");
  ASSERT_FALSE(files);
  EXPECT_EQ(files.error().reason, "not a DICOMDIR: it has no directory records");
}

}  // namespace
}  // namespace unirg::image
