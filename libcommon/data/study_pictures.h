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

/// A draft after decoding. Each of its files is used or refused.
struct Decoded {
  std::vector<Picture> pictures;  ///< in the order of their files; a slide's in that of its tiles
  std::vector<Refusal> refusals;
  std::vector<std::string> used;  ///< files that `pictures` are of
};

/// What pictures may be had from instead of decoded, and how records name them.
struct Supply {
  const IngestParts* parts = nullptr;
  const Pseudonyms* names = nullptr;
  PictureCache* cache = nullptr;
};

/// Thread-safe for drafts of their own. \throws as decode_file()
Decoded decode_draft(const IngestOptions& options, const Supply& supply, const Draft& draft);

/// Ids that are safe as file names inside a tar: other characters become '_'.
std::string safe_name(const std::string& text);

}  // namespace unirg::data
