// Stated sentences and what they compare; whole reports and their class.
// SPDX-License-Identifier: Apache-2.0
#include "text/temporal.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "io/atomic_file.h"

namespace unirg::text {
namespace {

const std::filesystem::path kLexicons = std::filesystem::path(UNIRG_SOURCE_DIR) / "share/lexicon";

const TemporalReader& reader() {
  static const TemporalReader made(kLexicons / "chest.yaml", kLexicons / "temporal.yaml");
  return made;
}

/// "worse Pleural Effusion; same -": direction and condition of each statement, "" without any.
std::string said(const std::string& report) {
  std::string all;
  for (const ComparisonStatement& s : reader().statements(report)) {
    all += all.empty() ? "" : "; ";
    all += direction_name(s.direction);
    all += " ";
    all += s.condition ? kConditions[*s.condition] : "-";
  }
  return all;
}

struct Example {
  const char* sentence;
  const char* statements;
};

void expect(const std::vector<Example>& examples) {
  for (const Example& e : examples) EXPECT_EQ(said(e.sentence), e.statements) << e.sentence;
}

TEST(Temporal, what_is_new) {
  expect({{"New left pleural effusion.", "new Pleural Effusion"},
          {"There is a newly developed right pneumothorax.", "new Pneumothorax"},
          {"Interval development of right lower lobe consolidation.", "new Consolidation"},
          {"Moderate pulmonary edema has developed.", "new Edema"},
          {"A small effusion is present, new since the prior study.", "new Pleural Effusion"},
          {"Retrocardiac opacity, not seen on the prior radiograph.", "new Lung Opacity"},
          {"Possibly new right basilar atelectasis.", "new Atelectasis"}});
}

TEST(Temporal, what_got_worse) {
  expect({{"The left effusion has increased.", "worse Pleural Effusion"},
          {"Interval increase in bilateral pleural effusions.", "worse Pleural Effusion"},
          {"Pulmonary edema has worsened.", "worse Edema"},
          {"Large right pneumothorax, larger than before.", "worse Pneumothorax"},
          {"Interval progression of multifocal pneumonia.", "worse Pneumonia"},
          {"The consolidation is more confluent.", "worse Consolidation"}});
}

TEST(Temporal, what_got_better_or_went) {
  expect({{"Edema has improved.", "better Edema"},
          {"Interval decrease in the right pleural effusion.", "better Pleural Effusion"},
          {"Improved aeration of the left lung.", "better -"},
          {"The pneumothorax has resolved.", "resolved Pneumothorax"},
          {"Interval resolution of the pulmonary edema.", "resolved Edema"},
          {"The previously noted nodule is no longer seen.", "resolved Lung Lesion"},
          {"Near complete resolution of the consolidation.", "better Consolidation"}});
}

TEST(Temporal, what_is_the_same) {
  expect({{"No interval change.", "same -"},
          {"No significant change.", "same -"},
          {"No significant interval change.", "same -"},
          {"Stable cardiomegaly.", "same Cardiomegaly"},
          {"Unchanged small left pleural effusion.", "same Pleural Effusion"},
          {"The effusion is not significantly changed.", "same Pleural Effusion"},
          {"Cardiomegaly is again noted.", "same Cardiomegaly"},
          {"The heart remains enlarged.", "same Cardiomegaly"},
          {"Persistent bibasilar atelectasis.", "same Atelectasis"},
          {"The pneumonia has not improved.", "same Pneumonia"},
          {"No increase in the effusion.", "same Pleural Effusion"},
          {"The pneumothorax has not yet resolved.", "same Pneumothorax"}});
}

TEST(Temporal, what_is_denied_is_no_statement) {
  expect({{"No new infiltrate.", ""},
          {"There is no new or enlarging pulmonary nodule.", ""},
          {"No evidence of new consolidation.", ""},
          {"No pneumothorax, pleural effusion, or new consolidation.", ""},
          {"No pneumothorax, a larger left pleural effusion.", "worse Pleural Effusion"},
          {"No new focal opacity, but the effusion has increased.", "worse Pleural Effusion"}});
}

TEST(Temporal, what_only_looks_like_a_comparison_is_none) {
  expect({{"Increased cardiothoracic ratio consistent with mild cardiomegaly.", ""},
          {"There is mild enlargement of the cardiac silhouette.", ""},
          {"Increased interstitial markings.", ""},
          {"Improved inspiration.", ""},
          {"Follow up to ensure resolution.", ""},
          {"If symptoms persist, CT is advised.", ""},
          {"Degenerative changes of the spine.", ""},
          {"The right effusion is larger on the right.", ""},
          {"The lungs are clear.", ""}});
}

TEST(Temporal, each_statement_finds_its_condition) {
  expect({{"Stable cardiomegaly with increased pulmonary edema.", "same Cardiomegaly; worse Edema"},
          {"The effusion has decreased and the pneumothorax is unchanged.",
           "better Pleural Effusion; same Pneumothorax"},
          {"Small left effusion, increased from prior. Edema, improved.",
           "worse Pleural Effusion; better Edema"},
          {"Stable appearance of the chest with a small effusion.", "same -"}});
}

TEST(Temporal, says_where) {
  const std::string report = "The heart is large. The left effusion has increased.";
  const auto statements = reader().statements(report);
  ASSERT_EQ(statements.size(), 1);
  EXPECT_EQ(statements[0].sentence, 1);
  const Span span = statements[0].span;
  EXPECT_EQ(report.substr(span.begin, span.end - span.begin), "has increased");
}

struct Classified {
  const char* report;
  const char* name;
};

TEST(Temporal, a_report_is_called_by_the_statement_that_asks_most) {
  const std::vector<Classified> reports{
      {"Findings: New small left effusion. Edema has improved. Impression: New effusion.",
       "new development"},
      {"The effusion has increased. The pneumothorax has decreased. The heart is unchanged.",
       "progression"},
      {"Edema has improved. Cardiomegaly is unchanged.", "regression"},
      {"The right pneumothorax has resolved. The lungs are otherwise clear.", "regression"},
      {"Stable cardiomegaly. No new infiltrate.", "no change"},
      {"No acute cardiopulmonary process.", "no change"},
      {"", "no change"},
      {"New right internal jugular line. Unchanged cardiomegaly.", "no change"},
      {"Interval removal of the endotracheal tube. Pulmonary edema has worsened.", "progression"},
  };
  for (const Classified& c : reports)
    EXPECT_EQ(temporal_name(reader().classify(c.report, true)), c.name) << c.report;
}

TEST(Temporal, without_a_prior_it_is_a_first_study_whatever_it_says) {
  EXPECT_EQ(reader().classify("Edema has worsened.", false), TemporalClass::first_study);
}

TEST(Temporal, names_go_both_ways) {
  for (const char* name :
       {"first study", "new development", "no change", "progression", "regression"}) {
    const auto temporal = temporal_class(name);
    ASSERT_TRUE(temporal.has_value()) << name;
    EXPECT_EQ(temporal_name(*temporal), name);
  }
  EXPECT_FALSE(temporal_class("No change").has_value());
}

TEST(Temporal, the_signature_names_both_lexicons) {
  EXPECT_TRUE(reader().signature().starts_with("temporal:rule|lexicon:chest-"));
  EXPECT_NE(reader().signature().find("|temporal:temporal-1@"), std::string::npos);
}

/// The message of a lexicon that is refused.
std::string refusal(const std::string& yaml) {
  try {
    (void)TemporalReader(load_lexicon(kLexicons / "chest.yaml"), parse_temporal_lexicon(yaml, "t"));
  } catch (const Error& e) {
    EXPECT_EQ(e.exit(), Exit::config);
    return e.what();
  }
  return "";
}

TEST(Temporal, a_bad_lexicon_is_refused_by_line_and_key) {
  const std::string good = io::read_file(kLexicons / "temporal.yaml");
  EXPECT_EQ(refusal(good), "");
  EXPECT_EQ(refusal("- a\n"), "'t:1': expected a map");
  EXPECT_EQ(refusal("schema: unirg.temporal/1\nversion: v\nnwe: []\n"),
            "'t:3': unknown key 'nwe' (hint: 'new')");
  EXPECT_EQ(refusal("schema: unirg.lexicon/1\n"), "'t:1': schema is not 'unirg.temporal/1'");
  EXPECT_EQ(refusal("schema: unirg.temporal/1\nversion: v\n"), "'t:1': key 'new' is missing");
  EXPECT_EQ(refusal("schema: unirg.temporal/1\nversion: v\nnew: text\n"),
            "'t:3': 'new': expected a list");
  EXPECT_NE(refusal(good + "  - ..\n").find(".."), std::string::npos);
  EXPECT_NE(refusal("a: [\n").find("'t:"), std::string::npos);
}

}  // namespace
}  // namespace unirg::text
