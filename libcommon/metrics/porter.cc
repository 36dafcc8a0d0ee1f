// SPDX-License-Identifier: Apache-2.0
#include "metrics/porter.h"

#include <algorithm>
#include <array>
#include <span>
#include <vector>

namespace unirg::metrics {
namespace {

constexpr std::string_view kVowels = "aeiou";

/// For each letter whether it is a consonant; y is one at the start and after a vowel.
std::vector<bool> consonants(std::string_view word) {
  std::vector<bool> flags;
  for (const char c : word) {
    const bool y_after_consonant = c == 'y' && !flags.empty() && flags.back();
    flags.push_back(kVowels.find(c) == std::string_view::npos && !y_after_consonant);
  }
  return flags;
}

/// Whether a letter is a consonant, by the letter before it; cheaper than the list where each is
/// looked at once.
class Reader {
 public:
  bool consonant(char c) {
    consonant_ = kVowels.find(c) == std::string_view::npos && !(c == 'y' && consonant_);
    return consonant_;
  }

 private:
  bool consonant_ = false;
};

/// How many times a consonant follows a vowel: Porter's m.
int measure(std::string_view stem) {
  Reader reader;
  int m = 0;
  bool vowel = false;
  for (const char c : stem) {
    const bool consonant = reader.consonant(c);
    m += vowel && consonant;
    vowel = !consonant;
  }
  return m;
}

bool has_vowel(std::string_view stem) {
  Reader reader;
  return std::any_of(stem.begin(), stem.end(), [&](char c) { return !reader.consonant(c); });
}

bool ends_double_consonant(std::string_view word) {
  return word.size() >= 2 && word.back() == word[word.size() - 2] && consonants(word).back();
}

/// Porter's *o, consonant-vowel-consonant at the end and the last not w, x, y; nltk adds the words
/// of one vowel and one consonant.
bool ends_short(std::string_view word) {
  const std::vector<bool> c = consonants(word);
  const size_t n = word.size();
  if (n == 2) return !c[0] && c[1];
  return n >= 3 && c[n - 3] && !c[n - 2] && c[n - 1] &&
         std::string_view("wxy").find(word.back()) == std::string_view::npos;
}

std::string_view without(std::string_view word, std::string_view suffix) {
  return word.substr(0, word.size() - suffix.size());
}

std::string joined(std::string_view stem, std::string_view ending) {
  return std::string(stem).append(ending);
}

struct Rule {
  std::string_view suffix, replacement;
};

/// The first rule whose suffix fits decides: it is applied if the stem's measure is above `above`.
std::string apply(std::string_view word, std::span<const Rule> rules, int above) {
  for (const Rule& rule : rules) {
    if (!word.ends_with(rule.suffix)) continue;
    std::string_view measured = without(word, rule.suffix);
    const std::string_view stem = measured;
    if (rule.suffix == "logi") measured = without(word, "ogi");  // nltk: the l stays with the stem
    const bool wrong_ion = rule.suffix == "ion" && !stem.ends_with('s') && !stem.ends_with('t');
    return measure(measured) > above && !wrong_ion ? joined(stem, rule.replacement)
                                                   : std::string(word);
  }
  return std::string(word);
}

std::string plural(std::string_view word) {
  if (word.ends_with("ies")) return joined(without(word, "ies"), word.size() == 4 ? "ie" : "i");
  if (word.ends_with("sses")) return std::string(without(word, "es"));
  if (word.ends_with('s') && !word.ends_with("ss")) return std::string(without(word, "s"));
  return std::string(word);
}

/// Mends what is left of a word that lost -ed or -ing.
std::string restored(std::string_view stem) {
  if (stem.ends_with("at") || stem.ends_with("bl") || stem.ends_with("iz"))
    return joined(stem, "e");
  if (ends_double_consonant(stem)) {
    const bool keep = std::string_view("lsz").find(stem.back()) != std::string_view::npos;
    return std::string(keep ? stem : stem.substr(0, stem.size() - 1));
  }
  return joined(stem, measure(stem) == 1 && ends_short(stem) ? "e" : "");
}

std::string past_or_participle(std::string_view word) {
  if (word.ends_with("ied")) return joined(without(word, "ied"), word.size() == 4 ? "ie" : "i");
  if (word.ends_with("eed"))
    return std::string(measure(without(word, "eed")) > 0 ? without(word, "d") : word);
  for (const std::string_view suffix : {"ed", "ing"}) {
    if (word.ends_with(suffix) && has_vowel(without(word, suffix)))
      return restored(without(word, suffix));
  }
  return std::string(word);
}

std::string y_to_i(std::string word) {
  if (word.size() > 2 && word.ends_with('y') && consonants(word)[word.size() - 2])
    word.back() = 'i';
  return word;
}

std::string double_suffix(std::string_view word) {
  static constexpr std::array<Rule, 22> kRules{
      {{"ational", "ate"}, {"tional", "tion"}, {"enci", "ence"},   {"anci", "ance"},
       {"izer", "ize"},    {"bli", "ble"},     {"alli", "al"},     {"entli", "ent"},
       {"eli", "e"},       {"ousli", "ous"},   {"ization", "ize"}, {"ation", "ate"},
       {"ator", "ate"},    {"alism", "al"},    {"iveness", "ive"}, {"fulness", "ful"},
       {"ousness", "ous"}, {"aliti", "al"},    {"iviti", "ive"},   {"biliti", "ble"},
       {"fulli", "ful"},   {"logi", "log"}}};
  // nltk: -alli goes first, and what it leaves goes through this step again
  if (word.ends_with("alli") && measure(without(word, "alli")) > 0)
    return double_suffix(without(word, "li"));
  return apply(word, kRules, 0);
}

std::string single_suffix(std::string_view word) {
  static constexpr std::array<Rule, 7> kRules{{{"icate", "ic"},
                                               {"ative", ""},
                                               {"alize", "al"},
                                               {"iciti", "ic"},
                                               {"ical", "ic"},
                                               {"ful", ""},
                                               {"ness", ""}}};
  return apply(word, kRules, 0);
}

std::string last_suffix(std::string_view word) {
  static constexpr std::array<Rule, 19> kRules{{{"al", ""},
                                                {"ance", ""},
                                                {"ence", ""},
                                                {"er", ""},
                                                {"ic", ""},
                                                {"able", ""},
                                                {"ible", ""},
                                                {"ant", ""},
                                                {"ement", ""},
                                                {"ment", ""},
                                                {"ent", ""},
                                                {"ion", ""},
                                                {"ou", ""},
                                                {"ism", ""},
                                                {"ate", ""},
                                                {"iti", ""},
                                                {"ous", ""},
                                                {"ive", ""},
                                                {"ize", ""}}};
  return apply(word, kRules, 1);
}

std::string tidied(std::string word) {
  if (word.ends_with('e')) {
    const std::string_view stem = without(word, "e");
    const int m = measure(stem);
    if (m > 1 || (m == 1 && !ends_short(stem))) word.pop_back();
  }
  if (word.ends_with("ll") && measure(without(word, "l")) > 1) word.pop_back();
  return word;
}

/// nltk's table of irregular words; "" for the others.
std::string_view irregular(std::string_view word) {
  static constexpr std::array<Rule, 14> kStems{{{"sky", "sky"},
                                                {"skies", "sky"},
                                                {"dying", "die"},
                                                {"lying", "lie"},
                                                {"tying", "tie"},
                                                {"news", "news"},
                                                {"innings", "inning"},
                                                {"inning", "inning"},
                                                {"outings", "outing"},
                                                {"outing", "outing"},
                                                {"cannings", "canning"},
                                                {"canning", "canning"},
                                                {"howe", "howe"},
                                                {"proceed", "proceed"}}};
  for (const Rule& r : kStems) {
    if (r.suffix == word) return r.replacement;
  }
  return word == "exceed" || word == "succeed" ? word : "";
}

}  // namespace

std::string porter_stem(std::string_view word) {
  if (const std::string_view known = irregular(word); !known.empty()) return std::string(known);
  if (word.size() <= 2) return std::string(word);
  std::string stem = y_to_i(past_or_participle(plural(word)));
  return tidied(last_suffix(single_suffix(double_suffix(stem))));
}

}  // namespace unirg::metrics
