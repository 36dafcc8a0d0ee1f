// SPDX-License-Identifier: Apache-2.0
#include "io/cache_entry.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/hash.h"
#include "io/atomic_file.h"
#include "temp_folder.h"

namespace unirg::io {
namespace {

const std::string kKey = sha256_hex("key");

TEST(CacheEntry, gives_back_what_was_written_under_its_kind_and_key) {
  const testing::TempFolder folder;
  const std::string value("v\0\n\xff", 4);
  EXPECT_FALSE(read_cache_entry(folder.path(), "kind/1", kKey, {}));
  write_cache_entry(folder.path(), "kind/1", kKey, value);
  EXPECT_EQ(read_cache_entry(folder.path(), "kind/1", kKey, {}), value);
  EXPECT_FALSE(read_cache_entry(folder.path(), "kind/2", kKey, {}));
  EXPECT_FALSE(read_cache_entry(folder.path(), "kind/1", sha256_hex("other"), {}));
  EXPECT_EQ(cache_path("f", "abcd"), std::filesystem::path("f/ab/cd"));
}

TEST(CacheEntry, that_is_damaged_is_none_and_is_told) {
  const testing::TempFolder folder;
  write_cache_entry(folder.path(), "kind/1", kKey, "value");
  const auto file = cache_path(folder.path(), kKey);
  const std::string whole = read_file(file);
  std::vector<std::string> warnings;
  const auto warn = [&](const std::string& w) { warnings.push_back(w); };
  for (const std::string& bad :
       {std::string(), whole.substr(0, whole.size() - 1), whole + "x", "x" + whole.substr(1)}) {
    write_file(file, bad);
    EXPECT_FALSE(read_cache_entry(folder.path(), "kind/1", kKey, warn));
  }
  EXPECT_EQ(warnings.size(), 4U);
  EXPECT_NE(warnings[0].find("is damaged"), std::string::npos);
  write_cache_entry(folder.path(), "kind/1", kKey, "value");
  EXPECT_EQ(read_cache_entry(folder.path(), "kind/1", kKey, warn), "value");
}

}  // namespace
}  // namespace unirg::io
