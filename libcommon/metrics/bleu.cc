// SPDX-License-Identifier: Apache-2.0
#include "metrics/bleu.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>

namespace unirg::metrics {
namespace {

using Tokens = std::vector<std::string>;

struct Precision {
  double matched = 0;
  double total = 0;  ///< at least 1
};

std::map<std::pair<std::string_view, std::string_view>, int> bigrams(const Tokens& tokens,
                                                                     size_t order) {
  std::map<std::pair<std::string_view, std::string_view>, int> counts;
  for (size_t i = 0; i + order <= tokens.size(); ++i) {
    ++counts[{tokens[i], order == 2 ? std::string_view(tokens[i + 1]) : std::string_view()}];
  }
  return counts;
}

Precision clipped_precision(const Tokens& hypothesis, const Tokens& reference, size_t order) {
  const auto known = bigrams(reference, order);
  Precision p;
  for (const auto& [gram, count] : bigrams(hypothesis, order)) {
    p.total += count;
    const auto it = known.find(gram);
    if (it != known.end()) p.matched += std::min(count, it->second);
  }
  p.total = std::max(p.total, 1.0);
  return p;
}

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
  const Precision one = clipped_precision(hypothesis, reference, 1);
  const Precision two = clipped_precision(hypothesis, reference, 2);
  if (one.matched == 0) return 0;
  const double p1 = one.matched / one.total;
  const double p2 = (two.matched == 0 ? 0.1 : two.matched) / two.total;
  const auto h = static_cast<double>(hypothesis.size());
  const auto r = static_cast<double>(reference.size());
  const double brevity = h > r ? 1.0 : std::exp(1.0 - r / h);
  return brevity * std::exp(0.5 * std::log(p1) + 0.5 * std::log(p2));
}

}  // namespace unirg::metrics
