// SPDX-License-Identifier: Apache-2.0
#include "text/tokenizer_train.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <queue>
#include <unordered_map>
#include <utility>

#include "base/error.h"

namespace unirg::text {
namespace {

using Pair = std::pair<int64_t, int64_t>;

/// A distinct piece, as symbols, with how often it occurs.
struct WordCount {
  std::vector<int64_t> symbols;
  int64_t count = 0;
};

/// Pair counts kept in step with the words as merges are applied. The queue holds stale entries;
/// one is valid if it tells the pair's present count.
class PairTable {
 public:
  explicit PairTable(std::vector<WordCount> words) : words_(std::move(words)) {
    for (size_t w = 0; w < words_.size(); ++w) add(w, +1);
    for (const auto& [pair, known] : pairs_) queue_.push({known.count, pair});
  }

  /// The commonest pair, ties to the smaller; nullopt when no pair occurs twice.
  std::optional<Pair> best() {
    while (!queue_.empty()) {
      const Entry top = queue_.top();
      const auto known = pairs_.find(top.pair);
      if (known != pairs_.end() && known->second.count == top.count)
        return top.count >= 2 ? std::optional(top.pair) : std::nullopt;
      queue_.pop();
    }
    return std::nullopt;
  }

  void merge(const Pair& pair, int64_t merged) {
    std::vector<size_t> places = std::move(pairs_[pair].words);
    std::sort(places.begin(), places.end());
    places.erase(std::unique(places.begin(), places.end()), places.end());
    changed_.clear();
    for (const size_t w : places) {
      add(w, -1);
      std::vector<int64_t>& symbols = words_[w].symbols;
      size_t to = 0;
      for (size_t from = 0; from < symbols.size(); ++to) {
        const bool here =
            from + 1 < symbols.size() && Pair(symbols[from], symbols[from + 1]) == pair;
        symbols[to] = here ? merged : symbols[from];
        from += here ? 2 : 1;
      }
      symbols.resize(to);
      add(w, +1);
    }
    pairs_.erase(pair);
    std::sort(changed_.begin(), changed_.end());
    changed_.erase(std::unique(changed_.begin(), changed_.end()), changed_.end());
    for (const Pair& p : changed_) {
      const auto known = pairs_.find(p);
      if (known != pairs_.end()) queue_.push({known->second.count, p});
    }
  }

 private:
  struct Known {
    int64_t count = 0;
    std::vector<size_t> words;  // where it occurs or occurred; may repeat
  };
  struct Entry {
    int64_t count = 0;
    Pair pair;
    bool operator<(const Entry& o) const {  // the queue's top is the largest
      return count != o.count ? count < o.count : pair > o.pair;
    }
  };

  void add(size_t w, int64_t sign) {
    const WordCount& word = words_[w];
    for (size_t i = 0; i + 1 < word.symbols.size(); ++i) {
      const Pair pair(word.symbols[i], word.symbols[i + 1]);
      Known& known = pairs_[pair];
      known.count += sign * word.count;
      if (sign > 0) known.words.push_back(w);
      changed_.push_back(pair);
    }
  }

  std::vector<WordCount> words_;
  std::map<Pair, Known> pairs_;
  std::priority_queue<Entry> queue_;
  std::vector<Pair> changed_;
};

std::vector<WordCount> count_pieces(const std::vector<std::string>& texts) {
  BpeParts bytes;
  for (int b = 0; b < 256; ++b) bytes.tokens.emplace_back(1, static_cast<char>(b));
  const Tokenizer splitter(std::move(bytes));
  std::map<std::string, int64_t> counts;
  for (const std::string& text : texts) {
    for (std::string& piece : splitter.pieces(text)) ++counts[std::move(piece)];
  }
  std::vector<WordCount> words;
  for (const auto& [piece, count] : counts) {
    WordCount word{{}, count};
    for (const char c : piece) word.symbols.push_back(static_cast<unsigned char>(c));
    words.push_back(std::move(word));
  }
  return words;
}

}  // namespace

const std::vector<std::string>& qwen_special_tokens() {
  static const std::vector<std::string> tokens{
      "<|endoftext|>",  "<|im_start|>",  "<|im_end|>",   "<|vision_start|>",
      "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"};
  return tokens;
}

Tokenizer train_bpe(const std::vector<std::string>& texts, int64_t vocab_size) {
  const auto specials = static_cast<int64_t>(qwen_special_tokens().size());
  if (vocab_size < 256 + specials) {
    throw Error(Exit::config, fmt::format("vocabulary size {} is too small (hint: at least {})",
                                          vocab_size, 256 + specials));
  }
  BpeParts parts;
  std::unordered_map<std::string, int64_t> ids;
  for (int b = 0; b < 256; ++b) {
    parts.tokens.emplace_back(1, static_cast<char>(b));
    ids.emplace(parts.tokens.back(), b);
  }
  PairTable table(count_pieces(texts));
  while (static_cast<int64_t>(parts.tokens.size()) < vocab_size - specials) {
    const std::optional<Pair> best = table.best();
    if (!best) break;
    const std::string left = parts.tokens[static_cast<size_t>(best->first)];
    const std::string right = parts.tokens[static_cast<size_t>(best->second)];
    // Another pair may already have made these bytes; one token then has two merges.
    const auto [known, is_new] =
        ids.emplace(left + right, static_cast<int64_t>(parts.tokens.size()));
    table.merge(*best, known->second);
    if (is_new) parts.tokens.push_back(left + right);
    parts.merges.emplace_back(left, right);
  }
  for (const std::string& token : qwen_special_tokens()) {
    const auto id = static_cast<int64_t>(parts.tokens.size() + parts.added.size());
    parts.added.push_back({token, id, /*special=*/true});
  }
  return Tokenizer(std::move(parts));
}

}  // namespace unirg::text
