// SPDX-License-Identifier: Apache-2.0
#include "scoring/text_family.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <unordered_map>

#include "base/error.h"
#include "metrics/bleu.h"
#include "metrics/cider.h"
#include "metrics/coco_bleu.h"
#include "metrics/meteor.h"
#include "metrics/readability.h"
#include "metrics/rouge.h"
#include "metrics/text_statistics.h"
#include "scoring/text_signatures.h"
#include "text/ptb_tokens.h"
#include "text/python_text.h"

namespace unirg::scoring {
namespace {

using metrics::GramIndex;
using metrics::Ids;
using Value = std::optional<double>;

/// The text that COCO's metrics split at spaces.
std::string coco_prepared(const std::string& text, const std::string& tokens) {
  if (tokens == "ptb") return text::coco_text(text);
  if (tokens == "whitespace") return text;
  throw Error(Exit::config,
              fmt::format("unknown COCO tokens '{}' (hint: ptb or whitespace)", tokens));
}

std::vector<std::string> coco_prepared(const std::vector<std::string>& texts,
                                       const std::string& tokens) {
  std::vector<std::string> prepared;
  prepared.reserve(texts.size());
  for (const std::string& text : texts) prepared.push_back(coco_prepared(text, tokens));
  return prepared;
}

/// Every text metric's place in a hypothesis's values.
enum Slot : size_t {
  kBleu2,
  kRouge1,
  kRouge2,
  kRougeL,
  kRouge1Stem,
  kRouge2Stem,
  kRougeLStem,
  kCocoBleu1,
  kCocoBleu2,
  kCocoBleu3,
  kCocoBleu4,
  kCocoRougeL,
  kCiderD,
  kMeteor,
  kFkgl,
  kWords,
  kSentences,
  kRepetition,
  kBoilerplate,
  kSlots
};
constexpr std::array<std::string_view, kSlots> kSlotNames{
    "bleu2",       "rouge1",       "rouge2",     "rouge-l",    "rouge1-stem",
    "rouge2-stem", "rouge-l-stem", "coco-bleu1", "coco-bleu2", "coco-bleu3",
    "coco-bleu4",  "coco-rouge-l", "cider-d",    "meteor",     "fkgl",
    "words",       "sentences",    "repetition", "boilerplate"};
using Values = std::array<Value, kSlots>;

Slot slot_of(std::string_view name) {
  const auto* it = std::find(kSlotNames.begin(), kSlotNames.end(), name);
  UNIRG_ASSERT(it != kSlotNames.end(), "a text metric has no slot");
  return static_cast<Slot>(it - kSlotNames.begin());
}

/// What the chosen metrics need.
struct Needs {
  std::array<bool, kSlots> wanted{};
  bool rouge = false, stems = false, coco = false, coco_bleu = false;
};

Needs needs_of(const std::vector<MetricInfo>& chosen) {
  Needs n;
  for (const MetricInfo& metric : chosen) n.wanted[slot_of(metric.name)] = true;
  const auto any = [&](std::initializer_list<Slot> slots) {
    return std::any_of(slots.begin(), slots.end(), [&](Slot slot) { return n.wanted[slot]; });
  };
  n.rouge = any({kRouge1, kRouge2, kRougeL, kWords, kRepetition});
  n.stems = any({kRouge1Stem, kRouge2Stem, kRougeLStem});
  n.coco_bleu = any({kCocoBleu1, kCocoBleu2, kCocoBleu3, kCocoBleu4});
  n.coco = n.coco_bleu || any({kCocoRougeL, kCiderD, kMeteor});
  return n;
}

/// A text in every form that is needed, its tokens as numbers of its group's indices.
struct Prepared {
  Ids bleu2, rouge, stems, coco, coco_rouge;
  metrics::CiderVector cider;
  metrics::Meteor::Sentence meteor;
};

struct Indices {
  explicit Indices(const metrics::CiderTable* table)
      : coco(table == nullptr ? nullptr : &table->index()) {}
  GramIndex bleu2, rouge, stems, coco, coco_rouge;
};

/// n-grams of a reference, and matches of a hypothesis in them.
struct Reference {
  Reference(const Prepared& p, const Needs& needs)
      : prepared(p),
        bleu2(p.bleu2, needs.wanted[kBleu2] ? 2 : 0),
        rouge(p.rouge, needs.rouge ? 2 : 0),
        stems(p.stems, needs.stems ? 2 : 0),
        coco(p.coco, needs.coco_bleu ? 4 : 0) {}
  const Prepared& prepared;
  metrics::ReferenceGrams bleu2, rouge, stems, coco;
};

/// F1 of ROUGE-1 and ROUGE-2.
std::array<double, 2> rouge_12(const metrics::ReferenceGrams& grams, const Ids& h, const Ids& r) {
  const auto matched = grams.matches(h);
  std::array<double, 2> f{};
  for (size_t n = 0; n < 2; ++n)
    f[n] = metrics::rouge_n(matched[n], metrics::gram_total(h.size(), n + 1),
                            metrics::gram_total(r.size(), n + 1));
  return f;
}

class TextFamily final : public Family {
 public:
  TextFamily(std::vector<MetricInfo> chosen, const TextOptions& options)
      : chosen_(std::move(chosen)), options_(options), needs_(needs_of(chosen_)) {
    for (const MetricInfo& metric : chosen_) slots_.push_back(slot_of(metric.name));
    if (has(kCiderD) && !options.cider_table.empty()) read_cider_table();
    if (has(kMeteor))
      meteor_ = std::make_unique<metrics::Meteor>(metrics::MeteorFiles{
          options.meteor_synsets, options.meteor_exceptions, options.meteor_paraphrases});
    if (has(kFkgl))
      readability_ = std::make_unique<metrics::Readability>(hyphenation_file(options));
    if (has(kBoilerplate)) {
      if (options.boilerplate.empty())
        throw Error(Exit::config,
                    "metric 'boilerplate' needs a file of sentences, one a line (hint: option "
                    "boilerplate names it)");
      boilerplate_ = std::make_unique<metrics::Boilerplate>(options.boilerplate);
    }
  }

  [[nodiscard]] const std::vector<MetricInfo>& metrics() const override { return chosen_; }

  [[nodiscard]] bool needs_fit() const override {
    return has(kCiderD) && options_.cider_table.empty();
  }

  void fit(const std::vector<std::string>& references) override {
    if (references.size() < 2)
      throw Error(Exit::config,
                  "cider-d of one reference would be 0 for every report (hint: give a table of "
                  "document frequencies, option cider-table, or leave cider-d out)");
    std::vector<std::string> texts = coco_prepared(references, options_.coco_tokens);
    table_ = std::make_unique<metrics::CiderTable>(texts, options_.coco_tokens);
    for (size_t i = 0; i < references.size(); ++i)
      fitted_.try_emplace(references[i], std::move(texts[i]));
    for (MetricInfo& metric : chosen_) name_references(metric, "df:references", references);
  }

  [[nodiscard]] std::vector<Scored> score(const TextGroup& group) const override {
    UNIRG_ASSERT(!has(kCiderD) || table_ != nullptr, "cider-d is scored before fit()");
    Indices indices(table_.get());
    const Prepared r = prepare(group.reference, indices);
    const Reference reference(r, needs_);
    std::vector<Scored> all;
    all.reserve(group.hypotheses.size());
    for (const std::string& hypothesis : group.hypotheses)
      all.push_back(score_one(hypothesis, prepare(hypothesis, indices), reference));
    return all;
  }

 private:
  [[nodiscard]] bool has(Slot slot) const { return needs_.wanted[slot]; }

  void read_cider_table() {
    table_ = std::make_unique<metrics::CiderTable>(metrics::CiderTable::read(options_.cider_table));
    if (table_->tokenizer() != options_.coco_tokens)
      throw Error(
          Exit::config,
          fmt::format("'{}' counts tokens of kind '{}', not '{}' (hint: option coco-tokens "
                      "must name the table's kind)",
                      options_.cider_table.string(), table_->tokenizer(), options_.coco_tokens));
  }

  [[nodiscard]] std::string coco_text(const std::string& text) const {
    const auto it = fitted_.find(text);
    return it == fitted_.end() ? coco_prepared(text, options_.coco_tokens) : it->second;
  }

  [[nodiscard]] Prepared prepare(const std::string& text, Indices& indices) const {
    Prepared p;
    if (has(kBleu2)) p.bleu2 = indices.bleu2.add(metrics::rexrank_tokens(text));
    if (needs_.rouge || needs_.stems) {
      std::vector<std::string> tokens = metrics::rouge_tokens(text);
      if (needs_.rouge) p.rouge = indices.rouge.add(tokens);
      if (needs_.stems) p.stems = indices.stems.add(metrics::rouge_stems(std::move(tokens)));
    }
    if (needs_.coco) prepare_coco(coco_text(text), indices, p);
    return p;
  }

  void prepare_coco(const std::string& text, Indices& indices, Prepared& p) const {
    if (needs_.coco_bleu || has(kCiderD)) {
      const std::vector<std::string_view> tokens = text::python_split(text);
      p.coco = indices.coco.add(tokens);
      if (has(kCiderD)) p.cider = metrics::cider_vector(*table_, indices.coco, p.coco);
    }
    if (has(kCocoRougeL)) p.coco_rouge = indices.coco_rouge.add(metrics::coco_rouge_tokens(text));
    if (has(kMeteor)) p.meteor = meteor_->prepare(text);
  }

  [[nodiscard]] Scored score_one(const std::string& text, const Prepared& h,
                                 const Reference& reference) const {
    Scored scored;
    Values values;
    if (has(kBleu2))
      values[kBleu2] = metrics::bleu2(h.bleu2, reference.bleu2, reference.prepared.bleu2.size());
    add_rouge(h, reference, values);
    if (needs_.coco) add_coco(h, reference, values, scored);
    if (readability_ != nullptr) values[kFkgl] = readability_->grade(text);
    if (boilerplate_ != nullptr) values[kBoilerplate] = boilerplate_->share(text);
    if (has(kSentences)) values[kSentences] = static_cast<double>(metrics::sentence_count(text));
    scored.values.reserve(slots_.size());
    for (const Slot slot : slots_) scored.values.push_back(values[slot]);
    return scored;
  }

  void add_rouge(const Prepared& h, const Reference& reference, Values& values) const {
    const Prepared& r = reference.prepared;
    if (needs_.rouge) {
      const auto f = rouge_12(reference.rouge, h.rouge, r.rouge);
      values[kRouge1] = f[0];
      values[kRouge2] = f[1];
      values[kWords] = static_cast<double>(h.rouge.size());
      if (has(kRougeL)) values[kRougeL] = metrics::rouge_l(h.rouge, r.rouge);
      if (has(kRepetition)) values[kRepetition] = metrics::repetition(h.rouge);
    }
    if (needs_.stems) {
      const auto f = rouge_12(reference.stems, h.stems, r.stems);
      values[kRouge1Stem] = f[0];
      values[kRouge2Stem] = f[1];
      if (has(kRougeLStem)) values[kRougeLStem] = metrics::rouge_l(h.stems, r.stems);
    }
  }

  void add_coco(const Prepared& h, const Reference& reference, Values& values,
                Scored& scored) const {
    const Prepared& r = reference.prepared;
    if (needs_.coco_bleu) {
      const auto statistics = metrics::bleu_statistics(reference.coco, r.coco.size(), h.coco);
      const auto bleu = metrics::coco_bleu(statistics);
      std::copy(bleu.begin(), bleu.end(), values.begin() + kCocoBleu1);
      scored.sums.emplace_back("coco-bleu", statistics.numbers());
    }
    if (has(kCocoRougeL)) values[kCocoRougeL] = metrics::rouge_l(h.coco_rouge, r.coco_rouge, 1.2);
    if (has(kCiderD)) values[kCiderD] = metrics::cider_d(h.cider, r.cider);
    if (has(kMeteor)) {
      const auto statistics = meteor_->statistics(h.meteor, r.meteor);
      values[kMeteor] = metrics::meteor_score(statistics);
      scored.sums.emplace_back("meteor", statistics.numbers());
    }
  }

  std::vector<MetricInfo> chosen_;
  std::vector<Slot> slots_;  ///< of each chosen metric
  TextOptions options_;
  Needs needs_;
  std::unique_ptr<metrics::CiderTable> table_;
  std::unordered_map<std::string, std::string> fitted_;  ///< references of fit(), prepared
  std::unique_ptr<metrics::Meteor> meteor_;
  std::unique_ptr<metrics::Readability> readability_;
  std::unique_ptr<metrics::Boilerplate> boilerplate_;
};

}  // namespace

std::unique_ptr<Family> text_family(const std::vector<std::string>& names,
                                    const TextOptions& options) {
  std::ignore = coco_prepared("", options.coco_tokens);  // an unknown kind is an error at once
  const std::vector<MetricInfo> known = text_metrics(options);
  std::vector<MetricInfo> chosen;
  for (const std::string& name : names) {
    const auto it = std::find_if(known.begin(), known.end(),
                                 [&](const MetricInfo& m) { return m.name == name; });
    if (it == known.end()) {
      std::vector<std::string> all;
      for (const MetricInfo& m : known) all.push_back(m.name);
      throw Error(Exit::config, fmt::format("unknown text metric '{}' (hint: known are {})", name,
                                            fmt::join(all, ", ")));
    }
    chosen.push_back(*it);
  }
  return std::make_unique<TextFamily>(std::move(chosen), options);
}

std::array<double, 4> corpus_coco_bleu(const std::vector<double>& sums) {
  return metrics::coco_bleu(metrics::BleuStatistics::from_numbers(sums));
}

double corpus_meteor(const std::vector<double>& sums) {
  return metrics::meteor_score(metrics::MeteorStatistics::from_numbers(sums));
}

void write_cider_table(const std::vector<std::string>& references, const std::string& coco_tokens,
                       const std::filesystem::path& path) {
  metrics::CiderTable(coco_prepared(references, coco_tokens), coco_tokens).write(path);
}

}  // namespace unirg::scoring
