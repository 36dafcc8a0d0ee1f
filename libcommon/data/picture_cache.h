// Pictures that were decoded before, on disk, so that a rerun decodes only files that are new. The
// key of an entry is a digest of the file's bytes, of what is made of them (DICOM, picture or
// slide, and the options that change its pixels) and of what makes it (decoder_version()); the
// entry is the PNGs and what the record says of them, without a name: ids, paths and dates are not
// in it. Runs may share a folder. Depends on decode_picture.h, io/cache_entry.h.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string>

#include "data/decode_picture.h"
#include "io/cache_entry.h"

namespace unirg::data {

/// Thread-safe.
class PictureCache {
 public:
  /// \param warn  told of entries that are damaged
  /// \throws Error(Exit::cannot_create) if the folder cannot be made
  PictureCache(std::filesystem::path folder, io::Warn warn);

  /// decode_file() of that, from the cache where it is there. What cannot be decoded is not kept:
  /// it may have been for lack of memory. Nor are slides of several files, whose digest would be
  /// that of one. \throws as decode_file(); Error(Exit::io) for a full disk
  Result<std::vector<Picture>> decode(const std::filesystem::path& path, PictureKind kind,
                                      const DecodeOptions& options);

  [[nodiscard]] int64_t found() const { return found_; }  ///< files taken from the cache
  [[nodiscard]] int64_t made() const { return made_; }    ///< decoded and kept

 private:
  std::filesystem::path folder_;
  io::Warn warn_;
  std::atomic<int64_t> found_ = 0, made_ = 0;
};

}  // namespace unirg::data
