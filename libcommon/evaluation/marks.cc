// SPDX-License-Identifier: Apache-2.0
#include "evaluation/marks.h"

#include <algorithm>
#include <set>

namespace unirg::evaluation {
namespace {

int statement_of(const text::Entity& e) {
  const int state = e.presence == text::Presence::positive    ? 3
                    : e.presence == text::Presence::uncertain ? 2
                    : e.implied                               ? 0
                                                              : 1;
  return 4 * static_cast<int>(e.condition) + state;
}

/// UTF-16 code units before byte `end`: one a character, two for those of four bytes.
int64_t utf16_units(std::string_view text, size_t end) {
  int64_t units = 0;
  for (const char c : text.substr(0, end)) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0) != 0x80) units += byte >= 0xF0 ? 2 : 1;
  }
  return units;
}

}  // namespace

std::vector<Mark> mark_statements(std::string_view text, const text::Reading& reading) {
  std::set<size_t> cuts;
  for (const text::Entity& e : reading.entities) cuts.insert({e.span.begin, e.span.end});
  std::vector<Mark> marks;
  for (auto cut = cuts.begin(); cut != cuts.end() && std::next(cut) != cuts.end(); ++cut) {
    const size_t begin = *cut, end = *std::next(cut);
    std::set<int> statements;
    for (const text::Entity& e : reading.entities) {
      if (e.span.begin <= begin && end <= e.span.end) statements.insert(statement_of(e));
    }
    if (statements.empty()) continue;
    marks.push_back(
        {utf16_units(text, begin), utf16_units(text, end), {statements.begin(), statements.end()}});
  }
  return marks;
}

}  // namespace unirg::evaluation
