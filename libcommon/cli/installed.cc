// SPDX-License-Identifier: Apache-2.0
#include "cli/installed.h"

#include <fmt/format.h>

#include "base/error.h"

namespace unirg::cli {

std::filesystem::path installed_file(const std::string& name) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  const fs::path installed = program.parent_path().parent_path() / "share" / "unirg" / name;
  if (fs::exists(installed)) return installed;
  for (fs::path folder = program.parent_path(); folder.has_relative_path();
       folder = folder.parent_path()) {
    const fs::path in_tree = folder / "share" / name;
    if (fs::exists(in_tree)) return in_tree;
  }
  throw Error(Exit::no_input, fmt::format("no '{}': looked at '{}' and in share/ above '{}'", name,
                                          installed.string(), program.string()));
}

}  // namespace unirg::cli
