// Decoding on a GPU against the CPU. SPDX-License-Identifier: Apache-2.0
#include "cuda.h"

#include "policy/batch_sampler.h"
#include "temp_folder.h"
#include "tiny_policy.h"

namespace unirg::policy {
namespace {

class CudaDecoding : public testing::Cuda {
 protected:
  CudaDecoding() { testing::write_checkpoint(folder.path(), 1); }
  [[nodiscard]] std::vector<Reply> decode(const std::string& device, const std::string& dtype,
                                          const DecodeOptions& options) const {
    const ReportWriter writer(folder.path(), {});
    const model::Qwen3VL model = model::load_model(folder.path(), device, dtype);
    const auto prompt = writer.materialise(testing::encoded_study("s", 1, "Report of it:", ""));
    return sample_replies(model, prompt, "s", writer.rules(), options);
  }
  testing::TempFolder folder;
};

TEST_F(CudaDecoding, greedy_and_sampled_replies_are_the_same_tokens) {
  for (const double temperature : {0.0, 1.0}) {
    const DecodeOptions options{
        .temperature = temperature, .max_new_tokens = 24, .samples = 5, .seed = 3};
    const auto expected = decode("cpu", "float32", options);
    const auto found = decode("cuda", "float32", options);
    ASSERT_EQ(found.size(), expected.size());
    for (size_t s = 0; s < expected.size(); ++s) {
      EXPECT_EQ(found[s].tokens, expected[s].tokens) << temperature << " " << s;
      EXPECT_EQ(found[s].stopped, expected[s].stopped);
      for (size_t t = 0; t < expected[s].logprobs.size() && t < found[s].logprobs.size(); ++t)
        EXPECT_NEAR(found[s].logprobs[t], expected[s].logprobs[t], 1e-4) << s << " " << t;
    }
  }
}

TEST_F(CudaDecoding, prompts_decoded_together_get_the_tokens_of_the_cpu) {
  const ReportWriter writer(folder.path(), {});
  std::vector<DecodeRequest> requests;
  for (const char* text : {"Report:", "Report of it:", "A longer report of it, please:"})
    requests.push_back({writer.materialise(testing::encoded_study("s", 1, text, "")), text});
  const DecodeOptions options{
      .top_k = 40, .top_p = 0.95, .max_new_tokens = 24, .samples = 5, .seed = 3};
  const auto on = [&](const char* device) {
    const model::Qwen3VL model = model::load_model(folder.path(), device, "float32");
    return sample_together(model, requests, writer.rules(), options);
  };
  const auto expected = on("cpu");
  const auto found = on("cuda");
  for (size_t b = 0; b < requests.size(); ++b) {
    for (size_t s = 0; s < expected[b].size(); ++s)
      EXPECT_EQ(found[b][s].tokens, expected[b][s].tokens) << b << " " << s;
  }
}

TEST_F(CudaDecoding, bfloat16_draws_whole_replies_the_same_each_time) {
  const DecodeOptions options{.max_new_tokens = 24, .samples = 5, .seed = 3};
  const auto once = decode("cuda", "bfloat16", options);
  const auto again = decode("cuda", "bfloat16", options);
  for (size_t s = 0; s < once.size(); ++s) {
    EXPECT_EQ(again[s].tokens, once[s].tokens);
    EXPECT_EQ(again[s].logprobs, once[s].logprobs);
    EXPECT_TRUE(once[s].stopped || once[s].tokens.size() == 24U);
  }
}

}  // namespace
}  // namespace unirg::policy
