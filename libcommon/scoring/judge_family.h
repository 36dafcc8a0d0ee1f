// Metrics that a language model gives: GREEN and CheXprompt, from a server or from a checkpoint. An
// answer that cannot be read has no value and is kept as it is; it is never a number.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "scoring/family.h"
#include "scoring/judge_prompt.h"

namespace unirg::scoring {

struct JudgeOptions {
  std::string backend = "http";   ///< http: an OpenAI-compatible server; local: a checkpoint
  std::filesystem::path prompts;  ///< folder with green.yaml and chexprompt.yaml (share/judges)
  std::filesystem::path cache;    ///< folder of answers; empty: none are kept
  bool refresh = false;           ///< asks again for what earlier runs kept
  // http
  std::string url;
  std::string model;
  std::string key_variable = "UNIRG_JUDGE_KEY";  ///< name of the environment variable with the key
  int64_t concurrency = 8;         ///< requests under way at once, over all threads; 1..
  double timeout_s = 120;          ///< of one try; above 0
  int64_t retries = 5;             ///< tries after the first
  double requests_per_minute = 0;  ///< 0: no limit
  double first_wait_s = 0.5;       ///< before the second try; doubles each time, at most 60 s
  // local
  std::filesystem::path checkpoint;
  std::string device = "auto";
  std::string dtype = "auto";

  std::function<bool()> stopped;                 ///< asked at least every 0.1 s while waiting
  std::function<void(const std::string&)> warn;  ///< told what is worth a line; any thread
};

/// The metrics there are, in table order, with signatures. Sends nothing, loads no weights: of the
/// local backend the signature names the checkpoint's folder, while judge_family()'s names its
/// digest. With an empty `options.prompts` the prompt is "unset".
std::vector<MetricInfo> judge_metrics(const JudgeOptions& options);

/// \param names some of judge_metrics(), none twice; metrics() has their order. Metrics of one
/// judge share one request. score() asks for all hypotheses of a group at once, up to the
/// concurrency over all threads, a place held until the answer is kept: with groups of one, call it
/// from as many threads as there may be requests. Equal requests are sent once while one is under
/// way, and once in all with a cache. An invalid answer is asked for once more (unless the judge
/// would only repeat itself), then kept as invalid; an answer that a limit of tokens or a filter
/// cut off is invalid unless all that counts was said before. The cache is apart for each address
/// of a server (judge_cache.h); `digest` below names the question, whoever answers.
/// Scored::details:
/// {"judge": {"green": {"valid", "digest", "prompt", "served", "finish", "reply", and "counts" or
/// "reason"}, ...}}.
/// \throws Error(Exit::config): unknown name or backend, missing URL, model or checkpoint;
/// what loading throws. score() throws Error(Exit::unavailable) when a judge gives no answer and
/// Error(Exit::interrupted) after a stop request
std::unique_ptr<Family> judge_family(const std::vector<std::string>& names,
                                     const JudgeOptions& options);
/// The same with a backend of the caller's (tests).
std::unique_ptr<Family> judge_family(const std::vector<std::string>& names,
                                     const JudgeOptions& options,
                                     std::unique_ptr<JudgeBackend> backend);

}  // namespace unirg::scoring
