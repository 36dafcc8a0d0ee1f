// SPDX-License-Identifier: Apache-2.0
#include "policy/decode_run.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/error.h"
#include "temp_folder.h"
#include "tiny_policy.h"

namespace unirg::policy {
namespace {

std::vector<data::Study> studies(int64_t count) {
  std::vector<data::Study> all;
  for (int64_t i = 0; i < count; ++i) all.push_back(testing::study("s" + std::to_string(i)));
  return all;
}

std::vector<std::string> chosen(const data::StudySet& set, const StudyChoice& choice,
                                uint64_t seed = 1) {
  std::vector<std::string> ids;
  for (const data::Study* study : choose_studies(set, choice, seed)) ids.push_back(study->study_id);
  return ids;
}

TEST(ChooseStudies, without_a_number_takes_all_of_the_splits_in_file_order) {
  testing::TempFolder folder;
  auto all = studies(3);
  all[1].split = "test";
  const data::StudySet set(testing::write_studies(folder.path(), all));
  EXPECT_EQ(chosen(set, {}), (std::vector<std::string>{"s0", "s1", "s2"}));
  EXPECT_EQ(chosen(set, {.splits = {"train"}}), (std::vector<std::string>{"s0", "s2"}));
  EXPECT_THROW((void)chosen(set, {.splits = {"trian"}}), Error);
}

TEST(ChooseStudies, rounds_show_each_study_once_a_pass_in_an_order_of_its_own) {
  testing::TempFolder folder;
  const data::StudySet set(testing::write_studies(folder.path(), studies(12)));
  std::vector<std::vector<std::string>> passes(3);
  for (int64_t round = 0; round < 9; ++round) {  // 4 of 12: three rounds a pass
    const auto ids = chosen(set, {.splits = {}, .prompts = 4, .round = round});
    ASSERT_EQ(ids.size(), 4);
    auto& pass = passes[static_cast<size_t>(round / 3)];
    pass.insert(pass.end(), ids.begin(), ids.end());
  }
  for (const auto& pass : passes)
    EXPECT_EQ(std::set<std::string>(pass.begin(), pass.end()).size(), 12);
  EXPECT_NE(passes[0], passes[1]);
  EXPECT_NE(passes[1], passes[2]);
  EXPECT_NE(chosen(set, {.splits = {}, .prompts = 4}, 2),
            chosen(set, {.splits = {}, .prompts = 4}, 1))
      << "another seed, another order";
}

TEST(ChooseStudies, a_round_that_spans_two_passes_has_no_study_twice_and_the_passes_stay_whole) {
  testing::TempFolder folder;
  const data::StudySet set(testing::write_studies(folder.path(), studies(7)));
  for (uint64_t seed = 0; seed < 40; ++seed) {
    std::vector<std::string> sequence;
    for (int64_t round = 0; round < 7;
         ++round) {  // 5 of 7: round 1 ends pass 0 and begins pass 1, and so on
      const auto ids = chosen(set, {.splits = {}, .prompts = 5, .round = round}, seed);
      EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), 5)
          << "seed " << seed << " round " << round;
      sequence.insert(sequence.end(), ids.begin(), ids.end());
    }
    for (auto pass = sequence.begin(); pass != sequence.end(); pass += 7) {
      EXPECT_EQ(std::set<std::string>(pass, pass + 7).size(), 7) << "seed " << seed;
    }
  }
}

TEST(ChooseStudies, more_than_there_are_is_refused) {
  testing::TempFolder folder;
  const data::StudySet set(testing::write_studies(folder.path(), studies(3)));
  EXPECT_EQ(chosen(set, {.splits = {}, .prompts = 3}).size(), 3);
  try {
    (void)chosen(set, {.splits = {}, .prompts = 4});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.exit(), Exit::data);
    EXPECT_NE(std::string(e.what()).find("4"), std::string::npos) << e.what();
  }
}

class RunDecode : public ::testing::Test {
 protected:
  RunDecode() {
    testing::write_checkpoint(folder.path() / "model", 1);
    testing::write_studies(folder.path(), studies(5));
  }
  std::string decode(int64_t threads, const std::string& shard) {
    DecodeJob job;
    job.studies = folder.path() / "studies.jsonl";
    job.model = folder.path() / "model";
    job.output = folder.path() / "out.jsonl";
    job.prompt.prompt = "short";
    job.decode = {.max_new_tokens = 6, .samples = 3};
    cli::Common common;
    common.seed = 4;
    common.threads = threads;
    common.shard = shard;
    common.device = "cpu";
    Logger log("test", LogLevel::error);
    const cli::StopFlag stop;
    io::RunRecord record("test", {}, {});
    cli::Context context{log, stop, record};
    EXPECT_EQ(run_decode(job, common, context), Exit::ok);
    return io::read_file(job.output);
  }
  testing::TempFolder folder;
};

TEST_F(RunDecode, gives_the_same_bytes_at_any_thread_count) {
  const std::string one = decode(1, "0/1");
  EXPECT_EQ(decode(3, "0/1"), one);
  const auto records = data::read_generations(folder.path() / "out.jsonl").records;
  ASSERT_EQ(records.size(), 15);
  for (size_t i = 0; i < records.size(); ++i) {
    EXPECT_EQ(records[i].study_id, "s" + std::to_string(i / 3)) << "input order";
    EXPECT_EQ(records[i].sample, static_cast<int64_t>(i % 3));
    EXPECT_EQ(records[i].policy, io::digest_path(folder.path() / "model"));
    EXPECT_EQ(records[i].seed, 4);
  }
}

TEST_F(RunDecode, shards_hold_every_other_study_of_the_whole_run) {
  const auto by_study = [](const std::string& lines) {
    std::map<std::string, std::string> out;
    for (size_t at = 0; at < lines.size();) {
      const size_t end = lines.find('\n', at) + 1;
      const std::string line = lines.substr(at, end - at);
      out[io::Json::parse(line).at("study_id")] += line;
      at = end;
    }
    return out;
  };
  const auto whole = by_study(decode(1, "0/1"));
  auto parts = by_study(decode(1, "0/2"));
  EXPECT_EQ(parts.size(), 3);
  parts.merge(by_study(decode(1, "1/2")));
  EXPECT_EQ(parts, whole);
}

}  // namespace
}  // namespace unirg::policy
