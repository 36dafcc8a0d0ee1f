// Hand-worked values of the metrics of text; what their files may and may not be.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "io/atomic_file.h"
#include "metrics/cider.h"
#include "metrics/coco_bleu.h"
#include "metrics/meteor.h"
#include "metrics/meteor_align.h"
#include "metrics/meteor_text.h"
#include "metrics/porter.h"
#include "metrics/readability.h"
#include "metrics/rouge.h"
#include "metrics/text_statistics.h"
#include "temp_folder.h"
#include "text/python_text.h"

namespace unirg::metrics {
namespace {

using Words = std::vector<std::string>;

std::vector<std::string_view> words(std::string_view text) { return text::python_split(text); }

BleuStatistics bleu_of(std::string_view h, std::string_view r) {
  GramIndex index;
  const Ids reference = index.add(words(r));
  return bleu_statistics(ReferenceGrams(reference, 4), reference.size(), index.add(words(h)));
}

TEST(CocoBleu, is_worked_by_hand) {
  const auto same = coco_bleu(bleu_of("a b c d e", "a b c d e"));
  // not 1, as the original, whose brevity penalty sets in too
  EXPECT_NEAR(same[0], 5 / (5 + 1e-9) * std::exp(1 - (5 + 1e-9) / 5), 1e-15);
  EXPECT_LT(same[3], 1.0);
  // 1-grams 3 of 4, 2-grams 1 of 3 (the heart), longer none; equal length
  const auto b = coco_bleu(bleu_of("the heart is big", "the heart was big"));
  EXPECT_NEAR(b[0], 0.75, 1e-8);
  EXPECT_NEAR(b[1], std::sqrt(0.75 / 3), 1e-8);
  EXPECT_NEAR(b[2], std::cbrt(0.75 / 3 * 1e-15 / 2), 1e-9);
  // a repeated word counts as often as the reference has it; half as long: exp(1 - 2)
  EXPECT_NEAR(coco_bleu(bleu_of("a a", "a b c d"))[0], 0.5 * std::exp(-1.0), 1e-8);
  EXPECT_EQ(coco_bleu(bleu_of("", "a"))[0], 0.0);
}

TEST(CocoBleu, of_a_corpus_is_of_the_sums_not_the_mean) {
  BleuStatistics sum = bleu_of("a b", "a b");
  sum += bleu_of("x", "y z");
  EXPECT_NEAR(coco_bleu(sum)[0], 2.0 / 3 * std::exp(1 - 4.0 / 3), 1e-8);
  EXPECT_EQ(BleuStatistics::from_numbers(sum.numbers()).numbers(), sum.numbers());
  EXPECT_EQ(sum.numbers(), (std::vector<double>{2, 1, 0, 0, 3, 1, 0, 0, 3, 4}));
}

TEST(RougeN, is_worked_by_hand) {
  EXPECT_DOUBLE_EQ(rouge_n(2, 4, 3), 2 * 0.5 * (2.0 / 3) / (0.5 + 2.0 / 3));
  EXPECT_EQ(rouge_n(0, 0, 0), 0.0);
  EXPECT_EQ(rouge_tokens("\u0130x \u212a2 \u00e9a"), (Words{"i", "x", "k2", "a"}));
  EXPECT_EQ(coco_rouge_tokens("a  b"), (std::vector<std::string_view>{"a", "", "b"}));
  GramIndex index;
  const Ids empty = index.add(coco_rouge_tokens(""));
  EXPECT_EQ(rouge_l(empty, empty, 1.2), 1.0);  // as upstream
}

TEST(Lcs, equals_the_table_method_over_block_borders) {
  uint64_t state = 1;
  const auto next = [&] {
    return (state = state * 6364136223846793005ULL + 1442695040888963407ULL) >> 60;
  };
  for (size_t n : {1u, 63u, 64u, 65u, 130u, 200u}) {
    Ids a, b;
    for (size_t i = 0; i < n; ++i) a.push_back(static_cast<GramId>(next()));
    for (size_t i = 0; i < 2 * n; ++i) b.push_back(static_cast<GramId>(next()));
    std::vector<size_t> row(b.size() + 1);
    for (const GramId x : a) {
      size_t diagonal = 0;
      for (size_t j = 1; j <= b.size(); ++j) {
        const size_t above = row[j];
        row[j] = x == b[j - 1] ? diagonal + 1 : std::max(row[j], row[j - 1]);
        diagonal = above;
      }
    }
    EXPECT_EQ(longest_common_subsequence(a, b), row.back()) << n;
    EXPECT_EQ(longest_common_subsequence(b, a), row.back()) << n;
  }
}

TEST(Porter, has_the_extensions_of_nltk) {
  for (const auto& [word, stem] :
       std::vector<std::pair<std::string, std::string>>{{"caresses", "caress"},
                                                        {"ponies", "poni"},
                                                        {"ties", "tie"},
                                                        {"died", "die"},
                                                        {"agreed", "agre"},
                                                        {"hopping", "hop"},
                                                        {"falling", "fall"},
                                                        {"filing", "file"},
                                                        {"happy", "happi"},
                                                        {"enjoy", "enjoy"},
                                                        {"skies", "sky"},
                                                        {"radically", "radic"},
                                                        {"radiology", "radiolog"},
                                                        {"opacities", "opac"},
                                                        {"adoption", "adopt"},
                                                        {"controlling", "control"},
                                                        {"effusion", "effus"},
                                                        {"is", "is"}})
    EXPECT_EQ(porter_stem(word), stem) << word;
}

TEST(Cider, is_worked_by_hand) {
  // N = 3. idf: "a" in two references ln 1.5, "b" and "c" in one ln 3; bigrams in one each.
  const CiderTable table({"a b", "a c", "d"}, "whitespace");
  GramIndex index(&table.index());
  const auto vector = [&](const Words& w) { return cider_vector(table, index, index.add(w)); };
  const double a = std::log(1.5), b = std::log(3.0);
  // equal texts: orders 1 and 2 give 1, there are none of orders 3 and 4
  EXPECT_NEAR(cider_d(vector({"a", "b"}), vector({"a", "b"})), 10 * 2.0 / 4, 1e-12);
  // "a c" against "a b": a shared; lengths equal
  EXPECT_NEAR(cider_d(vector({"a", "c"}), vector({"a", "b"})), 10.0 / 4 * a * a / (a * a + b * b),
              1e-12);
  // "a" against "a b": one bigram less, exp(-1 / 72)
  EXPECT_NEAR(cider_d(vector({"a"}), vector({"a", "b"})),
              10.0 / 4 * a * a / (a * std::sqrt(a * a + b * b)) * std::exp(-1.0 / 72), 1e-12);
  EXPECT_EQ(cider_d(vector({"unseen"}), vector({"a", "b"})), 0.0);
}

TEST(CiderTable, is_byte_stable_and_read_back) {
  const testing::TempFolder folder;
  const Words references{"a b", "a c", "d"};
  CiderTable(references, "ptb").write(folder.path() / "one");
  CiderTable({references[2], references[1], references[0]}, "ptb").write(folder.path() / "two");
  const std::string text = io::read_file(folder.path() / "one");
  EXPECT_EQ(text, io::read_file(folder.path() / "two"));
  EXPECT_EQ(text,
            "unirg.cider-df/1\ntokenizer\tptb\ndocuments\t3\n2\ta\n1\ta b\n1\ta c\n1\tb\n1\tc\n"
            "1\td\n");
  const CiderTable table = CiderTable::read(folder.path() / "one");
  EXPECT_EQ(table.tokenizer(), "ptb");
  EXPECT_EQ(table.documents(), 3u);
  EXPECT_DOUBLE_EQ(table.idf(table.index().find("a")), std::log(3.0) - std::log(2.0));
  EXPECT_DOUBLE_EQ(table.idf(kNoGram), std::log(3.0));
}

TEST(CiderTable, refuses_what_is_no_table) {
  const testing::TempFolder folder;
  const std::string head = "unirg.cider-df/1\ntokenizer\tptb\ndocuments\t3\n";
  for (const std::string& bad :
       {std::string("something\n"), std::string(), head + "1\ta", head + "x\ta\n",
        head + "1\tb\n1\ta\n", head + "1\ta\n1\ta\n", head + "4\ta\n", head + "1\ta b c d e\n",
        head + "1\ta  b\n", head + "1\t\n",
        std::string("unirg.cider-df/1\ntokenizer\tptb\ndocuments\t1\n")}) {
    io::write_file(folder.path() / "bad", bad);
    EXPECT_THROW(CiderTable::read(folder.path() / "bad"), Error) << bad;
  }
  EXPECT_THROW(CiderTable({"a"}, "ptb").write(folder.path() / "one"), Error);
}

double meteor(std::string_view h, std::string_view r, const Meteor& metric = Meteor()) {
  return meteor_score(metric.statistics(metric.prepare(h), metric.prepare(r)));
}

TEST(Meteor, is_worked_by_hand) {
  // P .5, R .4, two matches in two chunks: the example of the jar's documentation
  EXPECT_NEAR(meteor("the heart is enlarged", "heart size is large"), 0.164948, 1e-6);
  EXPECT_EQ(meteor("a b c", "a b c"), 1.0);
  EXPECT_EQ(meteor("", "a"), 0.0);
  EXPECT_EQ(meteor("", ""), 0.0);
  // one stem match of a content word: P = R = 0.6, and no penalty for one piece that is all
  EXPECT_NEAR(meteor("opacities", "opacity"), 0.6, 1e-12);
  // one match of two words: P = 1/2, R = 1, penalty 0.6
  EXPECT_NEAR(meteor("lung lesion", "lung"), 0.4 / (0.15 / 0.5 + 0.85), 1e-12);
}

TEST(Meteor, words_are_normalised_as_the_jar_does) {
  EXPECT_EQ(meteor_words("Well-known, 1,000 (U.S.) end. next."),
            (Words{"well", "known", ",", "1,000", "(", "us", ")", "end.", "next", "."}));
  EXPECT_EQ(meteor_words("don't stop... now"), (Words{"don", "'t", "stop", "...", "now"}));
  EXPECT_TRUE(meteor_words(" ").empty());
}

TEST(Meteor, reads_synonyms_and_paraphrases_from_files) {
  const testing::TempFolder folder;
  io::write_file(folder.path() / "synsets", "large\n100 7\nbig\n7\nlung\n5\n");
  io::write_file(folder.path() / "exceptions", "big\nbigger biggest\n");
  io::write_file(folder.path() / "table", "0.5\nheart size\ncardiac silhouette\n");
  const Meteor with(
      {folder.path() / "synsets", folder.path() / "exceptions", folder.path() / "table"});
  EXPECT_EQ(meteor("large", "biggest"), 0.0);
  EXPECT_NEAR(meteor("large", "biggest", with), 0.8, 1e-12);
  EXPECT_NEAR(meteor("cardiac silhouette", "heart size", with), 0.6, 1e-12);
  io::write_file(folder.path() / "bad", "large\nx\n");
  EXPECT_THROW(Meteor({folder.path() / "bad", folder.path() / "exceptions", ""}), Error);
  EXPECT_THROW(Meteor({folder.path() / "synsets", "", ""}), Error);
  for (const char* table : {"0.5\nheart\n", "0.5\nheart\n \t\n", "0.5\n \nheart\n"}) {
    io::write_file(folder.path() / "bad", table);
    EXPECT_THROW(
        Meteor({folder.path() / "synsets", folder.path() / "exceptions", folder.path() / "bad"}),
        Error);
  }
}

TEST(MeteorAlign, prefers_matches_then_few_chunks) {
  // reference "a b a", hypothesis "a b": the first a joins b in one chunk
  const MeteorMatches matches({{0, 0, 1, 0, 1}, {0, 1, 1, 1, 1}, {0, 2, 1, 0, 1}}, 3);
  const MeteorAlignment alignment = meteor_align(matches, 2);
  ASSERT_EQ(alignment.matches.size(), 2u);
  EXPECT_EQ(alignment.matches[0].reference, 0u);
  EXPECT_EQ(alignment.chunks, 1u);
}

TEST(Meteor, statistics_add_up) {
  const Meteor metric;
  MeteorStatistics sum = metric.statistics(metric.prepare("a lung"), metric.prepare("a lung"));
  EXPECT_EQ(sum.chunks, 0.0);  // one piece of equal words is no chunk
  sum += metric.statistics(metric.prepare("x y"), metric.prepare("y x"));
  EXPECT_EQ(sum.chunks, 2.0);
  EXPECT_EQ(sum.length[0], 4.0);
  EXPECT_EQ(MeteorStatistics::from_numbers(sum.numbers()).numbers(), sum.numbers());
}

TEST(Readability, is_worked_by_hand) {
  if (!std::filesystem::exists(kHyphenationFile)) GTEST_SKIP() << "needs hyphen-en-us";
  const Readability r;
  EXPECT_EQ(r.syllables("abnormality"), 5u);  // ab-nor-mal-i-ty: two letters may stand alone
  EXPECT_EQ(r.syllables("30yof"), 2u);        // 30y-of, as pyphen breaks it
  EXPECT_EQ(r.syllables("heart"), 1u);
  // 4 words, 1 sentence, 5 syllables (nor-mal)
  EXPECT_NEAR(r.grade("The heart is normal.").value(), 0.39 * 4 + 11.8 * 5 / 4 - 15.59, 1e-12);
  // sentences of one or two words are not counted
  EXPECT_NEAR(r.grade("The heart is normal. Stable.").value(),
              0.39 * 5 + 11.8 * static_cast<double>(5 + r.syllables("stable")) / 5 - 15.59, 1e-12);
  EXPECT_FALSE(r.grade("...").has_value());
}

TEST(Readability, names_the_package_of_a_missing_dictionary) {
  try {
    Readability("/nowhere/hyph.dic");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.exit(), Exit::no_input);
    EXPECT_NE(std::string(e.what()).find("/nowhere/hyph.dic"), std::string::npos);
    EXPECT_NE(std::string(e.what()).find("hyphen-en-us"), std::string::npos);
  }
}

TEST(TextStatistics, are_worked_by_hand) {
  GramIndex index;
  // a b c d a b c d a: 4-grams abcd bcda cdab dabc abcd bcda: 4 of 6 differ
  EXPECT_NEAR(repetition(index.add(words("a b c d a b c d a"))), 1 - 4.0 / 6, 1e-12);
  EXPECT_EQ(repetition(index.add(words("a b c"))), 0.0);
  EXPECT_EQ(sentence_count("No effusion. Heart normal."), 2u);
  EXPECT_EQ(sentence_count(""), 0u);
}

TEST(Boilerplate, is_the_share_of_listed_sentences) {
  const testing::TempFolder folder;
  io::write_file(folder.path() / "list", "No acute  disease.\n\nTHE LUNGS ARE CLEAR.\n");
  const Boilerplate list(folder.path() / "list");
  EXPECT_DOUBLE_EQ(list.share("no acute disease. The lungs are\nclear. Big heart.").value(),
                   2.0 / 3);
  EXPECT_FALSE(list.share("").has_value());
  io::write_file(folder.path() / "empty", "\n");
  EXPECT_THROW(Boilerplate(folder.path() / "empty"), Error);
}

}  // namespace
}  // namespace unirg::metrics
