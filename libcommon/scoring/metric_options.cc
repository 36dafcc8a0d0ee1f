// SPDX-License-Identifier: Apache-2.0
#include "scoring/metric_options.h"

#include "base/error.h"
#include "cli/installed.h"

namespace unirg::scoring {
namespace {

const char* const kText = "Text metrics";
const char* const kRules = "Rule metrics";
const char* const kNets = "Learned metrics";
const char* const kJudges = "Judges";

cli::Table text_rows(TextOptions& o) {
  return {
      {.name = "coco-tokens",
       .target = &o.coco_tokens,
       .metavar = "KIND",
       .help = "Tokens of the COCO metrics: ptb, as captioning papers have them, or whitespace.",
       .choices = {"ptb", "whitespace"},
       .group = kText},
      {.name = "cider-table",
       .target = &o.cider_table,
       .metavar = "FILE",
       .help = "Frozen document frequencies of cider-d; without it those of the references.",
       .group = kText},
      {.name = "meteor-synsets",
       .target = &o.meteor_synsets,
       .metavar = "FILE",
       .help = "Synonym sets of meteor, english.synsets of METEOR's jar; without it words match "
               "exactly or by stem.",
       .group = kText},
      {.name = "meteor-exceptions",
       .target = &o.meteor_exceptions,
       .metavar = "FILE",
       .help = "Irregular forms for the synonym sets, english.exceptions of the jar.",
       .group = kText},
      {.name = "meteor-paraphrases",
       .target = &o.meteor_paraphrases,
       .metavar = "FILE",
       .help = "Paraphrase table of meteor, paraphrase-en.gz; without it none match.",
       .group = kText},
      {.name = "hyphenation",
       .target = &o.hyphenation,
       .metavar = "FILE",
       .help = "Hyphenation dictionary that counts the syllables of fkgl; empty takes Debian's "
               "hyphen-en-us.",
       .group = kText},
      {.name = "boilerplate",
       .target = &o.boilerplate,
       .metavar = "FILE",
       .help = "Sentences of the metric boilerplate, one a line.",
       .group = kText},
  };
}

cli::Table rule_rows(MetricOptions& o) {
  return {
      {.name = "lexicon",
       .target = &o.lexicon,
       .metavar = "FILE",
       .help = "Lexicon of the rule labeler; empty takes the installed one.",
       .group = kRules},
      {.name = "uncertain-is-positive",
       .target = &o.uncertain_is_positive,
       .help = "Counts uncertain mentions as called by the rule labeler.",
       .group = kRules},
      {.name = "categories",
       .target = &o.categories,
       .metavar = "FILE",
       .help = "Patterns of the category metrics; empty takes the installed ones.",
       .group = kRules},
  };
}

/// --models and BERTScore's.
cli::Table bertscore_rows(NetOptions& o) {
  return {
      {.name = "models",
       .target = &o.models,
       .metavar = "DIR",
       .help = "Folder that holds the folders of the metrics' networks.",
       .group = kNets},
      {.name = "bertscore-model",
       .target = &o.bertscore_model,
       .metavar = "NAME",
       .help = "Folder of BERTScore's encoder below --models.",
       .group = kNets},
      {.name = "bertscore-layer",
       .target = &o.bertscore_layer,
       .metavar = "N",
       .help = "Layer whose vectors BERTScore compares.",
       .min = 0,
       .max = 1000,
       .group = kNets},
      {.name = "bertscore-idf",
       .target = &o.bertscore_idf,
       .help = "Weighs tokens by inverse document frequency over the references.",
       .group = kNets},
      {.name = "bertscore-baseline",
       .target = &o.bertscore_baseline,
       .metavar = "built-in|none|FILE",
       .help =
           "Baseline that BERTScore is rescaled with: the published row of the model and layer, "
           "none, or a file in bert-score's form.",
       .group = kNets},
  };
}

cli::Table other_net_rows(NetOptions& o, std::string& chexbert_uncertain) {
  return {
      {.name = "chexbert-uncertain",
       .target = &chexbert_uncertain,
       .metavar = "CLASS",
       .help = "What an uncertain label of CheXbert counts as.",
       .choices = {"positive", "negative"},
       .group = kNets},
      {.name = "radgraph-model",
       .target = &o.radgraph_model,
       .metavar = "NAME",
       .help = "RadGraph's network below --models; it also chooses the tokenizer.",
       .choices = {"radgraph", "radgraph-xl"},
       .group = kNets},
      {.name = "ratescore-matrix",
       .target = &o.ratescore_matrix,
       .metavar = "KIND",
       .help = "Affinity of entity types in ratescore.",
       .choices = {"long", "short"},
       .group = kNets},
      {.name = "batch-size",
       .target = &o.batch_size,
       .metavar = "N",
       .help = "Texts of one study run through a network together, padded; above 1 low bits may "
               "change.",
       .min = 1,
       .max = 4096,
       .group = kNets},
      {.name = "metric-cache",
       .target = &o.cache,
       .metavar = "DIR",
       .help =
           "Keeps what networks say of each text, by digest of text and weights; results are the "
           "same bytes with and without.",
       .group = kNets},
  };
}

/// Which backend, and the server.
cli::Table judge_server_rows(JudgeOptions& o) {
  return {
      {.name = "judge-backend",
       .target = &o.backend,
       .metavar = "KIND",
       .help = "Where judges run: on a server (http) or from a checkpoint (local).",
       .choices = {"http", "local"},
       .group = kJudges},
      {.name = "judge-url",
       .target = &o.url,
       .metavar = "URL",
       .help = "Server that speaks OpenAI's chat completions, e.g. http://localhost:8000.",
       .group = kJudges},
      {.name = "judge-model",
       .target = &o.model,
       .metavar = "NAME",
       .help = "Model that the server is asked for.",
       .group = kJudges},
      {.name = "judge-key-variable",
       .target = &o.key_variable,
       .metavar = "NAME",
       .help = "Environment variable that holds the server's key; the key itself is never written.",
       .group = kJudges},
      {.name = "judge-concurrency",
       .target = &o.concurrency,
       .metavar = "N",
       .help = "Requests under way at once.",
       .min = 1,
       .max = 1024,
       .group = kJudges},
      {.name = "judge-timeout",
       .target = &o.timeout_s,
       .metavar = "SECONDS",
       .help = "Of one request.",
       .min = 0.01,
       .max = 86400,
       .group = kJudges},
      {.name = "judge-retries",
       .target = &o.retries,
       .metavar = "N",
       .help = "Tries after the first, for busy servers and broken connections; waits double.",
       .min = 0,
       .max = 100,
       .group = kJudges},
      {.name = "judge-rate",
       .target = &o.requests_per_minute,
       .metavar = "N",
       .help = "Requests a minute at most; 0 sets no limit.",
       .min = 0,
       .max = 1e9,
       .group = kJudges},
  };
}

/// Rows of both backends, and of local checkpoints.
cli::Table judge_rows(JudgeOptions& o) {
  return {
      {.name = "judge-cache",
       .target = &o.cache,
       .metavar = "DIR",
       .help = "Keeps replies: a run that was killed does not ask again for what it has.",
       .group = kJudges},
      {.name = "judge-refresh",
       .target = &o.refresh,
       .help = "Asks again for what the cache holds.",
       .group = kJudges},
      {.name = "judge-prompts",
       .target = &o.prompts,
       .metavar = "DIR",
       .help = "Folder with green.yaml and chexprompt.yaml; empty takes the installed one.",
       .group = kJudges},
      {.name = "judge-checkpoint",
       .target = &o.checkpoint,
       .metavar = "DIR",
       .help = "Checkpoint of the local backend.",
       .group = kJudges},
  };
}

void find_installed(const char* name, std::filesystem::path& file) {
  if (!file.empty()) return;
  try {
    file = cli::installed_file(name);
  } catch (const Error& e) {
    if (e.exit() != Exit::no_input) throw;
  }
}

}  // namespace

void add_metric_options(cli::Table& table, MetricOptions& o) {
  cli::append(table, text_rows(o.text));
  cli::append(table, rule_rows(o));
  cli::append(table, bertscore_rows(o.net));
  cli::append(table, other_net_rows(o.net, o.chexbert_uncertain));
  cli::append(table, judge_server_rows(o.judge));
  cli::append(table, judge_rows(o.judge));
  table.push_back({.name = "details",
                   .target = &o.details,
                   .help = "Keeps what metrics tell beside their values in the records: graphs, "
                           "labels, entities. Judges' replies are always kept."});
}

void settle(MetricOptions& o, cli::Context& context) {
  const auto warn = [&context](const std::string& message) { context.log.warning("{}", message); };
  o.net.warn = warn;
  o.judge.warn = warn;
  o.judge.stopped = [&context] { return context.stop.requested(); };
  o.net.uncertain_is_positive = o.chexbert_uncertain == "positive";
  find_installed("ratescore/rush_rules.tsv", o.net.sentence_rules);
  find_installed("lexicon/chest.yaml", o.lexicon);
  find_installed("lexicon/categories.yaml", o.categories);
  find_installed("judges", o.judge.prompts);
}

}  // namespace unirg::scoring
