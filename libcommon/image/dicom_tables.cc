// Lookup tables: Modality, VOI, palettes (PS3.3 C.11.1, C.11.2, C.7.6.3.1.5), segmented ones too
// (C.7.9.2). SPDX-License-Identifier: Apache-2.0
#include <dcmtk/config/osconfig.h>
//
#include <dcmtk/dcmdata/dctk.h>

#include <algorithm>
#include <span>

#include "image/dicom_internal.h"

namespace unirg::image::internal {
namespace {

struct Descriptor {
  size_t entries = 0;
  int32_t first = 0;
  int bits = 16;
};

/// Empty optional: absent or incomplete.
Result<std::optional<Descriptor>> read_descriptor(DcmItem& item, const DcmTagKey& tag,
                                                  bool is_signed) {
  const auto entries = raw_word(item, tag, 0);
  const auto first = raw_word(item, tag, 1);
  const auto bits = raw_word(item, tag, 2);
  if (!entries || !first || !bits) return std::optional<Descriptor>();
  if (*bits < 1 || *bits > 16) return bad_record("lookup table has an impossible number of bits");
  return std::optional(
      Descriptor{*entries == 0 ? 65536U : *entries, as_int(*first, is_signed), *bits});
}

std::span<const uint16_t> read_words(DcmItem& item, const DcmTagKey& tag) {
  const Uint16* words = nullptr;
  unsigned long count = 0;
  if (item.findAndGetUint16Array(tag, words, &count).bad() || words == nullptr) return {};
  return {words, count};
}

/// LUT Descriptor and LUT Data (PS3.3 C.11.1.1.1). Empty optional: no descriptor or no data.
Result<std::optional<LookupTable>> read_table(DcmItem& item, const DcmTagKey& descriptor,
                                              const DcmTagKey& data, bool is_signed) {
  const auto described = read_descriptor(item, descriptor, is_signed);
  if (!described) return tl::unexpected(described.error());
  const auto words = read_words(item, data);
  if (!*described || words.empty()) return std::optional<LookupTable>();
  const auto& [wanted, first, bits] = **described;
  LookupTable table{first, bits, {}};
  if (words.size() >= wanted) {
    table.values.assign(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(wanted));
  } else if (words.size() == (wanted + 1) / 2 && bits <= 8) {  // two 8-bit entries in a word
    for (size_t i = 0; i < wanted; ++i) {
      table.values.push_back(static_cast<uint16_t>((words[i / 2] >> (i % 2 == 0 ? 0 : 8)) & 0xFF));
    }
  } else {
    return bad_record("lookup table is shorter than its descriptor says");
  }
  const uint16_t top = *std::max_element(table.values.begin(), table.values.end());
  while (table.bits < 16 && top >= (1 << table.bits)) ++table.bits;  // descriptors are often wrong
  return std::optional<LookupTable>(std::move(table));
}

/// Segments of C.7.9.2 to entries: discrete (0), linear (1: `length` points from the last entry to
/// an end value), indirect (2: earlier segments once more).
class Segments {
 public:
  Segments(std::span<const uint16_t> data, size_t wanted) : data_(data), wanted_(wanted) {}
  bool expand() {
    for (size_t at = 0; at < data_.size() && out_.size() < wanted_;) {
      if (!segment(at, true)) return false;
    }
    return out_.size() == wanted_;
  }
  std::vector<uint16_t> take() { return std::move(out_); }

 private:
  [[nodiscard]] bool has(size_t at, size_t words) const {
    return at <= data_.size() && words <= data_.size() - at;
  }
  /// One segment at word `at`, which then stands behind it; false if it is damaged.
  bool segment(size_t& at, bool may_be_indirect) {
    if (!has(at, 2)) return false;
    const uint16_t kind = data_[at];
    const size_t length = data_[at + 1];
    at += 2;
    if (out_.size() > wanted_ || length > wanted_) return false;
    if (kind == 0) return discrete(at, length);
    if (kind == 1) return linear(at, length);
    return kind == 2 && may_be_indirect && indirect(at, length);
  }
  bool discrete(size_t& at, size_t length) {
    if (length == 0 || !has(at, length)) return false;  // each segment brings the end nearer
    out_.insert(out_.end(), data_.begin() + static_cast<std::ptrdiff_t>(at),
                data_.begin() + static_cast<std::ptrdiff_t>(at + length));
    at += length;
    return true;
  }
  bool linear(size_t& at, size_t length) {
    if (!has(at, 1) || out_.empty() || length == 0) return false;
    const double from = out_.back();
    const double step = (data_[at++] - from) / static_cast<double>(length);
    for (size_t i = 1; i <= length; ++i) {
      out_.push_back(static_cast<uint16_t>(from + step * static_cast<double>(i) + 0.5));
    }
    return true;
  }
  bool indirect(size_t& at, size_t segments) {
    if (segments == 0 || !has(at, 2)) return false;
    const size_t offset = (data_[at] | size_t{data_[at + 1]} << 16) / 2;  // in bytes in the file
    at += 2;
    size_t copied = offset;
    for (size_t i = 0; i < segments; ++i) {
      if (copied >= at || !segment(copied, false)) return false;
    }
    return true;
  }

  std::span<const uint16_t> data_;
  size_t wanted_;
  std::vector<uint16_t> out_;
};

Result<std::optional<LookupTable>> read_segmented(DcmItem& item, const DcmTagKey& descriptor,
                                                  const DcmTagKey& data) {
  const auto described = read_descriptor(item, descriptor, false);
  if (!described) return tl::unexpected(described.error());
  const auto words = read_words(item, data);
  if (!*described || words.empty()) return std::optional<LookupTable>();
  const auto& [wanted, first, bits] = **described;
  if (bits != 16) return bad_record("segmented lookup table is not of 16 bits");
  Segments segments(words, wanted);
  if (!segments.expand()) return bad_record("segmented lookup table is damaged");
  return std::optional(LookupTable{first, bits, segments.take()});
}

}  // namespace

std::optional<uint16_t> raw_word(DcmItem& item, const DcmTagKey& tag, unsigned long position) {
  DcmElement* element = nullptr;
  if (item.findAndGetElement(tag, element).bad() || element == nullptr) return std::nullopt;
  Uint16 word = 0;
  if (element->getUint16(word, position).good()) return word;
  Sint16 other = 0;
  if (element->getSint16(other, position).good()) return static_cast<uint16_t>(other);
  return std::nullopt;
}

int32_t as_int(uint16_t word, bool is_signed) {
  return is_signed ? static_cast<int16_t>(word) : static_cast<int32_t>(word);
}

Result<std::optional<LookupTable>> read_sequence_table(DcmItem& dataset, const DcmTagKey& sequence,
                                                       bool is_signed) {
  DcmItem* item = nullptr;
  if (dataset.findAndGetSequenceItem(sequence, item, 0).bad() || item == nullptr) {
    return std::optional<LookupTable>();
  }
  return read_table(*item, DCM_LUTDescriptor, DCM_LUTData, is_signed);
}

Result<std::optional<std::array<LookupTable, 3>>> read_palette(DcmItem& dataset) {
  const std::array<std::array<DcmTagKey, 3>, 3> tags{
      {{DCM_RedPaletteColorLookupTableDescriptor, DCM_RedPaletteColorLookupTableData,
        DCM_SegmentedRedPaletteColorLookupTableData},
       {DCM_GreenPaletteColorLookupTableDescriptor, DCM_GreenPaletteColorLookupTableData,
        DCM_SegmentedGreenPaletteColorLookupTableData},
       {DCM_BluePaletteColorLookupTableDescriptor, DCM_BluePaletteColorLookupTableData,
        DCM_SegmentedBluePaletteColorLookupTableData}}};
  std::array<LookupTable, 3> palette;
  for (size_t c = 0; c < 3; ++c) {
    auto table = read_table(dataset, tags[c][0], tags[c][1], false);
    if (table && !*table) table = read_segmented(dataset, tags[c][0], tags[c][2]);
    if (!table) return bad_record("palette " + table.error().reason);
    if (!*table) return std::optional<std::array<LookupTable, 3>>();
    palette[c] = std::move(**table);
  }
  return std::optional<std::array<LookupTable, 3>>(std::move(palette));
}

}  // namespace unirg::image::internal
