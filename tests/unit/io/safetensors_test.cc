// SPDX-License-Identifier: Apache-2.0
#include "io/safetensors.h"

#include <gtest/gtest.h>

#include <cstring>

#include "base/error.h"
#include "io/atomic_file.h"
#include "temp_folder.h"

namespace unirg::io {
namespace {

std::string file_with_header(const std::string& header, const std::string& data) {
  const uint64_t n = header.size();
  return std::string(reinterpret_cast<const char*>(&n), 8) + header + data;
}

void expect_refused(const std::string& bytes, const std::string& part_of_reason) {
  testing::TempFolder folder;
  write_file(folder.path() / "t", bytes);
  try {
    const SafetensorsFile file(folder.path() / "t");
    FAIL() << "accepted, expected: " << part_of_reason;
  } catch (const Error& e) {
    EXPECT_EQ(e.exit(), Exit::data);
    EXPECT_NE(std::string(e.what()).find(part_of_reason), std::string::npos) << e.what();
  }
}

TEST(Safetensors, writes_and_reads_back) {
  testing::TempFolder folder;
  const std::string floats(24, 'f');
  const std::string ints(8, 'i');
  write_safetensors(folder.path() / "t",
                    {{"b", {Dtype::i64, {1}, ints}}, {"a", {Dtype::f32, {2, 3}, floats}}});
  const SafetensorsFile file(folder.path() / "t");
  ASSERT_EQ(file.tensors().size(), 2u);
  EXPECT_EQ(file.tensors().at("a").shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(file.tensors().at("a").bytes, floats);
  EXPECT_EQ(file.tensors().at("b").bytes, ints);
  EXPECT_EQ(file.metadata().at("format"), "pt");
}

TEST(Safetensors, refuses_headers_that_lie) {
  const std::string ok = R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  expect_refused("abc", "8-byte");
  expect_refused(file_with_header(ok, "1234").substr(0, 20), "truncated");
  expect_refused(file_with_header(ok, "12"), "out of range");
  expect_refused(file_with_header("[1]", ""), "not a JSON object");
  expect_refused(file_with_header("{", ""), "not JSON");
  expect_refused(
      file_with_header(R"({"a":{"dtype":"F99","shape":[1],"data_offsets":[0,4]}})", "1234"),
      "unknown dtype");
  expect_refused(
      file_with_header(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", "1234"),
      "shape");
  expect_refused(
      file_with_header(
          R"({"a":{"dtype":"F32","shape":[4611686018427387904,16],"data_offsets":[0,4]}})", "1234"),
      "shape");
  expect_refused(file_with_header(R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},)"
                                  R"("b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}})",
                                  "1234"),
                 "overlaps");
  expect_refused(file_with_header(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                                  R"("a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
                                  "12"),
                 "twice");
}

TEST(SafetensorsFolder, names_what_the_index_promises_and_the_shard_lacks) {
  testing::TempFolder folder;
  write_safetensors(folder.path() / "model-1.safetensors", {{"a", {Dtype::u8, {1}, "x"}}});
  write_file(folder.path() / "model.safetensors.index.json",
             R"({"weight_map":{"a":"model-1.safetensors","b":"model-1.safetensors"}})");
  try {
    const SafetensorsFolder opened(folder.path());
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("tensor 'b' is missing"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace unirg::io
