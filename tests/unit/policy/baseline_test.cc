// What each baseline chooses, on studies of a few words. SPDX-License-Identifier: Apache-2.0
#include "policy/baseline.h"

#include <gtest/gtest.h>

#include <set>

#include "base/error.h"
#include "policy/baseline_run.h"
#include "temp_folder.h"
#include "tiny_policy.h"

namespace unirg::policy {
namespace {

using OptionalText = std::optional<std::string>;

data::Study study(const std::string& id, OptionalText findings, OptionalText impression,
                  int64_t images = 1) {
  data::Study s = testing::study(id, images);
  s.findings = std::move(findings);
  s.impression = std::move(impression);
  return s;
}

std::vector<const data::Study*> all_of(const std::vector<data::Study>& studies) {
  std::vector<const data::Study*> all;
  for (const data::Study& s : studies) all.push_back(&s);
  return all;
}

const WantedSections kBoth{true, true}, kFindings{true, false}, kImpression{false, true};

TEST(WantedSections, are_those_the_prompt_asks_for) {
  PromptOptions options;
  EXPECT_EQ(wanted_sections(study("1", "F.", "I."), options), kBoth);
  EXPECT_EQ(wanted_sections(study("1", "F.", std::nullopt), options), kFindings);
  EXPECT_EQ(wanted_sections(study("1", std::nullopt, "I."), options), kImpression);
  EXPECT_EQ(wanted_sections(study("1", std::nullopt, " "), options), kBoth) << "no reference";
  options.target = "findings";
  EXPECT_EQ(wanted_sections(study("1", "F.", "I."), options), kFindings);
  EXPECT_EQ(wanted_sections(study("1", std::nullopt, "I."), options), kFindings);
}

TEST(ReportPool, the_most_frequent_text_wins_blanks_apart_and_the_first_of_equals) {
  const std::vector<data::Study> studies{study("1", "Once.", "A."), study("2", "Twice.", "B."),
                                         study("3", "Clear.", "C."), study("4", "Clear. ", "C."),
                                         study("5", "Twice.", "B.")};
  ReportPool pool(all_of(studies), "train");
  const ChosenReport chosen = pool.most_frequent(kBoth);
  EXPECT_EQ(text::format_report(chosen.report), "Findings: Twice. Impression: B.");
  EXPECT_EQ(chosen.source, "2");
  EXPECT_EQ(pool.most_frequent(kImpression).report.impression, "B.");
  EXPECT_FALSE(pool.most_frequent(kImpression).report.findings.has_value());
}

TEST(ReportPool, each_set_of_sections_has_its_own_most_frequent_text) {
  const std::vector<data::Study> studies{study("1", "F.", "I."), study("2", "F.", "J."),
                                         study("3", "G.", "I."), study("4", "G.", "I.")};
  ReportPool pool(all_of(studies), "train");
  EXPECT_EQ(text::format_report(pool.most_frequent(kBoth).report), "Findings: G. Impression: I.");
  EXPECT_EQ(text::format_report(pool.most_frequent(kFindings).report), "Findings: F.");
}

TEST(ReportPool, candidates_have_all_sections_wanted_or_else_any) {
  const std::vector<data::Study> studies{study("1", "F.", std::nullopt), study("2", "F.", "I."),
                                         study("3", std::nullopt, std::nullopt)};
  ReportPool pool(all_of(studies), "train");
  EXPECT_EQ(pool.studies().size(), 2) << "one without a report is none to take";
  EXPECT_EQ(pool.candidates(kBoth), (std::vector<size_t>{1}));
  EXPECT_EQ(pool.candidates(kFindings), (std::vector<size_t>{0, 1}));
  const std::vector<data::Study> halves{study("1", "F.", std::nullopt)};
  ReportPool half(all_of(halves), "train");
  EXPECT_EQ(half.candidates(kBoth), (std::vector<size_t>{0}));
  EXPECT_THROW((void)half.most_frequent(kImpression), Error);
}

TEST(ReportPool, without_a_report_is_a_data_error_that_names_the_split) {
  const std::vector<data::Study> studies{study("1", std::nullopt, "")};
  try {
    ReportPool(all_of(studies), "validate");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.exit(), Exit::data);
    EXPECT_NE(std::string(e.what()).find("split 'validate'"), std::string::npos) << e.what();
    EXPECT_NE(std::string(e.what()).find("--baseline-from"), std::string::npos) << e.what();
  }
}

TEST(ReportPool, chance_follows_seed_and_study_and_never_takes_the_study_itself) {
  std::vector<data::Study> studies;
  for (int i = 0; i < 5; ++i)
    studies.push_back(study(std::to_string(i), "F" + std::to_string(i) + ".", "I."));
  ReportPool pool(all_of(studies), "train");
  std::set<std::string> seen;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    const ChosenReport chosen = pool.random(studies[2], kBoth, seed);
    EXPECT_EQ(pool.random(studies[2], kBoth, seed).source, chosen.source);
    EXPECT_NE(chosen.source, "2");
    seen.insert(chosen.source);
  }
  EXPECT_EQ(seen.size(), 4) << "all others are drawn";
  std::set<std::string> by_study;
  for (int i = 0; i < 50; ++i)
    by_study.insert(pool.random(study("t" + std::to_string(i), "x", "y"), kBoth, 0).source);
  EXPECT_EQ(by_study.size(), 5) << "studies draw apart from each other, from all";
}

TEST(ReportPool, a_lone_training_study_has_no_other_to_draw) {
  const std::vector<data::Study> studies{study("1", "F.", "I.")};
  ReportPool pool(all_of(studies), "train");
  EXPECT_EQ(pool.random(study("2", "x", "y"), kBoth, 0).source, "1");
  EXPECT_THROW((void)pool.random(studies[0], kBoth, 0), Error);
}

TEST(CopyPrior, is_the_priors_report_or_the_most_frequent_one) {
  const std::vector<data::Study> studies{study("1", "Common.", "C."), study("2", "Common.", "C.")};
  ReportPool pool(all_of(studies), "train");
  const data::Study prior = study("p", "Prior.", std::nullopt);
  const ChosenReport copied = copy_prior(&prior, kBoth, pool);
  EXPECT_EQ(text::format_report(copied.report), "Findings: Prior.");
  EXPECT_EQ(copied.source, "p");
  EXPECT_EQ(copied.by, BaselineKind::copy_prior);
  for (const ChosenReport& other :
       {copy_prior(nullptr, kBoth, pool), copy_prior(&prior, kImpression, pool)}) {
    EXPECT_EQ(other.source, "1");
    EXPECT_EQ(other.by, BaselineKind::most_frequent);
  }
}

TEST(Nearest, is_the_candidate_of_the_largest_cosine_the_first_of_equals) {
  const std::vector<Embedding> bank{unit({1, 0}), unit({3, 3}), unit({5, 5}), {}, unit({0, 1})};
  const std::vector<size_t> all{0, 1, 2, 3, 4};
  const auto near = nearest_of(unit({2, 1.9F}), bank, all);
  ASSERT_TRUE(near.has_value());
  EXPECT_EQ(near->index, 1);
  EXPECT_NEAR(near->similarity, 3.9 / (std::sqrt(2.0) * std::sqrt(4 + 1.9 * 1.9)), 1e-6);
  EXPECT_EQ(nearest_of(unit({2, 1.9F}), bank, all, 1)->index, 2) << "never itself";
  EXPECT_EQ(nearest_of(unit({1, 1}), bank, {0, 4})->index, 0) << "only candidates";
  EXPECT_FALSE(nearest_of({}, bank, all).has_value());
  EXPECT_FALSE(nearest_of(unit({1, 1}), bank, {3}).has_value());
  EXPECT_EQ(nearest_of(unit({0, 0}), bank, all)->similarity, 0);
}

TEST(BaselineNames, go_both_ways) {
  for (const std::string& name : baseline_names()) {
    EXPECT_EQ(baseline_name(baseline_kind(name)), name);
  }
  EXPECT_THROW((void)baseline_kind("nearst"), Error);
}

class RunBaseline : public ::testing::Test {
 protected:
  RunBaseline() {
    std::vector<data::Study> studies{study("t0", "Common.", "C."), study("t1", "Rare.", "R."),
                                     study("t2", "Common.", "C."), study("e0", "F.", "I."),
                                     study("e1", "F.", "I."),      study("e2", "F.", "I.", 0)};
    for (size_t i = 3; i < 6; ++i) studies[i].split = "test";
    studies[4].prior = "e0";
    studies[4].encounter = 2;
    testing::write_checkpoint(folder.path() / "model", 1);
    testing::write_studies(folder.path(), studies);
  }
  Exit run(const std::string& kind, int64_t threads = 1, const std::string& from = "train",
           int64_t samples = 1) {
    DecodeJob job;
    job.studies = folder.path() / "studies.jsonl";
    job.output = folder.path() / "out.jsonl";
    job.choice.splits = {"test"};
    job.decode.temperature = 0;
    job.decode.samples = samples;
    if (kind == "nearest") job.model = folder.path() / "model";
    cli::Common common;
    common.seed = 4;
    common.threads = threads;
    common.device = "cpu";
    Logger log("test", LogLevel::error);
    const cli::StopFlag stop;
    io::RunRecord record("test", {}, {});
    cli::Context context{log, stop, record};
    return run_baseline(job, {kind, from}, common, context);
  }
  std::vector<data::Generation> records(const std::string& kind) {
    EXPECT_EQ(run(kind), Exit::ok);
    return data::read_generations(folder.path() / "out.jsonl").records;
  }
  testing::TempFolder folder;
};

TEST_F(RunBaseline, writes_a_generation_record_a_study_that_says_what_it_is) {
  const auto made = records("copy-prior");
  ASSERT_EQ(made.size(), 3);
  EXPECT_EQ(made[1].study_id, "e1");
  EXPECT_EQ(made[1].text, "Findings: F. Impression: I.");
  EXPECT_EQ(made[1].findings, "F.");
  EXPECT_EQ(made[1].impression, "I.");
  EXPECT_EQ(made[1].finish, "stop");
  EXPECT_TRUE(made[1].tokens.empty());
  EXPECT_EQ(made[1].policy, "");
  EXPECT_EQ(made[1].seed, 4);
  EXPECT_EQ(made[1].extra["baseline"], "copy-prior");
  EXPECT_EQ(made[1].extra["from"], "copy-prior");
  EXPECT_EQ(made[1].extra["source"], "e0");
  EXPECT_EQ(made[0].text, "Findings: Common. Impression: C.");
  EXPECT_EQ(made[0].extra["from"], "most-frequent");
}

TEST_F(RunBaseline, nearest_finds_the_study_whose_picture_is_the_same) {
  // Pictures depend on the order of the studies: one more with t1's picture is its neighbour.
  auto studies = data::read_studies(folder.path() / "studies.jsonl").records;
  studies[3].images = studies[1].images;
  std::string lines;
  for (const data::Study& s : studies) lines += io::json_line(data::to_json(s));
  io::write_file(folder.path() / "studies.jsonl", lines);
  const auto made = records("nearest");
  EXPECT_EQ(made[0].extra["source"], "t1");
  EXPECT_EQ(made[0].text, "Findings: Rare. Impression: R.");
  EXPECT_NEAR(made[0].extra["similarity"].get<double>(), 1, 1e-5);
  EXPECT_EQ(made[0].policy, model::policy_digest(folder.path() / "model"));
  EXPECT_EQ(made[2].extra["from"], "most-frequent") << "a study without image has no neighbour";
  EXPECT_FALSE(made[2].extra.contains("similarity"));
}

TEST_F(RunBaseline, gives_the_same_bytes_at_any_thread_count) {
  for (const std::string& kind : baseline_names()) {
    EXPECT_EQ(run(kind), Exit::ok);
    const std::string one = io::read_file(folder.path() / "out.jsonl");
    EXPECT_EQ(run(kind, 3), Exit::ok);
    EXPECT_EQ(io::read_file(folder.path() / "out.jsonl"), one) << kind;
  }
}

TEST_F(RunBaseline, refuses_what_it_cannot_do) {
  EXPECT_THROW((void)run("random", 1, "validate"), Error);
  EXPECT_THROW((void)run("random", 1, "train", 2), Error);
}

}  // namespace
}  // namespace unirg::policy
