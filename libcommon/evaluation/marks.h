// Where a text says what: the stretches that the report page colours as matched, missed or false.
// Depends on text (labeler). SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "text/labeler.h"

namespace unirg::evaluation {

/// One stretch of a text and all that is said there ("no effusion or pneumothorax" may be one).
struct Mark {
  /// Half-open, in UTF-16 code units: how the page's program counts a string.
  int64_t begin = 0, end = 0;
  /// Ascending: 4 x condition (index into kConditions) + 0 denied by what a statement of normality
  /// implies, 1 denied, 2 doubted, 3 stated.
  std::vector<int> statements;
  bool operator==(const Mark&) const = default;
};

/// Marks of a text, in order, none over another: where phrases overlap the text is cut at their
/// ends. \param reading the labeler's, of this text
std::vector<Mark> mark_statements(std::string_view text, const text::Reading& reading);

}  // namespace unirg::evaluation
