// One POST over libcurl that can be stopped at any moment. Internal to judge_http.cc: no other
// header may include it. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace unirg::scoring {

struct HttpRequest {
  std::string url;
  std::vector<std::string> headers;  ///< "Name: value"
  std::string body;
  double timeout_s = 120;  ///< whole exchange
  double connect_s = 10;
  int64_t largest_answer = 4 << 20;  ///< bytes of the body
  bool no_proxy = false;             ///< goes straight there, whatever the environment says
};

struct HttpAnswer {
  int64_t status = 0;  ///< 0: there is no answer, see `failure`
  std::string body;
  std::string location;    ///< where a 3xx points to
  double retry_after = 0;  ///< seconds, from Retry-After in either form; 0: not said
  std::string failure;     ///< why there is no whole answer; "" if there is one
  bool may_pass = false;   ///< whether the failure is one that another try may not meet
};

/// A connection that is kept open between requests. One thread at a time.
class HttpConnection {
 public:
  HttpConnection();
  ~HttpConnection();
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  /// Follows no redirect, checks certificates, obeys http_proxy and its kin unless told not to.
  /// \throws Error(Exit::interrupted) at most 0.1 s after `stopped` says true
  HttpAnswer post(const HttpRequest& request, const std::function<bool()>& stopped);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace unirg::scoring
