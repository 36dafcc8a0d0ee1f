// Categories as reports spell them, the rules for several mentions, and a strict file reader.
// SPDX-License-Identifier: Apache-2.0
#include "text/categories.h"

#include <gtest/gtest.h>

#include <map>

#include "base/error.h"

namespace unirg::text {
namespace {

const Categories& shipped() {
  static const Categories made(std::filesystem::path(UNIRG_SOURCE_DIR) /
                               "share/lexicon/categories.yaml");
  return made;
}

std::string read(const std::string& name, const std::string& text) {
  const auto& infos = shipped().infos();
  for (size_t i = 0; i < infos.size(); ++i) {
    if (infos[i].name == name) return shipped().read(i, text).value_or("-");
  }
  return "no such category";
}

TEST(Categories, birads_as_reports_spell_it) {
  const std::map<std::string, std::string> spellings{
      {"BI-RADS 4A", "4A"},
      {"BIRADS: IV", "4"},
      {"ACR BI-RADS category 2 (benign)", "2"},
      {"BI-RADS Category 4 - suspicious", "4"},
      {"bi-rads category: 4b", "4B"},
      {"Bi-Rads Final Assessment Category 0: incomplete", "0"},
      {"BI RADS-3", "3"},
      {"BIRADS II", "2"},
      {"BI-RADS\nCategory\n5", "5"},
      {"BI-RADS (4 C)", "4C"},
      {"BI-RADS 4-A lesion", "4A"},
      {"BI-RADS IVb", "4B"},
      {"BI-RADS 4 a biopsy is recommended", "4"},
      {"BI-RADS® 1.", "1"},
      {"BI-RADS code six", "6"},
      {"BI-RADS: category three.", "3"},
      {"Assessment: Category 2.", "2"},
      {"FINAL ASSESSMENT CATEGORY: ACR CATEGORY 4A", "4A"},
      {"Right breast BI-RADS 4C, left breast BI-RADS 2. Overall BI-RADS category 4C.", "4C"},
      {"Previously BI-RADS 4. Now BI-RADS 2.", "2"},
      {"BI-RADS 5th edition was used.", "-"},
      {"BI-RADS density category C", "-"},
      {"Assessment: no mass.", "-"},
      {"BI-RADS 7", "-"},
      {"BI-RADS 2.5", "-"},
      {"BI-RADS 21", "-"},
      {"", "-"}};
  for (const auto& [text, value] : spellings) EXPECT_EQ(read("birads", text), value) << text;
}

TEST(Categories, density_as_reports_spell_it) {
  const std::map<std::string, std::string> spellings{
      {"The breasts are heterogeneously dense (ACR C), which may obscure small masses.", "C"},
      {"heterogenously dense", "C"},
      {"heterogeneous dense", "C"},
      {"Breast density: B", "B"},
      {"breast composition category b.", "B"},
      {"ACR b.", "B"},
      {"ACR density type D", "D"},
      {"ACR: A", "A"},
      {"BI-RADS density category C", "C"},
      {"Density III", "C"},
      {"There are scattered areas of fibroglandular density.", "B"},
      {"scattered fibro-glandular tissue", "B"},
      {"The breasts are almost entirely fatty.", "A"},
      {"predominantly fatty", "A"},
      {"Breast tissue is extremely dense.", "D"},
      {"type c breasts", "C"},
      {"A mass of high density, 4 mm.", "-"},
      {"density 3 mm from the nipple", "-"},
      {"According to ACR a biopsy is due.", "-"},
      {"ACR BI-RADS category 2", "-"}};
  for (const auto& [text, value] : spellings) EXPECT_EQ(read("density", text), value) << text;
}

TEST(Categories, other_systems) {
  EXPECT_EQ(read("lungrads", "Lung-RADS category 4B."), "4B");
  EXPECT_EQ(read("lungrads", "Lung-RADS v2022: 2S"), "2");
  EXPECT_EQ(read("lungrads", "LungRADS version 1.1 category 3"), "3");
  EXPECT_EQ(read("pirads", "PI-RADS v2.1 score 3 and PIRADS 5; PI-RADS: II"), "5");
  EXPECT_EQ(read("tirads", "ACR TI-RADS level TR4. Second nodule TR3."), "4");
  EXPECT_EQ(read("tirads", "TIRADS 5"), "5");
  EXPECT_EQ(read("lirads", "LR-3 and LR-M"), "M");
  EXPECT_EQ(read("lirads", "LI-RADS category LR-TIV"), "TIV");
  EXPECT_EQ(read("birads", "PI-RADS 4"), "-");
}

TEST(Categories, invalid_utf8_and_long_text_do_no_harm) {
  EXPECT_EQ(read("birads", "\xff\xfe BI-RADS 3 \xc3"), "3");
  EXPECT_EQ(read("birads", std::string(200000, ' ') + "BI-RADS" + std::string(200000, ' ')), "-");
}

Categories made(const std::string& body) {
  return {"schema: unirg.categories/1\nversion: v\ncategories:\n" + body, "f.yaml"};
}

TEST(Categories, pick_says_which_of_several_mentions_counts) {
  const auto value = [](const std::string& pick) {
    const Categories c = made("  - {name: n, meaning: m, pick: " + pick +
                              ", values: [a, b, c], patterns: ['grade (?<value>\\w)']}\n");
    return c.read(0, "Grade B, grade c, grade x, grade A").value_or("-");
  };
  EXPECT_EQ(value("first"), "b");
  EXPECT_EQ(value("last"), "a");
  EXPECT_EQ(value("highest"), "c");
}

std::string complaint(const std::string& body) {
  try {
    (void)made(body);
  } catch (const Error& e) {
    EXPECT_EQ(e.exit(), Exit::config);
    return e.what();
  }
  return "accepted";
}

TEST(Categories, the_file_is_read_strictly) {
  const std::map<std::string, std::string> wrong{
      {"  - {nam: n}\n", "'f.yaml:4': unknown key 'nam' (hint: 'name')"},
      {"  - {name: n}\n", "'f.yaml:4': key 'meaning' is missing"},
      {"  - {name: N, meaning: m, pick: last, values: [a], patterns: ['(?<value>a)']}\n", "'N'"},
      {"  - {name: n, meaning: m, pick: best, values: [a], patterns: ['(?<value>a)']}\n",
       "first, last, highest"},
      {"  - {name: n, meaning: m, pick: last, values: [a], patterns: ['(a)']}\n",
       "no group (?<value>...)"},
      {"  - name: n\n    meaning: m\n    pick: last\n    values: [a]\n    patterns:\n      - "
       "'(?<value>'\n",
       "'f.yaml:9': pattern '(?<value>': missing closing parenthesis"},
      {"  - {name: n, meaning: m, pick: last, values: [a], map: {b: c}, patterns: "
       "['(?<value>a)']}\n",
       "'c' is no value of category 'n'"},
      {"  - {name: n, meaning: m, pick: last, values: [a], map: {B: a}, patterns: "
       "['(?<value>a)']}\n",
       "lower case"},
      {"  - {name: n, meaning: m, pick: last, values: [a], map: {a: a}, patterns: "
       "['(?<value>a)']}\n",
       "'a' twice"},
      {"  - {name: n, meaning: m, pick: last, values: [a], is: [{value: b, pattern: x}]}\n",
       "'b' is no value"},
      {"  - {name: n, meaning: m, pick: last, values: [a]}\n", "has no patterns"},
      {"  - {name: n, meaning: m, pick: last, values: [a], patterns: ['(?<value>a)']}\n"
       "  - {name: n, meaning: m, pick: last, values: [a], patterns: ['(?<value>a)']}\n",
       "'f.yaml:5': category 'n' twice"},
      {"  []\n", "no category"}};
  for (const auto& [body, part] : wrong)
    EXPECT_NE(complaint(body).find(part), std::string::npos) << complaint(body) << "\n" << part;
  EXPECT_THROW((void)Categories("schema: x\n", "f.yaml"), Error);
  EXPECT_THROW((void)Categories("[", "f.yaml"), Error);
  EXPECT_THROW((void)Categories(std::filesystem::path("/nonexistent/c.yaml")), Error);
}

TEST(Categories, a_pattern_that_takes_too_long_is_an_error_not_a_hang) {
  const Categories c = made(
      "  - {name: n, meaning: m, pick: last, values: [a], patterns: ['(?<value>(a|aa)+)$']}\n");
  EXPECT_THROW((void)c.read(0, std::string(5000, 'a') + "c"), Error);
  EXPECT_EQ(c.digest().size(), 64U);
}

}  // namespace
}  // namespace unirg::text
