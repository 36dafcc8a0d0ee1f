// SPDX-License-Identifier: Apache-2.0
#include "scoring/judge_family.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <map>
#include <mutex>
#include <semaphore>
#include <utility>

#include "base/error.h"
#include "base/parallel.h"
#include "metrics/chexprompt.h"
#include "metrics/green.h"
#include "scoring/judge_cache.h"
#include "scoring/judge_http.h"
#include "scoring/judge_local.h"
#include "scoring/judge_pace.h"

namespace unirg::scoring {
namespace {

using io::Json;

/// What one answer says.
struct Reading {
  std::map<std::string, double> values;  ///< by metric
  Json counts;
};

/// Whether a server or a limit of tokens ended the answer.
bool is_cut(const JudgeAnswer& answer) {
  return answer.finish == "length" || answer.finish == "content_filter";
}

Result<Reading> read_green(const std::string& reply, bool cut) {
  const auto counts = metrics::green_counts(metrics::green_answer(reply), cut);
  if (!counts) return tl::unexpected(counts.error());
  Json json = {{"significant", counts->significant}, {"insignificant", nullptr}};
  if (counts->insignificant) json["insignificant"] = *counts->insignificant;
  json["matched"] = counts->matched;
  return Reading{{{"green", metrics::green_score(*counts)}}, std::move(json)};
}

Result<Reading> read_chexprompt(const std::string& reply) {
  const auto counts = metrics::chexprompt_counts(reply);
  if (!counts) return tl::unexpected(counts.error());
  const auto significant = static_cast<double>(metrics::total(counts->significant));
  const auto insignificant = static_cast<double>(metrics::total(counts->insignificant));
  return Reading{
      {{"chexprompt-errors", significant + insignificant}, {"chexprompt-significant", significant}},
      {{"significant", counts->significant}, {"insignificant", counts->insignificant}}};
}

Result<Reading> read_answer(ReplyForm form, const JudgeAnswer& answer) {
  if (!answer.problem.empty()) return bad_record(answer.problem);
  // A list of CheXprompt shows its end, whatever ended the answer.
  return form == ReplyForm::green ? read_green(answer.text, is_cut(answer))
                                  : read_chexprompt(answer.text);
}

/// Which judge gives a metric, and everything of the metric but its signature.
struct JudgeMetric {
  const char* judge;
  MetricInfo info;
};

const std::vector<JudgeMetric>& judge_table() {
  constexpr const char* kNeeds = "a judge: --judge-url and --judge-model, or --judge-checkpoint";
  static const std::vector<JudgeMetric> table{
      {"green",
       {"green", "", "GREEN: findings matched / (matched + clinically significant errors)",
        Better::higher, 3, "0..1", kNeeds, "Ostmeier et al. 2024, arXiv:2405.03595"}},
      {"chexprompt",
       {"chexprompt-errors", "", "errors a report, significant and not, as CheXprompt counts them",
        Better::lower, 2, "0..", kNeeds, "Chaves et al. 2024, arXiv:2403.08002"}},
      {"chexprompt",
       {"chexprompt-significant", "", "clinically significant errors a report (CheXprompt)",
        Better::lower, 2, "0..", kNeeds, "Chaves et al. 2024, arXiv:2403.08002"}}};
  return table;
}

/// Position of a metric in judge_table().
size_t metric_index(const std::string& name) {
  std::vector<std::string> known;
  for (const JudgeMetric& metric : judge_table()) known.push_back(metric.info.name);
  const auto at = std::find(known.begin(), known.end(), name);
  if (at == known.end())
    throw Error(Exit::config, fmt::format("unknown metric '{}' (hint: known are {})", name,
                                          fmt::join(known, ", ")));
  return static_cast<size_t>(at - known.begin());
}

JudgePrompt load_prompt(const JudgeOptions& options, const std::string& judge) {
  const std::filesystem::path file = options.prompts / (judge + ".yaml");
  JudgePrompt prompt = load_judge_prompt(file);
  const ReplyForm form = judge == "green" ? ReplyForm::green : ReplyForm::chexprompt;
  if (prompt.reply != form)
    throw Error(Exit::config,
                fmt::format("'{}': its 'reply' is not that of {}", file.string(), judge));
  return prompt;
}

std::string signature(const std::string& metric, const std::string& judge,
                      const JudgePrompt* prompt, const JudgeOptions& options,
                      const std::string& model) {
  const bool local = options.backend == "local";
  const auto& set = prompt ? prompt->generation.temperature : std::nullopt;
  const std::string temperature = local ? "0"
                                  : set ? fmt::format("{}", *set)
                                        : std::string("default");
  const int parser = judge == "green" ? metrics::kGreenParser : metrics::kChexpromptParser;
  return fmt::format("{}|judge:{}|backend:{}|prompt:{}|temperature:{}|parser:{}|v1", metric,
                     model.empty() ? "unset" : model, options.backend,
                     prompt ? prompt->id() : "unset", temperature, parser);
}

/// Puts questions, once each, and keeps the answers.
class Asker {
 public:
  Asker(std::unique_ptr<JudgeBackend> backend, const JudgeOptions& options)
      : backend_(std::move(backend)),
        stopped_(options.stopped),
        cache_(judge_folder(options.cache, backend_->place()), options.refresh, options.warn),
        places_(backend_->concurrency()) {}

  [[nodiscard]] JudgeBackend& backend() const { return *backend_; }
  [[nodiscard]] std::optional<JudgeAnswer> kept(const std::string& digest) const {
    return cache_.find(digest);
  }
  /// Thread-safe; who asks what is being asked waits for that answer.
  JudgeAnswer ask(const std::string& digest, const JudgePrompt& prompt, const Json& request);

 private:
  JudgeAnswer ask_twice(const JudgePrompt& prompt, const Json& request);
  JudgeAnswer ask_and_keep(const std::string& digest, const JudgePrompt& prompt,
                           const Json& request);

  std::unique_ptr<JudgeBackend> backend_;
  std::function<bool()> stopped_;
  JudgeCache cache_;
  std::counting_semaphore<> places_;  ///< for questions that are asked and not yet kept
  std::mutex mutex_;
  std::map<std::string, std::shared_future<JudgeAnswer>> under_way_;
};

/// CheXprompt's rule: an answer that cannot be read is asked for once more.
JudgeAnswer Asker::ask_twice(const JudgePrompt& prompt, const Json& request) {
  JudgeAnswer answer = backend_->ask(request);
  if (backend_->deterministic() || answer.refused || read_answer(prompt.reply, answer))
    return answer;
  return backend_->ask(request);
}

/// A question has its place until its answer is kept, so a run that is killed loses at most
/// `concurrency` answers, however slow the disk.
JudgeAnswer Asker::ask_and_keep(const std::string& digest, const JudgePrompt& prompt,
                                const Json& request) {
  while (!places_.try_acquire_for(std::chrono::milliseconds(20))) check_stopped(stopped_);
  struct Place {
    std::counting_semaphore<>& places;
    ~Place() { places.release(); }
  } const place{places_};
  JudgeAnswer answer = ask_twice(prompt, request);
  if (answer.lasting) cache_.keep(digest, prompt, answer);
  return answer;
}

JudgeAnswer Asker::ask(const std::string& digest, const JudgePrompt& prompt, const Json& request) {
  std::promise<JudgeAnswer> promise;
  {
    std::unique_lock lock(mutex_);
    const auto [entry, is_new] = under_way_.try_emplace(digest, std::shared_future<JudgeAnswer>());
    if (!is_new) {
      const std::shared_future<JudgeAnswer> other = entry->second;
      lock.unlock();
      return other.get();
    }
    entry->second = promise.get_future().share();
  }
  const auto finish = [&] {
    const std::lock_guard lock(mutex_);
    under_way_.erase(digest);
  };
  try {
    // Another thread may have finished between our look into the cache and now.
    std::optional<JudgeAnswer> answer = cache_.find(digest);
    if (!answer) answer = ask_and_keep(digest, prompt, request);
    promise.set_value(*answer);
    finish();
    return *answer;
  } catch (...) {
    promise.set_exception(std::current_exception());
    finish();
    throw;
  }
}

class JudgeFamily final : public Family {
 public:
  JudgeFamily(const std::vector<std::string>& names, const JudgeOptions& options,
              std::unique_ptr<JudgeBackend> backend, const std::string& model);

  [[nodiscard]] const std::vector<MetricInfo>& metrics() const override { return metrics_; }
  [[nodiscard]] std::vector<Scored> score(const TextGroup& group) const override;

 private:
  /// A question and who wants its answer.
  struct Question {
    const JudgePrompt* prompt = nullptr;
    Json request;
    std::string digest;
    std::optional<JudgeAnswer> answer;
  };
  /// Index into `questions` of each (hypothesis, judge).
  using Wanted = std::vector<std::map<std::string, size_t>>;

  [[nodiscard]] Wanted gather(const TextGroup& group, std::vector<Question>& questions) const;
  void answer_all(std::vector<Question>& questions) const;
  void take(const std::string& judge, const Question& question, Scored& scored) const;

  std::vector<MetricInfo> metrics_;
  std::vector<std::string> judge_of_;           // by metric
  std::map<std::string, JudgePrompt> prompts_;  // by judge
  std::function<bool()> stopped_;
  std::unique_ptr<Asker> asker_;
};

JudgeFamily::JudgeFamily(const std::vector<std::string>& names, const JudgeOptions& options,
                         std::unique_ptr<JudgeBackend> backend, const std::string& model)
    : stopped_(options.stopped), asker_(std::make_unique<Asker>(std::move(backend), options)) {
  for (const std::string& name : names) {
    const JudgeMetric& metric = judge_table()[metric_index(name)];
    if (!prompts_.contains(metric.judge))
      prompts_.emplace(metric.judge, load_prompt(options, metric.judge));
    metrics_.push_back(metric.info);
    metrics_.back().signature =
        signature(name, metric.judge, &prompts_.at(metric.judge), options, model);
    judge_of_.emplace_back(metric.judge);
  }
}

JudgeFamily::Wanted JudgeFamily::gather(const TextGroup& group,
                                        std::vector<Question>& questions) const {
  Wanted wanted(group.hypotheses.size());
  std::map<std::string, size_t> by_digest;
  for (size_t h = 0; h < group.hypotheses.size(); ++h) {
    for (const auto& [judge, prompt] : prompts_) {
      Json request = asker_->backend().request(
          prompt, fill_judge_prompt(prompt, group.reference, group.hypotheses[h]));
      std::string digest = judge_digest(prompt, request);
      const auto [entry, is_new] = by_digest.try_emplace(digest, questions.size());
      if (is_new) questions.push_back({&prompt, std::move(request), std::move(digest), {}});
      wanted[h][judge] = entry->second;
    }
  }
  return wanted;
}

void JudgeFamily::answer_all(std::vector<Question>& questions) const {
  std::vector<Question*> open;
  for (Question& question : questions) {
    question.answer = asker_->kept(question.digest);
    if (!question.answer) open.push_back(&question);
  }
  const auto count = static_cast<int64_t>(open.size());
  const auto threads = static_cast<int>(std::min(count, asker_->backend().concurrency()));
  ordered_parallel(
      threads, count,
      [&](int64_t i) {
        check_stopped(stopped_);
        const Question& question = *open[static_cast<size_t>(i)];
        return asker_->ask(question.digest, *question.prompt, question.request);
      },
      [&](int64_t i, JudgeAnswer answer) {
        open[static_cast<size_t>(i)]->answer = std::move(answer);
        return true;
      });
}

/// Puts the values of one judge, and what it said, where they belong.
void JudgeFamily::take(const std::string& judge, const Question& question, Scored& scored) const {
  const JudgeAnswer& answer = *question.answer;
  const Result<Reading> reading = read_answer(question.prompt->reply, answer);
  Json said = {{"valid", reading.has_value()},    {"digest", question.digest},
               {"prompt", question.prompt->id()}, {"served", answer.served},
               {"finish", answer.finish},         {"reply", answer.text}};
  if (reading) {
    said["counts"] = reading->counts;
  } else {
    said["reason"] = reading.error().reason;
  }
  scored.details["judge"][judge] = std::move(said);
  for (size_t m = 0; reading && m < metrics_.size(); ++m) {
    if (judge_of_[m] == judge) scored.values[m] = reading->values.at(metrics_[m].name);
  }
}

std::vector<Scored> JudgeFamily::score(const TextGroup& group) const {
  std::vector<Question> questions;
  const Wanted wanted = gather(group, questions);
  answer_all(questions);
  std::vector<Scored> all(group.hypotheses.size());
  for (size_t h = 0; h < all.size(); ++h) {
    all[h].values.resize(metrics_.size());
    all[h].details = Json::object();
    for (const auto& [judge, question] : wanted[h]) take(judge, questions[question], all[h]);
  }
  return all;
}

std::unique_ptr<JudgeBackend> http_backend(const JudgeOptions& options) {
  JudgeHttpOptions http;
  http.url = options.url;
  http.model = options.model;
  http.key_variable = options.key_variable;
  http.concurrency = options.concurrency;
  http.timeout_s = options.timeout_s;
  http.retries = options.retries;
  http.requests_per_minute = options.requests_per_minute;
  http.first_wait_s = options.first_wait_s;
  http.stopped = options.stopped;
  http.warn = options.warn;
  return std::make_unique<JudgeHttp>(std::move(http));
}

void check_backend(const JudgeOptions& options) {
  if (options.backend != "http" && options.backend != "local")
    throw Error(
        Exit::config,
        fmt::format("--judge-backend: unknown backend '{}' (hint: http, local)", options.backend));
}

}  // namespace

std::vector<MetricInfo> judge_metrics(const JudgeOptions& options) {
  check_backend(options);
  const std::string model = options.backend == "local"
                                ? options.checkpoint.lexically_normal().filename().string()
                                : options.model;
  std::map<std::string, JudgePrompt> prompts;
  std::vector<MetricInfo> all;
  for (const JudgeMetric& metric : judge_table()) {
    if (!options.prompts.empty() && !prompts.contains(metric.judge))
      prompts.emplace(metric.judge, load_prompt(options, metric.judge));
    const auto prompt = prompts.find(metric.judge);
    all.push_back(metric.info);
    all.back().signature =
        signature(metric.info.name, metric.judge,
                  prompt == prompts.end() ? nullptr : &prompt->second, options, model);
  }
  return all;
}

std::unique_ptr<Family> judge_family(const std::vector<std::string>& names,
                                     const JudgeOptions& options) {
  check_backend(options);
  for (const std::string& name : names) (void)metric_index(name);  // before weights are loaded
  if (options.backend == "http") return judge_family(names, options, http_backend(options));
  auto local = std::make_unique<JudgeLocal>(
      JudgeLocalOptions{options.checkpoint, options.device, options.dtype, options.stopped});
  JudgeOptions named = options;
  named.model = local->digest().substr(0, 12);
  return judge_family(names, named, std::move(local));
}

std::unique_ptr<Family> judge_family(const std::vector<std::string>& names,
                                     const JudgeOptions& options,
                                     std::unique_ptr<JudgeBackend> backend) {
  return std::make_unique<JudgeFamily>(names, options, std::move(backend), options.model);
}

}  // namespace unirg::scoring
