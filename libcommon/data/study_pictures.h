// What becomes of the files of a draft: pictures with their ids, and the files that give none.
// Depends on ingest.h. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "data/decode_picture.h"
#include "data/ingest.h"
#include "data/ingest_parts.h"
#include "data/ingest_sources.h"
#include "data/picture_cache.h"
#include "data/pseudonyms.h"

namespace unirg::data {

/// A file that is in a picture.
struct UsedFile {
  std::string name;
  std::string source;  ///< of the picture's record: itself, or the first file of its montage
};

/// A draft after decoding. Each of its files is used, refused or left out.
struct Decoded {
  /// In the order of their files, a stack of CT slices at the place of its first, by position; a
  /// slide's in that of its tiles.
  std::vector<Picture> pictures;
  std::vector<Refusal> refusals;
  std::vector<UsedFile> used;
  std::vector<std::string> left_out;  ///< CT: localizers, and slices that the rule does not take
  int64_t localizers = 0;
};

/// What pictures may be had from instead of decoded, and how records name them.
struct Supply {
  const IngestParts* parts = nullptr;
  const Pseudonyms* names = nullptr;
  PictureCache* cache = nullptr;
};

/// CT slices are chosen among all of the draft (plan_ct), and those of several files that have no
/// place are refused. Of a montage all slices must decode: else each is refused.
/// Thread-safe for drafts of their own. \throws as decode_file()
Decoded decode_draft(const IngestOptions& options, const Supply& supply, const Draft& draft);

/// Ids that are safe as file names inside a tar: other characters become '_'.
std::string safe_name(const std::string& text);

}  // namespace unirg::data
