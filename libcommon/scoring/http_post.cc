// SPDX-License-Identifier: Apache-2.0
#include "scoring/http_post.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <array>
#include <mutex>
#include <utility>

#include "base/error.h"
#include "scoring/judge_pace.h"

namespace unirg::scoring {
namespace {

constexpr int kPollMs = 50;

struct Body {
  std::string bytes;
  size_t most = 0;
  bool too_large = false;
};

size_t take_bytes(char* data, size_t size, size_t count, void* target) {
  auto& body = *static_cast<Body*>(target);
  const size_t n = size * count;
  if (body.bytes.size() + n > body.most) {
    body.too_large = true;
    return 0;
  }
  body.bytes.append(data, n);
  return n;
}

/// Failures of the network or the server's process, not of the request or the set-up.
bool may_pass(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:  // a handshake cut short; a bad certificate has its own code
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_WRITE_ERROR:  // an answer that is too large
      return true;
    default:
      return false;
  }
}

void check(CURLcode code) {
  if (code != CURLE_OK)
    throw Error(Exit::internal, fmt::format("libcurl: {}", curl_easy_strerror(code)));
}

void check(CURLMcode code) {
  if (code != CURLM_OK)
    throw Error(Exit::internal, fmt::format("libcurl: {}", curl_multi_strerror(code)));
}

/// Frees a handle of libcurl.
template <auto free>
struct Freed {
  void operator()(void* handle) const { (void)free(handle); }
};

/// Frees a header list however post() is left.
struct Headers {
  curl_slist* list = nullptr;
  explicit Headers(const std::vector<std::string>& lines) {
    for (const std::string& line : lines) list = curl_slist_append(list, line.c_str());
  }
  ~Headers() { curl_slist_free_all(list); }
  Headers(const Headers&) = delete;
  Headers& operator=(const Headers&) = delete;
};

}  // namespace

struct HttpConnection::Impl {
  Impl();

  // The easy handle goes first.
  std::unique_ptr<CURLM, Freed<&curl_multi_cleanup>> multi_handle;
  std::unique_ptr<CURL, Freed<&curl_easy_cleanup>> easy_handle;
  CURLM* multi = nullptr;
  CURL* easy = nullptr;

  void set_up(const HttpRequest& request, const Headers& headers, Body& body, char* message) const;
  [[nodiscard]] CURLcode run(const std::function<bool()>& stopped) const;
  void read_answer(HttpAnswer& answer) const;
};

HttpConnection::Impl::Impl() {
  static std::once_flag once;
  std::call_once(once, [] { check(curl_global_init(CURL_GLOBAL_DEFAULT)); });
  multi_handle.reset(multi = curl_multi_init());
  easy_handle.reset(easy = curl_easy_init());
  if (multi == nullptr || easy == nullptr) throw Error(Exit::internal, "libcurl does not start");
}

HttpConnection::HttpConnection() : impl_(std::make_unique<Impl>()) {}
HttpConnection::~HttpConnection() = default;

void HttpConnection::Impl::set_up(const HttpRequest& request, const Headers& headers, Body& body,
                                  char* message) const {
  const auto milliseconds = [](double s) { return static_cast<long>(s * 1000 + 0.5); };
  curl_easy_reset(easy);
  check(curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str()));
  check(curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https"));
  check(curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L));
  check(curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L));
  // A name's look-up runs in a thread of libcurl: leave it behind, so that a stop or a timeout does
  // not wait for a dead name server.
  check(curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L));
  if (request.no_proxy) check(curl_easy_setopt(easy, CURLOPT_NOPROXY, "*"));
  check(curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers.list));
  check(curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.data()));
  check(curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                         static_cast<curl_off_t>(request.body.size())));
  check(curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, milliseconds(request.timeout_s)));
  check(curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(request.connect_s)));
  check(curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L));
  check(curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L));
  check(curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &take_bytes));
  check(curl_easy_setopt(easy, CURLOPT_WRITEDATA, &body));
  check(curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, message));
}

/// The transfer, looked after every kPollMs.
CURLcode HttpConnection::Impl::run(const std::function<bool()>& stopped) const {
  for (;;) {
    check_stopped(stopped);
    int running = 0;
    check(curl_multi_perform(multi, &running));
    if (running > 0) check(curl_multi_poll(multi, nullptr, 0, kPollMs, nullptr));
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
      if (message->msg == CURLMSG_DONE) return message->data.result;
    }
  }
}

void HttpConnection::Impl::read_answer(HttpAnswer& answer) const {
  long status = 0;
  curl_off_t wait = 0;
  const char* location = nullptr;
  check(curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status));
  check(curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &wait));
  check(curl_easy_getinfo(easy, CURLINFO_REDIRECT_URL, &location));
  answer.status = status;
  answer.retry_after = static_cast<double>(wait);
  if (location != nullptr) answer.location = location;
}

HttpAnswer HttpConnection::post(const HttpRequest& request, const std::function<bool()>& stopped) {
  const Headers headers(request.headers);
  Body body{{}, static_cast<size_t>(request.largest_answer)};
  std::array<char, CURL_ERROR_SIZE> message{};
  impl_->set_up(request, headers, body, message.data());
  struct Removal {  // also when a stop request ends the wait
    Impl& impl;
    ~Removal() {
      curl_multi_remove_handle(impl.multi, impl.easy);  // nothing to do if it was not added
      curl_easy_setopt(impl.easy, CURLOPT_ERRORBUFFER, nullptr);
    }
  } const removal{*impl_};
  check(curl_multi_add_handle(impl_->multi, impl_->easy));
  const CURLcode code = impl_->run(stopped);
  HttpAnswer answer;
  if (code == CURLE_OK) {
    impl_->read_answer(answer);
    answer.body = std::move(body.bytes);
    return answer;
  }
  answer.may_pass = may_pass(code);
  answer.failure = body.too_large
                       ? fmt::format("the answer is larger than {} bytes", request.largest_answer)
                   : message[0] != '\0' ? std::string(message.data())
                                        : std::string(curl_easy_strerror(code));
  return answer;
}

}  // namespace unirg::scoring
