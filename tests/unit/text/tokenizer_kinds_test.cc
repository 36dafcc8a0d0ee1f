// Components of tokenizer.json one by one, on tokenizers small enough to work out by hand, and
// files that are not what they should be. Expected ids are those of the `tokenizers` library 0.23.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "base/error.h"
#include "io/atomic_file.h"
#include "temp_folder.h"
#include "text/tokenizer.h"

namespace unirg::text {
namespace {

namespace fs = std::filesystem;
using io::Json;
using Ids = std::vector<int64_t>;

Tokenizer load(const Json& object) {
  const testing::TempFolder folder;
  io::write_file(folder.path() / "tokenizer.json", object.dump());
  return Tokenizer::load(folder.path());
}

/// The tokens of a text, as the file spells them.
std::vector<std::string> tokens(const Tokenizer& t, std::string_view text,
                                EncodeOptions options = {.add_special_tokens = false}) {
  std::vector<std::string> out;
  for (const int64_t id : t.encode(text, options)) out.push_back(t.token(id));
  return out;
}
using Tokens = std::vector<std::string>;

Json word_level(const Json& words, const Json& more = Json::object()) {
  Json vocab = Json::object();
  for (const Json& word : words) vocab[word.get<std::string>()] = vocab.size();
  Json object = more;
  object["model"] = {{"type", "WordLevel"}, {"vocab", vocab}, {"unk_token", "?"}};
  return object;
}

Json added(const std::string& content, int64_t id, const Json& flags = Json::object()) {
  Json token = {{"id", id}, {"content", content}, {"special", false}};
  token.update(flags);
  return token;
}

/// Llama-2 in small: spaces to U+2581, bytes where a character is unknown.
Json llama() {
  Json vocab = {{"<unk>", 0}, {"<s>", 1}, {"</s>", 2}};
  for (int b = 0; b < 256; ++b) {
    char text[8];
    std::snprintf(text, sizeof text, "<0x%02X>", b);
    vocab[text] = vocab.size();
  }
  for (const char* token : {"▁", "a", "b", "ab", "▁ab", "c"}) vocab[token] = vocab.size();
  return {{"added_tokens",
           {added("<s>", 1, {{"special", true}}), added("</s>", 2, {{"special", true}})}},
          {"normalizer",
           {{"type", "Sequence"},
            {"normalizers",
             {{{"type", "Prepend"}, {"prepend", "▁"}},
              {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", "▁"}}}}}},
          {"post_processor",
           {{"type", "TemplateProcessing"},
            {"single",
             {{{"SpecialToken", {{"id", "<s>"}, {"type_id", 0}}}},
              {{"Sequence", {{"id", "A"}, {"type_id", 0}}}}}},
            {"pair", {{{"Sequence", {{"id", "A"}, {"type_id", 0}}}}}},
            {"special_tokens", {{"<s>", {{"id", "<s>"}, {"ids", {1}}, {"tokens", {"<s>"}}}}}}}},
          {"decoder",
           {{"type", "Sequence"},
            {"decoders",
             {{{"type", "Replace"}, {"pattern", {{"String", "▁"}}}, {"content", " "}},
              {{"type", "ByteFallback"}},
              {{"type", "Fuse"}},
              {{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}}}}}},
          {"model",
           {{"type", "BPE"},
            {"unk_token", "<unk>"},
            {"fuse_unk", true},
            {"byte_fallback", true},
            {"vocab", vocab},
            {"merges", {"a b", "▁ ab"}}}}};
}

TEST(TokenizerKinds, llama_2_falls_back_to_bytes_and_back) {
  const Tokenizer t = load(llama());
  EXPECT_EQ(tokens(t, "ab c", {}), (Tokens{"<s>", "▁ab", "▁", "c"}));
  EXPECT_EQ(tokens(t, "é"), (Tokens{"▁", "<0xC3>", "<0xA9>"}));
  for (const std::string text : {"ab c", "日本 ab\n", " a  b", "", "é"})
    EXPECT_EQ(t.decode(t.encode(text, {})), text);
  StreamDecoder stream(t);
  Tokens parts;
  for (const int64_t id : t.encode("é ab")) parts.push_back(stream.push(id));
  EXPECT_EQ(parts, (Tokens{"", "", "", "é ab"}));
  EXPECT_EQ(stream.finish(), "");
}

TEST(TokenizerKinds, ignore_merges_takes_a_whole_piece) {
  Json object = llama();
  object["model"]["ignore_merges"] = true;
  object["model"]["merges"] = Json::array();
  EXPECT_EQ(tokens(load(object), "ab"), Tokens{"▁ab"});
}

TEST(TokenizerKinds, unknown_characters_fuse_if_asked_to) {
  Json object = llama();
  object["model"]["byte_fallback"] = false;
  EXPECT_EQ(tokens(load(object), "xyab"), (Tokens{"▁", "<unk>", "ab"}));
  object["model"]["fuse_unk"] = false;
  EXPECT_EQ(tokens(load(object), "xyab"), (Tokens{"▁", "<unk>", "<unk>", "ab"}));
}

TEST(TokenizerKinds, added_tokens_know_words_and_blanks) {
  const Json object =
      word_level({"?", "x"},
                 {{"pre_tokenizer", {{"type", "WhitespaceSplit"}}},
                  {"added_tokens",
                   {added("one", 10, {{"single_word", true}}), added("<l>", 11, {{"lstrip", true}}),
                    added("<r>", 12, {{"rstrip", true}}), added("<r><r>", 13)}}});
  const Tokenizer t = load(object);
  EXPECT_EQ(t.encode("one x one"), (Ids{10, 1, 10}));
  EXPECT_EQ(t.encode("xone"), Ids{0});
  EXPECT_EQ(t.encode("one."), (Ids{10, 0}));
  EXPECT_EQ(t.encode("x  <l> x"), (Ids{1, 11, 1}));
  EXPECT_EQ(t.encode("x<r>   x"), (Ids{1, 12, 1}));
  EXPECT_EQ(t.encode("<r><r><r>"), (Ids{13, 12})) << "the longest at the leftmost place";
}

TEST(TokenizerKinds, normalized_added_tokens_are_matched_in_normalised_text) {
  const Json object = word_level(
      {"?", "x"},
      {{"normalizer", {{"type", "Lowercase"}}},
       {"added_tokens",
        {added("Abc", 10, {{"normalized", true}}), added("Def", 11, {{"normalized", false}})}}});
  const Tokenizer t = load(object);
  EXPECT_EQ(t.encode("ABC"), Ids{10});
  EXPECT_EQ(t.encode("DEF"), Ids{0});
  EXPECT_EQ(t.encode("Def"), Ids{11});
}

TEST(TokenizerKinds, split_behaviors) {
  const auto pieces = [](const char* behavior, std::string_view text) {
    const Tokenizer t = load(word_level(
        {"?"}, {{"pre_tokenizer",
                 {{"type", "Split"}, {"pattern", {{"String", "-"}}}, {"behavior", behavior}}}}));
    return t.pieces(text);
  };
  const char* text = "the-final--countdown";
  EXPECT_EQ(pieces("Removed", text), (Tokens{"the", "final", "countdown"}));
  EXPECT_EQ(pieces("Isolated", text), (Tokens{"the", "-", "final", "-", "-", "countdown"}));
  EXPECT_EQ(pieces("MergedWithPrevious", text), (Tokens{"the-", "final-", "-", "countdown"}));
  EXPECT_EQ(pieces("MergedWithNext", text), (Tokens{"the", "-final", "-", "-countdown"}));
  EXPECT_EQ(pieces("Contiguous", text), (Tokens{"the", "-", "final", "--", "countdown"}));
}

TEST(TokenizerKinds, other_pre_tokenizers) {
  const auto pieces = [](const Json& pre_tokenizer, std::string_view text) {
    return load(word_level({"?"}, {{"pre_tokenizer", pre_tokenizer}})).pieces(text);
  };
  EXPECT_EQ(pieces({{"type", "Whitespace"}}, "a_b, (c)  d"),
            (Tokens{"a_b", ",", "(", "c", ")", "d"}));
  EXPECT_EQ(pieces({{"type", "Digits"}}, "T12 L1"), (Tokens{"T", "12", " L", "1"}));
  EXPECT_EQ(pieces({{"type", "Digits"}, {"individual_digits", true}}, "T12"),
            (Tokens{"T", "1", "2"}));
  EXPECT_EQ(pieces({{"type", "CharDelimiterSplit"}, {"delimiter", "-"}}, "a-b"),
            (Tokens{"a", "b"}));
  EXPECT_EQ(pieces({{"type", "Metaspace"}, {"replacement", "▁"}}, "a  b"),
            (Tokens{"▁a", "▁", "▁b"}));
  EXPECT_EQ(
      pieces({{"type", "Metaspace"}, {"replacement", "▁"}, {"prepend_scheme", "never"}}, "a b"),
      (Tokens{"a", "▁b"}));
  EXPECT_EQ(pieces({{"type", "ByteLevel"}, {"add_prefix_space", true}}, "a b"),
            (Tokens{"Ġa", "Ġb"}));
}

TEST(TokenizerKinds, truncation_keeps_the_special_tokens) {
  const Tokenizer t = Tokenizer::load(fs::path(UNIRG_SOURCE_DIR) /
                                      "tests/parity/golden/wordpiece/tokenizer_uncased.json");
  const Ids whole = t.encode("the lungs are clear", {});
  const Ids cut = t.encode("the lungs are clear", {.add_special_tokens = true, .max_length = 4});
  EXPECT_EQ(cut, (Ids{whole[0], whole[1], whole[2], whole.back()}));
  EXPECT_EQ(t.encode("the", {.add_special_tokens = true, .max_length = 1}).size(), 2u)
      << "never fewer than the special tokens";
  EXPECT_EQ(t.encode("", {}), (Ids{2, 3}));
  const Encoding pair = t.encode_pair("the lungs", "the lungs are clear",
                                      {.add_special_tokens = true, .max_length = 8});
  EXPECT_EQ(pair.ids.size(), 8u);
  EXPECT_EQ(pair.type_ids, (Ids{0, 0, 0, 0, 1, 1, 1, 1}));
}

TEST(TokenizerKinds, words_keep_their_index) {
  const Tokenizer t = Tokenizer::load(fs::path(UNIRG_SOURCE_DIR) /
                                      "tests/parity/golden/wordpiece/tokenizer_uncased.json");
  const Tokens words{"Mild", "cardiomegaly", "", "."};
  const Encoding e = t.encode_words(words, {});
  ASSERT_EQ(e.ids.size(), e.words.size());
  EXPECT_EQ(e.words.front(), -1);
  EXPECT_EQ(e.words.back(), -1);
  Ids joined;
  for (size_t w = 0; w < words.size(); ++w) {
    const Ids ids = t.encode(words[w]);
    joined.insert(joined.end(), ids.size(), static_cast<int64_t>(w));
  }
  EXPECT_EQ(Ids(e.words.begin() + 1, e.words.end() - 1), joined);
}

TEST(TokenizerKinds, keep_their_file) {
  const Json object = llama();
  EXPECT_EQ(load(object).to_json(), object);
}

void expect_refused(const Json& object, const std::string& why) {
  try {
    (void)load(object);
    ADD_FAILURE() << "no error, expected " << why;
  } catch (const Error& error) {
    EXPECT_EQ(error.exit(), Exit::data) << error.what();
    EXPECT_NE(std::string(error.what()).find("tokenizer.json'"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find(why), std::string::npos) << error.what();
  }
}

TEST(TokenizerFiles, name_what_is_not_supported) {
  const Json none = Json::object();
  expect_refused(word_level({"?"}, {{"normalizer", {{"type", "Magic"}}}}), "normalizer 'Magic'");
  expect_refused(word_level({"?"}, {{"pre_tokenizer", {{"type", "Magic"}}}}),
                 "pre-tokenizer 'Magic'");
  expect_refused(word_level({"?"}, {{"decoder", {{"type", "CTC"}}}}), "decoder 'CTC'");
  expect_refused(word_level({"?"}, {{"post_processor", {{"type", "Magic"}}}}),
                 "post-processor 'Magic'");
  expect_refused({{"model", {{"type", "Magic"}}}}, "model 'Magic'");
  expect_refused({{"model", {{"vocab", none}, {"merges", Json::array()}, {"dropout", 0.1}}}},
                 "dropout");
}

TEST(TokenizerFiles, a_vocabulary_of_lines_that_is_no_utf8_is_bad_data) {
  const testing::TempFolder folder;
  io::write_file(folder.path() / "vocab.txt", "[UNK]\n[CLS]\n[SEP]\nh\xe9llo\n");
  try {
    (void)Tokenizer::load(folder.path());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.exit(), Exit::data);
    EXPECT_NE(std::string(error.what()).find("line 4"), std::string::npos) << error.what();
  }
}

TEST(TokenizerFiles, an_added_token_that_the_model_has_too_is_written_in_both_places) {
  BpeParts parts;
  for (int byte = 0; byte < 256; ++byte) parts.tokens.emplace_back(1, static_cast<char>(byte));
  parts.tokens.emplace_back("th");
  parts.tokens.emplace_back("the");
  parts.merges = {{"t", "h"}, {"th", "e"}};
  parts.added = {{.content = "the", .id = 257}};
  const Json written = Tokenizer(parts).to_json();
  EXPECT_EQ(written.at("model").at("vocab").at("the"), 257);
  const testing::TempFolder folder;
  io::write_file(folder.path() / "tokenizer.json", written.dump());
  EXPECT_EQ(Tokenizer::load(folder.path()).encode("other"), Tokenizer(parts).encode("other"));
}

TEST(TokenizerFiles, survive_hostile_content) {
  expect_refused(
      word_level({"?"},
                 {{"post_processor",
                   {{"type", "BertProcessing"}, {"sep", {"[SEP]", 99}}, {"cls", {"[CLS]", 0}}}}}),
      "adds id 99");
  Json nested = {{"type", "NFC"}};
  for (int i = 0; i < 50; ++i) nested = {{"type", "Sequence"}, {"normalizers", {nested}}};
  expect_refused(word_level({"?"}, {{"normalizer", nested}}), "nested too deeply");
  const auto split = [](const char* pattern) {
    return word_level({"?"},
                      {{"pre_tokenizer", {{"type", "Split"}, {"pattern", {{"Regex", pattern}}}}}});
  };
  expect_refused(split("(a"), "missing");
  expect_refused(split("[a&&b]"), "&&");
  expect_refused(split("\\C"), "\\C");
  EXPECT_THROW((void)load(split("(?:a|a)+[xy]")).encode(std::string(60, 'a') + "c"), Error);
  EXPECT_EQ(load(split("x*")).pieces("axb"), (Tokens{"a", "x", "b"})) << "empty matches";
  // A charsmap whose trie points outside, at a replacement inside a character, or nowhere.
  for (const char* blob : {"", "AAAA", "BAAAAP////8=", "BAAAAAABAIDDqQA=", "CAAAAAAAAAD/////"}) {
    const Json object = word_level(
        {"?"}, {{"normalizer", {{"type", "Precompiled"}, {"precompiled_charsmap", blob}}}});
    try {
      EXPECT_EQ(load(object).encode("aé\r\n").size(), 1u);
    } catch (const Error& error) {
      EXPECT_EQ(error.exit(), Exit::data);
    }
  }
  Json unigram = {
      {"model",
       {{"type", "Unigram"}, {"unk_id", 7}, {"vocab", Json::array({Json::array({"a", -1.0})})}}}};
  expect_refused(unigram, "unk_id");
  unigram["model"]["unk_id"] = nullptr;
  EXPECT_EQ(load(unigram).encode("aa"), (Ids{0, 0}));
  EXPECT_THROW((void)load(unigram).encode("b"), Error) << "no unknown token";
}

TEST(TokenizerFiles, are_missed_by_name) {
  const testing::TempFolder folder;
  try {
    (void)Tokenizer::load(folder.path());
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.exit(), Exit::no_input);
  }
}

TEST(TokenizerFiles, broken_utf8_counts_as_the_replacement_character) {
  const Tokenizer t = load(llama());
  EXPECT_EQ(t.encode("a\xff\xc3"), t.encode("a\xef\xbf\xbd\xef\xbf\xbd"));
}

}  // namespace
}  // namespace unirg::text
