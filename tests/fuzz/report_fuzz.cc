// Report text, whatever it is: sections that are trimmed and come out of the text; then labels and
// the scrubber on what is valid UTF-8. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>

#include "base/error.h"
#include "text/bpe_bytes.h"
#include "text/labeler.h"
#include "text/scrubber.h"
#include "text/sections.h"

namespace {

namespace text = unirg::text;

const std::filesystem::path kShare = UNIRG_SOURCE_DIR "/share";

void check_section(const std::optional<std::string>& section, size_t most) {
  if (!section) return;
  UNIRG_ASSERT(!section->empty() && section->front() != ' ' && section->back() != ' ',
               "a section is trimmed and not empty");
  UNIRG_ASSERT(section->size() <= most, "a section holds no more than the report");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const text::Labeler labeler(kShare / "lexicon/chest.yaml");
  static const text::Scrubber scrubber(kShare / "scrub/report.yaml");
  const std::string report(reinterpret_cast<const char*>(data), size);
  const text::Sections sections = text::split_sections(report);
  for (const auto* section : {&sections.indication, &sections.technique, &sections.comparison,
                              &sections.findings, &sections.impression})
    check_section(*section, report.size());
  if (!text::is_utf8(report)) return 0;
  (void)labeler.read(report);
  text::Scrubber::Counts counts(scrubber.rules().size());
  const std::string scrubbed = scrubber.scrub(report, counts);
  UNIRG_ASSERT(text::is_utf8(scrubbed), "what is scrubbed stays UTF-8");
  return 0;
}
