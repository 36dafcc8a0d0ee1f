// Text attributes as UTF-8, for the DICOM sources only. DCMTK's classes are only named here.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

class DcmItem;
class DcmSpecificCharacterSet;
class DcmTagKey;

namespace unirg::image::internal {

/// Converts by a data set's Specific Character Set (PS3.5 section 6.1.2, code extensions of ISO
/// 2022 among them), which is set up on the first text that needs it. Text that cannot be converted
/// keeps its ASCII; its other bytes become U+FFFD.
class TextReader {
 public:
  /// \param dataset  holds (0008,0005); must outlive the reader
  explicit TextReader(DcmItem& dataset);
  ~TextReader();
  TextReader(const TextReader&) = delete;
  TextReader& operator=(const TextReader&) = delete;

  /// \param item  the data set or an item below it
  /// \param keep_lines  for text of paragraphs (LT, ST, UT); else line breaks become blanks
  /// \returns valid UTF-8 without control characters or surrounding blanks; "" if absent
  std::string operator()(DcmItem& item, const DcmTagKey& tag, bool keep_lines = false);
  std::string operator()(const DcmTagKey& tag) { return (*this)(dataset_, tag); }

 private:
  bool ready();
  DcmItem& dataset_;
  std::unique_ptr<DcmSpecificCharacterSet> charset_;  ///< once tried
  bool usable_ = false;
};

}  // namespace unirg::image::internal
