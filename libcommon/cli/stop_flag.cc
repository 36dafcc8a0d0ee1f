// SPDX-License-Identifier: Apache-2.0
#include "cli/stop_flag.h"

#include <csignal>
#include <ctime>
#include <initializer_list>

namespace unirg::cli {
namespace {

volatile std::sig_atomic_t stop_requested = 0;
volatile std::time_t first_at = 0;  ///< monotonic seconds; written once, by the handler
constexpr std::time_t kBurst = 2;   ///< seconds

std::time_t now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);  // may be called in a handler (POSIX)
  return time.tv_sec;
}

extern "C" void on_stop_signal(int signal) {
  if (!stop_requested) {
    first_at = now();
    stop_requested = 1;
  } else if (now() - first_at > kBurst) {
    std::signal(signal, SIG_DFL);
    std::raise(signal);
  }
}

}  // namespace

StopFlag::StopFlag() {
  struct sigaction action {};
  action.sa_handler = on_stop_signal;
  action.sa_flags = SA_RESTART;
  for (const int signal : {SIGTERM, SIGINT, SIGUSR1}) sigaction(signal, &action, nullptr);
  std::signal(SIGCHLD, SIG_DFL);  // if it were ignored, none of our children could be waited for
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is then a write error with a message and exit 74
}

bool StopFlag::requested() const { return stop_requested != 0; }

}  // namespace unirg::cli
