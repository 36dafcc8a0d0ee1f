// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>

#include "base/error.h"
#include "io/atomic_file.h"
#include "scoring/reports.h"
#include "scoring/scorer.h"
#include "temp_folder.h"

namespace unirg::scoring {
namespace {

const std::string kLexicon = std::string(UNIRG_SOURCE_DIR) + "/share/lexicon/chest.yaml";

TEST(LoadReports, reads_every_kind_of_file_alike) {
  testing::TempFolder folder;
  const auto path = [&](const char* name) { return folder.path() / name; };
  io::write_file(path("a.jsonl"), R"({"study_id":"s1","text":"Findings: F. Impression: I."})"
                                  "\n");
  io::write_file(path("b.csv"), "study_id,report\ns1,\"Findings: F. Impression: I.\"\n");
  io::write_file(
      path("c.json"),
      R"({"s1":{"section_findings":"F.","section_impression":"I.","age":NaN,"model_prediction":"Findings: P."}})");
  for (const char* name : {"a.jsonl", "b.csv", "c.json"}) {
    const auto reports = load_reports(path(name), false).records;
    ASSERT_EQ(reports.size(), 1u) << name;
    EXPECT_EQ(scored_texts(reports[0], reports[0], Sections::both).report,
              "Findings: F. Impression: I.")
        << name;
    EXPECT_EQ(section_text(reports[0], Sections::impression), "Impression: I.") << name;
  }
  EXPECT_EQ(section_text(load_reports(path("c.json"), true).records[0], Sections::both),
            "Findings: P.");
}

TEST(LoadReports, says_where_a_line_is_wrong) {
  testing::TempFolder folder;
  io::write_file(folder.path() / "a.jsonl",
                 "{\"study_id\":\"s\",\"text\":\"x\"}\n{\"study_id\":3}\n");
  try {
    (void)load_reports(folder.path() / "a.jsonl", true);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.exit(), Exit::data);
    EXPECT_NE(std::string(e.what()).find("a.jsonl:2: field 'study_id': expected string"),
              std::string::npos)
        << e.what();
  }
}

TEST(LoadReports, reads_the_wanted_lines_and_knows_the_others_by_their_head) {
  testing::TempFolder folder;
  const auto file = folder.path() / "a.jsonl";
  const std::string lines =
      "{\"study_id\":\"a\",\"text\":\"x\"}\n"
      "{\"study_id\":\"b\",\"sample\":1,\"text\":7}\n"  // nobody reads that far
      "{\"study_id\":\"b\",\"sample\":2,\"text\":\"z\"}\n";
  io::write_file(file, lines);
  std::vector<std::string> told;
  const Wanted only_a = [&](const std::optional<data::RecordHead>& head, int64_t line) {
    told.push_back(fmt::format("{} {} {}", head->study_id, head->sample, line));
    return head->study_id == "a";
  };
  const auto reports = load_reports(file, true, data::OnError::stop, only_a);
  EXPECT_EQ(told, (std::vector<std::string>{"a 0 1", "b 1 2", "b 2 3"}));
  ASSERT_EQ(reports.records.size(), 1U);
  EXPECT_EQ(reports.records[0].study_id, "a");
  io::write_file(file, lines + "{\"study_id\":\"b\",\"sample\":1,\"text\":\"again\"}\n");
  EXPECT_THROW((void)load_reports(file, true, data::OnError::stop, only_a), Error);
}

TEST(LoadReports, keeps_plain_texts_as_they_stand) {
  testing::TempFolder folder;
  io::write_file(folder.path() / "a.jsonl",
                 R"({"study_id":"s","text":"Lungs  clear.\nFINDINGS: x"})"
                 "\n");
  io::write_file(folder.path() / "b.json", R"({"s":{"section_findings":"F.\nG."}})");
  const auto text = [&](const char* name) {
    const NamedReport report = load_reports(folder.path() / name, false).records[0];
    return scored_texts(report, report, Sections::both).reference;
  };
  EXPECT_EQ(text("a.jsonl"), "Lungs  clear.\nFINDINGS: x");
  EXPECT_EQ(text("b.json"), "Findings: F.\nG. Impression: None") << "ReXrank's conversion";
}

TEST(ScoredTexts, have_one_form_on_both_sides) {
  NamedReport record{"s", 0, {"Clear.", std::nullopt}};
  NamedReport plain = record;
  plain.verbatim = "Clear.";
  const auto mixed = scored_texts(record, plain, Sections::both);
  EXPECT_EQ(mixed.report, mixed.reference) << "a record against a plain text";
  EXPECT_EQ(scored_texts(plain, plain, Sections::both).report, "Clear.");
  EXPECT_EQ(scored_texts(plain, plain, Sections::findings).report, "Findings: Clear.");
}

MetricOptions options() {
  MetricOptions o;
  o.lexicon = kLexicon;
  return o;
}

TEST(Scorer, gives_an_identical_report_full_marks_and_no_errors) {
  const Scorer scorer({}, options());
  const std::string text =
      "Findings: Small left pleural effusion. No pneumothorax. Impression: Small left pleural "
      "effusion.";
  const auto values = scorer.score({text, {text}}).front().values;
  ASSERT_EQ(values.size(), default_metrics().size());
  for (size_t i = 0; i < values.size(); ++i) {
    const std::string& name = scorer.metrics()[i].name;
    if (name == "words") continue;
    EXPECT_NEAR(values[i].value(), name == "errors" ? 0 : 1, 1e-12) << name;
  }
}

TEST(Scorer, keeps_the_order_asked_for_over_families) {
  const Scorer scorer({"errors", "bleu2", "label-f1", "words", "bleu2"}, options());
  std::vector<std::string> names;
  for (const MetricInfo& metric : scorer.metrics()) names.push_back(metric.name);
  EXPECT_EQ(names, (std::vector<std::string>{"errors", "bleu2", "label-f1", "words"}));
  const auto scored = scorer.score({"Large effusion.", {"Large effusion.", "Heart normal."}});
  ASSERT_EQ(scored.size(), 2u);
  EXPECT_EQ(scored[0].values[0], 0.0);
  EXPECT_EQ(scored[1].values[3], 2.0);
}

TEST(Scorer, reads_labels_only_where_a_rule_metric_is_chosen) {
  EXPECT_TRUE(Scorer({"label-f1"}, options()).reads_labels());
  EXPECT_FALSE(Scorer({"bleu2"}, options()).reads_labels());
}

TEST(Scorer, unknown_metric_is_a_config_error_with_the_nearest_name) {
  try {
    const Scorer scorer({"bleu3"}, options());
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.exit(), Exit::config);
    EXPECT_NE(std::string(e.what()).find("did you mean 'bleu2'"), std::string::npos) << e.what();
  }
}

TEST(KnownMetrics, have_a_name_of_their_own_and_say_where_they_come_from) {
  std::set<std::string> names;
  for (const MetricInfo& metric : known_metrics(options())) {
    EXPECT_TRUE(names.insert(metric.name).second) << metric.name;
    EXPECT_TRUE(metric.signature.starts_with(metric.name)) << metric.signature;
    EXPECT_FALSE(metric.meaning.empty()) << metric.name;
    EXPECT_FALSE(metric.source.empty()) << metric.name;
    EXPECT_FALSE(metric.range.empty()) << metric.name;
  }
}

}  // namespace
}  // namespace unirg::scoring
