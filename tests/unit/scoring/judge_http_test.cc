// The HTTP judge against a server that fails on purpose. SPDX-License-Identifier: Apache-2.0
#include "scoring/judge_http.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <thread>

#include "base/error.h"
#include "base/hash.h"
#include "judge_server.h"
#include "scoring/judge_pace.h"

namespace unirg::scoring {
namespace {

using testing::JudgeServer;

const std::string kKey = "sk-secret-0123456789";

/// Sets the key's variable for one test.
struct KeyInEnvironment {
  explicit KeyInEnvironment(const std::string& key = kKey) {
    ::setenv("UNIRG_JUDGE_KEY", key.c_str(), 1);
  }
  ~KeyInEnvironment() { ::unsetenv("UNIRG_JUDGE_KEY"); }
};

JudgeHttpOptions quick(const std::string& url) {
  JudgeHttpOptions options;
  options.url = url;
  options.model = "m";
  options.first_wait_s = 0.01;
  options.timeout_s = 20;
  options.retries = 3;
  return options;
}

JudgePrompt tiny_prompt() {
  JudgePrompt prompt;
  prompt.generation = {0.0, 0.9, 128, 0};
  return prompt;
}

io::Json request_of(const JudgeHttp& judge, const std::string& text) {
  return judge.request(tiny_prompt(), {{"user", text}});
}

/// What ask() throws, and its exit status in `exit`.
std::string failure(JudgeHttp& judge, Exit expected = Exit::unavailable) {
  try {
    (void)judge.ask(request_of(judge, "x"));
    return "";
  } catch (const Error& e) {
    EXPECT_EQ(e.exit(), expected) << e.what();
    return e.what();
  }
}

TEST(JudgeHttp, sends_the_request_and_reads_the_answer) {
  const KeyInEnvironment key;
  JudgeServer server;
  UNIRG_SKIP_WITHOUT_SERVER(server);
  JudgeHttp judge(quick(server.url() + "/"));
  const io::Json request = request_of(judge, "a \"b\"");
  EXPECT_EQ(request.dump(),
            R"({"model":"m","messages":[{"role":"user","content":"a \"b\""}],"temperature":0.0,)"
            R"("top_p":0.9,"max_tokens":128,"seed":0})");
  const JudgeAnswer answer = judge.ask(request);
  EXPECT_EQ(answer.served, "served-m");
  EXPECT_EQ(answer.finish, "stop");
  EXPECT_EQ(answer.usage["total_tokens"], 15);
  EXPECT_NE(answer.text.find("[Matched Findings]:"), std::string::npos);
  const auto log = server.requests();
  ASSERT_EQ(log.size(), 1u);
  EXPECT_EQ(log[0]["path"], "/v1/chat/completions");
  EXPECT_EQ(log[0]["sha256"], sha256_hex(request.dump()));
  EXPECT_EQ(log[0]["key_sha256"], sha256_hex("Bearer " + kKey));
}

TEST(JudgeHttp, takes_a_url_that_ends_in_v1_and_no_key) {
  JudgeServer server;
  UNIRG_SKIP_WITHOUT_SERVER(server);
  JudgeHttp judge(quick(server.url() + "/base/v1"));
  (void)judge.ask(request_of(judge, "x"));
  EXPECT_EQ(server.requests()[0]["path"], "/base/v1/chat/completions");
  EXPECT_EQ(server.requests()[0]["key_sha256"], "");
}

TEST(JudgeHttp, what_may_pass_is_tried_again) {
  for (const char* fault :
       {"429", "500", "503", "408", "cut", "short", "not-json", "schema", "list", "huge"}) {
    JudgeServer server(fault);
    UNIRG_SKIP_WITHOUT_SERVER(server);
    JudgeHttp judge(quick(server.url()));
    EXPECT_NE(judge.ask(request_of(judge, "x")).text, "") << fault;
    EXPECT_EQ(server.requests().size(), 2u) << fault;
    EXPECT_EQ(server.questions(), 1u) << fault;
  }
}

TEST(JudgeHttp, gives_up_after_the_retries_and_says_why) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"500", " answers 500: this is a 500 of the test (given up after 4 tries)"},
      {"cut", "(given up after 4 tries)"},
      {"short", "(given up after 4 tries)"},
      {"not-json", " answers 200, but its body is not valid JSON (given up after 4 tries)"},
      {"schema", " answers 200, but its body has no 'choices' (given up after 4 tries)"},
      {"huge", "': the answer is larger than 4194304 bytes (given up after 4 tries)"}};
  for (const auto& [fault, message] : cases) {
    JudgeServer server("", fault);
    UNIRG_SKIP_WITHOUT_SERVER(server);
    JudgeHttp judge(quick(server.url()));
    const std::string said = failure(judge);
    EXPECT_TRUE(said.starts_with("judge '" + server.url() + "/v1/chat/completions'")) << said;
    EXPECT_NE(said.find(message), std::string::npos) << said;
    EXPECT_EQ(server.requests().size(), 4u) << fault;
  }
}

TEST(JudgeHttp, other_client_errors_are_final) {
  for (const char* fault : {"401", "403", "404", "405"}) {
    JudgeServer server("", fault);
    UNIRG_SKIP_WITHOUT_SERVER(server);
    JudgeHttp judge(quick(server.url()));
    const std::string said = failure(judge);
    EXPECT_NE(said.find(std::string(" answers ") + fault + ": this is a " + fault),
              std::string::npos)
        << said;
    EXPECT_EQ(server.requests().size(), 1u) << fault;
  }
}

TEST(JudgeHttp, a_request_the_server_refuses_is_a_problem_of_its_own) {
  JudgeServer server("ok,400,413,422,422,400");
  UNIRG_SKIP_WITHOUT_SERVER(server);
  JudgeHttp judge(quick(server.url()));
  (void)judge.ask(request_of(judge, "x"));
  for (const char* fault : {"400", "413", "422", "422", "400"}) {
    const JudgeAnswer answer = judge.ask(request_of(judge, "x"));
    EXPECT_EQ(answer.problem, std::string("the judge's server refuses the request: ") + fault +
                                  ": this is a " + fault + " of the test");
    EXPECT_EQ(answer.text, "");
    EXPECT_TRUE(answer.refused && answer.lasting);
  }
  EXPECT_NE(judge.ask(request_of(judge, "x")).text, "");
  EXPECT_EQ(server.requests().size(), 7u);
}

TEST(JudgeHttp, a_server_that_refuses_all_ends_the_run) {
  JudgeServer server("", "400");
  UNIRG_SKIP_WITHOUT_SERVER(server);
  JudgeHttp judge(quick(server.url()));
  for (int i = 0; i < 2; ++i) {
    const JudgeAnswer answer = judge.ask(request_of(judge, "x"));
    EXPECT_NE(answer.problem, "");
    EXPECT_FALSE(answer.lasting);  // it may be the set-up
  }
  const std::string said = failure(judge);
  EXPECT_NE(said.find("answers 400: this is a 400"), std::string::npos) << said;
  EXPECT_NE(said.find("(the first 3 requests were all refused)"), std::string::npos) << said;
  EXPECT_EQ(server.requests().size(), 3u);
}

TEST(JudgeHttp, of_usage_only_numbers_are_kept_however_deep_the_rest_is) {
  JudgeServer server("deep,usage");
  UNIRG_SKIP_WITHOUT_SERVER(server);
  JudgeHttp judge(quick(server.url()));
  const JudgeAnswer answer = judge.ask(request_of(judge, "x"));  // the first body is no answer
  EXPECT_EQ(answer.usage.dump(), R"({"total_tokens":7})");
  EXPECT_EQ(server.requests().size(), 2u);
  JudgeServer stays("", "deep");
  JudgeHttp other(quick(stays.url()));
  EXPECT_NE(failure(other).find("but its body nests too deep (given up"), std::string::npos);
}

TEST(JudgeHttp, a_reply_without_bounds_is_a_problem) {
  JudgeServer server("long");
  UNIRG_SKIP_WITHOUT_SERVER(server);
  JudgeHttp judge(quick(server.url()));
  const JudgeAnswer answer = judge.ask(request_of(judge, "x"));
  EXPECT_EQ(answer.problem, "the answer is longer than 65536 bytes");
  EXPECT_EQ(answer.text, "");
  EXPECT_FALSE(answer.refused);
  EXPECT_EQ(answer.served, "served-" + std::string(192, 'n'));  // 199 bytes: no half character
}

TEST(JudgeHttp, a_handshake_that_fails_is_tried_again) {
  JudgeServer server;
  UNIRG_SKIP_WITHOUT_SERVER(server);
  JudgeHttpOptions options = quick(server.url("https"));  // it speaks no TLS
  options.retries = 1;
  JudgeHttp judge(std::move(options));
  const std::string said = failure(judge);
  EXPECT_NE(said.find("(given up after 2 tries)"), std::string::npos) << said;
}

TEST(JudgeHttp, hosts_of_ones_own_need_no_proxy) {
  JudgeServer server;
  UNIRG_SKIP_WITHOUT_SERVER(server);
  ::setenv("http_proxy", "http://127.0.0.1:1", 1);
  JudgeHttpOptions options = quick(server.url());
  options.retries = 0;
  JudgeHttp judge(std::move(options));
  std::string said;
  try {
    said = judge.ask(request_of(judge, "x")).text;
  } catch (const Error&) {
  }
  ::unsetenv("http_proxy");
  EXPECT_NE(said, "");
}

TEST(JudgeHttp, a_server_that_is_not_there_is_unavailable) {
  std::string url;
  {
    const JudgeServer gone;
    UNIRG_SKIP_WITHOUT_SERVER(gone);
    url = gone.url();
  }
  JudgeHttpOptions options = quick(url);
  options.retries = 0;
  JudgeHttp judge(std::move(options));
  EXPECT_NE(failure(judge).find("(given up after 1 try)"), std::string::npos);
}

TEST(JudgeHttp, waits_as_long_as_it_is_asked_to) {
  for (const char* fault : {"429:1", "503:1", "429-date:2"}) {
    JudgeServer server(fault);
    UNIRG_SKIP_WITHOUT_SERVER(server);
    JudgeHttp judge(quick(server.url()));
    (void)judge.ask(request_of(judge, "x"));
    const auto log = server.requests();
    ASSERT_EQ(log.size(), 2u);
    EXPECT_GE(log[1]["seconds"].get<double>() - log[0]["seconds"].get<double>(), 0.95) << fault;
  }
}

TEST(JudgeHttp, a_pause_longer_than_we_wait_is_final) {
  JudgeServer server("429:4000");
  UNIRG_SKIP_WITHOUT_SERVER(server);
  JudgeHttp judge(quick(server.url()));
  EXPECT_NE(failure(judge).find("(it asks to wait 4000 s)"), std::string::npos);
  EXPECT_EQ(server.requests().size(), 1u);
}

TEST(JudgeHttp, a_slow_answer_is_a_timeout) {
  JudgeServer server("slow:30");
  UNIRG_SKIP_WITHOUT_SERVER(server);
  JudgeHttpOptions options = quick(server.url());
  options.timeout_s = 0.5;
  JudgeHttp judge(std::move(options));
  EXPECT_NE(judge.ask(request_of(judge, "x")).text, "");
  EXPECT_EQ(server.requests().size(), 2u);
}

TEST(JudgeHttp, redirects_are_not_followed) {
  const KeyInEnvironment key;
  JudgeServer server("", "redirect");
  UNIRG_SKIP_WITHOUT_SERVER(server);
  JudgeHttp judge(quick(server.url()));
  EXPECT_NE(failure(judge).find("answers 302: redirected to '" + server.url() + "/elsewhere'"),
            std::string::npos);
  EXPECT_EQ(server.requests().size(), 1u);
}

TEST(JudgeHttp, the_key_is_in_nothing_that_leaves) {
  const KeyInEnvironment key;
  JudgeServer server("echo-key,echo-ok");
  UNIRG_SKIP_WITHOUT_SERVER(server);
  JudgeHttp judge(quick(server.url()));
  const std::string said = failure(judge);
  EXPECT_NE(said.find("401: bad key: Bearer [key]"), std::string::npos) << said;
  EXPECT_EQ(said.find(kKey), std::string::npos);
  const JudgeAnswer answer = judge.ask(request_of(judge, "x"));
  EXPECT_NE(answer.text.find("Bearer [key]"), std::string::npos);
  EXPECT_EQ(request_of(judge, "x").dump().find(kKey), std::string::npos);
}

TEST(JudgeHttp, a_placeholder_for_a_key_changes_no_reply) {
  for (const char* word : {"none", "x", "content", "finding"}) {
    const KeyInEnvironment key(word);
    JudgeServer server;
    UNIRG_SKIP_WITHOUT_SERVER(server);
    JudgeHttp judge(quick(server.url()));
    const JudgeAnswer answer = judge.ask(request_of(judge, "x"));
    EXPECT_EQ(answer.text.find("[key]"), std::string::npos) << answer.text;
    EXPECT_NE(answer.text.find("[Matched Findings]:"), std::string::npos);
  }
}

TEST(JudgeHttp, a_key_that_is_a_name_in_the_body_is_cut_out_of_what_is_kept_only) {
  const KeyInEnvironment key("prompt_tokens");
  JudgeServer server;
  UNIRG_SKIP_WITHOUT_SERVER(server);
  JudgeHttp judge(quick(server.url()));
  EXPECT_EQ(judge.ask(request_of(judge, "x")).usage["prompt_tokens"], 10);
}

TEST(JudgeHttp, a_key_in_clear_text_to_another_host_is_warned_of) {
  const KeyInEnvironment key;
  std::vector<std::string> warnings;
  for (const char* url : {"http://judge.example", "https://judge.example", "http://localhost:1",
                          "http://127.8.0.1/v1", "http://[::1]:80", "http://localhost.evil.example",
                          "http://127.evil.example:1", "http://[::12]", "http://128.0.0.1"}) {
    JudgeHttpOptions options = quick(url);
    options.warn = [&](const std::string& text) { warnings.push_back(text); };
    const JudgeHttp judge(std::move(options));
  }
  std::string all;
  for (const std::string& warning : warnings) all += warning + "\n";
  EXPECT_EQ(warnings.size(), 5u) << all;
  for (const char* host : {"judge.example", "localhost.evil.", "127.evil.", "[::12]", "128.0.0.1"})
    EXPECT_NE(all.find(host), std::string::npos) << host;
  EXPECT_EQ(all.find(kKey), std::string::npos);
}

TEST(JudgeHttp, what_is_missing_or_no_address_is_named) {
  const auto refusal = [](const std::string& url, const std::string& model,
                          const std::string& variable = "UNIRG_JUDGE_KEY") {
    JudgeHttpOptions options = quick(url);
    options.model = model;
    options.key_variable = variable;
    try {
      const JudgeHttp judge(std::move(options));
      return std::string();
    } catch (const Error& e) {
      EXPECT_EQ(e.exit(), Exit::config);
      return std::string(e.what());
    }
  };
  EXPECT_EQ(refusal("http://h:1", "m"), "");
  EXPECT_TRUE(refusal("", "m").starts_with("--judge-url is not set"));
  EXPECT_TRUE(refusal("http://h", "").starts_with("--judge-model is not set"));
  for (const char* url : {"h:1", "ftp://h", "file:///etc/passwd", "http://u:p@h", "http://h?k=1",
                          "http:// h", "http://"})
    EXPECT_TRUE(refusal(url, "m").starts_with("--judge-url: ")) << url;
  EXPECT_EQ(refusal("http://u:secret@h", "m").find("secret"), std::string::npos);
  EXPECT_NE(refusal("http://h", "m", "UNIRG_NO_SUCH_KEY").find("'UNIRG_NO_SUCH_KEY'"),
            std::string::npos);
  const KeyInEnvironment key("sk-a\r\nX-Evil: 1");
  EXPECT_NE(refusal("http://h", "m").find("'UNIRG_JUDGE_KEY' holds no key"), std::string::npos);
  EXPECT_EQ(refusal("http://h", "m").find("sk-a"), std::string::npos);
}

TEST(JudgeHttp, no_more_requests_at_once_than_allowed) {
  JudgeServer server("", "slow:0.3");
  UNIRG_SKIP_WITHOUT_SERVER(server);
  JudgeHttpOptions options = quick(server.url());
  options.concurrency = 3;
  JudgeHttp judge(std::move(options));
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 9; ++t)
      threads.emplace_back([&, t] { (void)judge.ask(request_of(judge, std::to_string(t))); });
  }
  int64_t most = 0;
  for (const io::Json& r : server.requests()) most = std::max(most, r["at_once"].get<int64_t>());
  EXPECT_EQ(server.requests().size(), 9u);
  EXPECT_LE(most, 3);
  EXPECT_GE(most, 2);
}

TEST(JudgeHttp, keeps_to_the_rate) {
  JudgeServer server;
  UNIRG_SKIP_WITHOUT_SERVER(server);
  JudgeHttpOptions options = quick(server.url());
  options.requests_per_minute = 300;  // one in 0.2 s
  JudgeHttp judge(std::move(options));
  for (int i = 0; i < 4; ++i) (void)judge.ask(request_of(judge, "x"));
  const auto log = server.requests();
  EXPECT_GE(log[3]["seconds"].get<double>() - log[0]["seconds"].get<double>(), 0.55);
}

TEST(JudgeHttp, a_stop_request_ends_every_wait) {
  for (const char* fault : {"slow:60", "429:60"}) {
    JudgeServer server("", fault);
    UNIRG_SKIP_WITHOUT_SERVER(server);
    const double begin = steady_seconds();
    JudgeHttpOptions options = quick(server.url());
    options.timeout_s = 60;
    options.stopped = [&] { return steady_seconds() > begin + 0.3; };
    JudgeHttp judge(std::move(options));
    (void)failure(judge, Exit::interrupted);
    EXPECT_LT(steady_seconds() - begin, 3) << fault;
  }
}

TEST(JudgeHttp, a_certificate_nobody_vouches_for_is_refused) {
  testing::TempFolder folder;
  const std::string cert = (folder.path() / "cert.pem").string();
  const std::string secret = (folder.path() / "key.pem").string();
  const std::string command =
      "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -keyout '" + secret +
      "' -out '" + cert + "' 2>/dev/null";
  if (std::system(command.c_str()) != 0) GTEST_SKIP() << "needs openssl(1)";
  JudgeServer server("", "ok", {"--tls", cert, secret});
  UNIRG_SKIP_WITHOUT_SERVER(server);
  JudgeHttp judge(quick(server.url("https")));
  const std::string said = failure(judge);
  EXPECT_NE(said.find("certificate"), std::string::npos) << said;
  EXPECT_EQ(said.find("given up"), std::string::npos) << said;  // final, not tried again
  EXPECT_TRUE(server.requests().empty());
}

}  // namespace
}  // namespace unirg::scoring
