// Which report a line of JSON Lines is of, without reading the line to its end: a shard of a job
// array tells its own lines apart from the others' by it. Depends on io.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace unirg::data {

struct RecordHead {
  std::string study_id;
  int64_t sample = 0;  ///< 0 where the record has none
};

/// The first field "study_id" that is a string, and "sample" of what may have one: any record but
/// of a study. Records begin with these fields, so little of a line is read.
/// \returns nullopt where the line is no object or damaged before it says its study
std::optional<RecordHead> read_head(std::string_view line);

}  // namespace unirg::data
