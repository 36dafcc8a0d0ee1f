// SPDX-License-Identifier: Apache-2.0
#include "metrics/text_statistics.h"

#include <fmt/format.h>

#include "base/error.h"
#include "io/atomic_file.h"
#include "text/python_text.h"
#include "text/sentences.h"

namespace unirg::metrics {
namespace {

std::string folded(std::string_view sentence) {
  std::string result;
  const std::string lowered = text::python_lower(sentence);
  for (const std::string_view word : text::python_split(lowered)) {
    if (!result.empty()) result += ' ';
    result += word;
  }
  return result;
}

}  // namespace

double repetition(const Ids& tokens) {
  const size_t total = gram_total(tokens.size(), 4);
  if (total == 0) return 0;
  GramIndex index;  // of tokens' numbers: only which 4-grams are the same matters
  const Grams grams = count_grams(index, tokens, 4);
  return 1 - static_cast<double>(grams.orders[3].size()) / static_cast<double>(total);
}

size_t sentence_count(std::string_view report) { return text::split_sentences(report).size(); }

Boilerplate::Boilerplate(const std::filesystem::path& path) {
  const std::string content = io::read_file(path);
  std::string_view left = content;
  while (!left.empty()) {
    const size_t end = std::min(left.find('\n'), left.size());
    std::string sentence = folded(left.substr(0, end));
    if (!sentence.empty()) sentences_.insert(std::move(sentence));
    left.remove_prefix(std::min(end + 1, left.size()));
  }
  if (sentences_.empty())
    throw Error(Exit::data,
                fmt::format("'{}' holds no sentence (hint: one sentence a line)", path.string()));
}

std::optional<double> Boilerplate::share(std::string_view report) const {
  const auto spans = text::split_sentences(report);
  if (spans.empty()) return std::nullopt;
  size_t known = 0;
  for (const text::Span& s : spans)
    known += sentences_.count(folded(report.substr(s.begin, s.end - s.begin)));
  return static_cast<double>(known) / static_cast<double>(spans.size());
}

}  // namespace unirg::metrics
