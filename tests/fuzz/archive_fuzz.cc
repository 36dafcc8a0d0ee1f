// Archives, damaged or not: files below the folder and nowhere else, or an error.
// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <fstream>

#include "base/error.h"
#include "data/archive.h"
#include "temp_folder.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace fs = std::filesystem;
  static const unirg::testing::TempFolder folder;
  const fs::path file = folder.path() / "input.tar";
  std::ofstream(file, std::ios::binary)
      .write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  constexpr unirg::data::ArchiveLimits kLimits{
      .entries = 100, .bytes = 1 << 20, .entry_bytes = 1 << 19};
  try {
    const unirg::data::UnpackedArchive unpacked(file, folder.path() / "in", kLimits, nullptr);
    for (const auto& [name, reason] : unpacked.refused())
      UNIRG_ASSERT(!reason.empty(), "a refusal has a reason");
  } catch (const unirg::Error& e) {
    UNIRG_ASSERT(e.exit() == unirg::Exit::data, "a bad archive is bad data");
  }
  const auto entries = std::distance(fs::directory_iterator(folder.path()), {});
  UNIRG_ASSERT(entries == 1, "nothing but the input is left in the folder");
  return 0;
}
