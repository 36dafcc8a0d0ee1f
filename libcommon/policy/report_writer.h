// Studies to prompts and target replies, replies to generation records: everything between
// study.jsonl and token ids. Depends on data, text, image, model.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "data/records.h"
#include "data/study_loader.h"
#include "model/config.h"
#include "policy/image_processor.h"
#include "policy/sampler.h"
#include "text/tokenizer.h"

namespace unirg::policy {

struct PromptOptions {
  std::string prompt =
      "paper";  ///< name of a template (see prompt_template) or a template text with {input}
  bool prior_report = false;    ///< put the prior study's report into the context
  bool prior_image = false;     ///< show the prior study's key image before the current one
  int64_t max_pixels = 0;       ///< caps preprocessor_config.json's; 0: no further cap
  int64_t images = 1;           ///< key images first, at most this many of a study
  std::string target = "both";  ///< sections the reply is made of, where the reference has them:
                                ///< both, findings, impression
  bool given_findings =
      false;  ///< put the study's own findings into the context, for an impression writer
};

/// A study as the model meets it. Pictures stay 8-bit until a batch is made.
struct EncodedStudy {
  std::string study_id;
  std::vector<int64_t> prompt;     ///< token ids, image placeholders expanded
  std::vector<SizedImage> images;  ///< in order of their placeholders
  std::vector<int64_t> reply;  ///< target ids with the end token; empty for a study without report
};

class ReportWriter {
 public:
  /// Reads config.json, tokenizer and preprocessor_config.json of a checkpoint, or of the base of
  /// an adapter.
  ReportWriter(const std::filesystem::path& folder, PromptOptions options);

  /// \param set gives images and priors; thread-safe
  /// \throws Error(Exit::data) naming the study when an image does not decode or a prior is missing
  [[nodiscard]] EncodedStudy encode(const data::Study& study, const data::StudySet& set) const;
  /// Patch rows made; the reply is left out.
  [[nodiscard]] model::PromptTokens materialise(const EncodedStudy& study,
                                                const Brightness& brightness = {}) const;
  [[nodiscard]] data::Generation generation(const EncodedStudy& study, const Reply& reply,
                                            int64_t sample) const;
  [[nodiscard]] const TokenRules& rules() const { return rules_; }
  [[nodiscard]] const text::Tokenizer& tokenizer() const { return tokenizer_; }
  [[nodiscard]] const model::ModelConfig& config() const { return config_; }

 private:
  ReportWriter(std::in_place_t, const std::filesystem::path& checkpoint, PromptOptions options);
  [[nodiscard]] std::vector<int64_t> plain_tokens(const data::Study& study, const char* what,
                                                  const std::string& text) const;
  [[nodiscard]] SizedImage load_picture(const data::Study& study, const data::StudyImage& image,
                                        const data::StudySet& set) const;

  model::ModelConfig config_;
  text::Tokenizer tokenizer_;
  ImageProcessor processor_;
  PromptOptions options_;
  TokenRules rules_;
};

/// The context {input} stands for, after the images: "Indication: ... Comparison: ..." and, when
/// asked for, the prior report; ReXrank's context string begins with age and sex
/// ("Age:50-60.Gender:M."), so does ours when they are known.
std::string context_text(const data::Study& study, const data::Study* prior,
                         const PromptOptions& options);

/// The template for a study, chosen by the target sections its reference has (both when it has
/// none). "paper": the paper's two prompts; "short": "{input} Report:"; any other value is the
/// template itself.
std::string prompt_template(const data::Study& study, const PromptOptions& options);

/// "Findings: F Impression: I" of the target sections present; empty when there is none.
std::string target_text(const data::Study& study, const PromptOptions& options);

}  // namespace unirg::policy
