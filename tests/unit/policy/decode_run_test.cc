// SPDX-License-Identifier: Apache-2.0
#include "policy/decode_run.h"

#include <gtest/gtest.h>

#include <map>

#include "temp_folder.h"
#include "tiny_policy.h"

namespace unirg::policy {
namespace {

class RunDecode : public ::testing::Test {
 protected:
  RunDecode() {
    testing::write_checkpoint(folder.path() / "model", 1);
    testing::write_studies(folder.path(), testing::studies(5));
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
