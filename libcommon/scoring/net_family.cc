// SPDX-License-Identifier: Apache-2.0
#include "scoring/net_family.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <optional>
#include <utility>

#include "base/error.h"
#include "io/run_record.h"
#include "metrics/bleu.h"
#include "metrics/radcliq.h"
#include "scoring/bert_score.h"
#include "scoring/chexbert_net.h"
#include "scoring/label_sums.h"
#include "scoring/net_folder.h"
#include "scoring/net_metrics.h"
#include "scoring/radgraph_net.h"
#include "scoring/rate_net.h"
#include "text/bpe_bytes.h"
#include "text/python_text.h"

namespace unirg::scoring {
namespace {

using Texts = std::vector<std::string>;

/// What RadCliQ was fitted to.
constexpr const char* kRadCliqEncoder = "distilroberta-base";
constexpr int64_t kRadCliqLayer = 5;
constexpr const char* kFirstRadGraph = "radgraph";

bool is_one_of(NetMetric m, std::initializer_list<NetMetric> list) {
  return std::find(list.begin(), list.end(), m) != list.end();
}
bool wants_bertscore(NetMetric m) { return m <= NetMetric::bertscore_r; }
bool wants_labels(NetMetric m) {
  return is_one_of(m, {NetMetric::chexbert_f1_14, NetMetric::chexbert_f1_5});
}
bool wants_radcliq(NetMetric m) {
  return is_one_of(m, {NetMetric::radcliq_v0, NetMetric::radcliq_v1});
}
bool wants_chexbert(NetMetric m) {
  return m == NetMetric::sembscore || wants_labels(m) || wants_radcliq(m);
}
bool wants_radgraph(NetMetric m) {
  return m >= NetMetric::radgraph && m <= NetMetric::complete_0_1_18;
}

bool is_blank(const std::string& text) {
  return text::python_strip(text::replace_broken_utf8(text)).empty();
}

void print_warning(const std::string& message) { fmt::print(stderr, "warning: {}\n", message); }

/// The texts of a group, each once; the reference is the first.
struct DistinctTexts {
  Texts texts;
  std::vector<size_t> hypotheses;  ///< index into texts
};

DistinctTexts distinct(const TextGroup& group) {
  DistinctTexts out;
  std::map<std::string_view, size_t> known{{group.reference, 0}};
  out.texts.push_back(group.reference);
  for (const std::string& h : group.hypotheses) {
    const auto [it, is_new] = known.try_emplace(h, out.texts.size());
    if (is_new) out.texts.push_back(h);
    out.hypotheses.push_back(it->second);
  }
  return out;
}

/// What the networks say of each distinct text; empty where no metric asks.
struct Readings {
  std::vector<TokenVectors> bert, radcliq_bert;
  std::vector<ChexbertReading> chexbert;
  std::vector<metrics::ReportGraph> graphs, radcliq_graphs;
  std::vector<RateReading> rate;
};

metrics::ReportGraph scored_graph(const std::string& text, const metrics::ReportGraph& graph) {
  return is_blank(text) ? metrics::ReportGraph{} : graph;  // what is read as "None" says nothing
}

io::Json chexbert_json(const ChexbertReading& reading) {
  static constexpr const char* kClasses[] = {"blank", "positive", "negative", "uncertain"};
  io::Json out = io::Json::object();
  for (size_t c = 0; c < reading.classes.size(); ++c)
    out[kChexbertConditions[c]] = kClasses[reading.classes[c] & 3U];
  return out;
}

io::Json rate_json(const RateReading& reading) {
  io::Json out = io::Json::array();
  for (size_t i = 0; i < reading.names.size(); ++i) {
    out.push_back(io::Json::object(
        {{"text", reading.names[i]},
         {"type", std::string(metrics::rate_type_name(reading.entities.types[i]))}}));
  }
  return out;
}

class NetFamily : public Family {
 public:
  NetFamily(const std::vector<std::string>& names, const NetOptions& options);

  [[nodiscard]] const std::vector<MetricInfo>& metrics() const override { return infos_; }
  [[nodiscard]] bool needs_fit() const override {
    return bert_ != nullptr && options_.bertscore_idf;
  }
  void fit(const Texts& references) override;
  [[nodiscard]] std::vector<Scored> score(const TextGroup& group) const override;

 private:
  [[nodiscard]] bool any(bool (*wants)(NetMetric)) const {
    return std::any_of(chosen_.begin(), chosen_.end(), wants);
  }
  void check_options() const;
  void choose(const std::vector<std::string>& names);
  void load_bertscore();
  void load_radgraph();
  void load_radcliq();
  void load_ratescore();
  [[nodiscard]] NetCache cache(const char* kind, const std::string& settings,
                               const std::vector<std::filesystem::path>& folders) const;
  [[nodiscard]] std::filesystem::path folder(const std::string& name) const {
    return net_folder(options_.models, name);
  }
  [[nodiscard]] Readings read(const Texts& texts) const;
  [[nodiscard]] Scored score_one(const Texts& texts, size_t h, const Readings& readings) const;
  [[nodiscard]] std::optional<double> value(NetMetric m, const Texts& texts, size_t h,
                                            const Readings& r) const;
  [[nodiscard]] BertScoreValue bertscore(const TokenVectors& h, const TokenVectors& r) const;
  [[nodiscard]] std::optional<metrics::RadCliqInputs> radcliq_inputs(const Texts& texts, size_t h,
                                                                     const Readings& r) const;
  [[nodiscard]] io::Json details(size_t h, const Readings& r) const;

  NetOptions options_;
  std::vector<NetMetric> chosen_;
  std::vector<MetricInfo> infos_;
  NetDigests digests_;

  std::shared_ptr<const BertScorer> bert_, radcliq_bert_;
  std::optional<BertScoreBaseline> baseline_;
  std::optional<TokenWeights> weights_;
  std::unique_ptr<const ChexbertNet> chexbert_;
  std::shared_ptr<const RadGraphNet> radgraph_, radcliq_radgraph_;
  std::unique_ptr<const RateNet> rate_;
  metrics::RateMatrix matrix_{};
};

NetFamily::NetFamily(const std::vector<std::string>& names, const NetOptions& options)
    : options_(options) {
  if (!options_.warn) options_.warn = print_warning;
  check_options();
  choose(names);
  if (any(wants_bertscore)) load_bertscore();
  if (any(wants_chexbert)) {
    const auto path = folder("chexbert");
    digests_.chexbert = weights_digest(path);
    chexbert_ = std::make_unique<const ChexbertNet>(path, cache("chexbert", "1", {path}));
  }
  if (any(wants_radgraph)) load_radgraph();
  if (any(wants_radcliq)) load_radcliq();
  if (any([](NetMetric m) { return m == NetMetric::ratescore; })) load_ratescore();
  infos_.clear();
  const auto known = known_net_metrics(options_, digests_);
  for (const NetMetric m : chosen_) infos_.push_back(known[static_cast<size_t>(m)].info);
}

void NetFamily::check_options() const {
  if (options_.batch_size < 1)
    throw Error(Exit::config, fmt::format("batch size {} must be at least 1", options_.batch_size));
  if (options_.batch_size > 1 && !options_.cache.empty()) {
    throw Error(Exit::config,
                "a cache needs batch size 1: in larger batches a text's low bits depend on its "
                "company");
  }
  if (!metrics::rate_matrix(options_.ratescore_matrix)) {
    throw Error(Exit::config, fmt::format("unknown matrix '{}' of RaTEScore (hint: long or short)",
                                          options_.ratescore_matrix));
  }
}

void NetFamily::choose(const std::vector<std::string>& names) {
  const auto known = known_net_metrics(options_, {});
  std::vector<std::string> all;
  for (const NetMetricInfo& k : known) all.push_back(k.info.name);
  for (const std::string& name : names) {
    const auto it = std::find(all.begin(), all.end(), name);
    if (it == all.end()) {
      const std::string near = nearest_name(name, all);
      throw Error(Exit::config,
                  fmt::format("unknown metric '{}'{} (hint: {})", name,
                              near.empty() ? "" : fmt::format(", did you mean '{}'?", near),
                              fmt::join(all, ", ")));
    }
    chosen_.push_back(known[static_cast<size_t>(it - all.begin())].metric);
  }
}

void NetFamily::load_bertscore() {
  const std::string& name = options_.bertscore_baseline;
  if (name == "built-in") {
    baseline_ = built_in_baseline(options_.bertscore_model, options_.bertscore_layer);
    if (!baseline_) {
      throw Error(
          Exit::config,
          fmt::format("BERTScore has no built-in baseline for '{}', layer {} (hint: 'none', "
                      "or a file from the bert-score package)",
                      options_.bertscore_model, options_.bertscore_layer));
    }
  } else if (name != "none") {
    baseline_ = read_baseline(name, options_.bertscore_layer);
  }
  const auto path = folder(options_.bertscore_model);
  digests_.bertscore = weights_digest(path);
  bert_ = std::make_shared<const BertScorer>(path, options_.bertscore_layer);
  if (!options_.bertscore_idf) weights_.emplace(bert_->specials());
}

void NetFamily::load_radgraph() {
  const auto path = folder(options_.radgraph_model);
  digests_.radgraph = weights_digest(path);
  const bool first = options_.radgraph_model == kFirstRadGraph;
  radgraph_ = std::make_shared<const RadGraphNet>(
      path, first ? text::RadGraphTokens::v1 : text::RadGraphTokens::xl, "",
      cache("radgraph", first ? "1|v1" : "1|xl", {path}));
}

void NetFamily::load_radcliq() {
  if (options_.radgraph_model == kFirstRadGraph && radgraph_) {
    radcliq_radgraph_ = radgraph_;
    digests_.radcliq_radgraph = digests_.radgraph;
  } else {
    const auto path = folder(kFirstRadGraph);
    digests_.radcliq_radgraph = weights_digest(path);
    radcliq_radgraph_ = std::make_shared<const RadGraphNet>(path, text::RadGraphTokens::v1, "",
                                                            cache("radgraph", "1|v1", {path}));
  }
  const bool same = options_.bertscore_model == kRadCliqEncoder &&
                    options_.bertscore_layer == kRadCliqLayer && bert_ != nullptr;
  if (same) {
    radcliq_bert_ = bert_;
    digests_.radcliq_bertscore = digests_.bertscore;
  } else {
    const auto path = folder(kRadCliqEncoder);
    digests_.radcliq_bertscore = weights_digest(path);
    radcliq_bert_ = std::make_shared<const BertScorer>(path, kRadCliqLayer);
  }
}

void NetFamily::load_ratescore() {
  if (options_.sentence_rules.empty())
    throw Error(Exit::config, "ratescore needs the rules of sentences (share/ratescore)");
  const auto recognizer = folder("rate-ner-deberta");
  const auto encoder = folder("biolord-2023-c");
  digests_.rate_recognizer = weights_digest(recognizer);
  digests_.rate_encoder = weights_digest(encoder);
  matrix_ = metrics::rate_matrix(options_.ratescore_matrix).value();
  rate_ = std::make_unique<const RateNet>(
      recognizer, encoder, options_.sentence_rules,
      cache("ratescore", "1", {recognizer, encoder, options_.sentence_rules}));
}

NetCache NetFamily::cache(const char* kind, const std::string& settings,
                          const std::vector<std::filesystem::path>& folders) const {
  if (options_.cache.empty()) return {};
  std::string all = fmt::format("{}|{}", kind, settings);
  for (const auto& path : folders) all += "|" + io::digest_path(path);
  return {options_.cache / kind, all, options_.warn};
}

void NetFamily::fit(const Texts& references) {
  std::vector<std::vector<int64_t>> ids;
  for (const std::string& r : references) ids.push_back(bert_->ids(single_spaces(r)));
  weights_ = TokenWeights::of_rarity(ids);
  for (MetricInfo& metric : infos_) name_references(metric, "idf:yes", references);
}

Readings NetFamily::read(const Texts& texts) const {
  const auto size = static_cast<size_t>(options_.batch_size);
  Readings out;
  if (bert_ || radcliq_bert_) {
    Texts spaced;
    for (const std::string& t : texts) spaced.push_back(single_spaces(t));
    if (bert_) out.bert = bert_->embed(spaced, size);
    if (radcliq_bert_ && radcliq_bert_ != bert_)
      out.radcliq_bert = radcliq_bert_->embed(spaced, size);
  }
  if (chexbert_) out.chexbert = chexbert_->read(texts, size);
  if (radgraph_) out.graphs = radgraph_->read(texts, size);
  if (radcliq_radgraph_ && radcliq_radgraph_ != radgraph_)
    out.radcliq_graphs = radcliq_radgraph_->read(texts, size);
  if (rate_) out.rate = rate_->read(texts, /*together=*/size > 1);
  return out;
}

BertScoreValue NetFamily::bertscore(const TokenVectors& h, const TokenVectors& r) const {
  if (!weights_) throw Error(Exit::internal, "BERTScore with idf was not fitted to the references");
  const BertScoreValue raw = bert_score(h, r, *weights_);
  return baseline_ ? rescale(raw, *baseline_) : raw;
}

std::optional<metrics::RadCliqInputs> NetFamily::radcliq_inputs(const Texts& texts, size_t h,
                                                                const Readings& r) const {
  const auto& bert = radcliq_bert_ == bert_ ? r.bert : r.radcliq_bert;
  const auto& graphs = radcliq_radgraph_ == radgraph_ ? r.graphs : r.radcliq_graphs;
  const TokenWeights weights(radcliq_bert_->specials());
  const BertScoreBaseline baseline = built_in_baseline(kRadCliqEncoder, kRadCliqLayer).value();
  const auto semb = sembscore(r.chexbert[h], r.chexbert[0]);
  if (!semb) return std::nullopt;
  return metrics::RadCliqInputs{
      .radgraph = metrics::radcliq_graph_f1(scored_graph(texts[h], graphs[h]),
                                            scored_graph(texts[0], graphs[0]))
                      .combined(),
      .bertscore = rescale(bert_score(bert[h], bert[0], weights), baseline).f,
      .sembscore = *semb,
      .bleu2 =
          metrics::bleu2(metrics::rexrank_tokens(texts[h]), metrics::rexrank_tokens(texts[0]))};
}

std::optional<double> NetFamily::value(NetMetric m, const Texts& texts, size_t h,
                                       const Readings& r) const {
  const auto labels = [&](size_t i) {
    return called_conditions(r.chexbert[i], options_.uncertain_is_positive);
  };
  const auto rewards = [&](metrics::GraphCase rule) {
    return metrics::radgraph_rewards(scored_graph(texts[h], r.graphs[h]),
                                     scored_graph(texts[0], r.graphs[0]), rule);
  };
  using metrics::GraphCase;
  switch (m) {
    case NetMetric::bertscore_f:
      return bertscore(r.bert[h], r.bert[0]).f;
    case NetMetric::bertscore_p:
      return bertscore(r.bert[h], r.bert[0]).precision;
    case NetMetric::bertscore_r:
      return bertscore(r.bert[h], r.bert[0]).recall;
    case NetMetric::sembscore:
      return sembscore(r.chexbert[h], r.chexbert[0]);
    case NetMetric::chexbert_f1_14:
      return metrics::label_f1(labels(h), labels(0));
    case NetMetric::chexbert_f1_5:
      return metrics::label_f1(only_five(labels(h)), only_five(labels(0)));
    case NetMetric::radgraph:
      return metrics::radcliq_graph_f1(scored_graph(texts[h], r.graphs[h]),
                                       scored_graph(texts[0], r.graphs[0]))
          .combined();
    case NetMetric::simple:
      return rewards(GraphCase::lowered).simple;
    case NetMetric::partial:
      return rewards(GraphCase::lowered).partial;
    case NetMetric::complete:
      return rewards(GraphCase::lowered).complete;
    case NetMetric::simple_0_1_18:
      return rewards(GraphCase::as_0_1_18).simple;
    case NetMetric::partial_0_1_18:
      return rewards(GraphCase::as_0_1_18).partial;
    case NetMetric::complete_0_1_18:
      return rewards(GraphCase::as_0_1_18).complete;
    case NetMetric::radcliq_v0:
    case NetMetric::radcliq_v1: {
      const auto inputs = radcliq_inputs(texts, h, r);
      if (!inputs) return std::nullopt;
      return m == NetMetric::radcliq_v0 ? metrics::radcliq_v0(*inputs)
                                        : metrics::radcliq_v1(*inputs);
    }
    case NetMetric::ratescore:
      return metrics::ratescore(r.rate[h].entities, r.rate[0].entities, matrix_);
  }
  UNIRG_ASSERT(false, "unknown metric");
}

io::Json NetFamily::details(size_t h, const Readings& r) const {
  io::Json out = io::Json::object();
  if (radgraph_) {
    out["radgraph"] = {{"hypothesis", metrics::graph_to_json(r.graphs[h])},
                       {"reference", metrics::graph_to_json(r.graphs[0])}};
  }
  if (any(wants_labels)) {
    out["chexbert"] = {{"hypothesis", chexbert_json(r.chexbert[h])},
                       {"reference", chexbert_json(r.chexbert[0])}};
  }
  if (rate_) {
    out["ratescore"] = {{"hypothesis", rate_json(r.rate[h])}, {"reference", rate_json(r.rate[0])}};
  }
  return out.empty() ? io::Json(nullptr) : out;
}

Scored NetFamily::score_one(const Texts& texts, size_t h, const Readings& r) const {
  Scored out;
  for (size_t i = 0; i < chosen_.size(); ++i) {
    out.values.push_back(value(chosen_[i], texts, h, r));
    if (wants_radcliq(chosen_[i])) {
      const auto& number = out.values.back();
      out.sums.push_back({infos_[i].name, {number.value_or(0), number ? 1.0 : 0.0}});
    }
  }
  if (any(wants_labels)) {
    const auto called = [&](size_t i) {
      return called_conditions(r.chexbert[i], options_.uncertain_is_positive);
    };
    out.sums.push_back({"chexbert", label_sums(called(h), called(0))});
  }
  out.details = details(h, r);
  return out;
}

std::vector<Scored> NetFamily::score(const TextGroup& group) const {
  const DistinctTexts all = distinct(group);
  const Readings readings = read(all.texts);
  std::map<size_t, Scored> done;
  std::vector<Scored> out;
  for (const size_t h : all.hypotheses) {
    auto it = done.find(h);
    if (it == done.end()) it = done.emplace(h, score_one(all.texts, h, readings)).first;
    out.push_back(it->second);
  }
  return out;
}

}  // namespace

std::unique_ptr<Family> net_family(const std::vector<std::string>& names,
                                   const NetOptions& options) {
  return std::make_unique<NetFamily>(names, options);
}

}  // namespace unirg::scoring
