// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <gtest/gtest.h>

namespace unirg {
namespace {

template <typename Act>
std::string written(Act act) {
  ::testing::internal::CaptureStderr();
  act();
  return ::testing::internal::GetCapturedStderr();
}

TEST(Logger, every_line_names_the_program_and_levels_but_info_are_named) {
  Logger log("unirg-x");
  EXPECT_EQ(written([&] { log.info("{} studies", 3); }), "unirg-x: 3 studies\n");
  EXPECT_EQ(written([&] { log.warning("w"); }), "unirg-x: warning: w\n");
  EXPECT_EQ(written([&] { log.error("e"); }), "unirg-x: error: e\n");
}

TEST(Logger, shows_what_its_level_allows) {
  Logger log("unirg-x");
  EXPECT_EQ(written([&] { log.debug("d"); }), "");
  log.set(LogLevel::debug, LogFormat::text);
  EXPECT_EQ(written([&] { log.debug("d"); }), "unirg-x: debug: d\n");
  log.set(LogLevel::error, LogFormat::text);
  EXPECT_EQ(written([&] { log.warning("w"); }), "");
}

TEST(Logger, json_is_an_object_a_line_whatever_the_bytes) {
  Logger log("unirg-x", LogLevel::info, LogFormat::json);
  EXPECT_EQ(written([&] { log.info("a \"b\"\n"); }),
            "{\"program\":\"unirg-x\",\"level\":\"info\",\"message\":\"a \\\"b\\\"\\n\"}\n");
  EXPECT_EQ(written([&] { log.info("\xff"); }),
            "{\"program\":\"unirg-x\",\"level\":\"info\",\"message\":\"\xef\xbf\xbd\"}\n");
}

}  // namespace
}  // namespace unirg
