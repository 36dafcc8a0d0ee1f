// SPDX-License-Identifier: Apache-2.0
#include "metrics/bleu.h"

#include <algorithm>
#include <cctype>
#include <cmath>

namespace unirg::metrics {
namespace {

using Tokens = std::vector<std::string>;

}  // namespace

std::vector<std::string> rexrank_tokens(std::string_view text) {
  Tokens tokens;
  std::string word;
  const auto close = [&] {
    if (!word.empty()) tokens.push_back(std::move(word));
    word.clear();
  };
  for (const char c : text) {
    if (c == ' ') {
      close();
    } else if (c ==
               '.') {  // becomes " .": what follows without a space stays attached, as upstream
      close();
      word = ".";
    } else {
      word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }
  close();
  return tokens;
}

double bleu2(const Tokens& hypothesis, const Tokens& reference) {
  GramIndex index;
  const Ids r = index.add(reference);
  return bleu2(index.add(hypothesis), ReferenceGrams(r, 2), r.size());
}

double bleu2(const Ids& hypothesis, const ReferenceGrams& reference, size_t reference_length) {
  const auto matched = reference.matches(hypothesis);
  if (matched[0] == 0) return 0;
  const auto precision = [&](size_t order, double numerator) {
    return numerator /
           std::max<double>(1, static_cast<double>(gram_total(hypothesis.size(), order)));
  };
  const double p1 = precision(1, static_cast<double>(matched[0]));
  const double p2 = precision(2, matched[1] == 0 ? 0.1 : static_cast<double>(matched[1]));
  const auto h = static_cast<double>(hypothesis.size());
  const auto r = static_cast<double>(reference_length);
  const double brevity = h > r ? 1.0 : std::exp(1.0 - r / h);
  return brevity * std::exp(0.5 * std::log(p1) + 0.5 * std::log(p2));
}

}  // namespace unirg::metrics
