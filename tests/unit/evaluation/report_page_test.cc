// SPDX-License-Identifier: Apache-2.0
#include "evaluation/report_page.h"

#include <gtest/gtest.h>

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
  StudyCard study{"s1", "test",   "A/1", "", "PNG\xff", "cough", kHostile + " \u2028\u2029&",
                  {},   {"Edema"}};
  study.texts.push_back({"a", kHostile, {{"bleu2", 0.5}}});
  p.studies = {study};
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
  EXPECT_EQ(data["sites"][0]["site"], "A/1");
  EXPECT_EQ(data["sites"][0]["metrics"]["bleu2"], io::Json::array({0.5}));
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

TEST(ReportPage, embeds_images_and_tells_a_missing_one) {
  ReportPage p = page();
  p.studies.push_back(p.studies[0]);
  p.studies[1].image_png.clear();
  const io::Json data = io::Json::parse(data_text(report_page(p, "", "")));
  EXPECT_EQ(data["studies"][0]["image"], "data:image/png;base64,UE5H/w==");
  EXPECT_EQ(data["studies"][1]["image"], "");
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
