// Settings of all metrics, and their option rows: unirg-reward and unirg-eval take the same ones.
// Depends on the families and cli. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/run_main.h"
#include "scoring/judge_family.h"
#include "scoring/net_family.h"
#include "scoring/text_family.h"

namespace unirg::scoring {

struct MetricOptions {
  std::filesystem::path lexicon;                ///< of the rule labeler (text/lexicon.h)
  bool uncertain_is_positive = false;           ///< of the rule labeler
  std::string chexbert_uncertain = "positive";  ///< of CheXbert, or "negative"
  bool details = false;              ///< keeps Scored::details of every metric, not of judges alone
  std::filesystem::path categories;  ///< patterns (text/categories.h)
  TextOptions text;
  NetOptions net;
  JudgeOptions judge;
};

/// Rows of the groups "Text metrics", "Rule metrics", "Learned metrics" and "Judges".
void add_metric_options(cli::Table& table, MetricOptions& options);

/// Makes options that were read ready for use: puts the files that come with the tools (lexicon,
/// categories, prompts, sentence rules) where none was named. One that is not installed stays
/// unnamed: the metric that needs it says so. Judges hear of a stop request, warnings go to the
/// log; `context` must outlive the options.
void settle(MetricOptions& options, cli::Context& context);

}  // namespace unirg::scoring
