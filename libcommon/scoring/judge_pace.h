// When a request may start: the rate asked for, the pauses a server asks for, and the growing waits
// between tries. Times are seconds of any one clock. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>

namespace unirg::scoring {

/// Spaces the starts of requests evenly. Thread-safe.
class Pacer {
 public:
  /// \param per_minute starts a minute; 0: as they come
  explicit Pacer(double per_minute) : gap_(per_minute > 0 ? 60 / per_minute : 0) {}

  /// Takes the next free start. \returns its time, at least `now`
  double reserve(double now);
  /// No start before `time`. Starts already taken stay; their owners ask held() before they go.
  void hold(double time);
  [[nodiscard]] double held() const;

 private:
  double gap_;
  mutable std::mutex mutex_;
  double next_ = 0;
  double held_ = 0;
};

/// Seconds before try `attempt` + 2 (attempt 0: after the first): base * 2^attempt, at most
/// `longest`, shortened by up to a half so that many clients do not come back together. The share
/// is drawn from (request, attempt), so a run repeats its waits.
double retry_wait(const std::string& request, int64_t attempt, double base, double longest = 60);

/// Sleeps until `time`, asking `stopped` every 20 ms.
/// \throws Error(Exit::interrupted) when it says true
void wait_until(double time, const std::function<bool()>& stopped);
/// Now, of the steady clock.
double steady_seconds();
/// \throws Error(Exit::interrupted) if `stopped` is set and says true
void check_stopped(const std::function<bool()>& stopped);

}  // namespace unirg::scoring
