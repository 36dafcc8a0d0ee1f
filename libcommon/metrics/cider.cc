// SPDX-License-Identifier: Apache-2.0
#include "metrics/cider.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/error.h"
#include "io/atomic_file.h"
#include "text/python_text.h"

namespace unirg::metrics {
namespace {

constexpr std::string_view kSchema = "unirg.cider-df/1";

struct Lines {
  std::string_view text;
  std::string file;
  int64_t line = 0;

  /// The next line without its LF; an Error at the end of the file.
  std::string_view next() {
    ++line;
    const size_t end = text.find('\n');
    if (end == std::string_view::npos) fail("the file ends too early, or its last line has no LF");
    const std::string_view found = text.substr(0, end);
    text.remove_prefix(end + 1);
    return found;
  }
  [[noreturn]] void fail(const std::string& problem) const {
    throw Error(Exit::data,
                fmt::format("{}:{}: {} (hint: a table of document frequencies for cider-d begins "
                            "with '{}')",
                            file, line, problem, kSchema));
  }
  /// The whole text as a number above 0.
  [[nodiscard]] uint32_t number(std::string_view digits) const {
    uint32_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size() || value == 0)
      fail(fmt::format("expected a count, got '{}'", digits));
    return value;
  }
  /// What follows "NAME<TAB>".
  std::string_view field(std::string_view name) {
    const std::string_view found = next();
    if (!found.starts_with(name) || found.substr(name.size(), 1) != "\t")
      fail(fmt::format("expected '{}', a tab and its value", name));
    return found.substr(name.size() + 1);
  }
};

}  // namespace

CiderTable::CiderTable(const std::vector<std::string>& references, std::string tokenizer)
    : tokenizer_(std::move(tokenizer)),
      documents_(references.size()),
      log_documents_(std::log(static_cast<double>(references.size()))) {
  std::vector<size_t> last;  // by n-gram: the last document it was in, from 1
  for (size_t document = 1; document <= references.size(); ++document) {
    const Ids tokens = index_.add(text::python_split(references[document - 1]));
    const auto orders = gram_ids(index_, tokens, kMaxOrder);
    frequencies_.resize(index_.size());
    last.resize(index_.size());
    for (const Ids& grams : orders) {
      for (const GramId gram : grams) {
        frequencies_[gram] += last[gram] != document;
        last[gram] = document;
      }
    }
  }
  work_out_idf();
}

void CiderTable::work_out_idf() {
  idf_.reserve(frequencies_.size());
  for (const uint32_t frequency : frequencies_)
    idf_.push_back(log_documents_ - std::log(std::max(1.0, static_cast<double>(frequency))));
}

CiderTable CiderTable::read(const std::filesystem::path& path) {
  const std::string text = io::read_file(path);
  Lines lines{text, path.string()};
  if (lines.next() != kSchema) lines.fail("this is no table of document frequencies");
  CiderTable table;
  table.tokenizer_ = lines.field("tokenizer");
  table.documents_ = lines.number(lines.field("documents"));
  if (table.documents_ < 2) lines.fail("a table of one document makes every score 0");
  table.log_documents_ = std::log(static_cast<double>(table.documents_));
  std::string_view before;
  while (!lines.text.empty()) {
    const std::string_view line = lines.next();
    const size_t tab = line.find('\t');
    if (tab == std::string_view::npos) lines.fail("expected a count, a tab and an n-gram");
    const uint32_t frequency = lines.number(line.substr(0, tab));
    const std::string_view gram = line.substr(tab + 1);
    if (frequency > table.documents_) lines.fail("more documents than the table has");
    if (gram <= before) lines.fail("the n-grams are not sorted, or one is there twice");
    before = gram;
    GramId id = kNoGram;
    size_t order = 0;
    for (size_t at = 0; at <= gram.size(); ++order) {
      const size_t end = std::min(gram.find(' ', at), gram.size());
      if (end == at || order == kMaxOrder) lines.fail("expected 1 to 4 tokens");
      const GramId token = table.index_.add(gram.substr(at, end - at));
      id = order == 0 ? token : table.index_.add(id, token);
      at = end + 1;
    }
    table.frequencies_.resize(table.index_.size());
    table.frequencies_[id] = frequency;
  }
  table.work_out_idf();
  return table;
}

void CiderTable::write(const std::filesystem::path& path) const {
  if (documents_ < 2)
    throw Error(Exit::data,
                "document frequencies of fewer than two references (hint: every idf would be 0)");
  std::vector<std::pair<std::string, uint32_t>> entries;
  const auto names = index_.names();
  for (GramId id = 0; id < frequencies_.size(); ++id) {
    if (frequencies_[id] > 0) entries.emplace_back(names[id], frequencies_[id]);
  }
  std::sort(entries.begin(), entries.end());
  std::string text =
      fmt::format("{}\ntokenizer\t{}\ndocuments\t{}\n", kSchema, tokenizer_, documents_);
  for (const auto& [gram, frequency] : entries) text += fmt::format("{}\t{}\n", frequency, gram);
  io::write_file(path, text);
}

CiderVector cider_vector(const CiderTable& table, GramIndex& index, const Ids& tokens) {
  CiderVector vector;
  const Grams grams = count_grams(index, tokens, kMaxOrder);
  for (size_t n = 0; n < kMaxOrder; ++n) {
    double squares = 0;
    vector.weights[n].reserve(grams.orders[n].size());
    for (const auto& [gram, count] : grams.orders[n]) {
      const double weight = count * table.idf(gram);
      vector.weights[n].emplace_back(gram, weight);
      squares += weight * weight;
    }
    vector.norms[n] = std::sqrt(squares);
  }
  vector.length = static_cast<double>(gram_total(tokens.size(), 2));
  return vector;
}

double cider_d(const CiderVector& h, const CiderVector& r) {
  constexpr double kSigma = 6.0;
  const double delta = h.length - r.length;
  const double penalty = std::exp(-(delta * delta) / (2 * kSigma * kSigma));
  double sum = 0;
  for (size_t n = 0; n < kMaxOrder; ++n) {
    double similarity = 0;
    auto at = r.weights[n].begin();
    for (const auto& [gram, weight] : h.weights[n]) {  // both are sorted by n-gram
      while (at != r.weights[n].end() && at->first < gram) ++at;
      if (at == r.weights[n].end()) break;
      if (at->first == gram) similarity += std::min(weight, at->second) * at->second;
    }
    if (h.norms[n] != 0 && r.norms[n] != 0) similarity /= h.norms[n] * r.norms[n];
    sum += similarity * penalty;
  }
  return 10 * sum / kMaxOrder;
}

}  // namespace unirg::metrics
