// SPDX-License-Identifier: Apache-2.0
#include "data/study_loader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "base/error.h"

namespace unirg::data {

StudySet::StudySet(const std::filesystem::path& studies_file, OnError on_error)
    : shards_(std::make_unique<io::ShardReader>(studies_file.parent_path())) {
  Records<Study> read = read_studies(studies_file, on_error);
  studies_ = std::move(read.records);
  rejected_ = std::move(read.rejected);
  for (size_t i = 0; i < studies_.size(); ++i) by_id_.emplace(studies_[i].study_id, i);
}

const Study* StudySet::find(const std::string& study_id) const {
  const auto it = by_id_.find(study_id);
  return it == by_id_.end() ? nullptr : &studies_[it->second];
}

std::vector<const Study*> StudySet::of_splits(const std::vector<std::string>& splits) const {
  std::set<std::string> present;
  std::vector<const Study*> chosen;
  for (const Study& study : studies_) {
    present.insert(study.split);
    if (splits.empty() || std::find(splits.begin(), splits.end(), study.split) != splits.end())
      chosen.push_back(&study);
  }
  for (const std::string& split : splits) {
    if (!present.contains(split)) {
      throw Error(Exit::data, fmt::format("no study of split '{}' (hint: the file has {})", split,
                                          fmt::join(present, ", ")));
    }
  }
  return chosen;
}

std::string StudySet::image_bytes(const StudyImage& image) const {
  return shards_->read(image.shard, {image.offset, image.bytes});
}

image::Image8 StudySet::load_image(const Study& study, const StudyImage& image) const {
  auto picture = image::decode_image(image_bytes(image));
  if (!picture)
    throw Error(Exit::data, fmt::format("study '{}', image '{}': {}", study.study_id, image.id,
                                        picture.error().reason));
  return std::move(*picture);
}

}  // namespace unirg::data
