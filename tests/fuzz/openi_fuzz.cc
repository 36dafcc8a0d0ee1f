// Open-i's XML reports, damaged or not: a study with text in valid UTF-8, or a reason.
// SPDX-License-Identifier: Apache-2.0
#include <cstdint>

#include "base/error.h"
#include "data/openi.h"
#include "io/atomic_file.h"
#include "temp_folder.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const unirg::testing::TempFolder folder;
  unirg::io::write_file(folder.path() / "input.xml",
                        std::string(reinterpret_cast<const char*>(data), size));
  const auto draft = unirg::data::read_openi(folder.path(), "input.xml", folder.path());
  if (!draft) {
    UNIRG_ASSERT(!draft.error().reason.empty(), "a refusal has a reason");
    return 0;
  }
  UNIRG_ASSERT(!draft->draft.study.study_id.empty(), "a study has an id");
  (void)to_json(draft->draft.study).dump();  // throws for text that is not UTF-8
  return 0;
}
