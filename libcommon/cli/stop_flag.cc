// SPDX-License-Identifier: Apache-2.0
#include "cli/stop_flag.h"

#include <csignal>
#include <initializer_list>

namespace unirg::cli {
namespace {

volatile std::sig_atomic_t stop_requested = 0;

extern "C" void on_stop_signal(int signal) {
  if (stop_requested) {
    std::signal(signal, SIG_DFL);
    std::raise(signal);
  }
  stop_requested = 1;
}

}  // namespace

StopFlag::StopFlag() {
  struct sigaction action {};
  action.sa_handler = on_stop_signal;
  action.sa_flags = SA_RESTART;
  for (const int signal : {SIGTERM, SIGINT, SIGUSR1}) sigaction(signal, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is then a write error with a message and exit 74
}

bool StopFlag::requested() const { return stop_requested != 0; }

}  // namespace unirg::cli
