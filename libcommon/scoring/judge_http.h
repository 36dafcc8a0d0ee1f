// A judge behind an OpenAI-compatible server: POST {url}/v1/chat/completions. libcurl stays in the
// source. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "scoring/judge_prompt.h"

namespace unirg::scoring {

struct JudgeHttpOptions {
  std::string url;    ///< http(s)://host[:port][/path], with or without the "/v1" at its end
  std::string model;  ///< as the server names it
  std::string key_variable = "UNIRG_JUDGE_KEY";  ///< environment variable that holds the key
  int64_t concurrency = 8;                       ///< requests under way at once, over all threads
  double timeout_s = 120;                        ///< of one try, the whole answer included
  int64_t retries = 5;                           ///< tries after the first
  double requests_per_minute = 0;                ///< 0: no limit; tries after the first count too
  double first_wait_s = 0.5;                     ///< before the second try; doubles each time
  double longest_pause_s = 600;      ///< a server that asks for a longer one is given up
  int64_t largest_answer = 4 << 20;  ///< bytes
  std::function<bool()> stopped;
  std::function<void(const std::string&)> warn;
};

/// What is tried again: no connection, a cut one, a timeout, 408, 429 (Retry-After is waited for,
/// by all requests), 5xx, and a 2xx whose body is no chat completion. 400, 413 and 422 are the
/// request's fault: its answer is a `problem` (kept once the server has answered anything; the
/// third such before any answer is final). Everything else is final. A reply of more than 64 kB is
/// a `problem`, names are cut at 200 bytes. Redirects are not followed, so the key goes to no other
/// host; certificates are checked; hosts of one's own (localhost, 127.0.0.0/8, [::1]) are reached
/// without a proxy; the key is in no request() and, if it has 8 bytes or more (shorter ones are
/// placeholders, and words of replies), is cut out of whatever a server repeats of it.
class JudgeHttp final : public JudgeBackend {
 public:
  /// Reads the key from the environment; sends nothing.
  /// \throws Error(Exit::config): no model, a URL that is not http(s) or holds a name, a password
  /// or a query, a key that is no line of text, a named variable (not the default one) that is not
  /// set
  explicit JudgeHttp(JudgeHttpOptions options);
  ~JudgeHttp() override;

  /// {"model", "messages", "temperature", "top_p", "max_tokens", "seed"}: the body that is sent.
  [[nodiscard]] io::Json request(const JudgePrompt& prompt,
                                 const std::vector<JudgeMessage>& messages) const override;
  /// \throws Error(Exit::unavailable) naming URL, status and the server's message
  JudgeAnswer ask(const io::Json& request) override;
  [[nodiscard]] int64_t concurrency() const override;
  [[nodiscard]] bool deterministic() const override { return false; }
  /// The address requests go to: {url}/v1/chat/completions, port and all.
  [[nodiscard]] std::string place() const override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace unirg::scoring
