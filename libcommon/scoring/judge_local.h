// A judge that is a checkpoint on disk, run by our own decoder: greedy, each prompt alone, so that
// an answer depends on the request and nothing else. LibTorch stays in the source.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "scoring/judge_prompt.h"

namespace unirg::scoring {

struct JudgeLocalOptions {
  std::filesystem::path checkpoint;  ///< any decoder of model/config.h with a tokenizer
  std::string device = "auto";
  std::string dtype = "auto";  ///< as stored
  std::function<bool()> stopped;
};

/// Messages as the text a checkpoint of that kind reads, up to the opening of its answer:
/// radllama  <|user|>\n{content}{eos}\n<|assistant|>\n   (also zephyr; <|system|> for the system's)
/// chatml    <|im_start|>{role}\n{content}<|im_end|>\n<|im_start|>assistant\n   (Qwen)
/// llama-3   <|start_header_id|>{role}<|end_header_id|>\n\n{content}<|eot_id|>...
/// \param eos text of the end token, for radllama
std::string render_chat(const std::string& chat_template, const std::vector<JudgeMessage>& messages,
                        const std::string& eos);

/// One request at a time; others wait.
class JudgeLocal final : public JudgeBackend {
 public:
  /// Loads the weights and digests the folder.
  /// \throws Error(Exit::config) without a checkpoint, and what loading throws
  explicit JudgeLocal(JudgeLocalOptions options);
  ~JudgeLocal() override;

  /// {"checkpoint": digest, "device", "dtype", "template", "messages", "max_tokens",
  /// "total_tokens"}; device (cpu, cuda) and dtype (Float, BFloat16, ...) are those that "auto"
  /// came to, as the last bits of logits hang on them.
  [[nodiscard]] io::Json request(const JudgePrompt& prompt,
                                 const std::vector<JudgeMessage>& messages) const override;
  /// A report with the template's own marks or special tokens in it could speak for the judge, and
  /// one that leaves no room for an answer could not be judged: both give a `problem`.
  /// \throws Error(Exit::interrupted) within one token of a stop request
  JudgeAnswer ask(const io::Json& request) override;
  [[nodiscard]] int64_t concurrency() const override { return 1; }
  [[nodiscard]] bool deterministic() const override { return true; }
  /// Digest of the checkpoint (model::policy_digest).
  [[nodiscard]] const std::string& digest() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace unirg::scoring
