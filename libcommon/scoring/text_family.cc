// SPDX-License-Identifier: Apache-2.0
#include "scoring/text_family.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <map>

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

/// Which preparations the chosen metrics need.
struct Needs {
  bool bleu2 = false, rouge = false, stems = false, coco = false, coco_bleu = false,
       coco_rouge = false, cider = false, meteor = false;
};

Needs needs_of(const std::vector<MetricInfo>& chosen) {
  Needs n;
  for (const MetricInfo& metric : chosen) {
    const std::string& name = metric.name;
    const bool stem = name.ends_with("-stem");
    n.bleu2 |= name == "bleu2";
    n.stems |= stem;
    n.rouge |= (name.starts_with("rouge") && !stem) || name == "words" || name == "repetition";
    n.coco_bleu |= name.starts_with("coco-bleu");
    n.coco_rouge |= name == "coco-rouge-l";
    n.cider |= name == "cider-d";
    n.meteor |= name == "meteor";
  }
  n.coco = n.coco_bleu || n.coco_rouge || n.cider || n.meteor;
  return n;
}

/// A text in every form that is needed, its tokens as numbers of its group's indices.
struct Prepared {
  std::vector<std::string> bleu2;
  Ids rouge, stems, coco, coco_rouge;
  metrics::CiderVector cider;
  metrics::Meteor::Sentence meteor;
};

struct Indices {
  explicit Indices(const metrics::CiderTable* table)
      : cider(table == nullptr ? nullptr : &table->index()) {}
  GramIndex rouge, stems, coco, coco_rouge, cider;
};

/// n-grams of a reference, and matches of a hypothesis in them.
struct Reference {
  Reference(const Prepared& p, const Needs& needs)
      : prepared(p),
        rouge(p.rouge, needs.rouge ? 2 : 0),
        stems(p.stems, needs.stems ? 2 : 0),
        coco(p.coco, needs.coco_bleu ? 4 : 0) {}
  const Prepared& prepared;
  metrics::ReferenceGrams rouge, stems, coco;
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
    if (needs_.cider && !options.cider_table.empty()) read_cider_table();
    if (needs_.meteor)
      meteor_ = std::make_unique<metrics::Meteor>(metrics::MeteorFiles{
          options.meteor_synsets, options.meteor_exceptions, options.meteor_paraphrases});
    if (has("fkgl"))
      readability_ = std::make_unique<metrics::Readability>(hyphenation_file(options));
    if (has("boilerplate")) {
      if (options.boilerplate.empty())
        throw Error(Exit::config,
                    "metric 'boilerplate' needs a file of sentences, one a line (hint: option "
                    "boilerplate names it)");
      boilerplate_ = std::make_unique<metrics::Boilerplate>(options.boilerplate);
    }
  }

  [[nodiscard]] const std::vector<MetricInfo>& metrics() const override { return chosen_; }

  void fit(const std::vector<std::string>& references) override {
    if (!needs_.cider || !options_.cider_table.empty()) return;
    if (references.size() < 2)
      throw Error(Exit::config,
                  "cider-d of one reference would be 0 for every report (hint: give a table of "
                  "document frequencies, option cider-table, or leave cider-d out)");
    std::vector<std::vector<std::string>> tokens;
    tokens.reserve(references.size());
    for (const std::string& reference : references)
      tokens.push_back(text::python_split(coco_prepared(reference, options_.coco_tokens)));
    table_ = std::make_unique<metrics::CiderTable>(tokens, options_.coco_tokens);
  }

  [[nodiscard]] std::vector<Scored> score(const TextGroup& group) const override {
    UNIRG_ASSERT(!needs_.cider || table_ != nullptr, "cider-d is scored before fit()");
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
  [[nodiscard]] bool has(std::string_view name) const {
    return std::any_of(chosen_.begin(), chosen_.end(),
                       [&](const MetricInfo& m) { return m.name == name; });
  }

  void read_cider_table() {
    table_ = std::make_unique<metrics::CiderTable>(metrics::CiderTable::read(options_.cider_table));
    if (table_->tokenizer() != options_.coco_tokens)
      throw Error(
          Exit::config,
          fmt::format("'{}' counts tokens of kind '{}', not '{}' (hint: option coco-tokens "
                      "must name the table's kind)",
                      options_.cider_table.string(), table_->tokenizer(), options_.coco_tokens));
  }

  [[nodiscard]] Prepared prepare(const std::string& text, Indices& indices) const {
    Prepared p;
    if (needs_.bleu2) p.bleu2 = metrics::rexrank_tokens(text);
    if (needs_.rouge || needs_.stems) {
      std::vector<std::string> tokens = metrics::rouge_tokens(text);
      if (needs_.rouge) p.rouge = indices.rouge.add(tokens);
      if (needs_.stems) p.stems = indices.stems.add(metrics::rouge_stems(std::move(tokens)));
    }
    if (needs_.coco) prepare_coco(coco_prepared(text, options_.coco_tokens), indices, p);
    return p;
  }

  void prepare_coco(const std::string& text, Indices& indices, Prepared& p) const {
    if (needs_.coco_bleu || needs_.cider) {
      const std::vector<std::string> tokens = text::python_split(text);
      if (needs_.coco_bleu) p.coco = indices.coco.add(tokens);
      if (needs_.cider)
        p.cider = metrics::cider_vector(*table_, indices.cider, indices.cider.add(tokens));
    }
    if (needs_.coco_rouge) p.coco_rouge = indices.coco_rouge.add(metrics::coco_rouge_tokens(text));
    if (needs_.meteor) p.meteor = meteor_->prepare(text);
  }

  [[nodiscard]] Scored score_one(const std::string& text, const Prepared& h,
                                 const Reference& reference) const {
    const Prepared& r = reference.prepared;
    Scored scored;
    std::map<std::string, Value, std::less<>> values;
    if (needs_.rouge) {
      const auto f = rouge_12(reference.rouge, h.rouge, r.rouge);
      values = {{"rouge1", f[0]}, {"rouge2", f[1]}, {"words", static_cast<double>(h.rouge.size())}};
      if (has("rouge-l")) values["rouge-l"] = metrics::rouge_l(h.rouge, r.rouge);
      if (has("repetition")) values["repetition"] = metrics::repetition(h.rouge);
    }
    if (needs_.stems) {
      const auto f = rouge_12(reference.stems, h.stems, r.stems);
      values["rouge1-stem"] = f[0];
      values["rouge2-stem"] = f[1];
      if (has("rouge-l-stem")) values["rouge-l-stem"] = metrics::rouge_l(h.stems, r.stems);
    }
    if (needs_.coco_bleu) {
      const auto statistics = metrics::bleu_statistics(reference.coco, r.coco.size(), h.coco);
      const auto bleu = metrics::coco_bleu(statistics);
      for (size_t n = 0; n < bleu.size(); ++n) values[fmt::format("coco-bleu{}", n + 1)] = bleu[n];
      scored.sums.emplace_back("coco-bleu", statistics.numbers());
    }
    if (needs_.coco_rouge)
      values["coco-rouge-l"] = metrics::rouge_l(h.coco_rouge, r.coco_rouge, 1.2);
    if (needs_.bleu2) values["bleu2"] = metrics::bleu2(h.bleu2, r.bleu2);
    if (needs_.cider) values["cider-d"] = metrics::cider_d(h.cider, r.cider);
    if (needs_.meteor) {
      const auto statistics = meteor_->statistics(h.meteor, r.meteor);
      values["meteor"] = metrics::meteor_score(statistics);
      scored.sums.emplace_back("meteor", statistics.numbers());
    }
    if (readability_ != nullptr) values["fkgl"] = readability_->grade(text);
    if (boilerplate_ != nullptr) values["boilerplate"] = boilerplate_->share(text);
    if (has("sentences")) values["sentences"] = static_cast<double>(metrics::sentence_count(text));
    for (const MetricInfo& metric : chosen_) scored.values.push_back(values.at(metric.name));
    return scored;
  }

  std::vector<MetricInfo> chosen_;
  TextOptions options_;
  Needs needs_;
  std::unique_ptr<metrics::CiderTable> table_;
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
  std::vector<std::vector<std::string>> tokens;
  for (const std::string& reference : references)
    tokens.push_back(text::python_split(coco_prepared(reference, coco_tokens)));
  metrics::CiderTable(tokens, coco_tokens).write(path);
}

}  // namespace unirg::scoring
