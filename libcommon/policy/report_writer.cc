// SPDX-License-Identifier: Apache-2.0
#include "policy/report_writer.h"

#include <ATen/ops/cat.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "io/atomic_file.h"
#include "text/chat.h"

namespace unirg::policy {
namespace {

int64_t required_token(const text::Tokenizer& tokenizer, std::string_view token) {
  const auto id = tokenizer.id(token);
  if (!id)
    throw Error(Exit::data, fmt::format("the checkpoint's tokenizer has no token '{}'", token));
  return *id;
}

/// eos_token_id of generation_config.json, a number or a list; none without the file.
std::vector<int64_t> generation_ends(const std::filesystem::path& checkpoint) {
  const std::filesystem::path file = checkpoint / "generation_config.json";
  if (!std::filesystem::exists(file)) return {};
  const io::Json object = io::Json::parse(io::read_file(file), nullptr, false);
  if (!object.is_object())
    throw Error(Exit::data, fmt::format("{}: not a JSON object", file.string()));
  if (!object.contains("eos_token_id") || object["eos_token_id"].is_null()) return {};
  if (object["eos_token_id"].is_number_integer()) return {object["eos_token_id"].get<int64_t>()};
  const auto ids = io::Fields(object).integers("eos_token_id");
  if (!ids) throw Error(Exit::data, fmt::format("{}: {}", file.string(), ids.error().reason));
  return *ids;
}

/// The first end is the one that replies are taught to end with.
TokenRules make_rules(const model::ModelConfig& config, const text::Tokenizer& tokenizer,
                      const std::filesystem::path& checkpoint) {
  TokenRules rules;
  rules.allowed.assign(static_cast<size_t>(config.text.vocab_size), false);
  for (int64_t id = 0; id < std::min(tokenizer.size(), config.text.vocab_size); ++id)
    rules.allowed[static_cast<size_t>(id)] = true;
  rules.ends.push_back(required_token(tokenizer, text::kTurnEnd));
  if (const auto end = tokenizer.id("<|endoftext|>")) rules.ends.push_back(*end);
  for (const int64_t end : generation_ends(checkpoint)) {
    if (end < 0 || end >= config.text.vocab_size)
      throw Error(Exit::data, fmt::format("{}: eos_token_id {} is outside the vocabulary",
                                          (checkpoint / "generation_config.json").string(), end));
    if (std::find(rules.ends.begin(), rules.ends.end(), end) == rules.ends.end())
      rules.ends.push_back(end);
  }
  for (const text::AddedToken& token : tokenizer.added()) {
    const bool ends = std::find(rules.ends.begin(), rules.ends.end(), token.id) != rules.ends.end();
    if (token.special && !ends && token.id < config.text.vocab_size)
      rules.allowed[static_cast<size_t>(token.id)] = false;
  }
  return rules;
}

std::string sentence(const char* name, const std::optional<std::string>& value) {
  if (!value || value->empty()) return "";
  return fmt::format(" {}: {}", name, *value);
}

/// The sections a reply is made of.
text::Report target_report(const data::Study& study, const PromptOptions& options) {
  text::Report report;
  if (options.target != "impression") report.findings = study.findings;
  if (options.target != "findings") report.impression = study.impression;
  return report;
}

}  // namespace

std::string context_text(const data::Study& study, const data::Study* prior,
                         const PromptOptions& options) {
  std::string context;
  if (study.age) {  // ReXrank gives decades, not years
    const auto decade = static_cast<int64_t>(std::floor(*study.age / 10.0)) * 10;
    context += fmt::format(" Age: {}-{}.", decade, decade + 10);
  }
  if (study.sex) context += fmt::format(" Gender: {}.", *study.sex);
  context += sentence("Indication", study.indication);
  context += sentence("Comparison", study.comparison);
  if (options.prior_report && prior) {
    context += sentence("Prior findings", prior->findings);
    context += sentence("Prior impression", prior->impression);
  }
  if (options.given_findings) context += sentence("Findings", study.findings);
  return text::collapse_space(context);
}

std::string prompt_template(const data::Study& study, const PromptOptions& options) {
  if (options.prompt == "short") return "{input} Report:";
  if (options.prompt != "paper") return options.prompt;
  const text::Report target = target_report(study, options);
  return text::paper_template(target.findings.has_value(), target.impression.has_value());
}

std::string target_text(const data::Study& study, const PromptOptions& options) {
  return text::format_report(target_report(study, options));
}

ReportWriter::ReportWriter(const std::filesystem::path& folder, PromptOptions options)
    : ReportWriter(std::in_place, model::base_folder(folder), std::move(options)) {}

ReportWriter::ReportWriter(std::in_place_t, const std::filesystem::path& checkpoint,
                           PromptOptions options)
    : config_(model::load_config(checkpoint / "config.json")),
      tokenizer_(text::Tokenizer::load(checkpoint)),
      processor_(load_image_processor(checkpoint)),
      options_(std::move(options)),
      rules_(make_rules(config_, tokenizer_, checkpoint)) {
  if (options_.max_pixels > 0) {
    processor_.max_pixels = std::min(processor_.max_pixels, options_.max_pixels);
    processor_.min_pixels = std::min(processor_.min_pixels, processor_.max_pixels);
  }
  if (options_.given_findings && options_.target != "impression") {
    throw Error(Exit::config, fmt::format("--given-findings with --target {} gives away what is to "
                                          "be written (hint: --target impression)",
                                          options_.target));
  }
  if (!config_.sees()) {
    throw Error(Exit::data, fmt::format("checkpoint '{}': model_type '{}' sees no images",
                                        checkpoint.string(), config_.model_type));
  }
  if (processor_.patch_size != config_.vision.patch_size ||
      processor_.merge_size != config_.vision.spatial_merge_size) {
    throw Error(Exit::data, fmt::format("checkpoint '{}': preprocessor_config.json and config.json "
                                        "differ in patch or merge size",
                                        checkpoint.string()));
  }
  if (required_token(tokenizer_, text::kImagePad) != config_.image_token_id) {
    throw Error(
        Exit::data,
        fmt::format("checkpoint '{}': image_token_id of config.json is not the tokenizer's '{}'",
                    checkpoint.string(), text::kImagePad));
  }
}

SizedImage ReportWriter::load_picture(const data::Study& study, const data::StudyImage& image,
                                      const data::StudySet& set) const {
  auto sized = size_image(processor_, set.load_image(study, image));
  if (!sized)
    throw Error(Exit::data, fmt::format("study '{}', image '{}': {}", study.study_id, image.id,
                                        sized.error().reason));
  return std::move(*sized);
}

/// A study's own words may not say what only templates say: an image placeholder, the end of a
/// turn.
std::vector<int64_t> ReportWriter::plain_tokens(const data::Study& study, const char* what,
                                                const std::string& text) const {
  std::vector<int64_t> tokens = tokenizer_.encode(text);
  for (const int64_t id : tokens) {
    if (!tokenizer_.is_special(id)) continue;
    throw Error(Exit::data, fmt::format("study '{}': its {} holds the special token '{}'",
                                        study.study_id, what, tokenizer_.bytes(id)));
  }
  return tokens;
}

EncodedStudy ReportWriter::encode(const data::Study& study, const data::StudySet& set) const {
  EncodedStudy encoded{study.study_id, {}, {}, {}};
  const data::Study* prior = study.prior ? set.find(*study.prior) : nullptr;
  const bool wants_prior = options_.prior_image || options_.prior_report;
  if (wants_prior && study.prior && !prior) {
    throw Error(Exit::data, fmt::format("study '{}': its prior '{}' is not in the studies file",
                                        study.study_id, *study.prior));
  }
  if (options_.prior_image && prior && !prior->images.empty()) {
    encoded.images.push_back(load_picture(*prior, prior->images.front(), set));
  }
  for (int64_t i = 0; i < std::min(options_.images, static_cast<int64_t>(study.images.size()));
       ++i) {
    encoded.images.push_back(load_picture(study, study.images[static_cast<size_t>(i)], set));
  }
  std::string input;
  for (size_t i = 0; i < encoded.images.size(); ++i) input += text::kImageMark;
  const std::string context = context_text(study, prior, options_);
  (void)plain_tokens(study, "context", context);
  input += context;
  const std::string content = text::fill_template(prompt_template(study, options_), input);
  size_t image = 0;
  for (const int64_t id : tokenizer_.encode(text::chat_prompt(content))) {
    int64_t copies = 1;
    if (id == config_.image_token_id) {
      if (image == encoded.images.size())
        throw Error(Exit::config,
                    "the prompt template holds an image placeholder (hint: {input} stands for the "
                    "images too)");
      copies = encoded.images[image++].grid.patches() / config_.vision.merged_patches();
    }
    encoded.prompt.insert(encoded.prompt.end(), static_cast<size_t>(copies), id);
  }
  const std::string target = target_text(study, options_);
  if (!target.empty()) {
    encoded.reply = plain_tokens(study, "report", target);
    encoded.reply.push_back(rules_.ends.front());
  }
  return encoded;
}

model::PromptTokens ReportWriter::materialise(const EncodedStudy& study,
                                              const Brightness& brightness) const {
  model::PromptTokens prompt{study.prompt, {}, {}};
  std::vector<Tensor> pixels;
  for (const SizedImage& image : study.images) {
    prompt.grids.push_back(image.grid);
    pixels.push_back(patch_rows(processor_, image, brightness));
  }
  if (!pixels.empty()) prompt.pixels = pixels.size() == 1 ? pixels.front() : at::cat(pixels, 0);
  return prompt;
}

data::Generation ReportWriter::generation(const EncodedStudy& study, const Reply& reply,
                                          int64_t sample) const {
  data::Generation g;
  g.study_id = study.study_id;
  g.sample = sample;
  g.text = tokenizer_.decode(reply.tokens);
  const text::Report report = text::parse_report(g.text);
  g.findings = report.findings;
  g.impression = report.impression;
  g.finish = reply.stopped ? "stop" : "length";
  g.tokens = reply.tokens;
  g.logprobs = reply.logprobs;
  g.prompt_tokens = static_cast<int64_t>(study.prompt.size());
  return g;
}

}  // namespace unirg::policy
