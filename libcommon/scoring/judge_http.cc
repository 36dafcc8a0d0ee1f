// SPDX-License-Identifier: Apache-2.0
#include "scoring/judge_http.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <algorithm>
#include <atomic>
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
constexpr size_t kLongestReply = 64 * 1024;
constexpr size_t kLongestName = 200;
constexpr size_t kDeepest = 64;  ///< nesting of a body; a chat completion has about five levels
/// What stands for "no key" ("none", "x", "EMPTY") is a word that replies use, and no secret.
constexpr size_t kShortestSecret = 8;
/// So many refusals before any answer: the set-up is wrong, not a report.
constexpr int64_t kMostRefused = 3;
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

/// Whether a URL's host is this machine: localhost, 127.0.0.0/8 or [::1], as a whole.
bool is_own_host(const std::string& url) {
  std::string host = url.substr(url.find("://") + 3);
  host = host.substr(0, host.find('/'));
  if (host.starts_with('[')) {
    in6_addr address{};
    const std::string inner = host.substr(1, std::min(host.size(), host.find(']')) - 1);
    return ::inet_pton(AF_INET6, inner.c_str(), &address) == 1 && IN6_IS_ADDR_LOOPBACK(&address);
  }
  host = host.substr(0, host.find(':'));
  in_addr address{};
  if (::inet_pton(AF_INET, host.c_str(), &address) == 1)
    return (ntohl(address.s_addr) >> 24) == 127;
  return host == "localhost";
}

/// Whether brackets outside of strings nest deeper than kDeepest: the parser would take them, but
/// hardly anything that walks through them.
bool too_deep(const std::string& json) {
  size_t depth = 0;
  bool quoted = false;
  for (size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (quoted && c == '\\') {
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && (c == '[' || c == '{')) {
      if (++depth > kDeepest) return true;
    } else if (!quoted && (c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return false;
}

/// Discarded for what is no JSON, or too deep.
Json parse_body(const std::string& body) {
  return too_deep(body) ? Json(Json::value_t::discarded) : Json::parse(body, nullptr, false);
}

/// At most `most` bytes, no character cut in two.
std::string shortened(std::string text, size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0U) == 0x80) --most;
  text.resize(most);
  return text;
}

/// What a server says of an error: the usual places in JSON, else the body itself.
std::string server_message(const std::string& body) {
  const Json json = parse_body(body);
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
/// that says nothing; one that is too long is none to be read.
Result<JudgeAnswer> read_completion(const std::string& body) {
  if (too_deep(body)) return bad_record("its body nests too deep");
  const Json json = parse_body(body);
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
  if (answer.text.size() > kLongestReply) {
    answer.problem = fmt::format("the answer is longer than {} bytes", kLongestReply);
    answer.text.clear();
  }
  answer.finish = shortened(text_of(choice, "finish_reason"), kLongestName);
  answer.served = shortened(text_of(json, "model"), kLongestName);
  if (json.contains("usage")) answer.usage = plain_usage(json["usage"]);
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
        own_host(is_own_host(url)),
        key(read_key(options.key_variable)),
        pacer(options.requests_per_minute) {
    idle.reserve(static_cast<size_t>(std::max<int64_t>(options.concurrency, 0)));
  }

  [[nodiscard]] std::unique_ptr<HttpConnection> take();
  void give(std::unique_ptr<HttpConnection> connection);
  [[nodiscard]] HttpAnswer post(const std::string& body);
  [[nodiscard]] Try attempt(const std::string& body);
  [[nodiscard]] Try read(const HttpAnswer& answer);
  [[nodiscard]] Try refusal(const std::string& said);
  [[nodiscard]] std::string without_key(std::string text) const {
    if (key.size() >= kShortestSecret) replace_all(text, key, "[key]");
    return text;
  }

  JudgeHttpOptions options;
  std::string url;
  bool own_host;
  std::string key;
  Pacer pacer;
  std::atomic<bool> answered = false;  ///< whether any request got an answer
  std::atomic<int64_t> refused = 0;    ///< requests refused before that
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
  std::unique_ptr<HttpConnection> connection;
  if (idle.empty()) {
    connection = std::make_unique<HttpConnection>();  // may throw: no place is taken yet
  } else {
    connection = std::move(idle.back());
    idle.pop_back();
  }
  ++in_use;
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
  request.no_proxy = own_host;
  return lease.connection->post(request, options.stopped);
}

/// A request that the server will never take: no value for it, unless none of them is taken.
Try JudgeHttp::Impl::refusal(const std::string& said) {
  JudgeAnswer answer;
  answer.problem = "the judge's server refuses the request: " + said;
  answer.refused = true;
  answer.lasting = answered;
  if (!answered && ++refused >= kMostRefused)
    return {{},
            fmt::format("'{}' answers {} (the first {} requests were all refused)", url, said,
                        kMostRefused)};
  return {std::move(answer)};
}

/// What an answer means.
Try JudgeHttp::Impl::read(const HttpAnswer& answer) {
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
    const std::string said =
        fmt::format("{}: {}", answer.status, printable(without_key(server_message(answer.body))));
    if (answer.status == 400 || answer.status == 413 || answer.status == 422) return refusal(said);
    const bool again = answer.status == 408 || answer.status == 429 || answer.status >= 500;
    const bool paused = again && answer.status != 408;
    return {{}, fmt::format("'{}' answers {}", url, said), again, paused ? answer.retry_after : 0};
  }
  Result<JudgeAnswer> read = read_completion(answer.body);
  if (!read)
    return {{},
            fmt::format("'{}' answers {}, but {}", url, answer.status, read.error().reason),
            /*again=*/true};
  answered = true;
  for (std::string* text : {&read->text, &read->finish, &read->served})
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
  if (!impl_->key.empty() && impl_->url.starts_with("http://") && !impl_->own_host &&
      impl_->options.warn)
    impl_->options.warn(fmt::format("'{}' is not https: the key of '{}' is sent in clear text",
                                    impl_->url, impl_->options.key_variable));
}

JudgeHttp::~JudgeHttp() = default;

int64_t JudgeHttp::concurrency() const { return impl_->options.concurrency; }

std::string JudgeHttp::place() const { return impl_->url; }

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
