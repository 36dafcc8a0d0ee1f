// Studies with their pictures: what every tool that shows studies to a model reads. Depends on
// image, io. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "data/records.h"
#include "image/image.h"
#include "io/tar.h"

namespace unirg::data {

/// A studies file and the image shards beside it. Immutable but for the shards' open files;
/// thread-safe.
class StudySet {
 public:
  /// \throws as read_studies does
  explicit StudySet(const std::filesystem::path& studies_file, OnError on_error = OnError::stop);

  [[nodiscard]] const std::vector<Study>& studies() const { return studies_; }
  [[nodiscard]] const std::vector<RejectedLine>& rejected() const { return rejected_; }
  /// nullptr if there is none of that id
  [[nodiscard]] const Study* find(const std::string& study_id) const;
  /// Studies of these splits in file order; all when `splits` is empty.
  /// \throws Error(Exit::data) if a named split has no study, listing those there are
  [[nodiscard]] std::vector<const Study*> of_splits(const std::vector<std::string>& splits) const;
  /// Decodes one picture. \throws Error(Exit::data) naming study and image if it does not decode
  [[nodiscard]] image::Image8 load_image(const Study& study, const StudyImage& image) const;
  /// The encoded bytes as they lie in the shard.
  [[nodiscard]] std::string image_bytes(const StudyImage& image) const;

 private:
  std::vector<Study> studies_;
  std::vector<RejectedLine> rejected_;
  std::unordered_map<std::string, size_t> by_id_;
  std::unique_ptr<io::ShardReader> shards_;
};

}  // namespace unirg::data
