// SPDX-License-Identifier: Apache-2.0
#include "scoring/judge_http.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <utility>

#include "base/error.h"
#include "base/hash.h"
#include "base/version.h"
#include "scoring/http_post.h"
#include "scoring/judge_pace.h"

namespace unirg::scoring {
namespace {

using io::Json;

constexpr size_t kLongestMessage = 300;
const std::string kDefaultVariable = JudgeHttpOptions{}.key_variable;

/// {url}/v1/chat/completions.
std::string endpoint(std::string url) {
  const auto bad = [&](const char* why, const char* hint) {
    return Error(Exit::config, fmt::format("--judge-url: {} (hint: {})", why, hint));
  };
  if (url.empty())
    throw Error(Exit::config,
                "--judge-url is not set (hint: the server's address, e.g. http://localhost:8000)");
  const size_t scheme = url.find("://");
  if (scheme == std::string::npos ||
      (url.substr(0, scheme) != "http" && url.substr(0, scheme) != "https"))
    throw bad("no http:// or https:// address", "e.g. http://localhost:8000");
  // The URL stands in messages and run records, where no secret may go.
  if (url.find_first_of("@?#") != std::string::npos)
    throw bad("an address with a user name, a query or a fragment",
              "the key comes from the environment, see --judge-key-variable");
  if (std::any_of(url.begin(), url.end(), [](unsigned char c) { return c <= ' ' || c == 0x7f; }))
    throw bad("white space in the address", "e.g. http://localhost:8000");
  while (url.ends_with('/')) url.pop_back();
  if (url.size() <= scheme + 2)
    throw bad("an address without a host", "e.g. http://localhost:8000");
  return url + (url.ends_with("/v1") ? "/chat/completions" : "/v1/chat/completions");
}

/// The key, or "": servers of one's own often want none.
std::string read_key(const std::string& variable) {
  const char* value = variable.empty() ? nullptr : std::getenv(variable.c_str());
  if (value == nullptr || *value == '\0') {
    if (variable.empty() || variable == kDefaultVariable) return "";
    throw Error(Exit::config, fmt::format("environment variable '{}' (--judge-key-variable) is not "
                                          "set",
                                          variable));
  }
  const std::string key = value;
  if (std::any_of(key.begin(), key.end(), [](unsigned char c) { return c <= ' ' || c >= 0x7f; }))
    throw Error(Exit::config,
                fmt::format("environment variable '{}' holds no key: it has white space or control "
                            "characters in it",
                            variable));
  return key;
}

bool is_own_host(const std::string& url) {
  const std::string host = url.substr(url.find("://") + 3);
  return host.starts_with("localhost") || host.starts_with("127.") || host.starts_with("[::1]");
}

/// What a server says of an error: the usual places in JSON, else the body itself.
std::string server_message(const std::string& body) {
  const Json json = Json::parse(body, nullptr, false);
  if (json.is_object()) {
    const Json& error = json.contains("error") ? json["error"] : json;
    if (error.is_string()) return error.get<std::string>();
    for (const char* key : {"message", "detail"}) {
      if (error.is_object() && error.contains(key) && error[key].is_string())
        return error[key].get<std::string>();
    }
  }
  return body;
}

/// One printable line of limited length.
std::string printable(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < ' ' || c >= 0x7f; }, ' ');
  if (text.size() > kLongestMessage) text = text.substr(0, kLongestMessage) + "...";
  return text;
}

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

std::string text_of(const Json& object, const char* key) {
  return object.contains(key) && object[key].is_string() ? object[key].get<std::string>() : "";
}

/// The body of a chat completion. An answer without content (a refusal, a call of a tool) is one
/// that says nothing.
Result<JudgeAnswer> read_completion(const std::string& body) {
  const Json json = Json::parse(body, nullptr, false);
  if (json.is_discarded()) return bad_record("its body is not valid JSON");
  if (!json.is_object() || !json.contains("choices") || !json["choices"].is_array() ||
      json["choices"].empty())
    return bad_record("its body has no 'choices'");
  const Json& choice = json["choices"][0];
  if (!choice.is_object() || !choice.contains("message") || !choice["message"].is_object())
    return bad_record("its body has no 'choices[0].message'");
  const Json& message = choice["message"];
  JudgeAnswer answer;
  if (message.contains("content") && message["content"].is_string()) {
    answer.text = message["content"].get<std::string>();
  } else if (message.contains("content") && !message["content"].is_null()) {
    return bad_record("'choices[0].message.content' is no text");
  } else {
    answer.text = text_of(message, "refusal");
  }
  answer.finish = text_of(choice, "finish_reason");
  answer.served = text_of(json, "model");
  if (json.contains("usage") && json["usage"].is_object()) answer.usage = json["usage"];
  return answer;
}

/// Outcome of one try: an answer, or what went wrong.
struct Try {
  std::optional<JudgeAnswer> answer;
  std::string trouble = {};
  bool again = false;  ///< whether another try may help
  double pause = 0;    ///< what the server asks to wait
};

}  // namespace

struct JudgeHttp::Impl {
  explicit Impl(JudgeHttpOptions o)
      : options(std::move(o)),
        url(endpoint(options.url)),
        key(read_key(options.key_variable)),
        pacer(options.requests_per_minute) {}

  [[nodiscard]] std::unique_ptr<HttpConnection> take();
  void give(std::unique_ptr<HttpConnection> connection);
  [[nodiscard]] HttpAnswer post(const std::string& body);
  [[nodiscard]] Try attempt(const std::string& body);
  [[nodiscard]] Try read(const HttpAnswer& answer) const;
  [[nodiscard]] std::string without_key(std::string text) const {
    if (!key.empty()) replace_all(text, key, "[key]");
    return text;
  }

  JudgeHttpOptions options;
  std::string url;
  std::string key;
  Pacer pacer;
  std::mutex mutex;
  std::condition_variable freed;
  std::vector<std::unique_ptr<HttpConnection>> idle;
  int64_t in_use = 0;
};

/// A connection, when one of the `concurrency` is free.
std::unique_ptr<HttpConnection> JudgeHttp::Impl::take() {
  std::unique_lock lock(mutex);
  while (in_use >= options.concurrency) {
    freed.wait_for(lock, std::chrono::milliseconds(50));
    check_stopped(options.stopped);
  }
  ++in_use;
  if (idle.empty()) return std::make_unique<HttpConnection>();
  auto connection = std::move(idle.back());
  idle.pop_back();
  return connection;
}

void JudgeHttp::Impl::give(std::unique_ptr<HttpConnection> connection) {
  const std::lock_guard lock(mutex);
  --in_use;
  if (connection) idle.push_back(std::move(connection));
  freed.notify_one();
}

HttpAnswer JudgeHttp::Impl::post(const std::string& body) {
  struct Lease {
    Impl& impl;
    std::unique_ptr<HttpConnection> connection;
    ~Lease() { impl.give(std::move(connection)); }
  } const lease{*this, take()};
  wait_until(pacer.reserve(steady_seconds()), options.stopped);
  while (pacer.held() > steady_seconds()) wait_until(pacer.held(), options.stopped);
  HttpRequest request{url,
                      {"Content-Type: application/json", "Accept: application/json",
                       "Expect:", fmt::format("User-Agent: unirg/{}", build_info().version)},
                      body};
  if (!key.empty()) request.headers.push_back("Authorization: Bearer " + key);
  request.timeout_s = options.timeout_s;
  request.connect_s = std::min(options.timeout_s, 10.0);
  request.largest_answer = options.largest_answer;
  return lease.connection->post(request, options.stopped);
}

/// What an answer means.
Try JudgeHttp::Impl::read(const HttpAnswer& answer) const {
  if (answer.status == 0)
    return {
        {}, fmt::format("'{}': {}", url, printable(without_key(answer.failure))), answer.may_pass};
  if (answer.status >= 300 && answer.status < 400) {
    return {{},
            fmt::format("'{}' answers {}: redirected to '{}', which is not followed (hint: name "
                        "the final address)",
                        url, answer.status, printable(without_key(answer.location)))};
  }
  if (answer.status < 200 || answer.status >= 300) {
    const bool again = answer.status == 408 || answer.status == 429 || answer.status >= 500;
    const bool paused = again && answer.status != 408;
    return {{},
            fmt::format("'{}' answers {}: {}", url, answer.status,
                        printable(without_key(server_message(answer.body)))),
            again,
            paused ? answer.retry_after : 0};
  }
  Result<JudgeAnswer> read = read_completion(without_key(answer.body));
  if (!read)
    return {{},
            fmt::format("'{}' answers {}, but {}", url, answer.status, read.error().reason),
            /*again=*/true};
  for (std::string* text : {&read->text, &read->finish, &read->served})  // it may come escaped
    *text = without_key(std::move(*text));
  return {std::move(*read)};
}

Try JudgeHttp::Impl::attempt(const std::string& body) {
  Try result = read(post(body));
  if (result.pause > options.longest_pause_s) {
    result.again = false;
    result.trouble += fmt::format(" (it asks to wait {} s)", result.pause);
  } else if (result.pause > 0) {
    pacer.hold(steady_seconds() + result.pause);
  }
  return result;
}

JudgeHttp::JudgeHttp(JudgeHttpOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {
  if (impl_->options.model.empty())
    throw Error(Exit::config, "--judge-model is not set (hint: the name the server knows it by)");
  UNIRG_ASSERT(impl_->options.concurrency > 0 && impl_->options.timeout_s > 0, "a usable bound");
  if (!impl_->key.empty() && impl_->url.starts_with("http://") && !is_own_host(impl_->url) &&
      impl_->options.warn)
    impl_->options.warn(fmt::format("'{}' is not https: the key of '{}' is sent in clear text",
                                    impl_->url, impl_->options.key_variable));
}

JudgeHttp::~JudgeHttp() = default;

int64_t JudgeHttp::concurrency() const { return impl_->options.concurrency; }

Json JudgeHttp::request(const JudgePrompt& prompt,
                        const std::vector<JudgeMessage>& messages) const {
  Json list = Json::array();
  for (const JudgeMessage& message : messages)
    list.push_back({{"role", message.role}, {"content", message.content}});
  Json body = {{"model", impl_->options.model}, {"messages", std::move(list)}};
  const JudgeGeneration& g = prompt.generation;
  if (g.temperature) body["temperature"] = *g.temperature;
  if (g.top_p) body["top_p"] = *g.top_p;
  if (g.max_tokens) body["max_tokens"] = *g.max_tokens;
  if (g.seed) body["seed"] = *g.seed;
  return body;
}

JudgeAnswer JudgeHttp::ask(const Json& request) {
  const std::string body = request.dump(-1, ' ', false, Json::error_handler_t::replace);
  const std::string name = sha256_hex(body);
  for (int64_t tried = 0;; ++tried) {
    Try result = impl_->attempt(body);
    if (result.answer) return std::move(*result.answer);
    if (!result.again) throw Error(Exit::unavailable, "judge " + result.trouble);
    if (tried == impl_->options.retries) {
      throw Error(Exit::unavailable, fmt::format("judge {} (given up after {} {})", result.trouble,
                                                 tried + 1, tried == 0 ? "try" : "tries"));
    }
    const double wait = retry_wait(name, tried, impl_->options.first_wait_s);
    wait_until(steady_seconds() + std::max(wait, result.pause), impl_->options.stopped);
  }
}

}  // namespace unirg::scoring
