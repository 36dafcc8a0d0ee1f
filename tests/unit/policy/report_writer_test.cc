// SPDX-License-Identifier: Apache-2.0
#include "policy/report_writer.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "temp_folder.h"
#include "tiny_policy.h"

namespace unirg::policy {
namespace {

data::Study reported(const std::string& id) {
  data::Study study = testing::study(id);
  study.age = 57;
  study.sex = "F";
  study.indication = "Cough\n  and fever.";
  study.comparison = "None.";
  study.findings = "Lungs clear.";
  study.impression = "Normal.";
  return study;
}

TEST(ContextText, names_what_is_known_of_the_patient_in_one_line) {
  EXPECT_EQ(context_text(reported("a"), nullptr, {}),
            "Age: 50-60. Gender: F. Indication: Cough and fever. Comparison: None.");
  EXPECT_EQ(context_text(testing::study("b"), nullptr, {}), "");
  data::Study old = testing::study("c");
  old.age = 90;
  old.indication = "";
  EXPECT_EQ(context_text(old, nullptr, {}), "Age: 90-100.")
      << "a decade begins at its first year; an empty section is none";
}

TEST(ContextText, holds_the_prior_report_and_own_findings_only_when_asked) {
  data::Study prior = testing::study("p");
  prior.findings = "Effusion.";
  prior.impression = "Worse.";
  data::Study study = testing::study("a");
  study.findings = "Lungs clear.";
  EXPECT_EQ(context_text(study, &prior, {}), "");
  EXPECT_EQ(context_text(study, &prior, {.prior_report = true}),
            "Prior findings: Effusion. Prior impression: Worse.");
  EXPECT_EQ(context_text(study, nullptr, {.prior_report = true}), "");
  EXPECT_EQ(context_text(study, &prior, {.given_findings = true}), "Findings: Lungs clear.");
}

TEST(PromptTemplate, the_paper_has_one_for_findings_and_one_for_both) {
  data::Study study = reported("a");
  EXPECT_NE(prompt_template(study, {}).find(
                "Findings: [write the findings] Impression: [write the impression]"),
            std::string::npos);
  study.impression.reset();
  EXPECT_EQ(prompt_template(study, {}).find("Impression"), std::string::npos)
      << "the reference has no impression";
  EXPECT_NE(prompt_template(study, {}).find("provide the findings"), std::string::npos);
  study.findings.reset();
  EXPECT_EQ(prompt_template(study, {}), prompt_template(reported("a"), {}))
      << "without a reference: both";
}

TEST(PromptTemplate, the_target_chooses_among_the_sections_and_a_name_or_a_text_replaces_it) {
  const data::Study study = reported("a");
  EXPECT_EQ(prompt_template(study, {.target = "findings"}).find("Impression"), std::string::npos);
  EXPECT_EQ(prompt_template(study, {.target = "impression"}).find("Findings"), std::string::npos);
  EXPECT_EQ(prompt_template(study, {.prompt = "short"}), "{input} Report:");
  EXPECT_EQ(prompt_template(study, {.prompt = "See {input}"}), "See {input}");
}

TEST(TargetText, is_made_of_the_target_sections_the_reference_has) {
  data::Study study = reported("a");
  EXPECT_EQ(target_text(study, {}), "Findings: Lungs clear. Impression: Normal.");
  EXPECT_EQ(target_text(study, {.target = "findings"}), "Findings: Lungs clear.");
  EXPECT_EQ(target_text(study, {.target = "impression"}), "Impression: Normal.");
  study.findings.reset();
  EXPECT_EQ(target_text(study, {.target = "findings"}), "");
  EXPECT_EQ(target_text(study, {}), "Impression: Normal.");
}

class Writer : public ::testing::Test {
 protected:
  Writer() { testing::write_checkpoint(folder.path() / "model", 1); }

  [[nodiscard]] data::StudySet set(std::vector<data::Study> studies) const {
    return data::StudySet(testing::write_studies(folder.path(), std::move(studies)));
  }
  [[nodiscard]] ReportWriter writer(const PromptOptions& options = {}) const {
    return {folder.path() / "model", options};
  }
  /// encode() of the first study must fail with these words.
  void expect_refused(std::vector<data::Study> studies, const PromptOptions& options,
                      const std::string& words) const {
    const data::StudySet all = set(std::move(studies));
    try {
      (void)writer(options).encode(all.studies()[0], all);
      FAIL() << "no error: " << words;
    } catch (const Error& e) {
      EXPECT_EQ(e.exit(), Exit::data);
      EXPECT_NE(std::string(e.what()).find(words), std::string::npos) << e.what();
    }
  }
  testing::TempFolder folder;
};

int64_t placeholders(const EncodedStudy& study) {
  return std::count(study.prompt.begin(), study.prompt.end(), testing::kImagePad);
}

TEST_F(Writer, prompt_is_the_chat_turn_with_a_placeholder_per_visual_token) {
  const data::StudySet all = set({reported("a")});
  const ReportWriter w = writer({.prompt = "{input} Report:"});
  const EncodedStudy study = w.encode(all.studies()[0], all);
  // 64 x 64 pixels: 4 x 4 patches, merged 2 x 2: four visual tokens
  EXPECT_EQ(w.tokenizer().decode(study.prompt, /*skip_special=*/false),
            "<|im_start|>user\n<|vision_start|><|image_pad|><|image_pad|><|image_pad|><|image_pad|>"
            "<|vision_end|>"
            "Age: 50-60. Gender: F. Indication: Cough and fever. Comparison: None. "
            "Report:<|im_end|>\n<|im_start|>assistant\n");
  EXPECT_EQ(w.tokenizer().decode(study.reply, false),
            "Findings: Lungs clear. Impression: Normal.<|im_end|>");
  EXPECT_EQ(study.study_id, "a");
}

TEST_F(Writer, a_study_without_report_has_no_reply) {
  const data::StudySet all = set({testing::study("a")});
  EXPECT_TRUE(writer().encode(all.studies()[0], all).reply.empty());
}

TEST_F(Writer, shows_at_most_the_images_asked_for_in_order) {
  const data::StudySet all = set({testing::study("a", 3)});
  const auto shown = [&](int64_t images) {
    return writer({.images = images}).encode(all.studies()[0], all);
  };
  EXPECT_EQ(placeholders(shown(0)), 0);
  EXPECT_EQ(placeholders(shown(1)), 4);
  EXPECT_EQ(placeholders(shown(2)), 8);
  EXPECT_EQ(placeholders(shown(9)), 12) << "there are three";
  EXPECT_EQ(shown(2).images[1].pixels, testing::picture(1));
}

TEST_F(Writer, materialised_prompt_has_the_patch_rows_of_all_images_and_no_reply) {
  const data::StudySet all = set({testing::study("a", 2)});
  const ReportWriter w = writer({.images = 2});
  const EncodedStudy study = w.encode(all.studies()[0], all);
  const model::PromptTokens prompt = w.materialise(study);
  EXPECT_EQ(prompt.tokens, study.prompt);
  EXPECT_EQ(prompt.grids, (std::vector<model::Grid>{{4, 4}, {4, 4}}));
  EXPECT_EQ(prompt.pixels.sizes().vec(), (std::vector<int64_t>{32, 3 * 2 * 16 * 16}));
  const ReportWriter blind = writer({.images = 0});
  EXPECT_FALSE(blind.materialise(blind.encode(all.studies()[0], all)).pixels.defined());
}

TEST_F(Writer, a_cap_on_pixels_gives_fewer_visual_tokens) {
  const data::StudySet all = set({testing::study("a")});
  const EncodedStudy study =
      writer({.max_pixels = 1024}).encode(all.studies()[0], all);  // 32 x 32: one merged patch
  EXPECT_EQ(placeholders(study), 1);
  EXPECT_EQ(study.images[0].grid, (model::Grid{2, 2}));
}

TEST_F(Writer, the_prior_picture_and_report_come_before_the_current_ones) {
  data::Study prior = testing::study("p");
  prior.findings = "Effusion.";
  data::Study study = testing::study("a");
  study.prior = "p";
  const data::StudySet all = set({study, prior});
  const ReportWriter w = writer({.prompt = "short", .prior_report = true, .prior_image = true});
  const EncodedStudy encoded = w.encode(all.studies()[0], all);
  EXPECT_EQ(placeholders(encoded), 8);
  ASSERT_EQ(encoded.images.size(), 2);
  EXPECT_EQ(encoded.images[0].pixels, testing::picture(1)) << "the prior study's";
  EXPECT_EQ(encoded.images[1].pixels, testing::picture(0));
  EXPECT_NE(w.tokenizer().decode(encoded.prompt).find("Prior findings: Effusion."),
            std::string::npos);
  const EncodedStudy first = w.encode(all.studies()[1], all);
  EXPECT_EQ(placeholders(first), 4) << "a first study has no prior";
}

TEST_F(Writer, a_prior_that_is_not_there_is_an_error_only_where_it_is_wanted) {
  data::Study study = testing::study("a");
  study.prior = "gone";
  expect_refused({study}, {.prior_report = true},
                 "study 'a': its prior 'gone' is not in the studies file");
  const data::StudySet all = set({study});
  EXPECT_NO_THROW((void)writer().encode(all.studies()[0], all));
}

TEST_F(Writer, given_findings_stand_in_the_prompt_of_an_impression_writer) {
  const data::StudySet all = set({reported("a")});
  const ReportWriter w = writer({.target = "impression", .given_findings = true});
  const EncodedStudy study = w.encode(all.studies()[0], all);
  EXPECT_NE(w.tokenizer().decode(study.prompt).find("Findings: Lungs clear."), std::string::npos);
  EXPECT_EQ(w.tokenizer().decode(study.reply), "Impression: Normal.");
}

TEST_F(Writer, a_special_token_in_the_study_s_context_is_refused) {
  data::Study study = reported("a");
  study.indication = "See <|image_pad|> here.";
  expect_refused({study}, {}, "study 'a': its context holds the special token '<|image_pad|>'");
  study.indication = "Cough.<|im_end|>";
  expect_refused({study}, {}, "study 'a': its context holds the special token '<|im_end|>'");
  study = reported("a");
  study.findings = "Lungs <|image_pad|> clear.";
  expect_refused({study}, {.target = "impression", .given_findings = true},
                 "study 'a': its context holds the special token '<|image_pad|>'");
}

TEST_F(Writer, findings_are_not_given_where_they_are_to_be_written) {
  EXPECT_THROW(writer({.target = "both", .given_findings = true}), Error);
  EXPECT_THROW(writer({.target = "findings", .given_findings = true}), Error);
  EXPECT_NO_THROW(writer({.target = "impression", .given_findings = true}));
}

TEST_F(Writer, a_special_token_in_the_reference_report_is_refused) {
  data::Study study = reported("a");
  study.findings = "Lungs <|image_pad|> clear.";
  expect_refused({study}, {}, "study 'a': its report holds the special token '<|image_pad|>'");
  study.findings = "Lungs clear.<|im_end|>";
  expect_refused({study}, {}, "study 'a': its report holds the special token '<|im_end|>'");
}

TEST_F(Writer, a_picture_that_cannot_be_shown_names_study_and_image) {
  data::Study study = testing::study("a");
  study.images[0].height = 1;
  study.images[0].width = 201;
  expect_refused({study}, {}, "study 'a', image 'a-0'");
}

TEST_F(Writer, replies_may_be_text_and_ends_but_no_marks_and_no_padding) {
  const ReportWriter w = writer();
  const TokenRules& rules = w.rules();
  ASSERT_EQ(rules.allowed.size(), 272);
  for (int64_t id = 0; id < 256; ++id) EXPECT_TRUE(rules.allowed[static_cast<size_t>(id)]) << id;
  EXPECT_TRUE(rules.allowed[256]) << "<|endoftext|>";
  EXPECT_TRUE(rules.allowed[258]) << "<|im_end|>";
  for (const size_t id : {257, 259, 260, 261, 262})
    EXPECT_FALSE(rules.allowed[id]) << "a mark: " << id;
  for (size_t id = 263; id < 272; ++id) EXPECT_FALSE(rules.allowed[id]) << "a padding row: " << id;
  EXPECT_EQ(rules.ends, (std::vector<int64_t>{258, 256}));
}

TEST_F(Writer, generation_record_has_text_sections_and_counts) {
  const ReportWriter w = writer();
  EncodedStudy study;
  study.study_id = "a";
  study.prompt = {1, 2, 3};
  Reply reply{w.tokenizer().encode("Findings: Clear. Impression: Normal.<|im_end|>"), {}, true};
  reply.logprobs.assign(reply.tokens.size(), -0.5F);
  const data::Generation g = w.generation(study, reply, 2);
  EXPECT_EQ(g.text, "Findings: Clear. Impression: Normal.") << "the end token is no text";
  EXPECT_EQ(g.findings, "Clear.");
  EXPECT_EQ(g.impression, "Normal.");
  EXPECT_EQ(g.finish, "stop");
  EXPECT_EQ(g.sample, 2);
  EXPECT_EQ(g.prompt_tokens, 3);
  EXPECT_EQ(g.tokens, reply.tokens);
  reply.stopped = false;
  EXPECT_EQ(w.generation(study, reply, 0).finish, "length");
}

TEST_F(Writer, a_reply_ends_where_generation_config_says_too) {
  const auto file = folder.path() / "model/generation_config.json";
  const std::vector<int64_t> plain = writer().rules().ends;
  io::write_file(file, R"({"eos_token_id": [7, 9]})");
  std::vector<int64_t> expected = plain;
  expected.insert(expected.end(), {7, 9});
  EXPECT_EQ(writer().rules().ends, expected);
  io::write_file(file, R"({"eos_token_id": 7})");
  expected.pop_back();
  EXPECT_EQ(writer().rules().ends, expected);
  io::write_file(file, R"({"eos_token_id": "seven"})");
  EXPECT_THROW((void)writer(), Error);
  io::write_file(file, R"({"eos_token_id": 100000000})");
  EXPECT_THROW((void)writer(), Error);
}

TEST_F(Writer, refuses_a_checkpoint_whose_files_contradict_each_other) {
  const auto model = folder.path() / "model";
  policy::ImageProcessor processor = testing::tiny_processor();
  processor.patch_size = 8;
  io::write_file(model / "preprocessor_config.json", to_json(processor).dump());
  EXPECT_THROW((void)writer(), Error) << "patch size";
  io::write_file(model / "preprocessor_config.json", to_json(testing::tiny_processor()).dump());
  EXPECT_NO_THROW((void)writer());
  model::ModelConfig config = testing::tiny_policy_config();
  config.image_token_id = 3;
  io::write_file(model / "config.json", model::to_json(config).dump());
  EXPECT_THROW((void)writer(), Error) << "image token";
}

}  // namespace
}  // namespace unirg::policy
