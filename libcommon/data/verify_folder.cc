// SPDX-License-Identifier: Apache-2.0
#include "data/verify_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <optional>

#include "base/error.h"
#include "base/hash.h"
#include "base/parallel.h"
#include "data/records.h"

namespace unirg::data {
namespace fs = std::filesystem;
namespace {

/// A picture as its study record tells of it.
struct Expected {
  int64_t offset = 0;
  int64_t bytes = 0;
  std::string sha256;
  std::string name;  ///< for messages: which record, which image
};

/// One file to read.
struct Target {
  std::optional<std::string> sha256;  ///< of the run record
  std::vector<Expected> pictures;     ///< of a shard
};
using Targets = std::map<std::string, Target>;

/// The digests of the record's outputs by file name: the folder may have moved since.
bool read_run_record(const fs::path& file, Targets& targets) {
  const io::Json run = io::Json::parse(io::read_file(file), nullptr, false);
  if (!run.is_object() || run.value("tool", io::Json()) != "unirg-ingest") return false;
  const auto outputs = run.find("outputs");
  if (outputs == run.end() || !outputs->is_object()) return false;
  for (const auto& [path, digest] : outputs->items()) {
    if (!digest.is_string()) return false;
    targets[fs::path(path).filename().string()].sha256 = digest.get<std::string>();
  }
  return targets.contains("studies.jsonl");
}

void read_pictures(const fs::path& file, Targets& targets, FolderCheck& check) {
  io::JsonlReader reader(file);
  const std::string name = file.filename().string();
  while (auto line = reader.next()) {
    const Result<Study> study = line->has_value() ? study_from_json((*line)->object)
                                                  : Result<Study>(tl::unexpected(line->error()));
    const int64_t number = reader.place().line;
    if (!study) {
      check.problems.push_back({name, fmt::format("line {}: {}", number, study.error().reason)});
      continue;
    }
    for (const StudyImage& image : study->images) {
      ++check.pictures;
      targets[image.shard].pictures.push_back(
          {image.offset, image.bytes, image.sha256,
           fmt::format("image '{}' of {}:{}", image.id, name, number)});
    }
  }
}

/// Digests of a shard's pictures, taken while it is read from its beginning to its end.
class PictureDigests {
 public:
  PictureDigests(std::string file, std::vector<Expected> pictures)
      : file_(std::move(file)), pictures_(std::move(pictures)) {
    std::stable_sort(pictures_.begin(), pictures_.end(),
                     [](const auto& a, const auto& b) { return a.offset < b.offset; });
    int64_t end = 0;
    const auto overlaps = [&](const Expected& picture) {
      if (picture.offset < end) {
        problems_.push_back({file_, picture.name + ": its bytes are those of another, too"});
        return true;
      }
      end = picture.offset + picture.bytes;
      return false;
    };
    for (Expected& picture : pictures_)  // a record may say anything
      picture.bytes = std::min(picture.bytes, std::numeric_limits<int64_t>::max() - picture.offset);
    pictures_.erase(std::remove_if(pictures_.begin(), pictures_.end(), overlaps), pictures_.end());
  }

  void update(std::string_view bytes) {
    const int64_t begin = at_;
    at_ += static_cast<int64_t>(bytes.size());
    for (; next_ < pictures_.size(); ++next_) {
      const Expected& picture = pictures_[next_];
      const int64_t from = std::max(picture.offset, begin);
      const int64_t end = picture.offset + picture.bytes;
      const int64_t to = std::min(end, at_);
      if (from < to)
        sha_.update(
            bytes.substr(static_cast<size_t>(from - begin), static_cast<size_t>(to - from)));
      if (end > at_) return;
      if (sha_.hex() != picture.sha256)
        problems_.push_back({file_, picture.name + ": its bytes are not those it tells of"});
      sha_ = Sha256();
    }
  }

  /// What was found; a picture beyond the end is a problem too.
  std::vector<FolderProblem> finish() {
    for (; next_ < pictures_.size(); ++next_)
      problems_.push_back({file_, pictures_[next_].name + ": the file ends before it"});
    return std::move(problems_);
  }

 private:
  std::string file_;
  std::vector<Expected> pictures_;
  std::vector<FolderProblem> problems_;
  size_t next_ = 0;
  int64_t at_ = 0;
  Sha256 sha_;
};

std::vector<FolderProblem> check_file(const fs::path& folder, const std::string& name,
                                      const Target& target) {
  const fs::path path = folder / name;
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) return {{name, "missing"}};
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(Exit::no_input, fmt::format("cannot open '{}'", path.string()));
  Sha256 whole;
  PictureDigests pictures(name, target.pictures);
  std::vector<char> buffer(1 << 20);
  while (file) {
    file.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    const std::string_view bytes(buffer.data(), static_cast<size_t>(file.gcount()));
    whole.update(bytes);
    pictures.update(bytes);
  }
  if (file.bad()) throw Error(Exit::io, fmt::format("cannot read '{}'", path.string()));
  std::vector<FolderProblem> problems;
  if (target.sha256 && whole.hex() != *target.sha256)
    problems.push_back({name, "its bytes are not those the run record tells of"});
  for (FolderProblem& problem : pictures.finish()) problems.push_back(std::move(problem));
  return problems;
}

}  // namespace

FolderCheck verify_folder(const fs::path& folder, int threads,
                          const std::function<bool(int64_t files)>& go_on) {
  if (!fs::is_directory(folder))
    throw Error(Exit::no_input, fmt::format("no folder '{}'", folder.string()));
  FolderCheck check;
  Targets targets;
  if (!fs::exists(folder / "DONE"))
    check.problems.push_back({"DONE", "missing: the folder is not complete"});
  if (!fs::exists(folder / "run.json"))
    check.problems.push_back({"run.json", "missing"});
  else if (!read_run_record(folder / "run.json", targets))
    check.problems.push_back({"run.json", "not the run record of an ingested folder"});
  if (fs::exists(folder / "studies.jsonl")) read_pictures(folder / "studies.jsonl", targets, check);
  targets.try_emplace("studies.jsonl");
  std::vector<std::pair<std::string, Target>> files(targets.begin(), targets.end());
  for (const auto& [name, target] : files) {
    ++check.files;
    check.unrecorded += target.sha256 || name == "studies.jsonl" ? 0 : 1;
  }
  ordered_parallel(
      threads, check.files,
      [&](int64_t i) {
        const auto& [name, target] = files[static_cast<size_t>(i)];
        return check_file(folder, name, target);
      },
      [&](int64_t, std::vector<FolderProblem> problems) {
        std::move(problems.begin(), problems.end(), std::back_inserter(check.problems));
        return check.whole = go_on(check.files);
      });
  return check;
}

}  // namespace unirg::data
