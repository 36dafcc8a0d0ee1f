// GREEN and CheXprompt as metrics: values, what is kept, what is asked and how often.
// SPDX-License-Identifier: Apache-2.0
#include "scoring/judge_family.h"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <mutex>
#include <thread>

#include "base/error.h"
#include "judge_server.h"
#include "scoring/judge_pace.h"

namespace unirg::scoring {
namespace {

using testing::JudgeServer;
using testing::TempFolder;

const std::filesystem::path kPrompts = UNIRG_SOURCE_DIR "/share/judges";

std::string green_reply(int errors, int matched) {
  return "[Clinically Significant Errors]:\n(a) x: " + std::to_string(errors) +
         ". y\n\n[Matched Findings]:\n" + std::to_string(matched) + ". z";
}
const std::string kChexprompt =
    "Number of clinically significant errors by type: [(A, 1), (B, 0), (C, 0), (D, 2), (E, 0), (F, "
    "0)]\nNumber of clinically insignificant errors by type: [(A, 0), (B, 4), (C, 0), (D, 0), (E, "
    "0), (F, 0)]";

/// Answers from a list, by what the request holds, and counts.
class ScriptedJudge final : public JudgeBackend {
 public:
  explicit ScriptedJudge(std::map<std::string, std::vector<std::string>> script)
      : script_(std::move(script)) {}
  [[nodiscard]] io::Json request(const JudgePrompt& prompt,
                                 const std::vector<JudgeMessage>& messages) const override {
    return {{"prompt", prompt.name}, {"text", messages.back().content}};
  }
  JudgeAnswer ask(const io::Json& request) override {
    const std::lock_guard lock(mutex_);
    ++asked;
    const std::string text =
        request["prompt"].get<std::string>() + request["text"].get<std::string>();
    for (auto& [key, replies] : script_) {
      if (text.find(key) == std::string::npos) continue;
      const std::string reply = replies.front();
      if (replies.size() > 1) replies.erase(replies.begin());
      return {reply, "stop", "scripted", nullptr, ""};
    }
    throw Error(Exit::unavailable, "no script for " + text);
  }
  [[nodiscard]] int64_t concurrency() const override { return 4; }
  [[nodiscard]] bool deterministic() const override { return false; }
  int asked = 0;

 private:
  std::map<std::string, std::vector<std::string>> script_;
  std::mutex mutex_;
};

JudgeOptions options_for(const std::string& url, const std::filesystem::path& cache = {}) {
  JudgeOptions options;
  options.prompts = kPrompts;
  options.cache = cache;
  options.url = url;
  options.model = "m";
  options.first_wait_s = 0.01;
  options.retries = 3;
  options.timeout_s = 20;
  return options;
}

TEST(JudgeFamily, values_and_details_of_each_hypothesis) {
  auto judge = std::make_unique<ScriptedJudge>(std::map<std::string, std::vector<std::string>>{
      {"hypothesis one", {green_reply(1, 3)}}, {"hypothesis two", {green_reply(0, 0)}}});
  const auto family = judge_family({"green"}, options_for("http://h"), std::move(judge));
  const auto scored = family->score({"reference", {"hypothesis one", "hypothesis two"}});
  ASSERT_EQ(scored.size(), 2u);
  EXPECT_EQ(scored[0].values[0], 0.75);
  EXPECT_EQ(scored[1].values[0], 0.0);
  const io::Json& said = scored[0].details["judge"]["green"];
  EXPECT_EQ(said["valid"], true);
  EXPECT_EQ(said["reply"], green_reply(1, 3));
  EXPECT_EQ(said["counts"]["matched"], 3);
  EXPECT_EQ(said["counts"]["significant"][0], 1);
  EXPECT_TRUE(said["counts"]["insignificant"].is_null());
  EXPECT_EQ(said["digest"].get<std::string>().size(), 64u);
}

TEST(JudgeFamily, metrics_of_one_judge_share_its_answer) {
  auto judge = std::make_unique<ScriptedJudge>(std::map<std::string, std::vector<std::string>>{
      {"chexprompt", {kChexprompt}}, {"green", {green_reply(0, 2)}}});
  ScriptedJudge& watched = *judge;
  const auto family = judge_family({"chexprompt-significant", "green", "chexprompt-errors"},
                                   options_for("http://h"), std::move(judge));
  const auto scored = family->score({"r", {"h", "h", "r"}});
  for (const Scored& s : scored) {
    EXPECT_EQ(s.values[0], 3.0);
    EXPECT_EQ(s.values[1], 1.0);
    EXPECT_EQ(s.values[2], 7.0);
  }
  // Two judges, two texts: the second "h" is the same question; text equal to the reference is
  // asked.
  EXPECT_EQ(watched.asked, 4);
}

TEST(JudgeFamily, an_answer_that_cannot_be_read_is_asked_for_once_more) {
  auto judge = std::make_unique<ScriptedJudge>(std::map<std::string, std::vector<std::string>>{
      {"mends", {"hm", green_reply(1, 1)}}, {"stays", {"I like it: 1.0"}}});
  ScriptedJudge& watched = *judge;
  TempFolder folder;
  const auto family =
      judge_family({"green"}, options_for("http://h", folder.path()), std::move(judge));
  const TextGroup group{"r", {"mends", "stays"}};
  for (int again = 0; again < 2; ++again) {
    const auto scored = family->score(group);
    EXPECT_EQ(scored[0].values[0], 0.5);
    EXPECT_FALSE(scored[1].values[0].has_value());
    const io::Json& said = scored[1].details["judge"]["green"];
    EXPECT_EQ(said["valid"], false);
    EXPECT_EQ(said["reply"], "I like it: 1.0");
    EXPECT_EQ(said["reason"], "no section [Clinically Significant Errors]");
    EXPECT_EQ(watched.asked, 4);  // kept, so the second round asks nothing
  }
}

TEST(JudgeFamily, signatures_name_all_that_matters) {
  const JudgeOptions options = options_for("http://h");
  const auto family = judge_family({"green", "chexprompt-errors"}, options);
  const std::string& green = family->metrics()[0].signature;
  EXPECT_TRUE(green.starts_with("green|judge:m|backend:http|prompt:green-1@")) << green;
  EXPECT_NE(green.find("|temperature:0|parser:2|v1"), std::string::npos) << green;
  const auto all = judge_metrics(options);
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].signature, green);
  EXPECT_EQ(all[1].signature, family->metrics()[1].signature);
  EXPECT_EQ(all[1].better, Better::lower);
  EXPECT_NE(judge_metrics({})[0].signature.find("judge:unset|backend:http|prompt:unset"),
            std::string::npos);
}

TEST(JudgeFamily, names_what_is_missing) {
  const auto refusal = [](const JudgeOptions& options, const std::string& name = "green") {
    try {
      (void)judge_family({name}, options);
      return std::string();
    } catch (const Error& e) {
      EXPECT_EQ(e.exit(), Exit::config);
      return std::string(e.what());
    }
  };
  JudgeOptions options = options_for("");
  EXPECT_NE(refusal(options).find("--judge-url"), std::string::npos);
  options.url = "http://h";
  options.model = "";
  EXPECT_NE(refusal(options).find("--judge-model"), std::string::npos);
  options.backend = "local";
  EXPECT_NE(refusal(options).find("--judge-checkpoint"), std::string::npos);
  options.backend = "grpc";
  EXPECT_NE(refusal(options).find("(hint: http, local)"), std::string::npos);
  EXPECT_NE(refusal(options_for("http://h"), "gren").find("known are green, chexprompt-errors"),
            std::string::npos);
}

TEST(JudgeFamily, what_is_kept_is_not_asked_for_again) {
  TempFolder folder;
  JudgeServer server;
  UNIRG_SKIP_WITHOUT_SERVER(server);
  JudgeOptions options = options_for(server.url(), folder.path());
  const TextGroup group{"reference", {"one", "two", "three", "two"}};
  const auto first = judge_family({"green", "chexprompt-errors"}, options)->score(group);
  EXPECT_EQ(server.requests().size(), 6u);
  EXPECT_EQ(server.questions(), 6u);
  const auto second = judge_family({"green", "chexprompt-errors"}, options)->score(group);
  EXPECT_EQ(server.requests().size(), 6u);
  for (size_t h = 0; h < group.hypotheses.size(); ++h) {
    EXPECT_EQ(first[h].values, second[h].values);
    EXPECT_EQ(first[h].details, second[h].details);
    EXPECT_TRUE(first[h].values[0] && first[h].values[1]);
  }
  options.refresh = true;
  (void)judge_family({"green", "chexprompt-errors"}, options)->score(group);
  EXPECT_EQ(server.requests().size(), 12u);
}

TEST(JudgeFamily, servers_at_two_addresses_share_no_answers) {
  TempFolder folder;
  JudgeServer one, two;
  UNIRG_SKIP_WITHOUT_SERVER(one);
  const TextGroup group{"reference", {"hypothesis"}};
  const auto first = judge_family({"green"}, options_for(one.url(), folder.path()))->score(group);
  const auto second =
      judge_family({"green"}, options_for(two.url() + "/", folder.path()))->score(group);
  EXPECT_EQ(one.requests().size(), 1u);
  EXPECT_EQ(two.requests().size(), 1u);
  // What is told does not hang on the address.
  EXPECT_EQ(first[0].details, second[0].details);
  (void)judge_family({"green"}, options_for(two.url(), folder.path()))->score(group);
  EXPECT_EQ(two.requests().size(), 1u);
}

TEST(JudgeFamily, a_text_the_server_refuses_has_no_value_and_is_kept) {
  TempFolder folder;
  JudgeServer server("ok,400");
  UNIRG_SKIP_WITHOUT_SERVER(server);
  JudgeOptions options = options_for(server.url(), folder.path());
  options.concurrency = 1;
  for (int again = 0; again < 2; ++again) {
    const auto scored = judge_family({"green"}, options)->score({"r", {"one", "two", "three"}});
    EXPECT_TRUE(scored[0].values[0] && scored[2].values[0]);
    EXPECT_FALSE(scored[1].values[0]);
    EXPECT_EQ(scored[1].details["judge"]["green"]["reason"],
              "the judge's server refuses the request: 400: this is a 400 of the test");
    EXPECT_EQ(server.requests().size(), 3u);  // not even twice
  }
}

TEST(JudgeFamily, an_early_refusal_is_not_kept) {
  TempFolder folder;
  JudgeServer server("400");
  UNIRG_SKIP_WITHOUT_SERVER(server);
  const JudgeOptions options = options_for(server.url(), folder.path());
  EXPECT_FALSE(judge_family({"green"}, options)->score({"r", {"one"}})[0].values[0]);
  EXPECT_TRUE(judge_family({"green"}, options)->score({"r", {"one"}})[0].values[0]);
}

/// Says one thing, and that it was cut off.
class CutJudge final : public JudgeBackend {
 public:
  CutJudge(std::string reply, std::string finish)
      : reply_(std::move(reply)), finish_(std::move(finish)) {}
  [[nodiscard]] io::Json request(const JudgePrompt& prompt,
                                 const std::vector<JudgeMessage>& messages) const override {
    return {{"prompt", prompt.name}, {"text", messages.back().content}};
  }
  JudgeAnswer ask(const io::Json&) override { return {reply_, finish_, "cut", nullptr, ""}; }
  [[nodiscard]] int64_t concurrency() const override { return 1; }
  [[nodiscard]] bool deterministic() const override { return true; }

 private:
  std::string reply_, finish_;
};

TEST(JudgeFamily, an_answer_that_was_cut_off_counts_only_if_all_was_said) {
  const auto valid = [](const char* metric, const std::string& reply, const char* finish) {
    return judge_family({metric}, options_for("http://h"),
                        std::make_unique<CutJudge>(reply, finish))
        ->score({"r", {"h"}})[0]
        .values[0]
        .has_value();
  };
  const std::string matched_first =
      "[Matched Findings]:\n2. z\n\n[Clinically Significant Errors]:\n(a) x: 1. y";
  EXPECT_TRUE(valid("green", matched_first, "stop"));
  EXPECT_FALSE(valid("green", matched_first, "length"));
  EXPECT_FALSE(valid("green", matched_first, "content_filter"));
  EXPECT_TRUE(valid("green", green_reply(1, 2), "length"));
  EXPECT_TRUE(valid("chexprompt-errors", kChexprompt, "length"));
  EXPECT_FALSE(valid("chexprompt-errors", kChexprompt.substr(0, kChexprompt.size() - 2), "length"));
}

TEST(JudgeFamily, an_error_keeps_what_was_answered_before_it) {
  TempFolder folder;
  JudgeServer server("ok,ok,401");
  UNIRG_SKIP_WITHOUT_SERVER(server);
  JudgeOptions options = options_for(server.url(), folder.path());
  options.concurrency = 1;
  const TextGroup group{"reference", {"one", "two", "three", "four"}};
  EXPECT_THROW((void)judge_family({"green"}, options)->score(group), Error);
  EXPECT_EQ(server.requests().size(), 3u);
  const auto scored = judge_family({"green"}, options)->score(group);
  EXPECT_EQ(server.requests().size(), 5u);  // the third and the fourth
  EXPECT_EQ(server.questions(), 4u);
  for (const Scored& s : scored) EXPECT_TRUE(s.values[0]);
}

TEST(JudgeFamily, equal_questions_of_many_threads_are_asked_once) {
  TempFolder folder;
  JudgeServer server("", "slow:0.2");
  UNIRG_SKIP_WITHOUT_SERVER(server);
  const auto family = judge_family({"green"}, options_for(server.url(), folder.path()));
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 6; ++t)
      threads.emplace_back([&] {
        const auto scored = family->score({"reference", {"one", "two"}});
        EXPECT_TRUE(scored[0].values[0] && scored[1].values[0]);
      });
  }
  EXPECT_EQ(server.requests().size(), 2u);
}

/// Notes how many of the questions that were ever asked are not in the cache's folder.
class CountingJudge final : public JudgeBackend {
 public:
  CountingJudge(std::filesystem::path cache, std::atomic<int64_t>& most)
      : cache_(std::move(cache)), most_(most) {}
  [[nodiscard]] io::Json request(const JudgePrompt& prompt,
                                 const std::vector<JudgeMessage>& messages) const override {
    return {{"prompt", prompt.name}, {"text", messages.back().content}};
  }
  JudgeAnswer ask(const io::Json&) override {
    const std::lock_guard lock(mutex_);
    ++asked_;
    most_ = std::max(most_.load(), asked_ - kept());
    return {green_reply(1, 1), "stop", "counting", nullptr, ""};
  }
  [[nodiscard]] int64_t concurrency() const override { return 2; }
  [[nodiscard]] bool deterministic() const override { return true; }

 private:
  [[nodiscard]] int64_t kept() const {
    int64_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(cache_))
      count += entry.path().extension() == ".json" ? 1 : 0;
    return count;
  }

  std::filesystem::path cache_;
  std::atomic<int64_t>& most_;
  std::mutex mutex_;
  int64_t asked_ = 0;
};

TEST(JudgeFamily, no_more_than_concurrency_answers_are_ever_not_yet_kept) {
  TempFolder folder;
  std::atomic<int64_t> most = 0;
  const auto family = judge_family({"green"}, options_for("http://h", folder.path()),
                                   std::make_unique<CountingJudge>(folder.path(), most));
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&family, t] {
        for (int i = 0; i < 8; ++i)
          (void)family->score({"reference", {"text " + std::to_string(8 * t + i)}});
      });
    }
  }
  EXPECT_GE(most, 1);
  EXPECT_LE(most, 2);
}

TEST(JudgeFamily, wrong_content_and_no_content_are_invalid_after_a_second_try) {
  TempFolder folder;
  JudgeServer server("wrong,wrong,null,null");
  UNIRG_SKIP_WITHOUT_SERVER(server);
  JudgeOptions options = options_for(server.url(), folder.path());
  options.concurrency = 1;
  const auto scored = judge_family({"chexprompt-errors"}, options)->score({"r", {"one", "two"}});
  EXPECT_EQ(server.requests().size(), 4u);
  EXPECT_FALSE(scored[0].values[0]);
  EXPECT_EQ(scored[0].details["judge"]["chexprompt"]["reply"], "I cannot say.");
  EXPECT_FALSE(scored[1].values[0]);
  EXPECT_EQ(scored[1].details["judge"]["chexprompt"]["reply"], "");
}

TEST(JudgeFamily, a_stop_request_ends_score_soon) {
  TempFolder folder;
  JudgeServer server("", "slow:60");
  UNIRG_SKIP_WITHOUT_SERVER(server);
  JudgeOptions options = options_for(server.url(), folder.path());
  options.timeout_s = 60;
  const double begin = steady_seconds();
  options.stopped = [&] { return steady_seconds() > begin + 0.3; };
  try {
    (void)judge_family({"green"}, options)->score({"r", {"1", "2", "3", "4"}});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.exit(), Exit::interrupted);
  }
  EXPECT_LT(steady_seconds() - begin, 3);
}

}  // namespace
}  // namespace unirg::scoring
