// SPDX-License-Identifier: Apache-2.0
#include "metrics/meteor.h"

#include <libstemmer.h>

#include <algorithm>
#include <cmath>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

#include "base/error.h"
#include "metrics/meteor_align.h"
#include "metrics/meteor_paraphrases.h"
#include "metrics/meteor_synonyms.h"
#include "metrics/meteor_text.h"

namespace unirg::metrics {
namespace {

struct FreeStemmer {
  void operator()(sb_stemmer* stemmer) const { sb_stemmer_delete(stemmer); }
};

/// Snowball's English stemmer; its objects hold state, so every thread has its own.
std::string snowball_stem(const std::string& word) {
  thread_local const std::unique_ptr<sb_stemmer, FreeStemmer> kStemmer(
      sb_stemmer_new("english", "UTF_8"));
  UNIRG_ASSERT(kStemmer != nullptr, "libstemmer has no English");
  const sb_symbol* stem =
      sb_stemmer_stem(kStemmer.get(), reinterpret_cast<const sb_symbol*>(word.data()),
                      static_cast<int>(word.size()));
  UNIRG_ASSERT(stem != nullptr, "libstemmer is out of memory");
  return {reinterpret_cast<const char*>(stem),
          static_cast<size_t>(sb_stemmer_length(kStemmer.get()))};
}

bool share_one(const std::vector<int32_t>& a, const std::vector<int32_t>& b) {
  for (size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    if (a[i] == b[j]) return true;
    a[i] < b[j] ? ++i : ++j;
  }
  return false;
}

constexpr uint32_t kExact = 0, kSynonym = 2;  // 1: stem

using Words = std::vector<const Meteor::Word*>;

/// Exact matches of each reference word, and behind them those of its stem unless the texts are
/// equal.
void match_words(const Words& hypothesis, const Words& reference,
                 std::vector<MeteorMatch>& matches) {
  const size_t modules = hypothesis == reference ? 1 : 2;
  std::vector<int32_t> stems;  // close together: every pair of words is looked at
  stems.reserve(hypothesis.size());
  for (const Meteor::Word* word : hypothesis) stems.push_back(word->stem);
  std::vector<uint32_t> same_stem;
  for (uint32_t r = 0; r < reference.size(); ++r) {
    same_stem.clear();
    for (uint32_t h = 0; h < stems.size(); ++h) {
      if (stems[h] == reference[r]->stem) same_stem.push_back(h);
    }
    for (uint32_t module = kExact; module < modules; ++module) {
      for (const uint32_t h : same_stem) {
        const bool exact = hypothesis[h] == reference[r];
        if (exact == (module == kExact)) matches.push_back({module, r, 1, h, 1});
      }
    }
  }
}

void match_synonyms(const Words& hypothesis, const Words& reference,
                    std::vector<MeteorMatch>& matches) {
  for (uint32_t r = 0; r < reference.size(); ++r) {
    for (uint32_t h = 0; h < hypothesis.size(); ++h) {
      if (hypothesis[h] != reference[r] && share_one(hypothesis[h]->synsets, reference[r]->synsets))
        matches.push_back({kSynonym, r, 1, h, 1});
    }
  }
}

std::vector<int32_t> paraphrase_words(const Words& words) {
  std::vector<int32_t> numbers;
  numbers.reserve(words.size());
  for (const Meteor::Word* word : words) numbers.push_back(word->paraphrase_word);
  return numbers;
}

double function_words(const Words& words) {
  return static_cast<double>(
      std::count_if(words.begin(), words.end(), [](const auto* word) { return word->function; }));
}

double matched_words(const MeteorStatistics& s, size_t side) {
  double words = 0;
  for (size_t m = 0; m < MeteorStatistics::kModules; ++m)
    words += s.content[m][side] + s.function[m][side];
  return words;
}

void count_matches(const MeteorAlignment& alignment, const Meteor::Sentence& hypothesis,
                   const Meteor::Sentence& reference, MeteorStatistics& s) {
  const auto count = [&](const MeteorMatch& m, size_t side, const Words& words, size_t begin,
                         size_t length) {
    for (size_t i = begin; i < begin + length; ++i) {
      auto& counts = words[i]->function ? s.function : s.content;
      ++counts[m.module][side];
    }
  };
  for (const MeteorMatch& m : alignment.matches) {
    count(m, 0, hypothesis.words, m.hypothesis, m.hypothesis_length);
    count(m, 1, reference.words, m.reference, m.reference_length);
  }
  s.chunks = static_cast<double>(alignment.chunks);
  // The program neither penalises a pair that is one piece nor counts it in a corpus.
  bool one_piece = alignment.chunks == 1;
  for (size_t side = 0; side < 2; ++side) one_piece &= matched_words(s, side) == s.length[side];
  if (one_piece) s.chunks = 0;
}

}  // namespace

MeteorStatistics& MeteorStatistics::operator+=(const MeteorStatistics& other) {
  std::vector<double> sum = numbers();
  const std::vector<double> more = other.numbers();
  for (size_t i = 0; i < sum.size(); ++i) sum[i] += more[i];
  return *this = from_numbers(sum);
}

std::vector<double> MeteorStatistics::numbers() const {
  std::vector<double> all{length[0], length[1], function_words[0], function_words[1]};
  for (size_t m = 0; m < kModules; ++m)
    all.insert(all.end(), {content[m][0], content[m][1], function[m][0], function[m][1]});
  all.push_back(chunks);
  return all;
}

MeteorStatistics MeteorStatistics::from_numbers(const std::vector<double>& numbers) {
  if (numbers.size() != 5 + 4 * kModules)
    throw Error(Exit::internal, "statistic 'meteor' needs 21 numbers");
  MeteorStatistics s;
  s.length = {numbers[0], numbers[1]};
  s.function_words = {numbers[2], numbers[3]};
  for (size_t m = 0; m < kModules; ++m) {
    const double* n = &numbers[4 + 4 * m];
    s.content[m] = {n[0], n[1]};
    s.function[m] = {n[2], n[3]};
  }
  s.chunks = numbers.back();
  return s;
}

double meteor_score(const MeteorStatistics& s) {
  constexpr double kAlpha = 0.85, kBeta = 0.2, kGamma = 0.6, kDelta = 0.75;
  constexpr std::array<double, MeteorStatistics::kModules> kWeights{1.0, 0.6, 0.8, 0.6};
  MeteorStatistics::Pair share{};
  for (size_t side = 0; side < 2; ++side) {
    double weighted = 0;
    for (size_t m = 0; m < kWeights.size(); ++m)
      weighted += kWeights[m] * (kDelta * s.content[m][side] + (1 - kDelta) * s.function[m][side]);
    share[side] = weighted / (kDelta * (s.length[side] - s.function_words[side]) +
                              (1 - kDelta) * s.function_words[side]);
  }
  const double matches = (matched_words(s, 0) + matched_words(s, 1)) / 2;
  if (matches == 0) return 0;
  const double mean = 1 / ((1 - kAlpha) / share[0] + kAlpha / share[1]);
  return std::max(0.0, mean * (1 - kGamma * std::pow(s.chunks / matches, kBeta)));
}

/// Reports use few different words: each is stemmed and looked up once.
struct Meteor::Impl {
  std::unique_ptr<MeteorSynonyms> synonyms;
  std::unique_ptr<MeteorParaphrases> paraphrases;
  std::shared_mutex mutex;  ///< over the two maps
  std::unordered_map<std::string, Word> words;
  std::unordered_map<std::string, int32_t> stems;

  Word describe(const std::string& text);
};

Meteor::Word Meteor::Impl::describe(const std::string& text) {
  Word word;
  word.stem =
      stems.try_emplace(snowball_stem(text), static_cast<int32_t>(stems.size())).first->second;
  word.function = is_meteor_function_word(text);
  if (synonyms != nullptr) word.synsets = synonyms->synsets(text);
  if (paraphrases != nullptr) word.paraphrase_word = paraphrases->find(text);
  return word;
}

Meteor::Meteor(const MeteorFiles& files) : impl_(std::make_unique<Impl>()) {
  if (files.synsets.empty() != files.exceptions.empty())
    throw Error(Exit::config,
                "METEOR's synonyms need both their files (hint: english.synsets and "
                "english.exceptions)");
  if (files.synsets.empty() && !files.paraphrases.empty())
    throw Error(Exit::config,
                "METEOR's paraphrases need its synonyms (hint: give english.synsets and "
                "english.exceptions too)");
  if (!files.synsets.empty())
    impl_->synonyms = std::make_unique<MeteorSynonyms>(files.synsets, files.exceptions);
  if (!files.paraphrases.empty())
    impl_->paraphrases = std::make_unique<MeteorParaphrases>(files.paraphrases);
}

Meteor::~Meteor() = default;

Meteor::Sentence Meteor::prepare(std::string_view text) const {
  const std::vector<std::string> texts = meteor_words(text);
  Sentence sentence;
  sentence.words.resize(texts.size(), nullptr);
  bool all_known = true;
  {
    const std::shared_lock lock(impl_->mutex);
    for (size_t i = 0; i < texts.size(); ++i) {
      const auto it = impl_->words.find(texts[i]);
      if (it != impl_->words.end()) sentence.words[i] = &it->second;
      all_known &= it != impl_->words.end();
    }
  }
  if (all_known) return sentence;
  const std::unique_lock lock(impl_->mutex);
  for (size_t i = 0; i < texts.size(); ++i) {
    if (sentence.words[i] != nullptr) continue;
    auto it = impl_->words.find(texts[i]);
    if (it == impl_->words.end())
      it = impl_->words.emplace(texts[i], impl_->describe(texts[i])).first;
    sentence.words[i] = &it->second;
  }
  return sentence;
}

MeteorStatistics Meteor::statistics(const Sentence& hypothesis, const Sentence& reference) const {
  const Words &h = hypothesis.words, &r = reference.words;
  std::vector<MeteorMatch> matches;
  matches.reserve(2 * r.size());
  match_words(h, r, matches);
  if (h != r) {  // equal texts have no use for these modules
    if (impl_->synonyms != nullptr) match_synonyms(h, r, matches);
    if (impl_->paraphrases != nullptr)
      impl_->paraphrases->match(paraphrase_words(h), paraphrase_words(r), matches);
  }
  MeteorStatistics s;
  s.length = {static_cast<double>(h.size()), static_cast<double>(r.size())};
  s.function_words = {function_words(h), function_words(r)};
  count_matches(meteor_align({std::move(matches), r.size()}, h.size()), hypothesis, reference, s);
  return s;
}

}  // namespace unirg::metrics
