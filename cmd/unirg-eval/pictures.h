// Images of the report page: embedded, in a folder beside it, or none.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "data/study_loader.h"

namespace unirg {

/// Each image once, however many cards show it.
class Pictures {
 public:
  /// \param how embed, link or none \param page the HTML file
  /// \throws Error(Exit::usage) for links beside a page that is no file
  Pictures(const std::string& how, const std::filesystem::path& page);

  /// The study's first image. With links it is written, under a name made of its bytes.
  /// \returns its index in addresses(); -1 if there is none to show
  int64_t add(const data::StudySet& studies, const data::Study& study);

  [[nodiscard]] const std::vector<std::string>& addresses() const { return addresses_; }
  [[nodiscard]] bool linked() const { return how_ == "link"; }

 private:
  std::string write(const std::string& png) const;

  std::string how_;
  std::filesystem::path folder_;  ///< of linked images
  std::vector<std::string> addresses_;
  std::map<std::pair<const data::StudySet*, std::string>, int64_t> known_;  ///< by study
};

}  // namespace unirg
