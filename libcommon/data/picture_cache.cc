// SPDX-License-Identifier: Apache-2.0
#include "data/picture_cache.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/hash.h"
#include "io/atomic_file.h"

namespace unirg::data {
namespace fs = std::filesystem;
namespace {

constexpr const char* kKind = "unirg.picture-cache/1";

/// \throws Error if the file cannot be read
std::string key_of(const fs::path& path, PictureKind kind, int64_t longest_side) {
  return sha256_hex(fmt::format("{}\n{}\n{}\n{}", decoder_version(),
                                kind == PictureKind::dicom ? "dicom" : "picture", longest_side,
                                sha256_file(path)));
}

/// A line of JSON, then the PNG.
std::string pack(const Picture& picture) {
  const StudyImage& image = picture.image;
  const Json about = {{"view", image.view},
                      {"width", image.width},
                      {"height", image.height},
                      {"decoder", image.decoder},
                      {"pixels_sha256", image.pixels_sha256},
                      {"burned_in_annotation", image.burned_in_annotation},
                      {"overlays", image.overlays},
                      {"modality", picture.modality}};
  return io::json_line(about) + picture.png;
}

/// \throws Json::exception for an entry that is none
Picture unpack(const std::string& value) {
  const size_t line = value.find('\n');
  const Json about = Json::parse(value.substr(0, line));
  Picture picture;
  StudyImage& image = picture.image;
  about.at("view").get_to(image.view);
  about.at("width").get_to(image.width);
  about.at("height").get_to(image.height);
  about.at("decoder").get_to(image.decoder);
  about.at("pixels_sha256").get_to(image.pixels_sha256);
  about.at("burned_in_annotation").get_to(image.burned_in_annotation);
  about.at("overlays").get_to(image.overlays);
  about.at("modality").get_to(picture.modality);
  picture.png = value.substr(line + 1);
  return picture;
}

}  // namespace

PictureCache::PictureCache(fs::path folder, io::Warn warn)
    : folder_(std::move(folder)), warn_(std::move(warn)) {
  io::make_folders(folder_);
}

Result<Picture> PictureCache::decode(const fs::path& path, PictureKind kind, int64_t longest_side) {
  const Result<PictureKind> known = picture_kind(path, kind);
  if (!known) return tl::unexpected(known.error());
  std::string key;
  try {
    key = key_of(path, *known, longest_side);
  } catch (const Error&) {
    return decode_file(path, *known, longest_side);  // says what it says without a cache
  }
  if (const auto value = io::read_cache_entry(folder_, kKind, key, warn_)) {
    ++found_;
    return unpack(*value);
  }
  auto picture = decode_file(path, *known, longest_side);
  if (!picture) return picture;
  io::write_cache_entry(folder_, kKind, key, pack(*picture));
  ++made_;
  return picture;
}

}  // namespace unirg::data
