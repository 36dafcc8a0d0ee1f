// SPDX-License-Identifier: Apache-2.0
#include "scoring/judge_pace.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>

#include "base/error.h"
#include "base/rng.h"

namespace unirg::scoring {

double Pacer::reserve(double now) {
  const std::lock_guard lock(mutex_);
  const double start = std::max({now, next_, held_});
  next_ = start + gap_;
  return start;
}

void Pacer::hold(double time) {
  const std::lock_guard lock(mutex_);
  held_ = std::max(held_, time);
}

double Pacer::held() const {
  const std::lock_guard lock(mutex_);
  return held_;
}

double retry_wait(const std::string& request, int64_t attempt, double base, double longest) {
  const double wait =
      std::min(longest, base * std::exp2(static_cast<double>(std::min<int64_t>(attempt, 60))));
  const double share =
      uniform_at(0, "judge-retry", request, static_cast<uint64_t>(attempt), /*position=*/0);
  return wait * (1 - share / 2);
}

double steady_seconds() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

void check_stopped(const std::function<bool()>& stopped) {
  if (stopped && stopped())
    throw Error(Exit::interrupted,
                "stopped while a judge was asked (hint: the same command again "
                "goes on from the answers in the cache)");
}

void wait_until(double time, const std::function<bool()>& stopped) {
  for (;;) {
    check_stopped(stopped);
    const double left = time - steady_seconds();
    if (left <= 0) return;
    std::this_thread::sleep_for(std::chrono::duration<double>(std::min(left, 0.02)));
  }
}

}  // namespace unirg::scoring
