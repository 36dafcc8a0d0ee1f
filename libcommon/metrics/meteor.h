// METEOR 1.5 for English, as pycocoevalcap runs it (ranking task, "-norm"): exact, stem, synonym
// and paraphrase matches, the last two when their files are given. Pure strings and numbers; files
// are read once. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace unirg::metrics {

/// Files of METEOR's own data, which are not shipped; "" leaves the module out.
struct MeteorFiles {
  std::filesystem::path synsets;      ///< english.synsets, and with it:
  std::filesystem::path exceptions;   ///< english.exceptions
  std::filesystem::path paraphrases;  ///< paraphrase-en.gz; only with the synonyms' files
};

/// What METEOR is made of; adds up over reports. Of each pair, hypothesis before reference.
struct MeteorStatistics {
  static constexpr size_t kModules = 4;  ///< exact, stem, synonym, paraphrase
  using Pair = std::array<double, 2>;
  Pair length{}, function_words{};        ///< words
  std::array<Pair, kModules> content{};   ///< matched content words by module
  std::array<Pair, kModules> function{};  ///< matched function words by module
  double chunks = 0;                      ///< 0 for a pair in one piece, all words matched

  MeteorStatistics& operator+=(const MeteorStatistics& other);
  /// Lengths, function words, content and function matches by module, chunks: 21 numbers.
  [[nodiscard]] std::vector<double> numbers() const;
  /// The reverse. \throws Error(Exit::internal) unless there are 21
  static MeteorStatistics from_numbers(const std::vector<double>& numbers);
};

/// P = sum over matches of w_module (delta for a content word, 1 - delta for a function word) over
/// the hypothesis's words so weighted, R the same of the reference; F = PR / (alpha P + (1-alpha)
/// R); penalty = gamma (chunks / matches)^beta; (1 - penalty) F.
/// Weights 1, 0.6, 0.8, 0.6; alpha 0.85, beta 0.2, gamma 0.6, delta 0.75. Of one report's
/// statistics the report's score, of a sum corpus METEOR. \returns 0..1 \see Denkowski and Lavie
/// 2014, "Meteor Universal"; meteor-1.5.jar in PyPI pycocoevalcap 1.2
double meteor_score(const MeteorStatistics& statistics);

/// Thread-safe after construction. Keeps what it knows of every word it has met.
class Meteor {
 public:
  /// \throws what MeteorSynonyms and MeteorParaphrases throw; Error(Exit::config) for files without
  /// those they need
  explicit Meteor(const MeteorFiles& files = {});
  ~Meteor();
  Meteor(const Meteor&) = delete;
  Meteor& operator=(const Meteor&) = delete;

  /// What METEOR knows of a word, worked out once.
  struct Word {
    int32_t stem = 0;              ///< equal for equal stems
    int32_t paraphrase_word = -1;  ///< in the table of paraphrases; -1: in no entry, or no table
    bool function = false;
    std::vector<int32_t> synsets;  ///< sorted; empty without the files
  };
  /// A text as METEOR sees it; good as long as the Meteor that made it.
  struct Sentence {
    std::vector<const Word*> words;  ///< equal words are one
  };
  [[nodiscard]] Sentence prepare(std::string_view text) const;
  [[nodiscard]] MeteorStatistics statistics(const Sentence& hypothesis,
                                            const Sentence& reference) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace unirg::metrics
