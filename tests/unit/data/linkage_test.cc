// SPDX-License-Identifier: Apache-2.0
#include "data/linkage.h"

#include <gtest/gtest.h>

#include <array>
#include <map>

#include "base/error.h"
#include "base/rng.h"

namespace unirg::data {
namespace {

Study study_of(const char* id, const char* patient, std::optional<std::string> date) {
  Study s;
  s.study_id = id;
  s.patient_id = patient;
  s.date = std::move(date);
  return s;
}

/// As a run does it: the studies lie elsewhere while they are linked.
void link(std::vector<Study>& studies, const LinkOptions& options) {
  StudyLinks links(options);
  for (const Study& study : studies) links.add(study);
  const auto read = [&](size_t i) { return studies[i]; };
  links.link(read);
  for (size_t i = 0; i < studies.size(); ++i) {
    EXPECT_EQ(links.split(i).empty(), false);
    links.apply(i, studies[i], read);
    EXPECT_EQ(links.split(i), studies[i].split);
  }
}

TEST(LinkPriors, follow_the_dates_of_one_patient) {
  std::vector<Study> studies{study_of("c", "p", "2020-03-01"), study_of("a", "p", "2020-01-01"),
                             study_of("x", "q", "2020-02-01"), study_of("u", "p", std::nullopt)};
  link(studies, {.shares = {{"train", 1.0}}});
  EXPECT_EQ(studies[0].prior, "a");
  EXPECT_EQ(studies[0].encounter, 2);
  EXPECT_EQ(studies[1].prior, std::nullopt);
  EXPECT_EQ(studies[2].encounter, 1);
  EXPECT_EQ(studies[3].prior, std::nullopt) << "an undated study has no known prior";
}

Study with_view(Study study, const char* view, const char* modality = "DX") {
  study.modality = modality;
  study.images.emplace_back().view = view;
  return study;
}

TEST(LinkPriors, are_the_last_frontal_one) {
  std::vector<Study> studies{with_view(study_of("a", "p", "2020-01-01"), "PA"),
                             with_view(study_of("b", "p", "2020-01-02"), "LATERAL"),
                             with_view(study_of("c", "p", "2020-01-02"), "LATERAL"),
                             with_view(study_of("d", "p", "2020-01-03"), ""),
                             with_view(study_of("e", "p", "2020-01-04"), "AP"),
                             with_view(study_of("m", "q", "2020-01-01"), "MLO", "MG"),
                             with_view(study_of("n", "q", "2020-01-02"), "MLO", "MG"),
                             with_view(study_of("x", "r", "2020-01-01"), "LL"),
                             with_view(study_of("y", "r", "2020-01-02"), "PA")};
  link(studies, {.shares = {{"train", 1.0}}});
  EXPECT_EQ(studies[1].prior, "a");
  EXPECT_EQ(studies[2].prior, "a");
  EXPECT_EQ(studies[3].prior, "a") << "over two days of laterals";
  EXPECT_EQ(studies[3].encounter, 4) << "which count";
  EXPECT_EQ(studies[4].prior, "d") << "of a view that is not known";
  EXPECT_EQ(studies[6].prior, "m");
  EXPECT_EQ(studies[8].prior, std::nullopt);
}

TEST(LinkPriors, know_views_by_their_many_names) {
  for (const char* view : {"AP AXIAL", "AP LLD", "PORTABLE", "Frontal", ""}) {
    std::vector<Study> studies{with_view(study_of("a", "p", "2020-01-01"), view),
                               study_of("b", "p", "2020-01-02")};
    link(studies, {.shares = {{"train", 1.0}}});
    EXPECT_EQ(studies[1].prior, "a") << view;
  }
  for (const char* view : {"XTABLE LATERAL", "LL", "lateral", "LAO", "OBLIQUE", "Left Lateral"}) {
    std::vector<Study> studies{with_view(study_of("a", "p", "2020-01-01"), view),
                               study_of("b", "p", "2020-01-02")};
    link(studies, {.shares = {{"train", 1.0}}});
    EXPECT_EQ(studies[1].prior, std::nullopt) << view;
  }
}

TEST(LinkPriors, take_no_study_of_the_same_day) {
  std::vector<Study> studies{study_of("a", "p", "2020-01-01"), study_of("b", "p", "2020-02-02"),
                             study_of("c", "p", "2020-02-02"), study_of("d", "p", "2020-02-03")};
  link(studies, {.shares = {{"train", 1.0}}});
  EXPECT_EQ(studies[1].prior, "a");
  EXPECT_EQ(studies[2].prior, "a") << "nobody knows which of the two came first";
  EXPECT_EQ(studies[2].encounter, 3);
  EXPECT_EQ(studies[3].prior, "c");
}

TEST(LinkPriors, follow_the_order_of_a_source_without_dates) {
  std::vector<Study> studies{study_of("a", "p", std::nullopt), study_of("b", "p", std::nullopt),
                             study_of("c", "p", std::nullopt), study_of("d", "p", "2020-01-01")};
  studies[0].extra["order"] = 10;
  studies[1].extra["order"] = 9;
  link(studies, {.shares = {{"train", 1.0}}});
  EXPECT_EQ(studies[0].prior, "b");
  EXPECT_EQ(studies[1].prior, std::nullopt);
  EXPECT_EQ(studies[2].prior, std::nullopt) << "nobody knows when it was made";
  EXPECT_EQ(studies[3].prior, std::nullopt);
  EXPECT_EQ(studies[3].encounter, 1);
}

TEST(AssignSplits, hold_out_a_patient_who_was_seen_at_a_held_out_site_and_elsewhere) {
  std::vector<Study> studies{study_of("a", "p", std::nullopt), study_of("b", "p", std::nullopt)};
  studies[1].site = "D";
  link(studies, {.shares = {{"train", 1.0}}, .heldout_sites = {"D"}, .seed = 1});
  EXPECT_EQ(studies[0].split, "heldout_site");
  EXPECT_EQ(studies[1].split, "heldout_site");
  studies[0].split = "train";  // by the table
  studies[1].split = "";
  EXPECT_THROW(link(studies, {.shares = {{"train", 1.0}}, .heldout_sites = {"D"}, .seed = 1}),
               Error);
}

TEST(AssignSplits, keeps_a_patient_whole_and_does_not_move_when_others_come) {
  std::vector<Study> studies;
  for (int i = 0; i < 2000; ++i)
    studies.push_back(
        study_of(std::to_string(i).c_str(), std::to_string(i / 2).c_str(), std::nullopt));
  std::vector<Study> fewer(studies.begin(), studies.begin() + 500);
  const SplitShares shares{{"train", 0.8}, {"test", 0.2}};
  link(studies, {.shares = shares, .seed = 1});
  link(fewer, {.shares = shares, .seed = 1});
  int test = 0;
  for (size_t i = 0; i < studies.size(); ++i) {
    EXPECT_EQ(studies[i].split, studies[i ^ 1].split);
    if (i < fewer.size()) {
      EXPECT_EQ(studies[i].split, fewer[i].split);
    }
    test += studies[i].split == "test";
  }
  EXPECT_NEAR(test / 2000.0, 0.2, 0.04);
}

TEST(AssignSplits, refuses_a_table_that_parts_a_patient) {
  std::vector<Study> studies{study_of("a", "p", std::nullopt), study_of("b", "p", std::nullopt)};
  studies[0].split = "train";
  studies[1].split = "test";
  EXPECT_THROW(link(studies, {.shares = {{"train", 1}}}), Error);
}

TEST(LinkPriors, break_ties_by_study_id_whatever_the_order_of_the_source) {
  std::vector<Study> studies{study_of("b", "p", "2020-01-01"), study_of("a", "p", "2020-01-01"),
                             study_of("d", "q", std::nullopt), study_of("c", "q", std::nullopt)};
  link(studies, {.shares = {{"train", 1.0}}});
  EXPECT_EQ(studies[0].encounter, 2);
  EXPECT_EQ(studies[1].encounter, 1);
  EXPECT_EQ(studies[2].encounter, 2);
  EXPECT_EQ(studies[3].encounter, 1);
}

TEST(LinkPriors, number_dated_studies_before_undated_ones_and_orders_below_zero_first) {
  std::vector<Study> studies{study_of("a", "p", std::nullopt), study_of("b", "p", std::nullopt),
                             study_of("c", "p", "2020-01-01"), study_of("d", "p", std::nullopt)};
  studies[0].extra["order"] = 3;
  studies[1].extra["order"] = -2;
  studies[3].extra["order"] = "third";  // no number
  link(studies, {.shares = {{"train", 1.0}}});
  EXPECT_EQ(studies[2].encounter, 1);
  EXPECT_EQ(studies[1].encounter, 2);
  EXPECT_EQ(studies[3].encounter, 3) << "no order stands where 0 would";
  EXPECT_EQ(studies[0].encounter, 4);
  EXPECT_EQ(studies[0].prior, std::nullopt) << "the last one's time is not known";
}

TEST(LinkPriors, tell_patients_of_two_datasets_apart) {
  std::vector<Study> studies{study_of("a", "p", "2020-01-01"), study_of("b", "p", "2020-02-01")};
  studies[0].dataset = "one";
  studies[1].dataset = "two";
  link(studies, {.shares = {{"train", 1.0}}});
  EXPECT_EQ(studies[1].prior, std::nullopt);
}

TEST(AssignSplits, names_the_first_study_of_the_input_that_parts_its_patient) {
  std::vector<Study> studies{study_of("z", "q", std::nullopt), study_of("b", "p", std::nullopt),
                             study_of("a", "p", std::nullopt), study_of("y", "q", std::nullopt)};
  studies[0].split = studies[1].split = "train";
  studies[2].split = studies[3].split = "test";
  try {
    link(studies, {.shares = {{"train", 1.0}}});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(std::string(e.what()),
              "patient of study 'a' stands in splits 'train' and 'test' (hint: a patient's studies "
              "belong to one split)");
  }
}

TEST(AssignSplits, give_a_patient_the_split_that_one_of_the_studies_has) {
  std::vector<Study> studies{study_of("a", "p", std::nullopt), study_of("b", "p", std::nullopt)};
  studies[1].split = "elsewhere";
  link(studies, {.shares = {{"train", 1.0}}});
  EXPECT_EQ(studies[0].split, "elsewhere");
}

TEST(HoldOut, moves_whole_patients_out_of_train_in_the_order_of_their_draws) {
  std::vector<Study> studies;
  for (const char* patient : {"p", "q", "q", "r", "s"})
    studies.push_back(study_of(std::to_string(studies.size()).c_str(), patient, std::nullopt));
  studies[4].split = "test";
  const uint64_t seed = 5;
  // dataset "" and patient, as the formula of linkage.h has them
  std::map<double, std::string> draws;
  for (const char* patient : {"p", "q", "r"})
    draws[uniform_at(seed, "hold-out", std::string("\n") + patient, 0, 0)] = patient;
  int64_t left = 2;
  std::map<std::string, bool> expected;
  for (const auto& [draw, patient] : draws) {
    const int64_t own = patient == "q" ? 2 : 1;
    expected[patient] = own <= left;
    if (own <= left) left -= own;
  }
  ASSERT_EQ(left, 0);
  link(studies, {.shares = {{"train", 1.0}}, .hold_out = {{"validate", 2}}, .seed = seed});
  for (size_t i = 0; i < 4; ++i)
    EXPECT_EQ(studies[i].split, expected[studies[i].patient_id] ? "validate" : "train") << i;
  EXPECT_EQ(studies[4].split, "test");
  std::vector<Study> again = studies;
  for (Study& study : again) study.split = "";
  EXPECT_THROW(
      link(again, {.shares = {{"train", 1.0}}, .hold_out = {{"validate", 6}}, .seed = seed}),
      Error);
}

TEST(OrderImages, puts_the_frontal_view_first_then_the_unknown_then_the_larger) {
  std::vector<StudyImage> images(4);
  images[0].id = "lat", images[0].view = "LATERAL", images[0].width = 900, images[0].height = 900;
  images[1].id = "unknown", images[1].view = "", images[1].width = 100, images[1].height = 100;
  images[2].id = "small-pa", images[2].view = "PA", images[2].width = 10, images[2].height = 10;
  images[3].id = "big-ap", images[3].view = "ap", images[3].width = 20, images[3].height = 20;
  order_images(images);
  std::vector<std::string> ids;
  for (const StudyImage& i : images) ids.push_back(i.id);
  EXPECT_EQ(ids, (std::vector<std::string>{"big-ap", "small-pa", "unknown", "lat"}));
}

TEST(OrderImages, leaves_tiles_and_eyes_as_they_come) {
  for (const char* modality : {"SM", "CT", "FFA", "OP", "OPT"})
    EXPECT_TRUE(in_source_order(modality));
  for (const char* modality : {"", "DX", "CR", "MG"}) EXPECT_FALSE(in_source_order(modality));
}

TEST(OrderImages, puts_mammograms_as_they_are_hung) {
  std::vector<StudyImage> images;
  for (const auto& [id, view, side] : std::vector<std::array<const char*, 3>>{{"1", "MLO", "L"},
                                                                              {"2", "ML", "L"},
                                                                              {"3", "CC", "L"},
                                                                              {"4", "", ""},
                                                                              {"5", "mlo", "R"},
                                                                              {"6", "CC", "R"},
                                                                              {"7", "CC", ""},
                                                                              {"8", "CC", "R"}}) {
    StudyImage& image = images.emplace_back();
    image.id = id;
    image.view = view;
    image.width = image.height = 100 - std::ssize(images);
    if (*side != '\0') image.extra["laterality"] = side;
  }
  std::vector<StudyImage> frontal = images;
  order_images(images, "MG");
  std::string ids;
  for (const StudyImage& i : images) ids += i.id;
  EXPECT_EQ(ids, "68375124");
  order_images(frontal, "DX");
  EXPECT_EQ(frontal.front().id, "4") << "of an unknown view, as everywhere";
}

}  // namespace
}  // namespace unirg::data
