// Reference outputs of the published implementations: small ones lie in tests/parity/golden, the
// others only in ../shared/golden. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

namespace unirg::testing {

/// The folder called `name`; one that is nowhere is given as ../shared would have it.
inline std::filesystem::path golden_folder(const std::string& name) {
  const std::filesystem::path root = UNIRG_SOURCE_DIR;
  const std::filesystem::path copy = root / "tests/parity/golden" / name;
  return std::filesystem::exists(copy) ? copy : root / "../shared/golden" / name;
}

}  // namespace unirg::testing

#define UNIRG_SKIP_WITHOUT(folder) \
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "needs ../shared: " << (folder)
