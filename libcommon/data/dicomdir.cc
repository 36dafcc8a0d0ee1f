// SPDX-License-Identifier: Apache-2.0
#include "data/dicomdir.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/error.h"
#include "image/dicom_file.h"

namespace unirg::data {
namespace fs = std::filesystem;
namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

}  // namespace

bool is_dicomdir(const fs::path& root) {
  return lower(root.filename().string()) == "dicomdir" && fs::is_regular_file(root);
}

FileList dicomdir_files(const fs::path& dicomdir, const fs::path& root, IngestPlan& plan) {
  const auto named = image::read_dicomdir(dicomdir);
  if (!named)
    throw Error(Exit::data, fmt::format("'{}': {}", dicomdir.string(), named.error().reason));
  FileList files(root);
  for (const fs::path& name : *named) {
    ++plan.files;
    const fs::path small = lower(name.string());
    std::error_code ignored;  // a name that no file can have
    if (fs::is_regular_file(root / name, ignored)) {
      files.add(name.native());
    } else if (fs::is_regular_file(root / small, ignored)) {
      files.add(small.native());
    } else {
      plan.refusals.push_back(
          {name.string(), 0, "the DICOMDIR names it, but there is no such file"});
    }
  }
  return files;
}

}  // namespace unirg::data
