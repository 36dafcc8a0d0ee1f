// SPDX-License-Identifier: Apache-2.0
#include "io/shelf.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <thread>
#include <vector>

#include "base/error.h"
#include "temp_folder.h"

namespace unirg::io {
namespace {

TEST(Shelf, gives_back_what_was_put_on_it) {
  const testing::TempFolder folder;
  Shelf shelf(folder.path());
  const std::string long_one(10000, 'x');
  const std::string binary("\0\xff\n", 3);
  EXPECT_EQ(shelf.put("a"), 0U);
  EXPECT_EQ(shelf.put(""), 5U) << "four bytes of length, then the record";
  EXPECT_EQ(shelf.put(long_one), 9U);
  EXPECT_EQ(shelf.put(binary), 9U + 4U + 10000U);
  EXPECT_EQ(shelf.size(), 9U + 4U + 10000U + 4U + 3U);
  EXPECT_EQ(shelf.get(10013), binary);
  EXPECT_EQ(shelf.get(0), "a");
  EXPECT_EQ(shelf.get(9), long_one);
  EXPECT_EQ(shelf.get(5), "");
  Shelf moved = std::move(shelf);
  EXPECT_EQ(moved.get(0), "a");
}

TEST(Shelf, leaves_no_name_in_its_folder) {
  const testing::TempFolder folder;
  Shelf shelf(folder.path());
  shelf.put("secret");
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(Shelf, records_about_as_long_as_one_read_are_whole) {
  const testing::TempFolder folder;
  Shelf shelf(folder.path());
  std::vector<uint64_t> places;
  for (size_t size = 4088; size <= 4100; ++size)
    places.push_back(shelf.put(std::string(size, 'y')));
  for (size_t k = 0; k < places.size(); ++k) EXPECT_EQ(shelf.get(places[k]).size(), 4088 + k);
}

TEST(Shelf, is_read_by_many_threads_while_one_puts_more) {
  const testing::TempFolder folder;
  Shelf shelf(folder.path());
  const auto record = [](size_t i) {
    return std::string(i % 700, static_cast<char>('a' + i % 26));
  };
  std::vector<uint64_t> places;
  for (size_t i = 0; i < 2000; ++i) places.push_back(shelf.put(record(i)));
  std::vector<int> wrong(8, 0);
  {
    std::vector<std::jthread> readers;
    for (size_t t = 0; t < wrong.size(); ++t) {
      readers.emplace_back([&, t] {
        for (size_t i = t; i < 2000; ++i) wrong[t] += shelf.get(places[i]) == record(i) ? 0 : 1;
      });
    }
    for (size_t i = 0; i < 2000; ++i) shelf.put(record(i));
  }
  EXPECT_EQ(wrong, std::vector<int>(8, 0));
}

TEST(Shelf, says_that_it_cannot_be_made_or_written) {
  const testing::TempFolder folder;
  try {
    const Shelf shelf(folder.path() / "absent");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.exit(), Exit::cannot_create);
  }
  Shelf shelf(folder.path());
  const uint64_t place = shelf.put("kept");
  // A limit on the size of files stands for a full disk: the kernel refuses the write.
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{4096, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  try {
    shelf.put(std::string(10000, 'x'));
    ADD_FAILURE();
  } catch (const Error& e) {
    EXPECT_EQ(e.exit(), Exit::io);
    EXPECT_NE(std::string(e.what()).find("cannot write a temporary file in '"), std::string::npos);
  }
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_EQ(shelf.get(place), "kept");
  EXPECT_EQ(shelf.get(shelf.put("next")), "next");
}

}  // namespace
}  // namespace unirg::io
