// SPDX-License-Identifier: Apache-2.0
#include "data/ingest_parts.h"

#include <fmt/format.h>

#include <map>

#include "base/error.h"
#include "base/hash.h"

namespace unirg::data {
namespace fs = std::filesystem;
namespace {

/// What may differ between a part and the run that joins it: what is decided over all studies, and
/// what changes no byte.
constexpr const char* kFree[] = {"hold-out", "max-rejected", "fail-on-leak", "output",  "shard",
                                 "parts",    "forbid",       "cache",        "threads", "quiet",
                                 "verbose",  "log-format",   "log-every"};

/// Of a run record: all that the bytes of the output depend on.
io::Json essentials(const io::Json& run) {
  io::Json config = run.at("config");
  for (const char* key : kFree) config.erase(key);
  return {{"build", {run.at("tool"), run.at("version"), run.at("commit")}},
          {"inputs", run.at("inputs")},
          {"configuration", config}};
}

io::Json read_run(const fs::path& folder) {
  for (const char* name : {"DONE", "run.json", "studies.jsonl"}) {
    if (!fs::exists(folder / name))
      throw Error(Exit::no_input,
                  fmt::format("part '{}' has no {} (hint: unirg-ingest --shard I/N makes it)",
                              folder.string(), name));
  }
  try {
    io::Json run = io::Json::parse(io::read_file(folder / "run.json"));
    (void)essentials(run);
    (void)run.at("config").at("shard").get<std::string>();
    return run;
  } catch (const io::Json::exception& e) {
    throw Error(Exit::data,
                fmt::format("'{}' is no run record: {}", (folder / "run.json").string(), e.what()));
  }
}

void check_same(const fs::path& folder, const io::Json& part, const io::Json& run) {
  const io::Json of_part = essentials(part);
  const io::Json of_run = essentials(run);
  for (const auto& [what, value] : of_run.items()) {
    if (of_part.at(what) != value)
      throw Error(Exit::data, fmt::format("part '{}' is of another {} than this run (hint: make "
                                          "the parts again, or give the options they had)",
                                          folder.string(), what));
  }
}

std::string key_of(const std::string& dataset, const std::string& study_id,
                   const std::string& source) {
  return dataset + '\n' + study_id + '\n' + source;
}

}  // namespace

IngestParts::IngestParts(const std::vector<fs::path>& folders, const io::Json& run) {
  std::map<int64_t, fs::path> by_shard;
  for (const fs::path& folder : folders) {
    const io::Json part = read_run(folder);
    check_same(folder, part, run);
    const auto text = part.at("config").at("shard").get<std::string>();
    const Shard shard = parse_shard(text);
    if (shard.count != std::ssize(folders))
      throw Error(Exit::data, fmt::format("part '{}' is shard {}, and there are {} parts",
                                          folder.string(), text, folders.size()));
    const auto [first, is_new] = by_shard.emplace(shard.index, folder);
    if (!is_new)
      throw Error(Exit::data, fmt::format("parts '{}' and '{}' are both shard {}",
                                          first->second.string(), folder.string(), text));
  }
  // As many folders as shards and none twice: none is missing.
  for (const fs::path& folder : folders) sets_.emplace_back(folder / "studies.jsonl");
  for (const StudySet& set : sets_) {
    for (const Study& study : set.studies())
      for (const StudyImage& image : study.images)
        places_[key_of(study.dataset, study.study_id, image.source)].push_back(
            {&set, &study, &image});
  }
}

std::vector<Picture> IngestParts::find(const std::string& dataset, const std::string& study_id,
                                       const std::string& source) const {
  const auto found = places_.find(key_of(dataset, study_id, source));
  if (found == places_.end()) return {};
  std::vector<Picture> pictures;
  for (const Place& place : found->second) {
    Picture picture{*place.image, place.set->image_bytes(*place.image),
                    place.study->modality.value_or("")};
    if (sha256_hex(picture.png) != picture.image.sha256)
      throw Error(Exit::data,
                  fmt::format("image shard '{}' of a part: the bytes of '{}' are not those its "
                              "record tells of (hint: make the part again)",
                              picture.image.shard, source));
    pictures.push_back(std::move(picture));
  }
  return pictures;
}

}  // namespace unirg::data
