// SPDX-License-Identifier: Apache-2.0
#include "data/study_pictures.h"

#include <fmt/format.h>

#include <set>

#include "base/hash.h"

namespace unirg::data {
namespace fs = std::filesystem;
namespace {

std::string image_id(const fs::path& file) { return safe_name(file.stem().string()); }

/// As a part has them. What the parts rejected is decoded again, since only that tells why: they
/// say of a picture whose study has no report that its study has none.
Result<std::vector<Picture>> get_pictures(const IngestOptions& options, const Supply& supply,
                                          const Study& study, const SourcePicture& source) {
  if (supply.parts) {
    auto pictures = supply.parts->find(study.dataset, supply.names->study(study.study_id),
                                       supply.names->file(source.name));
    if (!pictures.empty()) return pictures;
  }
  const PictureKind kind = !options.source.layout.empty()     ? PictureKind::any
                           : options.source.source == "dicom" ? PictureKind::dicom
                                                              : PictureKind::picture;
  return supply.cache ? supply.cache->decode(source.path, kind, options.decode)
                      : decode_file(source.path, kind, options.decode);
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
  Decoded decoded;
  std::set<std::string> ids;
  for (const SourcePicture& source : draft.pictures) {
    auto pictures = get_pictures(options, supply, draft.study, source);
    if (!pictures) {
      decoded.refusals.push_back({source.name, 0, pictures.error().reason});
      continue;
    }
    decoded.used.push_back(source.name);
    for (Picture& picture : *pictures) {
      const std::string stem = image_id(source.name) + id_suffix(picture.image);
      std::string id = stem;
      for (int k = 2; !ids.insert(id).second; ++k) id = fmt::format("{}-{}", stem, k);
      picture.image.id = id;
      picture.image.source = source.name;
      if (!source.view.empty()) picture.image.view = source.view;
      picture.is_key = source.is_key && &picture == &pictures->front();
      picture.image.sha256 = sha256_hex(picture.png);
      decoded.pictures.push_back(std::move(picture));
    }
  }
  return decoded;
}

}  // namespace unirg::data
