// SPDX-License-Identifier: Apache-2.0
#include "metrics/rouge.h"

#include <algorithm>

#include "metrics/porter.h"

namespace unirg::metrics {

std::vector<std::string> rouge_tokens(std::string_view text) {
  std::vector<std::string> tokens;
  std::string word;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (text.substr(i, 2) == "\u0130") c = 'i';  // the next byte is no letter and ends the word
    if (text.substr(i, 3) == "\u212a") {
      c = 'k';
      i += 2;
    }
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
      word += c;
    } else if (!word.empty()) {
      tokens.push_back(std::move(word));
      word.clear();
    }
  }
  if (!word.empty()) tokens.push_back(std::move(word));
  return tokens;
}

std::vector<std::string> rouge_stems(std::vector<std::string> tokens) {
  for (std::string& token : tokens) {
    if (token.size() > 3) token = porter_stem(token);
  }
  return tokens;
}

double rouge_l(const std::vector<std::string>& hypothesis,
               const std::vector<std::string>& reference, double beta) {
  GramIndex index;
  const Ids r = index.add(reference);
  return rouge_l(index.add(hypothesis), r, beta);
}

size_t longest_common_subsequence(const Ids& hypothesis, const Ids& reference) {
  const size_t blocks = (reference.size() + 63) / 64;
  PairMap rows(reference.size());  // of each token
  std::vector<uint64_t> places;    // rows of blocks: where a token is, a bit a place
  for (size_t i = 0; i < reference.size(); ++i) {
    const GramId row = rows.find_or_add(0, reference[i], static_cast<GramId>(rows.size()));
    places.resize(rows.size() * blocks);
    places[row * blocks + i / 64] |= uint64_t{1} << (i % 64);
  }
  // A 0 bit at place i: the subsequence's length grows there. Each token of the hypothesis moves
  // growth to its first place in every gap between places of growth, by the carry of an addition.
  std::vector<uint64_t> flat(blocks, ~uint64_t{0});
  for (const GramId token : hypothesis) {
    const GramId row = rows.find(0, token);
    if (row == kNoGram) continue;
    const uint64_t* place = &places[row * blocks];
    uint64_t carry = 0;
    for (size_t b = 0; b < blocks; ++b) {
      const uint64_t here = flat[b] & place[b];
      const uint64_t partial = flat[b] + here;
      const uint64_t sum = partial + carry;
      carry = static_cast<uint64_t>(partial < here) | static_cast<uint64_t>(sum < partial);
      flat[b] = sum | (flat[b] & ~place[b]);
    }
  }
  size_t length = 0;
  for (size_t i = 0; i < reference.size(); ++i) length += ~flat[i / 64] >> (i % 64) & 1;
  return length;
}

double rouge_l(const Ids& hypothesis, const Ids& reference, double beta) {
  const auto common = static_cast<double>(longest_common_subsequence(hypothesis, reference));
  if (common == 0) return 0;
  const double p = common / static_cast<double>(hypothesis.size());
  const double r = common / static_cast<double>(reference.size());
  return (1 + beta * beta) * p * r / (r + beta * beta * p);
}

double rouge_n(size_t matched, size_t hypothesis_grams, size_t reference_grams) {
  if (matched == 0) return 0;
  const double p = static_cast<double>(matched) / static_cast<double>(hypothesis_grams);
  const double r = static_cast<double>(matched) / static_cast<double>(reference_grams);
  return 2 * p * r / (p + r);
}

std::vector<std::string_view> coco_rouge_tokens(std::string_view prepared) {
  std::vector<std::string_view> tokens;
  for (size_t at = 0; at <= prepared.size();) {
    const size_t end = std::min(prepared.find(' ', at), prepared.size());
    tokens.push_back(prepared.substr(at, end - at));
    at = end + 1;
  }
  return tokens;
}

}  // namespace unirg::metrics
