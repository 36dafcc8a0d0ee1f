// SPDX-License-Identifier: Apache-2.0
#include "base/digest.h"

#include <gtest/gtest.h>

#include <unordered_set>

namespace unirg {
namespace {

TEST(Digest, is_the_beginning_of_a_sha256) {
  // printf abc | sha256sum: ba7816bf8f01cfea414140de5dae2223b00361a3...
  EXPECT_EQ(digest_of("abc"), (Digest{0xba7816bf8f01cfea, 0x414140de5dae2223}));
  // sha256sum </dev/null: e3b0c44298fc1c149afbf4c8996fb924...
  EXPECT_EQ(digest_of(""), (Digest{0xe3b0c44298fc1c14, 0x9afbf4c8996fb924}));
}

TEST(Digest, orders_by_its_bits_and_is_its_own_hash) {
  EXPECT_LT((Digest{1, 9}), (Digest{2, 0}));
  EXPECT_LT((Digest{1, 0}), (Digest{1, 1}));
  const std::unordered_set<Digest, DigestHash> set{digest_of("a"), digest_of("b"), digest_of("a")};
  EXPECT_EQ(set.size(), 2U);
}

}  // namespace
}  // namespace unirg
