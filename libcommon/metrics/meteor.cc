// SPDX-License-Identifier: Apache-2.0
#include "metrics/meteor.h"

#include <libstemmer.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "metrics/meteor_align.h"
#include "metrics/meteor_paraphrases.h"
#include "metrics/meteor_synonyms.h"
#include "metrics/meteor_text.h"
#include "metrics/ngrams.h"

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

constexpr size_t kExact = 0, kStem = 1, kSynonym = 2;

/// Words of both sides as numbers.
struct Numbered {
  Ids words, stems;
};
Numbered numbered(GramIndex& index, const Meteor::Sentence& sentence) {
  return {index.add(sentence.words), index.add(sentence.stems)};
}

/// Adds a match of one word each wherever `same` says so, reference words first.
template <typename Same>
void match_words(MeteorMatches& matches, size_t module, size_t hypothesis_words, const Same& same) {
  for (size_t r = 0; r < matches.size(); ++r) {
    for (size_t h = 0; h < hypothesis_words; ++h) {
      if (same(h, r)) matches[r].push_back({module, r, 1, h, 1});
    }
  }
}

double matched_words(const MeteorStatistics& s, size_t side) {
  double words = 0;
  for (size_t m = 0; m < MeteorStatistics::kModules; ++m)
    words += s.content[m][side] + s.function[m][side];
  return words;
}

void count_matches(const MeteorAlignment& alignment, const Meteor::Sentence& hypothesis,
                   const Meteor::Sentence& reference, MeteorStatistics& s) {
  const auto count = [&](const MeteorMatch& m, size_t side, const std::vector<bool>& function,
                         size_t begin, size_t length) {
    for (size_t i = begin; i < begin + length; ++i) {
      auto& counts = function[i] ? s.function : s.content;
      ++counts[m.module][side];
    }
  };
  for (const MeteorMatch& m : alignment.matches) {
    count(m, 0, hypothesis.function, m.hypothesis, m.hypothesis_length);
    count(m, 1, reference.function, m.reference, m.reference_length);
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

struct Meteor::Impl {
  std::unique_ptr<MeteorSynonyms> synonyms;
  std::unique_ptr<MeteorParaphrases> paraphrases;
};

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
  Sentence sentence;
  sentence.words = meteor_words(text);
  for (const std::string& word : sentence.words) {
    sentence.stems.push_back(snowball_stem(word));
    sentence.function.push_back(is_meteor_function_word(word));
    if (impl_->synonyms != nullptr) sentence.synsets.push_back(impl_->synonyms->synsets(word));
  }
  return sentence;
}

MeteorStatistics Meteor::statistics(const Sentence& hypothesis, const Sentence& reference) const {
  GramIndex index;
  const Numbered r = numbered(index, reference);
  const Numbered h = numbered(index, hypothesis);
  const size_t n = h.words.size();
  MeteorMatches matches(r.words.size());
  match_words(matches, kExact, n, [&](size_t i, size_t j) { return h.words[i] == r.words[j]; });
  if (h.words != r.words) {  // equal texts have no use for the other modules
    match_words(matches, kStem, n, [&](size_t i, size_t j) {
      return h.stems[i] == r.stems[j] && h.words[i] != r.words[j];
    });
    if (impl_->synonyms != nullptr)
      match_words(matches, kSynonym, n, [&](size_t i, size_t j) {
        return h.words[i] != r.words[j] && share_one(hypothesis.synsets[i], reference.synsets[j]);
      });
    if (impl_->paraphrases != nullptr)
      impl_->paraphrases->match(hypothesis.words, reference.words, matches);
  }
  MeteorStatistics s;
  s.length = {static_cast<double>(n), static_cast<double>(r.words.size())};
  const auto function_words = [](const Sentence& sentence) {
    return static_cast<double>(
        std::count(sentence.function.begin(), sentence.function.end(), true));
  };
  s.function_words = {function_words(hypothesis), function_words(reference)};
  count_matches(meteor_align(matches, n), hypothesis, reference, s);
  return s;
}

}  // namespace unirg::metrics
