// SPDX-License-Identifier: Apache-2.0
#include "base/hash.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace unirg {
namespace {

TEST(Sha256, gives_the_vectors_of_fips_180) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
TEST(Sha256, of_a_missing_file_is_no_input) {
  try {
    (void)sha256_file("/nonexistent/file");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.exit(), Exit::no_input);
  }
}

}  // namespace
}  // namespace unirg
