// SPDX-License-Identifier: Apache-2.0
#include "data/study_pictures.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "base/hash.h"
#include "data/ct_series.h"
#include "image/dicom_file.h"

namespace unirg::data {
namespace fs = std::filesystem;
namespace {

std::string image_id(const fs::path& file) { return safe_name(file.stem().string()); }

PictureKind kind_of(const IngestOptions& options) {
  return !options.source.layout.empty()     ? PictureKind::any
         : options.source.source == "dicom" ? PictureKind::dicom
                                            : PictureKind::picture;
}

Result<std::vector<Picture>> decode_source(const IngestOptions& options, const Supply& supply,
                                           const SourcePicture& source) {
  return supply.cache ? supply.cache->decode(source.path, kind_of(options), options.decode)
                      : decode_file(source.path, kind_of(options), options.decode);
}

/// Pictures of a file as a part has them; none if it has not.
std::vector<Picture> of_parts(const Supply& supply, const Study& study,
                              const SourcePicture& source) {
  if (!supply.parts) return {};
  return supply.parts->find(study.dataset, supply.names->study(study.study_id),
                            supply.names->file(source.name));
}

/// What the parts rejected is decoded again, since only that tells why: they say of a picture whose
/// study has no report that its study has none.
Result<std::vector<Picture>> get_pictures(const IngestOptions& options, const Supply& supply,
                                          const Study& study, const SourcePicture& source) {
  auto pictures = of_parts(supply, study, source);
  if (!pictures.empty()) return pictures;
  return decode_source(options, supply, source);
}

/// Of a file that is CT.
std::optional<image::DicomMetadata> ct_header(const IngestOptions& options, const fs::path& path) {
  const auto kind = picture_kind(path, kind_of(options));
  if (!kind || *kind != PictureKind::dicom) return std::nullopt;
  auto header = image::read_dicom_header(path);
  if (!header || header->metadata.modality != "CT") return std::nullopt;
  return std::move(header->metadata);
}

/// Files that make pictures together.
struct Unit {
  std::vector<size_t> files;  ///< of the draft's
  bool is_montage = false;
  std::vector<Json> about = {};  ///< of each file's picture, or of the montage: further fields
};

class DraftDecoder {
 public:
  DraftDecoder(const IngestOptions& options, const Supply& supply, const Draft& draft)
      : options_(options), supply_(supply), draft_(draft) {}
  Decoded decode();

 private:
  std::vector<Unit> plan();
  void add_stack(const CtStack& stack, int64_t number, const std::vector<size_t>& files,
                 std::vector<Unit>& units) const;
  void take(const SourcePicture& source, std::vector<Picture> pictures, const Json& about);
  void take_montage(const Unit& unit);
  Result<Picture> make_montage(const Unit& unit);
  [[nodiscard]] const SourcePicture& source(size_t file) const { return draft_.pictures[file]; }
  void refuse(size_t file, std::string reason) {
    decoded_.refusals.push_back({source(file).name, 0, std::move(reason)});
  }

  const IngestOptions& options_;
  const Supply& supply_;
  const Draft& draft_;
  std::set<std::string> ids_;
  Decoded decoded_;
};

void DraftDecoder::add_stack(const CtStack& stack, int64_t number, const std::vector<size_t>& files,
                             std::vector<Unit>& units) const {
  Json positions = Json::array();
  for (const auto& position : stack.position)
    positions.push_back(position ? Json(*position) : Json(nullptr));
  const auto count = std::ssize(stack.chosen);
  if (options_.ct.rule == CtRule::montage && count > 1) {
    Unit unit{{}, true};
    for (const size_t slice : stack.chosen) unit.files.push_back(files[slice]);
    const int64_t columns = montage_columns(count);
    unit.about.push_back({{"montage",
                           {{"stack", number},
                            {"rows", (count + columns - 1) / columns},
                            {"columns", columns},
                            {"positions", positions},
                            {"of", stack.slices}}}});
    units.push_back(std::move(unit));
    return;
  }
  Unit unit;
  for (size_t k = 0; k < stack.chosen.size(); ++k) {
    unit.files.push_back(files[stack.chosen[k]]);
    unit.about.push_back(
        {{"slice", {{"stack", number}, {"position", positions[k]}, {"of", stack.slices}}}});
  }
  units.push_back(std::move(unit));
}

/// Headers are read of studies of several files, since only together they tell what a stack is.
std::vector<Unit> DraftDecoder::plan() {
  std::vector<Unit> units;
  std::vector<image::DicomMetadata> headers;
  std::vector<size_t> slices;
  const bool may_be_series = draft_.pictures.size() > 1;
  for (size_t i = 0; i < draft_.pictures.size(); ++i) {
    auto header = may_be_series ? ct_header(options_, source(i).path) : std::nullopt;
    if (header) {
      headers.push_back(std::move(*header));
      slices.push_back(i);
    } else {
      units.push_back({{i}, false, {Json::object()}});
    }
  }
  if (headers.empty()) return units;
  const CtPlan plan = plan_ct(headers, options_.ct);
  int64_t number = 0;
  for (const CtStack& stack : plan.stacks) add_stack(stack, ++number, slices, units);
  decoded_.localizers = std::ssize(plan.localizers);
  for (const auto* list : {&plan.localizers, &plan.left_out}) {
    for (const size_t slice : *list) decoded_.left_out.push_back(source(slices[slice]).name);
  }
  for (const size_t slice : plan.unplaced)
    refuse(slices[slice],
           "CT slice without Image Position (Patient) or Image Orientation (Patient)");
  std::stable_sort(units.begin(), units.end(), [](const Unit& a, const Unit& b) {
    return *std::min_element(a.files.begin(), a.files.end()) <
           *std::min_element(b.files.begin(), b.files.end());
  });
  return units;
}

/// \param about  further fields of each
void DraftDecoder::take(const SourcePicture& source, std::vector<Picture> pictures,
                        const Json& about) {
  for (Picture& picture : pictures) {
    for (const auto& [key, value] : about.items()) picture.image.extra[key] = value;
    const std::string stem = image_id(source.name) + id_suffix(picture.image);
    std::string id = stem;
    for (int k = 2; !ids_.insert(id).second; ++k) id = fmt::format("{}-{}", stem, k);
    picture.image.id = id;
    picture.image.source = source.name;
    if (!source.view.empty()) picture.image.view = source.view;
    picture.is_key = source.is_key && &picture == &pictures.front();
    picture.image.sha256 = sha256_hex(picture.png);
    decoded_.pictures.push_back(std::move(picture));
  }
}

/// Bad, with each file refused, if one of them does not decode.
Result<Picture> DraftDecoder::make_montage(const Unit& unit) {
  IngestOptions options = options_;
  const auto columns = unit.about.front()["montage"]["columns"].get<int64_t>();
  if (options.decode.longest_side > 0)
    options.decode.longest_side = std::max<int64_t>(1, options.decode.longest_side / columns);
  std::vector<image::Image8> cells;
  Picture whole;
  for (const size_t file : unit.files) {
    auto pictures = decode_source(options, supply_, source(file));
    if (!pictures) {
      for (const size_t other : unit.files)
        refuse(other, other == file ? pictures.error().reason
                                    : "another slice of its montage cannot be used");
      return bad_record("a slice cannot be used");
    }
    const Picture& slice = pictures->front();
    cells.push_back(*image::decode_png(slice.png));
    if (file == unit.files.front()) whole = slice;
    if (slice.image.burned_in_annotation == "YES") whole.image.burned_in_annotation = "YES";
    if (file != unit.files.front()) whole.image.overlays += slice.image.overlays;
  }
  const image::Image8 all = montage(cells, columns);
  whole.image.width = all.width;
  whole.image.height = all.height;
  whole.image.pixels_sha256.clear();
  whole.png = image::encode_png(all);
  return whole;
}

void DraftDecoder::take_montage(const Unit& unit) {
  const SourcePicture& first = source(unit.files.front());
  std::vector<Picture> pictures = of_parts(supply_, draft_.study, first);
  if (pictures.empty()) {
    auto made = make_montage(unit);
    if (!made) return;
    pictures.push_back(std::move(*made));
  }
  for (const size_t file : unit.files) decoded_.used.push_back({source(file).name, first.name});
  take(first, std::move(pictures), unit.about.front());
}

Decoded DraftDecoder::decode() {
  for (const Unit& unit : plan()) {
    if (unit.is_montage) {
      take_montage(unit);
      continue;
    }
    for (size_t k = 0; k < unit.files.size(); ++k) {
      const SourcePicture& file = source(unit.files[k]);
      auto pictures = get_pictures(options_, supply_, draft_.study, file);
      if (!pictures) {
        refuse(unit.files[k], pictures.error().reason);
        continue;
      }
      decoded_.used.push_back({file.name, file.name});
      take(file, std::move(*pictures), unit.about[k]);
    }
  }
  return std::move(decoded_);
}

}  // namespace

std::string safe_name(const std::string& text) {
  std::string name;
  for (const char c : text)
    name +=
        std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.' ? c : '_';
  return name.substr(0, 90);
}

Decoded decode_draft(const IngestOptions& options, const Supply& supply, const Draft& draft) {
  return DraftDecoder(options, supply, draft).decode();
}

}  // namespace unirg::data
