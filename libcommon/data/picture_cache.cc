// SPDX-License-Identifier: Apache-2.0
#include "data/picture_cache.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/hash.h"
#include "io/atomic_file.h"

namespace unirg::data {
namespace fs = std::filesystem;
namespace {

constexpr const char* kKind = "unirg.picture-cache/2";

/// All that changes the pixels of a file of that kind, and nothing that does not.
std::string settings_of(PictureKind kind, const DecodeOptions& options) {
  if (kind == PictureKind::dicom)
    return fmt::format("dicom\n{} {}", options.longest_side, options.ct_window);
  if (kind != PictureKind::slide) return fmt::format("picture\n{}", options.longest_side);
  const image::TileOptions& tiles = options.tiles;
  return fmt::format("slide\n{} {} {} {}", tiles.count, tiles.size, tiles.mpp, tiles.tissue);
}

/// \throws Error if the file cannot be read
std::string key_of(const fs::path& path, PictureKind kind, const DecodeOptions& options) {
  return sha256_hex(
      fmt::format("{}\n{}\n{}", decoder_version(), settings_of(kind, options), sha256_file(path)));
}

Json about(const Picture& picture) {
  const StudyImage& image = picture.image;
  return {{"view", image.view},
          {"width", image.width},
          {"height", image.height},
          {"decoder", image.decoder},
          {"pixels_sha256", image.pixels_sha256},
          {"burned_in_annotation", image.burned_in_annotation},
          {"overlays", image.overlays},
          {"extra", image.extra},
          {"modality", picture.modality},
          {"bytes", picture.png.size()}};
}

/// A line of JSON, then the PNGs.
std::string pack(const std::vector<Picture>& pictures) {
  Json list = Json::array();
  for (const Picture& picture : pictures) list.push_back(about(picture));
  std::string value = io::json_line(list);
  for (const Picture& picture : pictures) value += picture.png;
  return value;
}

/// \throws Json::exception for an entry that is none
std::vector<Picture> unpack(const std::string& value) {
  const size_t line = value.find('\n');
  size_t at = line + 1;
  std::vector<Picture> pictures;
  for (const Json& entry : Json::parse(value.substr(0, line))) {
    Picture& picture = pictures.emplace_back();
    StudyImage& image = picture.image;
    entry.at("view").get_to(image.view);
    entry.at("width").get_to(image.width);
    entry.at("height").get_to(image.height);
    entry.at("decoder").get_to(image.decoder);
    entry.at("pixels_sha256").get_to(image.pixels_sha256);
    entry.at("burned_in_annotation").get_to(image.burned_in_annotation);
    entry.at("overlays").get_to(image.overlays);
    image.extra = entry.at("extra");
    entry.at("modality").get_to(picture.modality);
    const auto bytes = entry.at("bytes").get<size_t>();
    picture.png = value.substr(at, bytes);
    at += bytes;
  }
  return pictures;
}

}  // namespace

PictureCache::PictureCache(fs::path folder, io::Warn warn)
    : folder_(std::move(folder)), warn_(std::move(warn)) {
  io::make_folders(folder_);
}

Result<std::vector<Picture>> PictureCache::decode(const fs::path& path, PictureKind kind,
                                                  const DecodeOptions& options) {
  const Result<PictureKind> known = picture_kind(path, kind);
  if (!known) return tl::unexpected(known.error());
  if (*known == PictureKind::slide && !image::is_one_file(path))
    return decode_file(path, *known, options);
  std::string key;
  try {
    key = key_of(path, *known, options);
  } catch (const Error&) {
    return decode_file(path, *known, options);  // says what it says without a cache
  }
  if (const auto value = io::read_cache_entry(folder_, kKind, key, warn_)) {
    ++found_;
    return unpack(*value);
  }
  auto pictures = decode_file(path, *known, options);
  if (!pictures) return pictures;
  io::write_cache_entry(folder_, kKind, key, pack(*pictures));
  ++made_;
  return pictures;
}

}  // namespace unirg::data
