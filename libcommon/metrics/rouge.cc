// SPDX-License-Identifier: Apache-2.0
#include "metrics/rouge.h"

#include <algorithm>
#include <cctype>

namespace unirg::metrics {

std::vector<std::string> rouge_tokens(std::string_view text) {
  std::vector<std::string> tokens;
  std::string word;
  for (const char raw : text) {
    const char c = static_cast<char>(std::tolower(static_cast<unsigned char>(raw)));
    const bool inside = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (inside) {
      word += c;
    } else if (!word.empty()) {
      tokens.push_back(std::move(word));
      word.clear();
    }
  }
  if (!word.empty()) tokens.push_back(std::move(word));
  return tokens;
}

size_t longest_common_subsequence(const std::vector<std::string>& a,
                                  const std::vector<std::string>& b) {
  if (b.size() > a.size()) return longest_common_subsequence(b, a);
  std::vector<size_t> row(b.size() + 1);
  for (const std::string& word : a) {
    size_t diagonal = 0;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      row[j] = word == b[j - 1] ? diagonal + 1 : std::max(row[j], row[j - 1]);
      diagonal = above;
    }
  }
  return row.back();
}

double rouge_l(const std::vector<std::string>& hypothesis,
               const std::vector<std::string>& reference, double beta) {
  const auto common = static_cast<double>(longest_common_subsequence(hypothesis, reference));
  if (common == 0) return 0;
  const double p = common / static_cast<double>(hypothesis.size());
  const double r = common / static_cast<double>(reference.size());
  return (1 + beta * beta) * p * r / (r + beta * beta * p);
}

}  // namespace unirg::metrics
