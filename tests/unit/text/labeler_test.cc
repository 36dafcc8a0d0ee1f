// SPDX-License-Identifier: Apache-2.0
#include "text/labeler.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "io/atomic_file.h"
#include "temp_folder.h"
#include "text/sentences.h"

namespace unirg::text {
namespace {

const Labeler& labeler() {
  static const Labeler made(std::string(UNIRG_SOURCE_DIR) + "/share/lexicon/chest.yaml");
  return made;
}

size_t index_of(std::string_view name) {
  return static_cast<size_t>(std::find(kConditions.begin(), kConditions.end(), name) - kConditions.begin());
}
std::optional<int> label(std::string_view text, std::string_view condition) { return labeler().read(text).labels[index_of(condition)]; }

TEST(Labeler, tells_positive_negative_uncertain_and_unsaid) {
  EXPECT_EQ(label("There is a small left pleural effusion.", "Pleural Effusion"), 1);
  EXPECT_EQ(label("No pneumothorax or pleural effusion.", "Pleural Effusion"), 0);
  EXPECT_EQ(label("No pneumothorax or pleural effusion.", "Pneumothorax"), 0);
  EXPECT_EQ(label("Opacity may represent pneumonia.", "Pneumonia"), -1);
  EXPECT_EQ(label("Pneumonia cannot be excluded.", "Pneumonia"), -1);
  EXPECT_EQ(label("The lungs are clear.", "Pneumothorax"), std::nullopt);
}

TEST(Labeler, a_cue_ends_at_but) {
  EXPECT_EQ(label("No effusion but moderate cardiomegaly is present.", "Cardiomegaly"), 1);
  EXPECT_EQ(label("No effusion but moderate cardiomegaly is present.", "Pleural Effusion"), 0);
  EXPECT_EQ(label("The pneumothorax has resolved.", "Pneumothorax"), 0);
}

TEST(Labeler, normal_statements_deny_without_a_negation) {
  EXPECT_EQ(label("The heart size is normal.", "Cardiomegaly"), 0);
  EXPECT_EQ(label("Lungs are clear.", "Consolidation"), 0);
}

TEST(Labeler, positive_wins_over_negative_mentions) {
  EXPECT_EQ(label("No edema. Later there is mild edema.", "Edema"), 1);
}

TEST(Labeler, no_finding_follows_from_the_others) {
  EXPECT_EQ(label("No acute disease.", "No Finding"), 1);
  EXPECT_EQ(label("A pacemaker is in place. Lungs are clear.", "No Finding"), 1);
  EXPECT_EQ(label("Possible pneumonia.", "No Finding"), 0);
  EXPECT_EQ(label("", "No Finding"), std::nullopt);
}

TEST(Labeler, entities_carry_location_severity_and_change) {
  const Reading r = labeler().read("The heart is mildly enlarged. Increased large right pleural effusion and left basilar atelectasis.");
  ASSERT_EQ(r.entities.size(), 3u);
  EXPECT_EQ(r.entities[0].severity, "mild");
  EXPECT_EQ(r.entities[1].severity, "severe");
  EXPECT_EQ(r.entities[1].change, "worse");
  EXPECT_EQ(r.entities[1].locations, (std::set<std::string>{"right"}));
  EXPECT_EQ(r.entities[2].locations, (std::set<std::string>{"left", "lower"}));
  EXPECT_EQ(r.entities[2].severity, "");
}

TEST(Sentences, keep_numbers_abbreviations_and_list_items_whole) {
  const std::string text = "1. A 2.5 cm nodule. Dr. Who agrees!\n\nNo change";
  std::vector<std::string> got;
  for (const Span& s : sentence_spans(text)) got.push_back(text.substr(s.begin, s.end - s.begin));
  EXPECT_EQ(got, (std::vector<std::string>{"1. A 2.5 cm nodule.", "Dr. Who agrees!", "No change"}));
}

TEST(Lexicon, errors_name_file_line_and_what) {
  testing::TempFolder folder;
  const auto file = folder.path() / "l.yaml";
  io::write_file(file, "version: x\nconditions:\n  Oedema: [edema]\n");
  try {
    const Labeler bad(file);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.exit(), Exit::config);
    EXPECT_NE(std::string(e.what()).find("l.yaml:3: unknown condition 'Oedema'"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace unirg::text
