// SPDX-License-Identifier: Apache-2.0
#include "scoring/judge_cache.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/error.h"
#include "io/atomic_file.h"
#include "scoring/judge_pace.h"
#include "temp_folder.h"

namespace unirg::scoring {
namespace {

JudgePrompt prompt(const char* version) {
  JudgePrompt p;
  p.version = version;
  return p;
}

const io::Json kRequest = {{"model", "m"}, {"messages", {{{"role", "user"}, {"content", "x"}}}}};
const JudgeAnswer kAnswer{"said", "stop", "served", {{"total_tokens", 3}}, ""};

TEST(JudgeCache, names_a_request_by_all_of_it_and_the_prompts_version) {
  const std::string digest = judge_digest(prompt("1"), kRequest);
  EXPECT_EQ(digest.size(), 64u);
  EXPECT_EQ(judge_digest(prompt("1"), kRequest), digest);
  EXPECT_NE(judge_digest(prompt("2"), kRequest), digest);
  io::Json other = kRequest;
  other["temperature"] = 0;
  EXPECT_NE(judge_digest(prompt("1"), other), digest);
  EXPECT_EQ(judge_digest(prompt("1"), {{"broken", "\xff"}}).size(), 64u);
}

TEST(JudgeCache, keeps_and_finds) {
  testing::TempFolder folder;
  const auto warn = [](const std::string& text) { FAIL() << text; };
  const std::string digest = judge_digest(prompt("1"), kRequest);
  JudgeCache cache(folder.path() / "a" / "b", false, warn);
  EXPECT_FALSE(cache.find(digest));
  cache.keep(digest, prompt("1"), kAnswer);
  const auto found = JudgeCache(folder.path() / "a" / "b", false, warn).find(digest);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->text, "said");
  EXPECT_EQ(found->usage["total_tokens"], 3);
  EXPECT_EQ(found->served, "served");
  // The same bytes, whenever they are written.
  const std::string bytes = io::read_file(cache.file(digest));
  cache.keep(digest, prompt("1"), kAnswer);
  EXPECT_EQ(io::read_file(cache.file(digest)), bytes);
}

TEST(JudgeCache, each_address_has_a_folder_of_its_own) {
  const auto folder = [](const char* place) { return judge_folder("c", place); };
  EXPECT_EQ(folder(""), "c");
  EXPECT_EQ(folder("http://a:1").parent_path(), "c");
  EXPECT_EQ(folder("http://a:1").filename().string().size(), 12u);
  EXPECT_EQ(folder("http://a:1"), folder("http://a:1"));
  EXPECT_NE(folder("http://a:1"), folder("http://b:1"));
  EXPECT_NE(folder("http://a:1"), folder("http://a:2"));
  EXPECT_EQ(judge_folder("", "http://a:1"), "");  // nothing is kept
}

TEST(JudgeCache, of_usage_only_numbers_come_back) {
  const io::Json usage = {{"prompt_tokens", 3}, {"total_tokens", "x"}, {"more", {1}}};
  EXPECT_EQ(plain_usage(usage).dump(), R"({"prompt_tokens":3})");
  EXPECT_TRUE(plain_usage({1, 2}).is_null());
  EXPECT_TRUE(plain_usage(nullptr).is_null());
  testing::TempFolder folder;
  const std::string digest = judge_digest(prompt("1"), kRequest);
  JudgeCache cache(folder.path(), false, {});
  JudgeAnswer answer = kAnswer;
  answer.usage = usage;
  cache.keep(digest, prompt("1"), answer);
  EXPECT_EQ(cache.find(digest)->usage, plain_usage(usage));
}

TEST(JudgeCache, refresh_sees_only_what_it_wrote) {
  testing::TempFolder folder;
  const std::string digest = judge_digest(prompt("1"), kRequest);
  JudgeCache(folder.path(), false, {}).keep(digest, prompt("1"), kAnswer);
  JudgeCache cache(folder.path(), true, {});
  EXPECT_FALSE(cache.find(digest));
  cache.keep(digest, prompt("1"), kAnswer);
  EXPECT_TRUE(cache.find(digest));
}

TEST(JudgeCache, a_broken_entry_is_absent_and_said_to_be) {
  testing::TempFolder folder;
  const std::string digest = judge_digest(prompt("1"), kRequest);
  std::vector<std::string> warnings;
  JudgeCache cache(folder.path(), false,
                   [&](const std::string& text) { warnings.push_back(text); });
  cache.keep(digest, prompt("1"), kAnswer);
  const std::string whole = io::read_file(cache.file(digest));
  std::string changed = whole;
  changed.replace(changed.find("said"), 4, "sage");
  for (const std::string& bytes : {std::string(), whole.substr(0, whole.size() / 2), changed,
                                   std::string("[]"), std::string("{\"schema\":1}")}) {
    io::write_file(cache.file(digest), bytes);
    EXPECT_FALSE(cache.find(digest)) << bytes;
  }
  EXPECT_EQ(warnings.size(), 5u);
  EXPECT_NE(warnings[0].find(digest), std::string::npos);
  // Another request's entry under this name is none of ours.
  io::write_file(cache.file(digest), whole);
  const std::string other = judge_digest(prompt("2"), kRequest);
  io::make_folders(cache.file(other).parent_path());
  io::write_file(cache.file(other), whole);
  EXPECT_FALSE(cache.find(other));
}

TEST(JudgeCache, without_a_folder_keeps_nothing) {
  JudgeCache cache({}, false, {});
  cache.keep("ab", prompt("1"), kAnswer);
  EXPECT_FALSE(cache.find("ab"));
}

TEST(JudgeCache, many_threads_may_write_one_entry) {
  testing::TempFolder folder;
  JudgeCache cache(folder.path(), false, {});
  const std::string digest = judge_digest(prompt("1"), kRequest);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&] {
        for (int i = 0; i < 5; ++i) {
          cache.keep(digest, prompt("1"), kAnswer);
          EXPECT_TRUE(cache.find(digest));
        }
      });
  }
  size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path()))
    files += entry.is_regular_file() ? 1 : 0;
  EXPECT_EQ(files, 1u);
}

TEST(Pacer, spaces_starts_and_holds_them) {
  Pacer pacer(60);
  EXPECT_EQ(pacer.reserve(100), 100);
  EXPECT_EQ(pacer.reserve(100), 101);
  EXPECT_EQ(pacer.reserve(100.5), 102);
  EXPECT_EQ(pacer.reserve(200), 200);
  pacer.hold(210);
  pacer.hold(205);
  EXPECT_EQ(pacer.held(), 210);
  EXPECT_EQ(pacer.reserve(202), 210);
  Pacer free(0);
  EXPECT_EQ(free.reserve(5), 5);
  EXPECT_EQ(free.reserve(5), 5);
}

TEST(RetryWait, doubles_up_to_a_bound_and_repeats_itself) {
  for (int64_t k = 0; k < 12; ++k) {
    const double full = std::min(60.0, 0.5 * static_cast<double>(1LL << k));
    const double wait = retry_wait("r", k, 0.5);
    EXPECT_GT(wait, full / 2);
    EXPECT_LE(wait, full);
    EXPECT_EQ(wait, retry_wait("r", k, 0.5));
  }
  EXPECT_NE(retry_wait("r", 0, 0.5), retry_wait("s", 0, 0.5));
}

TEST(WaitUntil, ends_at_a_stop_request) {
  const double begin = steady_seconds();
  try {
    wait_until(begin + 60, [&] { return steady_seconds() > begin + 0.05; });
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.exit(), Exit::interrupted);
  }
  EXPECT_LT(steady_seconds() - begin, 5);
}

}  // namespace
}  // namespace unirg::scoring
