// SPDX-License-Identifier: Apache-2.0
#include "evaluation/report_page.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "io/jsonl.h"

namespace unirg::evaluation {
namespace {

const std::string kHostile = "</script><img src=x onerror=alert(1)>";

std::vector<Score> scores() {
  std::vector<Score> all;
  for (const char* system : {"a", "b"}) {
    for (const char* study : {"s1", "s2", "s3"}) {
      Score s;
      s.study_id = study;
      s.system = system;
      s.split = "test";
      s.patient_id = study;
      s.site = "A/1";
      s.metrics = {{"bleu2", system[0] == 'a' ? 0.5 : 0.25}, {"errors", study[1] - '0'}};
      s.called = {"Edema"};
      s.present = {"Edema"};
      all.push_back(s);
    }
  }
  return all;
}

RolloutCard rollout_card() {
  RolloutCard card;
  card.study_id = "s9";
  card.reference = kHostile;
  card.samples = {{.sample = 3,
                   .text = kHostile,
                   .finish = "stop",
                   .tokens = 7,
                   .reward = 0.75,
                   .advantage = 0.25,
                   .components = {{"rouge-l", 0.5}, {"green", std::nullopt}},
                   .marks = {{0, 1, {5}}}}};
  return card;
}

ReportPage page() {
  ReportPage p;
  p.title = "A & B <b>";
  ComparisonOptions options;
  options.pairs = {{"a", "b"}};
  options.resampling.resamples = 20;
  p.comparison = compare(scores(), options);
  p.signatures = {{"bleu2", kHostile}};
  p.metrics = {{.name = "bleu2", .signature = "", .meaning = "BLEU"},
               {.name = "errors",
                .signature = "",
                .meaning = "wrong statements",
                .better = scoring::Better::lower}};
  p.images = {embedded_png("PNG\xff")};
  StudyCard study{.study_id = "s1",
                  .split = "test",
                  .site = "A/1",
                  .seed = "",
                  .image = 0,
                  .indication = "cough",
                  .reference = kHostile + " \u2028\u2029&",
                  .marks = {{2, 4, {3, 19}}},
                  .prior = PriorCard{"s0", "2020-01-31", kHostile, 0},
                  .conditions = {"Edema"}};
  study.texts.push_back({"a", kHostile, {{"bleu2", 0.5}}, {{1, 2, {0}}}});
  p.studies = {study};
  p.rollouts = {{kHostile, {rollout_card()}}};
  p.errors = {{"a", "test", {1, 0, 2, 0}}};
  p.curves = {{"reward", "seed 1", "step", {{1, 0.5}, {2, std::nan("")}}}};
  return p;
}

std::string data_text(const std::string& html) {
  const std::string start = "id=\"data\">";
  const size_t from = html.find(start) + start.size();
  return html.substr(from, html.find("</script>", from) - from);
}

TEST(ReportPage, shows_hostile_texts_only_escaped) {
  const std::string html = report_page(page(), "", "");
  EXPECT_EQ(html.find("<img"), std::string::npos);
  EXPECT_EQ(html.find(kHostile), std::string::npos);
  EXPECT_NE(html.find("<title>A &amp; B &lt;b&gt;</title>"), std::string::npos);
  EXPECT_NE(html.find("<h1>A &amp; B &lt;b&gt;</h1>"), std::string::npos);
}

TEST(ReportPage, data_have_no_character_that_means_something_to_html) {
  const std::string text = data_text(report_page(page(), "", ""));
  EXPECT_EQ(text.find_first_of("<>&"), std::string::npos);
  EXPECT_EQ(text.find("\u2028"), std::string::npos);
  EXPECT_EQ(text.find("\u2029"), std::string::npos);
}

TEST(ReportPage, data_read_back_as_what_was_given) {
  const io::Json data = io::Json::parse(data_text(report_page(page(), "", "")));
  EXPECT_EQ(data["studies"][0]["reference"], kHostile + " \u2028\u2029&");
  EXPECT_EQ(data["studies"][0]["texts"][0]["text"], kHostile);
  EXPECT_EQ(data["signatures"]["bleu2"], kHostile);
  EXPECT_EQ(data["results"][0]["metrics"]["bleu2"], io::Json::array({0.5, 0.5, 0.5}));
  EXPECT_EQ(data["results"][1]["conditions"][4]["tp"], 3);
  EXPECT_EQ(data["pairs"][0]["metrics"]["bleu2"][0], 0.25);
  EXPECT_TRUE(data["curves"][0]["points"][1][1].is_null()) << "not a number leaves a gap";
}

TEST(ReportPage, shows_no_interval_and_no_p_without_resamples) {
  ReportPage p = page();
  ComparisonOptions options;
  options.pairs = {{"a", "b"}};
  options.resampling.resamples = 0;
  p.comparison = compare(scores(), options);
  const io::Json data = io::Json::parse(data_text(report_page(p, "", "")));
  EXPECT_EQ(data["intervals"], false);
  EXPECT_EQ(data["results"][0]["metrics"]["bleu2"], io::Json::array({0.5}));
  EXPECT_EQ(data["pairs"][0]["metrics"]["bleu2"], io::Json::array({0.25}));
}

TEST(ReportPage, knows_which_way_is_better) {
  const io::Json data = io::Json::parse(data_text(report_page(page(), "", "")));
  std::map<std::string, int> direction;
  for (const auto& metric : data["metrics"]) direction[metric["name"]] = metric["direction"];
  EXPECT_EQ(direction.at("bleu2"), 1);
  EXPECT_EQ(direction.at("errors"), -1);
  EXPECT_EQ(direction.at("call-rate"), 0);
}

TEST(ReportPage, embeds_an_image_once_and_tells_a_missing_one) {
  ReportPage p = page();
  p.studies.push_back(p.studies[0]);
  p.studies[1].image = -1;
  const io::Json data = io::Json::parse(data_text(report_page(p, "", "")));
  EXPECT_EQ(data["images"], io::Json::array({"data:image/png;base64,UE5H/w=="}));
  EXPECT_EQ(data["studies"][0]["image"], 0);
  EXPECT_EQ(data["studies"][0]["prior"]["image"], 0);
  EXPECT_FALSE(data["studies"][1].contains("image"));
}

TEST(ReportPage, has_marks_prior_errors_and_rollouts) {
  const io::Json data = io::Json::parse(data_text(report_page(page(), "", "")));
  const io::Json& study = data["studies"][0];
  EXPECT_EQ(study["marks"], io::Json::parse("[[2,4,3,19]]"));
  EXPECT_EQ(study["texts"][0]["marks"], io::Json::parse("[[1,2,0]]"));
  EXPECT_EQ(study["prior"]["report"], kHostile);
  EXPECT_EQ(study["prior"]["date"], "2020-01-31");
  EXPECT_EQ(data["conditions"][4], "Edema");
  EXPECT_EQ(data["error_bins"].size(), data["errors"][0]["reports"].size());
  EXPECT_EQ(data["errors"][0]["reports"], io::Json::array({1, 0, 2, 0}));
  EXPECT_EQ(data["rollouts"][0]["name"], kHostile);
  const io::Json& sample = data["rollouts"][0]["cards"][0]["samples"][0];
  EXPECT_EQ(sample["advantage"], 0.25);
  EXPECT_EQ(sample["components"], io::Json({{"rouge-l", 0.5}})) << "no value: no field";
  EXPECT_EQ(sample["text"], kHostile);
}

TEST(ReportPage, knows_every_metric_that_only_rewards_name) {
  const io::Json data = io::Json::parse(data_text(report_page(page(), "", "")));
  const auto is = [](const char* name) {
    return [name](const io::Json& metric) { return metric["name"] == name; };
  };
  EXPECT_EQ(std::count_if(data["metrics"].begin(), data["metrics"].end(), is("rouge-l")), 1);
  EXPECT_EQ(std::count_if(data["metrics"].begin(), data["metrics"].end(), is("green")), 1);
}

TEST(ReportPage, may_load_files_beside_it_only_where_images_are_linked) {
  ReportPage p = page();
  EXPECT_EQ(report_page(p, "", "").find("'self'"), std::string::npos);
  p.linked_images = true;
  EXPECT_NE(report_page(p, "", "").find("img-src data: 'self' file:; style-src"),
            std::string::npos);
}

TEST(ReportPage, writes_any_name_of_a_folder_as_an_address) {
  EXPECT_EQ(relative_address("report-1_files"), "report-1_files");
  EXPECT_EQ(relative_address("a b#?%:\"/\u00e9"), "a%20b%23%3F%25%3A%22%2F%C3%A9");
}

TEST(ReportPage, is_the_same_bytes_each_time) {
  EXPECT_EQ(report_page(page(), "c", "j"), report_page(page(), "c", "j"));
}

TEST(ReportPage, forbids_every_load_but_of_embedded_images) {
  const std::string html = report_page(page(), "", "");
  EXPECT_NE(html.find("default-src 'none'; img-src data:;"), std::string::npos);
  EXPECT_EQ(html.find("http://"), std::string::npos);
  EXPECT_EQ(html.find("https://"), std::string::npos);
}

TEST(ReportPage, refuses_text_that_is_not_utf8_and_code_that_ends_its_element) {
  ReportPage p = page();
  p.studies[0].reference = "\xff";
  EXPECT_THROW(report_page(p, "", ""), Error);
  EXPECT_THROW(report_page(page(), "</style>", ""), Error);
  EXPECT_THROW(report_page(page(), "", "'</script>'"), Error);
}

}  // namespace
}  // namespace unirg::evaluation
