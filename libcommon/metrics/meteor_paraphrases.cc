// SPDX-License-Identifier: Apache-2.0
#include "metrics/meteor_paraphrases.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>
#include <memory>

#include "base/error.h"

namespace unirg::metrics {
namespace {

struct CloseFile {
  void operator()(gzFile file) const { gzclose(file); }
};

/// Lines of a plain or gzip file.
class Lines {
 public:
  explicit Lines(const std::filesystem::path& path)
      : path_(path.string()), file_(gzopen(path.c_str(), "rb")) {
    if (file_ == nullptr || std::filesystem::is_directory(path))
      throw Error(Exit::no_input, fmt::format("cannot open '{}'", path_));
    gzbuffer(file_.get(), 1U << 18);
  }

  bool next(std::string& line) {
    line.clear();
    ++number_;
    std::array<char, 4096> part{};
    while (gzgets(file_.get(), part.data(), static_cast<int>(part.size())) != nullptr) {
      line += part.data();
      if (line.ends_with('\n')) {
        line.pop_back();
        return true;
      }
    }
    int error = Z_OK;
    const char* what = gzerror(file_.get(), &error);
    if (error != Z_OK && error != Z_STREAM_END)
      throw Error(Exit::io, fmt::format("{}: {}", path_, what));
    return !line.empty();
  }
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(Exit::data,
                fmt::format("{}:{}: {} (hint: METEOR's paraphrase table has three lines an entry: "
                            "a probability, a phrase, its paraphrase)",
                            path_, number_, what));
  }

 private:
  std::string path_;
  std::unique_ptr<gzFile_s, CloseFile> file_;
  int64_t number_ = 0;
};

constexpr const char* kBlanks = " \t\r\f";

template <typename Visit>
void each_word(std::string_view phrase, const Visit& visit) {
  for (size_t at = 0; at < phrase.size();) {
    const size_t begin = phrase.find_first_not_of(kBlanks, at);
    if (begin == std::string_view::npos) return;
    at = std::min(phrase.find_first_of(kBlanks, begin), phrase.size());
    visit(phrase.substr(begin, at - begin));
  }
}

uint64_t key_of(uint32_t node, int32_t word) {
  return uint64_t{node} << 32 | static_cast<uint32_t>(word);
}

bool is_number(const std::string& text) {
  char* end = nullptr;
  std::ignore = std::strtod(text.c_str(), &end);
  return !text.empty() && *end == '\0';
}

}  // namespace

int32_t MeteorParaphrases::number(std::string_view word) {
  const auto it = vocabulary_.find(word);
  if (it != vocabulary_.end()) return it->second;
  const auto next = static_cast<int32_t>(vocabulary_.size());
  vocabulary_.emplace(word, next);
  return next;
}

void MeteorParaphrases::add(std::string_view phrase, std::string_view paraphrase) {
  uint32_t node = 0;
  each_word(phrase, [&](std::string_view word) {
    const auto fresh = static_cast<uint32_t>(nodes_.size() + 1);
    node = nodes_.try_emplace(key_of(node, number(word)), fresh).first->second;
  });
  const auto begin = static_cast<uint32_t>(words_.size());
  each_word(paraphrase, [&](std::string_view word) { words_.push_back(number(word)); });
  entries_.push_back({node, begin, static_cast<uint16_t>(words_.size() - begin)});
}

void MeteorParaphrases::sort_entries() {
  std::stable_sort(entries_.begin(), entries_.end(),
                   [](const Entry& a, const Entry& b) { return a.node < b.node; });
  first_.assign(nodes_.size() + 2, 0);
  for (const Entry& entry : entries_) ++first_[entry.node + 1];
  for (size_t i = 1; i < first_.size(); ++i) first_[i] += first_[i - 1];
}

MeteorParaphrases::MeteorParaphrases(const std::filesystem::path& path) {
  Lines lines(path);
  std::string probability, phrase, paraphrase;
  while (lines.next(probability)) {
    if (!is_number(probability)) lines.fail("expected a probability");
    if (!lines.next(phrase) || !lines.next(paraphrase)) lines.fail("the last entry is cut");
    for (const std::string* words : {&phrase, &paraphrase}) {
      if (words->find_first_not_of(kBlanks) == std::string::npos) lines.fail("an empty phrase");
      if (words->size() > std::numeric_limits<uint16_t>::max()) lines.fail("a phrase over 64 KB");
    }
    add(phrase, paraphrase);
  }
  if (entries_.empty()) lines.fail("the table is empty");
  sort_entries();
}

int32_t MeteorParaphrases::find(std::string_view word) const {
  const auto it = vocabulary_.find(word);
  return it == vocabulary_.end() ? -1 : it->second;
}

std::vector<MeteorParaphrases::Hit> MeteorParaphrases::hits(const Words& words, size_t at) const {
  std::vector<Hit> found;
  uint32_t node = 0;
  for (size_t i = at; i < words.size() && words[i] >= 0; ++i) {
    const auto it = nodes_.find(key_of(node, words[i]));
    if (it == nodes_.end()) break;
    node = it->second;
    for (uint32_t e = first_[node]; e < first_[node + 1]; ++e)
      found.push_back({static_cast<uint32_t>(i - at + 1), words_.data() + entries_[e].words,
                       entries_[e].length});
  }
  return found;
}

void MeteorParaphrases::match(const Words& h, const Words& r,
                              std::vector<MeteorMatch>& matches) const {
  constexpr uint32_t kModule = 3;
  /// Places of `in` where a paraphrase stands.
  const auto places = [](const Hit& hit, const Words& in, const auto& visit) {
    for (uint32_t i = 0; i + hit.paraphrase_length <= in.size(); ++i) {
      if (std::equal(hit.begin, hit.begin + hit.paraphrase_length, in.begin() + i)) visit(i);
    }
  };
  for (uint32_t i = 0; i < r.size(); ++i) {
    for (const Hit& hit : hits(r, i))
      places(hit, h, [&](uint32_t j) {
        matches.push_back({kModule, i, hit.length, j, hit.paraphrase_length});
      });
  }
  for (uint32_t i = 0; i < h.size(); ++i) {
    for (const Hit& hit : hits(h, i))
      places(hit, r, [&](uint32_t j) {
        matches.push_back({kModule, j, hit.paraphrase_length, i, hit.length});
      });
  }
}

}  // namespace unirg::metrics
