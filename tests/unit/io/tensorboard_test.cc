// SPDX-License-Identifier: Apache-2.0
#include "io/tensorboard.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "io/atomic_file.h"
#include "temp_folder.h"

namespace unirg::io {
namespace {

std::string bytes(std::initializer_list<int> values) {
  std::string out;
  for (const int v : values) out += static_cast<char>(v);
  return out;
}

TEST(TfRecord, has_length_bytes_and_their_masked_checksums) {
  // CRC-32C of "123456789" is E3069283 (RFC 3720, appendix B.4 has the polynomial); turned right by
  // 15 bits 2507C60D, plus A282EAD8 it is C78AB0E5.
  const std::string record = tf_record("123456789");
  ASSERT_EQ(record.size(), 8 + 4 + 9 + 4);
  EXPECT_EQ(record.substr(0, 8), bytes({9, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(record.substr(12, 9), "123456789");
  EXPECT_EQ(record.substr(21), bytes({0xE5, 0xB0, 0x8A, 0xC7}));
}

TEST(TensorboardEvents, are_the_numbers_of_each_step) {
  const testing::TempFolder folder;
  const auto file = folder.path() / "metrics.jsonl";
  write_file(file,
             "{\"step\":3,\"loss\":0.5,\"schema\":\"x\",\"rewards\":{\"bleu2\":{\"mean\":2}}}\n"
             "{\"note\":\"no step\"}\n");
  // Fields of event.proto by hand: 1 (double) wall time, 2 (varint) step, 5 (message) summary of
  // field 1 (message) values: 1 (string) tag, 2 (float) number.
  const std::string wall = bytes({0x09, 0, 0, 0, 0, 0, 0, 0x08, 0x40});
  const std::string loss = bytes({0x0A, 4}) + "loss" + bytes({0x15, 0, 0, 0, 0x3F});
  const std::string mean = bytes({0x0A, 18}) + "rewards/bleu2/mean" + bytes({0x15, 0, 0, 0, 0x40});
  const std::string values = bytes({0x0A, static_cast<int>(loss.size())}) + loss +
                             bytes({0x0A, static_cast<int>(mean.size())}) + mean;
  const std::string event = wall + bytes({0x10, 3, 0x2A, static_cast<int>(values.size())}) + values;
  const std::string version = bytes({0x1A, 13}) + "brain.Event:2";
  EXPECT_EQ(tensorboard_events(file), tf_record(version) + tf_record(event));
}

TEST(TensorboardEvents, refuses_files_without_steps) {
  const testing::TempFolder folder;
  const auto file = folder.path() / "metrics.jsonl";
  write_file(file, "{\"loss\":1}\n");
  EXPECT_THROW(tensorboard_events(file), Error);
  EXPECT_THROW(tensorboard_events(folder.path() / "none.jsonl"), Error);
}

}  // namespace
}  // namespace unirg::io
