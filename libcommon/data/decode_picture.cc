// SPDX-License-Identifier: Apache-2.0
#include "data/decode_picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>

#include "data/ct_series.h"
#include "image/dicom.h"
#include "image/resize.h"
#include "image/tiff.h"
#include "io/atomic_file.h"

namespace unirg::data {
namespace fs = std::filesystem;
namespace {

image::Image8 scaled(image::Image8 picture, int64_t longest) {
  const int64_t side = std::max(picture.width, picture.height);
  if (longest <= 0 || side <= longest) return picture;
  const auto shrink = [&](int64_t n) {
    return std::max<int64_t>(1, (n * longest + side / 2) / side);
  };
  return image::resize_bicubic(picture, shrink(picture.width), shrink(picture.height));
}

bool is_constant(const image::Image8& picture) {
  return std::all_of(picture.pixels.begin(), picture.pixels.end(),
                     [&](uint8_t v) { return v == picture.pixels.front(); });
}

/// At most as many as tell the kind of a file: one of gigabytes is not read for it.
std::string first_bytes(const fs::path& path) {
  std::string head(132, '\0');
  std::ifstream in(path, std::ios::binary);
  in.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<size_t>(in.gcount()));
  return head;
}

/// View Position, else what View Code Sequence stands for: views of mammography, PS3.16 CID 4014,
/// codes of SNOMED CT and of SNOMED RT.
std::string view_of(const image::DicomMetadata& header) {
  static const std::map<std::string, std::string> views{
      {"399162004", "CC"}, {"R-10242", "CC"}, {"399368009", "MLO"}, {"R-10226", "MLO"},
      {"399260004", "ML"}, {"R-10224", "ML"}, {"399352003", "LM"},  {"R-10228", "LM"}};
  if (!header.view_position.empty()) return header.view_position;
  const auto view = views.find(header.view_code);
  return view == views.end() ? "" : view->second;
}

Result<Picture> decode_dicom(const fs::path& path, const DecodeOptions& options) {
  auto dicom = image::read_dicom(path);
  if (!dicom) return tl::unexpected(dicom.error());
  const auto window = ct_window(options.ct_window);
  const bool is_windowed = window && dicom->metadata.modality == "CT";
  if (is_windowed) {
    if (!dicom->is_hounsfield)
      return bad_record(
          "CT without Hounsfield units: Rescale Slope, Intercept or Type say none (hint: "
          "--ct-window file)");
    dicom->window = window;
    dicom->voi_lut.reset();
  }
  auto gray = image::render_grayscale(*dicom);
  if (!gray) return tl::unexpected(gray.error());
  const image::Image8 picture = scaled(std::move(*gray), options.longest_side);
  Picture out;
  out.image.view = view_of(dicom->metadata);
  out.image.width = picture.width;
  out.image.height = picture.height;
  out.image.decoder = dicom->decoder;
  out.image.pixels_sha256 = image::stored_pixel_sha256(*dicom);
  const std::string& burned_in = dicom->metadata.burned_in_annotation;
  out.image.burned_in_annotation = burned_in == "NO" ? "" : burned_in;
  out.image.overlays = dicom->metadata.overlays;
  out.modality = dicom->metadata.modality;
  const std::string& side = dicom->metadata.laterality;
  if (side == "R" || side == "L" || side == "B") out.image.extra["laterality"] = side;
  if (is_windowed) out.image.extra["window"] = options.ct_window;
  out.png = image::encode_png(picture);
  return out;
}

Result<Picture> decode_picture(const fs::path& path, int64_t longest) {
  // A TIFF may be large and have further pages: no more of it is read than the picture takes.
  const bool is_tiff = image::is_tiff(first_bytes(path));
  const std::string bytes = is_tiff ? "" : io::read_file(path);
  auto decoded = is_tiff ? image::read_tiff(path) : image::decode_image(bytes);
  if (!decoded) return tl::unexpected(decoded.error());
  const image::Image8 picture = scaled(image::to_gray(*decoded), longest);
  if (is_constant(picture)) return bad_record("every pixel has one value");
  Picture out;
  out.image.width = picture.width;
  out.image.height = picture.height;
  out.image.decoder = is_tiff ? "tiff" : bytes.starts_with("\x89PNG") ? "png" : "jpeg";
  out.png = image::encode_png(picture);
  return out;
}

/// A slide's tiles. \throws nothing of its own: what is wrong is a reason
Result<std::vector<Picture>> decode_slide(const fs::path& path, const image::TileOptions& options) {
  std::vector<Picture> pictures;
  const auto candidates = image::read_tiles(path, options, [&](const image::SlideTile& tile) {
    Picture picture;
    picture.image.width = tile.image.width;
    picture.image.height = tile.image.height;
    picture.image.decoder = "openslide";
    picture.image.extra["tile"] = {
        {"x", tile.x},          {"y", tile.y},
        {"width", tile.width},  {"height", tile.height},
        {"level", tile.level},  {"mpp", tile.mpp > 0 ? Json(tile.mpp) : Json(nullptr)},
        {"tissue", tile.tissue}};
    picture.modality = "SM";
    picture.png = image::encode_png(tile.image);
    pictures.push_back(std::move(picture));
  });
  if (!candidates) return tl::unexpected(candidates.error());
  for (Picture& picture : pictures) picture.image.extra["tile"]["candidates"] = *candidates;
  return pictures;
}

}  // namespace

Result<PictureKind> picture_kind(const fs::path& path, PictureKind kind) {
  if (kind == PictureKind::dicom || kind == PictureKind::slide) return kind;
  const std::string bytes = first_bytes(path);
  if (kind == PictureKind::any && bytes.size() == 132 && bytes.ends_with("DICM"))
    return PictureKind::dicom;
  const auto is_slide = image::is_slide(path);
  if (!is_slide) return tl::unexpected(is_slide.error());
  if (*is_slide) return PictureKind::slide;
  if (kind == PictureKind::picture || bytes.starts_with("\x89PNG") ||
      bytes.starts_with("\xff\xd8") || image::is_tiff(bytes))
    return PictureKind::picture;
  return bad_record("neither DICOM, PNG, JPEG, TIFF nor a slide that OpenSlide reads");
}

std::string id_suffix(const StudyImage& image) {
  if (image.extra.contains("montage")) return "-montage";
  const auto tile = image.extra.find("tile");
  if (tile == image.extra.end()) return "";
  return fmt::format("-x{}-y{}", tile->value("x", int64_t{0}), tile->value("y", int64_t{0}));
}

Result<std::vector<Picture>> decode_file(const fs::path& path, PictureKind kind,
                                         const DecodeOptions& options) {
  const Result<PictureKind> known = picture_kind(path, kind);
  if (!known) return tl::unexpected(known.error());
  if (*known == PictureKind::slide) return decode_slide(path, options.tiles);
  auto picture = *known == PictureKind::dicom ? decode_dicom(path, options)
                                              : decode_picture(path, options.longest_side);
  if (!picture) return tl::unexpected(picture.error());
  std::vector<Picture> pictures;
  pictures.push_back(std::move(*picture));
  return pictures;
}

}  // namespace unirg::data
