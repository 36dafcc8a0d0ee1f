// SPDX-License-Identifier: Apache-2.0
#include "scoring/text_signatures.h"

#include <fmt/format.h>

#include "base/hash.h"
#include "metrics/readability.h"

namespace unirg::scoring {
namespace {

/// The first 12 hex digits of a file's SHA-256; "missing" for one that is not there.
std::string digest(const std::filesystem::path& file) {
  return std::filesystem::is_regular_file(file) ? sha256_file(file).substr(0, 12) : "missing";
}

std::string tokens(const TextOptions& o) {
  return o.coco_tokens == "ptb" ? "tok:ptb-3.4.1" : "tok:" + o.coco_tokens;
}

std::string meteor_signature(const TextOptions& o) {
  std::string modules = "exact,stem", files;
  if (!o.meteor_synsets.empty()) {
    modules += ",synonym";
    files += fmt::format("|synsets:{}|exceptions:{}", digest(o.meteor_synsets),
                         digest(o.meteor_exceptions));
  }
  if (!o.meteor_paraphrases.empty()) {
    modules += ",paraphrase";
    files += "|paraphrases:" + digest(o.meteor_paraphrases);
  }
  return fmt::format("meteor:1.5|en|{}+norm|modules:{}{}|v1", tokens(o), modules, files);
}

MetricInfo plain(std::string name, std::string signature, std::string meaning, std::string source) {
  MetricInfo m{std::move(name), std::move(signature), std::move(meaning)};
  m.source = std::move(source);
  return m;
}

/// A metric that describes the hypothesis alone: neither direction is better.
MetricInfo describing(MetricInfo metric, int decimals, std::string range) {
  metric.better = Better::neither;
  metric.decimals = decimals;
  metric.range = std::move(range);
  return metric;
}

void add_rouge(std::vector<MetricInfo>& all) {
  const std::string source = "PyPI rouge-score 0.1.2";
  for (const bool stem : {false, true}) {
    for (const std::string& kind : {std::string("1"), std::string("2"), std::string("-l")}) {
      const std::string name = "rouge" + kind + (stem ? "-stem" : "");
      const std::string meaning =
          (kind == "-l" ? std::string("longest common subsequence F1")
                        : fmt::format("F1 of common {}", kind == "1" ? "words" : "word pairs")) +
          (stem ? ", of stems" : "");
      all.push_back(
          plain(name, fmt::format("{}:rouge-score|{}|f1|v1", name, stem ? "porter-nltk" : "nostem"),
                meaning, source));
    }
  }
}

void add_coco(std::vector<MetricInfo>& all, const TextOptions& o) {
  const std::string source = "PyPI pycocoevalcap 1.2";
  for (int n = 1; n <= 4; ++n)
    all.push_back(plain(fmt::format("coco-bleu{}", n),
                        fmt::format("coco-bleu{}:pycocoevalcap-1.2|{}|v1", n, tokens(o)),
                        fmt::format("BLEU-{} per report (COCO); of a corpus from summed counts", n),
                        source));
  all.push_back(plain("coco-rouge-l",
                      fmt::format("coco-rouge-l:pycocoevalcap-1.2|{}|beta:1.2|v1", tokens(o)),
                      "longest common subsequence F, recall first (COCO)", source));
  MetricInfo cider = plain(
      "cider-d",
      fmt::format("cider-d:pycocoevalcap-1.2|{}|n:4|sigma:6|df:{}|v1", tokens(o),
                  o.cider_table.empty() ? "references" : digest(o.cider_table)),
      "n-grams weighted by how rare they are in the references", "arXiv:1411.5726; " + source);
  cider.range = "0..10";
  cider.needs = "two references or more, or a table of document frequencies";
  all.push_back(std::move(cider));
  MetricInfo meteor =
      plain("meteor", meteor_signature(o), "words aligned by form, stem and synonym, in few chunks",
            "Denkowski and Lavie 2014; meteor-1.5.jar in " + source);
  meteor.needs = "for the synonym and paraphrase modules METEOR's own files";
  all.push_back(std::move(meteor));
}

void add_descriptions(std::vector<MetricInfo>& all, const TextOptions& o) {
  MetricInfo fkgl = describing(
      plain("fkgl",
            fmt::format("fkgl:textstat-0.7.3|noround|hyphen:{}|v1", digest(hyphenation_file(o))),
            "Flesch-Kincaid grade: school years it takes to read the report",
            "Kincaid et al. 1975; PyPI textstat 0.7.3"),
      1, "about 0..20");
  fkgl.needs = "a hyphenation dictionary (Debian: hyphen-en-us)";
  all.push_back(std::move(fkgl));
  all.push_back(describing(plain("words", "words:rouge-tokens|v1", "words of the generated report",
                                 "UniRG, words of rouge-score"),
                           1, "0.."));
  all.push_back(describing(
      plain("sentences", "sentences:unirg|v1", "sentences of the generated report", "UniRG"), 1,
      "0.."));
  MetricInfo repetition = plain("repetition", "repetition:seq-rep-4|rouge-tokens|v1",
                                "share of 4-grams that repeat an earlier one", "arXiv:1908.04319");
  repetition.better = Better::lower;
  all.push_back(std::move(repetition));
  MetricInfo boilerplate =
      plain("boilerplate",
            fmt::format("boilerplate:sentences|lower|{}|v1",
                        o.boilerplate.empty() ? "none" : digest(o.boilerplate)),
            "share of sentences that stand word for word in a list", "UniRG");
  boilerplate.better = Better::lower;
  boilerplate.needs = "a file of sentences, one a line";
  all.push_back(std::move(boilerplate));
}

}  // namespace

std::filesystem::path hyphenation_file(const TextOptions& options) {
  return options.hyphenation.empty() ? metrics::kHyphenationFile : options.hyphenation;
}

std::vector<MetricInfo> text_metrics(const TextOptions& options) {
  std::vector<MetricInfo> all{plain("bleu2", "bleu2:rexrank|lower|smooth1|v1",
                                    "BLEU with 1- and 2-grams, per report (ReXrank)",
                                    "rajpurkarlab/CXR-Report-Metric 9c9ecad")};
  add_rouge(all);
  add_coco(all, options);
  add_descriptions(all, options);
  return all;
}

}  // namespace unirg::scoring
