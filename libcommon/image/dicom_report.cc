// The content tree of a Structured Report (PS3.3 C.17.3, PS3.16 TID 2000) as text with headings.
// SPDX-License-Identifier: Apache-2.0
#include <dcmtk/config/osconfig.h>
//
#include <dcmtk/dcmdata/dctk.h>

#include <array>
#include <utility>

#include "image/dicom_internal.h"
#include "image/dicom_text.h"

namespace unirg::image::internal {
namespace {

/// PS3.16 CID 7001 and LOINC codes that mean a section, and the heading that text/sections.h knows.
constexpr std::array<std::pair<std::string_view, std::string_view>, 17> kHeadings{{
    {"121060", "HISTORY"},
    {"121062", "INDICATION"},  // Request
    {"121064", "TECHNIQUE"},   // Current Procedure Descriptions
    {"121065", "TECHNIQUE"},
    {"121066", "COMPARISON"},  // Prior Procedure Descriptions
    {"121067", "COMPARISON"},
    {"121068", "COMPARISON"},  // Previous Findings
    {"121070", "FINDINGS"},
    {"121071", "FINDINGS"},
    {"121072", "IMPRESSION"},
    {"121073", "IMPRESSION"},
    {"121074", "RECOMMENDATION"},
    {"121075", "RECOMMENDATION"},
    {"121076", "IMPRESSION"},  // Conclusions
    {"121077", "IMPRESSION"},
    {"59776-5", "FINDINGS"},
    {"19005-8", "IMPRESSION"},
}};

DcmItem* first_item(DcmItem& item, const DcmTagKey& sequence) {
  DcmItem* found = nullptr;
  return item.findAndGetSequenceItem(sequence, found, 0).good() ? found : nullptr;
}

class ReportWriter {
 public:
  explicit ReportWriter(DcmItem& dataset) : text_(dataset) {}

  /// Items nest no deeper than with_dataset() has made the stack for.
  void write(DcmItem& node) {
    DcmSequenceOfItems* content = nullptr;
    if (node.findAndGetSequence(DCM_ContentSequence, content).bad() || content == nullptr) return;
    for (DcmObject* child = content->nextInContainer(nullptr); child != nullptr;
         child = content->nextInContainer(child)) {
      if (auto* item = dynamic_cast<DcmItem*>(child)) write_item(*item);
    }
  }
  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  void write_item(DcmItem& item) {
    const std::string kind = raw_text(item, 0x0040, 0xA040);
    if (kind == "CONTAINER") {
      if (const std::string heading = heading_of(item); !heading.empty()) start(heading);
    } else if (kind == "TEXT") {
      write_text(item);
    } else if (kind == "CODE") {
      write_named(item, meaning(item, DCM_ConceptCodeSequence));
    } else if (kind == "NUM") {
      write_number(item);
    }
    write(item);
  }

  void write_text(DcmItem& item) {
    const std::string text = text_(item, DCM_TextValue, true);
    if (text.empty()) return;
    const std::string_view known = known_heading(item);
    if (!known.empty()) start(std::string(known));
    out_ += text + "\n";
  }

  void write_number(DcmItem& item) {
    DcmItem* value = first_item(item, DCM_MeasuredValueSequence);
    if (value == nullptr) return;
    const std::string number = text_(*value, DCM_NumericValue);
    DcmItem* unit = first_item(*value, DCM_MeasurementUnitsCodeSequence);
    const std::string code = unit == nullptr ? "" : text_(*unit, DCM_CodeValue);
    write_named(item, number.empty() || code.empty() || code == "1" ? number : number + " " + code);
  }

  void write_named(DcmItem& item, const std::string& value) {
    if (value.empty()) return;
    const std::string name = meaning(item, DCM_ConceptNameCodeSequence);
    out_ += (name.empty() ? value : name + " " + value) + ".\n";
  }

  std::string meaning(DcmItem& item, const DcmTagKey& sequence) {
    DcmItem* code = first_item(item, sequence);
    return code == nullptr ? "" : text_(*code, DCM_CodeMeaning);
  }

  std::string_view known_heading(DcmItem& item) {
    DcmItem* name = first_item(item, DCM_ConceptNameCodeSequence);
    if (name == nullptr) return "";
    const std::string code = text_(*name, DCM_CodeValue);
    for (const auto& [value, heading] : kHeadings) {
      if (value == code) return heading;
    }
    return "";
  }

  /// By its code, else its meaning: hospitals have codes of their own.
  std::string heading_of(DcmItem& item) {
    const std::string_view known = known_heading(item);
    return known.empty() ? meaning(item, DCM_ConceptNameCodeSequence) : std::string(known);
  }

  void start(const std::string& heading) {
    if (heading == heading_) return;  // a Finding inside Findings
    heading_ = heading;
    if (!out_.empty()) out_ += "\n";
    out_ += heading + ":\n";
  }

  TextReader text_;
  std::string heading_;
  std::string out_;
};

}  // namespace

std::string report_text(DcmItem& dataset) {
  ReportWriter writer(dataset);
  writer.write(dataset);
  return writer.take();
}

}  // namespace unirg::image::internal
