// SPDX-License-Identifier: Apache-2.0
#include "pictures.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/hash.h"
#include "evaluation/report_page.h"
#include "io/atomic_file.h"

namespace unirg {

Pictures::Pictures(const std::string& how, const std::filesystem::path& page) : how_(how) {
  if (!linked()) return;
  if (io::is_stream(page) || io::is_special(page))
    throw Error(Exit::usage,
                fmt::format("--images link needs a page that is a file, not '{}'", page.string()));
  folder_ = page.parent_path() / (page.stem().string() + "_files");
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  if (error)
    throw Error(Exit::cannot_create,
                fmt::format("cannot create folder '{}': {}", folder_.string(), error.message()));
}

std::string Pictures::write(const std::string& png) const {
  const std::string name = sha256_hex(png).substr(0, 16) + ".png";
  if (!std::filesystem::exists(folder_ / name)) {
    io::AtomicFile out(folder_ / name, io::AtomicFile::Kind::cache_entry);
    out.write(png);
    out.commit();
  }
  return evaluation::relative_address(folder_.filename().string()) + "/" + name;
}

int64_t Pictures::add(const data::StudySet& studies, const data::Study& study) {
  if (how_ == "none" || study.images.empty()) return -1;
  const auto [it, is_new] =
      known_.emplace(std::pair{&studies, study.study_id}, static_cast<int64_t>(addresses_.size()));
  if (is_new) {
    const std::string png = studies.image_bytes(study.images.front());
    addresses_.push_back(linked() ? write(png) : evaluation::embedded_png(png));
  }
  return it->second;
}

}  // namespace unirg
