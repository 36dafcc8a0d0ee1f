// The run behind unirg-ingest: pictures decoded in input order on many threads, rendered to 8-bit
// PNG in tar shards, studies linked, split and written. Every input file is accounted for.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "data/archive.h"
#include "data/ct_series.h"
#include "data/decode_picture.h"
#include "data/ingest_sources.h"
#include "data/linkage.h"
#include "io/run_record.h"

namespace unirg::data {

struct IngestOptions {
  SourceOptions source;
  std::filesystem::path output;
  SplitShares splits{{"train", 0.8}, {"validate", 0.1}, {"test", 0.1}};
  std::vector<std::string> heldout_sites;
  std::vector<std::pair<std::string, int64_t>> hold_out;  ///< split and studies, see hold_out()
  std::vector<std::filesystem::path> exclude;             ///< see read_exclusion()
  bool check_leaks = false;
  double near_duplicate = 0.8;  ///< least Jaccard index of reports that count as one
  uint64_t seed = 0;
  int64_t shard_bytes = 256 << 20;  ///< a shard is closed when it has grown beyond
  DecodeOptions decode;
  CtOptions ct;
  int64_t max_images = 0;  ///< of a study, the first in its order; 0: all
  /// Categories of mammography reports, see text/categories.h; "" for none.
  std::filesystem::path categories;
  std::filesystem::path
      lexicon;  ///< labels from the rule labeler where the table has none; "" for none
  std::filesystem::path salt_file;    ///< pseudonyms by it, see pseudonyms.h; "" for none
  std::filesystem::path scrub_rules;  ///< for report text, see text/scrubber.h; "" for none
  /// Lists of identifiers, and folders of DICOM files whose headers hold them: an output with one
  /// of them is not written, see identifiers.h.
  std::vector<std::filesystem::path> forbid;
  std::filesystem::path cache;  ///< folder of pictures decoded before; "" for none
  std::function<void(const std::string&)> warn = {};  ///< told what the user should know
  Shard shard;
  ArchiveLimits archive;                     ///< where the root is an archive
  std::function<bool()> stopped;             ///< asked while one is unpacked; true ends the run
  std::vector<std::filesystem::path> parts;  ///< outputs of all shards: their pictures are taken
  int threads = 1;
};

/// What became of the input. used + refused + ignored == files.
struct IngestCounts {
  int64_t studies = 0;
  int64_t files = 0, used = 0, refused = 0, ignored = 0;
  int64_t refused_rows = 0;  ///< table rows and reports without a study, beside the files
  int64_t excluded = 0;      ///< studies left out by a list; their files are among the ignored
  int64_t image_leaks = 0, text_leaks = 0;  ///< if leaks were looked for
  int64_t burned_in = 0;                    ///< used images that say they have text in their pixels
  int64_t overlaid = 0;                  ///< used images with overlay planes, which are not drawn
  int64_t tiles = 0;                     ///< used images that are tiles of slides
  int64_t localizers = 0, left_out = 0;  ///< files of CT that are none of the slices shown
  int64_t over_limit = 0;                ///< files of images over max_images
  int64_t cache_found = 0, cache_made = 0;  ///< pictures from the cache, and new in it
  int64_t short_identifiers = 0;            ///< of `forbid`, too short to be looked for
};

/// Writes OUTPUT/{studies.jsonl, rejected.jsonl, images-NNNNN.tar, summary.json, run.json, DONE} as
/// one atomic folder. With a salt the records stand in the order of their studies' pseudonyms and
/// rejected files in that of theirs, since the input's order would tell the rank of their names.
/// \throws Error(Exit::data) also if the output would hold an identifier of `forbid`; it is not
/// written then. options.source.watch is told of the stages before the studies.
/// \param go_on asked between studies; false ends the run without output
/// \returns false if go_on ended it
bool run_ingest(const IngestOptions& options, io::RunRecord& record,
                const std::function<bool()>& go_on, IngestCounts& counts);

}  // namespace unirg::data
