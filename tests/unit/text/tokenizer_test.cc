// Training and files of the Qwen2 kind; damaged files of every kind.
// SPDX-License-Identifier: Apache-2.0
#include "text/tokenizer.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "io/atomic_file.h"
#include "temp_folder.h"
#include "text/bpe_bytes.h"
#include "text/tokenizer_train.h"

namespace unirg::text {
namespace {

namespace fs = std::filesystem;
using io::Json;

const std::vector<std::string> kTexts{"The heart is normal. The lungs are clear.",
                                      "The heart is enlarged.", "No pleural effusion."};

TEST(TrainBpe, gives_a_tokenizer_that_round_trips_any_text) {
  const Tokenizer t = train_bpe(kTexts, 300);
  for (const std::string text : {"The heart is enlarged.", "Zürich 37 °C\n\tOK", "日本", ""})
    EXPECT_EQ(t.decode(t.encode(text)), text);
  EXPECT_LT(t.encode("The heart is normal.").size(), 12u);
  EXPECT_LE(t.size(), 300);
}

TEST(TrainBpe, is_deterministic_and_learns_the_commonest_pair_first) {
  EXPECT_EQ(train_bpe(kTexts, 290).to_json().dump(), train_bpe(kTexts, 290).to_json().dump());
  const Tokenizer t = train_bpe({"aaab", "aaab"}, 265);  // pairs: (a,a) 4 times, (a,b) 2
  EXPECT_EQ(t.to_json()["model"]["merges"][0], Json::array({"a", "a"}));
}

TEST(Tokenizer, special_tokens_are_one_id_and_left_out_of_decoded_text) {
  const Tokenizer t = train_bpe(kTexts, 300);
  const auto ids = t.encode("<|im_start|>The heart<|im_end|>");
  EXPECT_EQ(ids.front(), t.id("<|im_start|>"));
  EXPECT_EQ(ids.back(), t.id("<|im_end|>"));
  EXPECT_EQ(t.decode(ids), "The heart");
  EXPECT_EQ(t.decode(ids, false), "<|im_start|>The heart<|im_end|>");
}

TEST(Tokenizer, travels_through_its_file) {
  testing::TempFolder folder;
  const Tokenizer t = train_bpe(kTexts, 300);
  io::write_file(folder.path() / "tokenizer.json", t.to_json().dump());
  const Tokenizer read = Tokenizer::load(folder.path());
  EXPECT_EQ(read.to_json().dump(), t.to_json().dump());
  EXPECT_EQ(read.encode(kTexts[0]), t.encode(kTexts[0]));
}

TEST(Tokenizer, refuses_damaged_files_by_name) {
  testing::TempFolder folder;
  const fs::path file = folder.path() / "tokenizer.json";
  for (const char* content : {"[]", "{}", R"({"model":{"vocab":{"a":-1},"merges":[]}})",
                              R"({"model":{"vocab":{"a":0},"merges":[["a","b"]]}})",
                              R"({"model":{"vocab":{"a":99999999999},"merges":[]}})",
                              R"({"model":{"vocab":{},"merges":["ab"]}})"}) {
    io::write_file(file, content);
    EXPECT_THROW((void)Tokenizer::load(folder.path()), Error) << content;
  }
  EXPECT_THROW((void)Tokenizer::load(folder.path() / "none"), Error);
}

TEST(StreamDecoder, holds_back_half_a_character) {
  const Tokenizer t = train_bpe({"x"}, 300);
  StreamDecoder stream(t);
  std::string text;
  std::vector<std::string> parts;
  for (const int64_t id : t.encode("aé日")) parts.push_back(stream.push(id));
  EXPECT_EQ(parts, (std::vector<std::string>{"a", "", "é", "", "", "日"}));
}

TEST(ReplaceBrokenUtf8, keeps_what_is_valid) {
  EXPECT_EQ(replace_broken_utf8("a\xff\xc3\xa9"), "a\xef\xbf\xbd\xc3\xa9");
}

}  // namespace
}  // namespace unirg::text
