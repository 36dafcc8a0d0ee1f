// SPDX-License-Identifier: Apache-2.0
#include "image/child_process.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

namespace unirg::image::internal {
namespace {

std::string reason(const Result<int>& result) { return result ? "" : result.error().reason; }

int wait_for_ever() {
  for (;;) ::pause();
}

TEST(InChild, its_status_is_the_result_and_what_it_changes_is_its_own) {
  int number = 1;
  const auto status = in_child("it", 10, [&] { return number += 40; });
  EXPECT_EQ(status, 41);
  EXPECT_EQ(number, 1);
}

TEST(InChild, a_crash_is_a_reason) {
  EXPECT_EQ(reason(in_child("OpenSlide", 10, []() -> int { std::abort(); })), "OpenSlide crashed");
  EXPECT_EQ(reason(in_child("it", 10, []() -> int { throw std::runtime_error("no"); })),
            "it crashed");
}

TEST(InChild, a_hang_is_a_reason_even_where_the_alarm_was_ignored) {
  std::signal(SIGALRM, SIG_IGN);
  EXPECT_EQ(reason(in_child("its codec", 1, wait_for_ever)), "its codec hung");
  std::signal(SIGALRM, SIG_DFL);
}

TEST(InChild, it_writes_nothing_to_standard_error) {
  testing::internal::CaptureStderr();
  const auto status = in_child("it", 10, [] {
    std::fputs("a complaint\n", stderr);
    std::fflush(stderr);
    return 0;
  });
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(status, 0);
}

TEST(InChild, both_run_at_once_and_the_child_has_no_other_file) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  char byte = 0;
  const auto status = in_child(
      "it", 10, [&] { return ::write(ends[1], "x", 1) == 1 && ::close(ends[0]) != 0 ? 7 : 0; },
      ends[1], [&] { EXPECT_EQ(::read(ends[0], &byte, 1), 1); });
  EXPECT_EQ(status, 7);
  EXPECT_EQ(byte, 'x');
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(InChild, what_the_parent_throws_ends_the_child) {
  const auto fail = [] { throw std::runtime_error("no"); };
  EXPECT_THROW(static_cast<void>(in_child("it", 600, wait_for_ever, -1, fail)), std::runtime_error);
}

}  // namespace
}  // namespace unirg::image::internal
