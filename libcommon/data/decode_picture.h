// A file as pictures of a study, as PNG: one, decoded, grey and scaled, or the tiles of a slide.
// Depends on records.h, image.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "data/records.h"
#include "image/slide.h"

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
  picture,  ///< PNG, JPEG or TIFF; or a slide
  slide,
  any  ///< by what the file holds: datasets come as either, under the same names
};

/// What is made of files.
struct DecodeOptions {
  int64_t longest_side = 0;        ///< pictures but tiles are scaled down to it; 0 keeps their size
  image::TileOptions tiles = {};   ///< of slides
  std::string ct_window = "file";  ///< one of ct_window_names(), for files of modality CT
};

/// `kind`; of `any` and `picture` what the file holds, which is never `any`, and of bytes that are
/// none `picture` stays. Reasons: neither DICOM, PNG, JPEG, TIFF nor a slide.
Result<PictureKind> picture_kind(const std::filesystem::path& path, PictureKind kind);

/// What else than file and arguments the result of decode_file() depends on: a digest of the
/// sources of module image and of decode_picture.cc, which the build takes, the compiler, the
/// libraries.
std::string decoder_version();

/// What a picture's id has behind the name of its file: of a tile its place, "-x1024-y512"; of a
/// montage "-montage".
std::string id_suffix(const StudyImage& image);

/// The picture with what the file says of it: view, size, decoder, digest of the stored pixels,
/// burned-in annotation, overlays, modality, extra.laterality (R, L, B) and extra.window if not the
/// file's; of a slide its tiles, in colour, in order, each with
/// its place as extra.tile. Never empty. Id, source and SHA-256 of the PNG are. Needs a living
/// image::DicomCodecs.
/// Reasons: those of the decoders; every pixel has one value; CT without Hounsfield units where a
/// window in them is asked for; of `any` another kind of file, which
/// is not read further than its beginning.
/// \throws Error(Exit::no_input), Error(Exit::io) for a picture that cannot be read
Result<std::vector<Picture>> decode_file(const std::filesystem::path& path, PictureKind kind,
                                         const DecodeOptions& options);

}  // namespace unirg::data
