// Small DICOM files of any shape for tests, through DCMTK. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <dcmtk/config/osconfig.h>
//
#include <dcmtk/dcmdata/dctk.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "image/dicom.h"
#include "temp_folder.h"

namespace unirg::image {

inline const DicomCodecs& test_codecs() {
  static const DicomCodecs instance;
  return instance;
}

/// An item whose attributes are set one by one.
class ItemBuilder {
 public:
  explicit ItemBuilder(DcmItem& item) : item_(&item) {}
  ItemBuilder& text(const DcmTagKey& tag, const std::string& value) {
    EXPECT_TRUE(item_->putAndInsertOFStringArray(tag, OFString(value.data(), value.size())).good());
    return *this;
  }
  ItemBuilder& word(const DcmTagKey& tag, int value) {
    EXPECT_TRUE(item_->putAndInsertUint16(tag, static_cast<Uint16>(value)).good());
    return *this;
  }
  /// US, OW or xs (as US) of several values.
  ItemBuilder& words(const DcmTag& tag, const std::vector<uint16_t>& values) {
    EXPECT_TRUE(item_->putAndInsertUint16Array(tag, values.data(), values.size()).good());
    return *this;
  }
  ItemBuilder& bytes(const DcmTag& tag, const std::vector<uint8_t>& values) {
    EXPECT_TRUE(item_->putAndInsertUint8Array(tag, values.data(), values.size()).good());
    return *this;
  }
  /// Item `index` of a sequence, made if it is not there.
  ItemBuilder item(const DcmTagKey& sequence, long index = 0) {
    DcmItem* found = nullptr;
    EXPECT_TRUE(item_->findOrCreateSequenceItem(sequence, found, index).good());
    return ItemBuilder(*found);
  }
  ItemBuilder& code(const DcmTagKey& sequence, const std::string& value,
                    const std::string& meaning) {
    item(sequence)
        .text(DCM_CodeValue, value)
        .text(DCM_CodingSchemeDesignator, "DCM")
        .text(DCM_CodeMeaning, meaning);
    return *this;
  }

 private:
  DcmItem* item_;
};

class FileBuilder {
 public:
  FileBuilder() : root_(*file_.getDataset()) {
    test_codecs();
    root_.text(DCM_SOPClassUID, UID_SecondaryCaptureImageStorage).text(DCM_SOPInstanceUID, "1.2.3");
  }
  ItemBuilder& root() { return root_; }
  /// Monochrome, high bit = bits stored - 1.
  ItemBuilder& layout(int rows, int columns, int allocated, int stored, bool is_signed = false) {
    return root_.word(DCM_SamplesPerPixel, 1)
        .text(DCM_PhotometricInterpretation, "MONOCHROME2")
        .word(DCM_Rows, rows)
        .word(DCM_Columns, columns)
        .word(DCM_BitsAllocated, allocated)
        .word(DCM_BitsStored, stored)
        .word(DCM_HighBit, stored - 1)
        .word(DCM_PixelRepresentation, is_signed ? 1 : 0);
  }
  void save(const std::filesystem::path& path, E_TransferSyntax syntax = EXS_LittleEndianExplicit) {
    EXPECT_TRUE(file_.saveFile(path.c_str(), syntax).good());
  }
  Result<DicomImage> read(E_TransferSyntax syntax = EXS_LittleEndianExplicit,
                          const DicomReadOptions& options = {}) {
    const testing::TempFolder folder;
    save(folder.path() / "x.dcm", syntax);
    return read_dicom(folder.path() / "x.dcm", options);
  }

 private:
  DcmFileFormat file_;
  ItemBuilder root_;
};

}  // namespace unirg::image
