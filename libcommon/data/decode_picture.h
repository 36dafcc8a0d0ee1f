// A file as a picture of a study: decoded, grey, scaled, as PNG. Depends on records.h, image.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/result.h"
#include "data/records.h"

namespace unirg::data {

/// A decoded picture, its PNG beside its record.
struct Picture {
  StudyImage image;  ///< shard, offset and bytes still empty
  std::string png;
  std::string modality;
  bool is_key = false;  ///< the source names it as the study's key picture
};

enum class PictureKind {
  dicom,
  picture,  ///< PNG, JPEG or TIFF
  any       ///< by what the file holds: datasets come as either, under the same names
};

/// `kind`, of `any` what the file holds by its first bytes. Reasons: neither DICOM, PNG, JPEG nor
/// TIFF.
Result<PictureKind> picture_kind(const std::filesystem::path& path, PictureKind kind);

/// What else than file and arguments the result of decode_file() depends on: a digest of the
/// sources of module image and of decode_picture.cc, which the build takes, the compiler, the
/// libraries.
std::string decoder_version();

/// The picture with what the file says of it: view, size, decoder, digest of the stored pixels,
/// burned-in annotation, overlays, modality. Id, source and SHA-256 of the PNG are empty. Needs a
/// living image::DicomCodecs. \param longest_side  scales down to it; 0 keeps the size
/// Reasons: those of the decoders; every pixel has one value; of `any` another kind of file, which
/// is not read further than its beginning.
/// \throws Error(Exit::no_input), Error(Exit::io) for a picture that cannot be read
Result<Picture> decode_file(const std::filesystem::path& path, PictureKind kind,
                            int64_t longest_side);

}  // namespace unirg::data
