// Result<T>: a value, or the reason why one record is bad. A bad record does not end a run by
// itself; the loop that meets it decides (see io/jsonl.h and --on-error).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <tl/expected.hpp>

namespace unirg {

struct BadRecord {
  std::string reason;  ///< e.g. "field 'age': expected number, got string"; no file or line, the
                       ///< loop adds them
};

template <typename T>
using Result = tl::expected<T, BadRecord>;

inline tl::unexpected<BadRecord> bad_record(std::string reason) {
  return tl::unexpected<BadRecord>(BadRecord{std::move(reason)});
}

}  // namespace unirg
