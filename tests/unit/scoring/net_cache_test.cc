// SPDX-License-Identifier: Apache-2.0
#include "scoring/net_cache.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/error.h"
#include "io/atomic_file.h"
#include "scoring/net_batches.h"
#include "temp_folder.h"

namespace unirg::scoring {
namespace {

namespace fs = std::filesystem;

fs::path only_file(const fs::path& folder) {
  fs::path found;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) found = entry.path();
  }
  return found;
}

TEST(NetCache, gives_back_what_was_put_for_the_same_text_and_settings) {
  const testing::TempFolder folder;
  const NetCache cache(folder.path() / "k", "a", {});
  EXPECT_FALSE(cache.get("text").has_value());
  const std::string value("v\0\n\xff", 4);
  cache.put("text", value);
  EXPECT_EQ(cache.get("text"), value);
  EXPECT_FALSE(cache.get("texts").has_value());
  EXPECT_FALSE(NetCache(folder.path() / "k", "b", {}).get("text").has_value());
  EXPECT_EQ(NetCache(folder.path() / "k", "a", {}).get("text"), value);
}

TEST(NetCache, without_a_folder_keeps_nothing) {
  const NetCache cache;
  cache.put("text", "value");
  EXPECT_FALSE(cache.get("text").has_value());
}

TEST(NetCache, a_damaged_entry_is_no_entry_and_is_told) {
  const testing::TempFolder folder;
  std::vector<std::string> warnings;
  const NetCache cache(folder.path() / "k", "a",
                       [&](const std::string& w) { warnings.push_back(w); });
  cache.put("text", "value");
  const fs::path file = only_file(folder.path());
  const std::string whole = io::read_file(file);
  for (const std::string& bad :
       {std::string(), whole.substr(0, whole.size() - 1), whole + "x", "x" + whole.substr(1)}) {
    io::write_file(file, bad);
    EXPECT_FALSE(cache.get("text").has_value());
  }
  EXPECT_EQ(warnings.size(), 4u);
  EXPECT_NE(warnings[0].find(file.string()), std::string::npos);
  cache.put("text", "value");
  EXPECT_EQ(cache.get("text"), "value");
}

TEST(NetCache, another_entrys_file_is_refused) {
  const testing::TempFolder folder;
  const NetCache cache(folder.path() / "k", "a", {});
  cache.put("one", "1");
  const fs::path file = only_file(folder.path());
  const std::string one = io::read_file(file);
  fs::remove(file);
  cache.put("two", "2");
  io::write_file(only_file(folder.path()), one);
  EXPECT_FALSE(cache.get("two").has_value());
}

TEST(NetCache, many_may_write_one_entry) {
  const testing::TempFolder folder;
  const NetCache cache(folder.path() / "k", "a", {});
  {
    std::vector<std::jthread> writers;
    for (int t = 0; t < 4; ++t) {
      writers.emplace_back([&] {
        for (int i = 0; i < 20; ++i) cache.put("text", "value");
      });
    }
  }
  EXPECT_EQ(cache.get("text"), "value");
}

TEST(Bytes, survive_and_are_checked) {
  ByteWriter out;
  out.integer(-3);
  out.string("a\nb");
  out.floats({1.5F, -0.0F});
  ByteReader in(out.bytes());
  EXPECT_EQ(in.integer(), -3);
  EXPECT_EQ(in.string(), "a\nb");
  EXPECT_EQ(in.floats(), (std::vector<float>{1.5F, -0.0F}));
  EXPECT_THROW((void)in.integer(), Error);
  ByteWriter lie;
  lie.integer(-1);
  EXPECT_THROW((void)ByteReader(lie.bytes()).floats(), Error);
  EXPECT_THROW((void)ByteReader(lie.bytes()).string(), Error);
}

TEST(Batches, of_one_keep_order_and_larger_ones_sort_and_stay_small) {
  using Batches = std::vector<std::vector<size_t>>;
  EXPECT_EQ(make_batches({5, 9, 7}, 1), (Batches{{0}, {1}, {2}}));
  EXPECT_EQ(make_batches({5, 9, 7}, 2), (Batches{{1, 2}, {0}}));
  EXPECT_EQ(make_batches({kBatchTokens / 2, kBatchTokens, 3, 4}, 9), (Batches{{1}, {0, 3}, {2}}));
  EXPECT_EQ(make_batches({}, 4), Batches{});
}

}  // namespace
}  // namespace unirg::scoring
