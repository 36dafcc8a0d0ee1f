// What a job array's tasks made of their shares of an archive (unirg-ingest --shard), so that one
// last run need not decode it again: it plans, links and writes as one run does, and takes the
// pictures from here. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <unordered_map>
#include <vector>

#include "data/decode_picture.h"
#include "data/study_loader.h"
#include "io/jsonl.h"

namespace unirg::data {

/// Immutable but for open files; thread-safe.
class IngestParts {
 public:
  /// \param folders outputs of --shard 0/n to n-1/n, in any order
  /// \param run the record of this run, whose build, inputs and configuration must be the parts',
  /// but for where the output goes and how it is computed
  /// \throws Error(Exit::no_input) naming a folder that is not there or not complete, or the shard
  /// that none holds; Error(Exit::data) naming one that was made otherwise, and two of one shard
  IngestParts(const std::vector<std::filesystem::path>& folders, const io::Json& run);

  /// The pictures that a study has of file `source`, all named as in its record; none if it was
  /// rejected. \throws Error(Exit::data) if the bytes of one are not those its record tells of
  [[nodiscard]] std::vector<Picture> find(const std::string& dataset, const std::string& study_id,
                                          const std::string& source) const;

 private:
  struct Place {
    const StudySet* set;
    const Study* study;
    const StudyImage* image;
  };
  std::vector<StudySet> sets_;
  std::unordered_map<std::string, std::vector<Place>> places_;  ///< in the order of the record
};

}  // namespace unirg::data
