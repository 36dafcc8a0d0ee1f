// SPDX-License-Identifier: Apache-2.0
#include "cli/stop_flag.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>

namespace unirg::cli {
namespace {

// In a process of its own, since handlers stay.
TEST(StopFlagDeathTest, a_burst_of_signals_is_one_request) {
  EXPECT_EXIT(
      {
        const StopFlag stop;
        const bool before = stop.requested();
        for (const int signal : {SIGTERM, SIGUSR1, SIGTERM, SIGINT}) std::raise(signal);
        std::_Exit(!before && stop.requested() ? 75 : 1);
      },
      testing::ExitedWithCode(75), "");
}

TEST(StopFlagDeathTest, a_signal_long_after_the_first_ends_the_process) {
  EXPECT_EXIT(
      {
        const StopFlag stop;
        std::raise(SIGUSR1);
        sleep(4);
        std::raise(SIGTERM);
        std::_Exit(0);
      },
      testing::KilledBySignal(SIGTERM), "");
}

}  // namespace
}  // namespace unirg::cli
