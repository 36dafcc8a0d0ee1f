// A radiology report as free text, split into its sections. Depends on text/words.h.
//
// A heading is a known word or phrase, in any case, followed by ':' and standing
//   - at the beginning of the text or of a line (after blanks, item marks or '*'), or
//   - inside a line after a sentence's end, or
//   - anywhere, if all its letters are capitals ("... EFFUSION. IMPRESSION: ...").
// A heading alone on its line, in capitals, needs no ':'.
// Names: findings (observations, report, ...), impression (conclusion, summary, opinion,
// interpretation, ...), indication (history, clinical information, reason for exam, ...), technique
// (procedure, views, ...), comparison (comparisons). Known headings that are none of these
// ("EXAMINATION:", "RECOMMENDATION:", "WET READ:", "NOTIFICATION:") end a section and are dropped,
// except a recommendation, which stays part of the impression. A section that occurs twice
// (addenda) is joined by a space.
//
// Text without heading, after mimic-cxr's create_section_files (Johnson et al.), simplified:
//   - with an impression but no findings heading, text before the first heading, or else the
//   paragraphs
//     behind the last section's first one, becomes the findings;
//   - with no heading of findings or impression at all, the last paragraph of what is not otherwise
//     headed becomes the findings ("last_paragraph" there); a lone paragraph is the findings.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace unirg::text {

/// White space runs are single blanks, ends trimmed; nullopt where there is none or it is empty.
struct Sections {
  std::optional<std::string> indication, technique, comparison, findings, impression;
  bool operator==(const Sections&) const = default;
};

Sections split_sections(std::string_view report);

}  // namespace unirg::text
