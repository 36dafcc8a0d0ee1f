// What a chat model reads and writes: Qwen's message marks, the prompt templates of the paper, and
// reports as replies. Pure strings. Sources: Qwen3-VL's chat template; UniRG, arXiv 2601.17151,
// section "Prompt". SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace unirg::text {

/// "<|vision_start|><|image_pad|><|vision_end|>": one image in a prompt; the placeholder is
/// repeated once per visual token later.
inline constexpr std::string_view kImageMark = "<|vision_start|><|image_pad|><|vision_end|>";
inline constexpr std::string_view kImagePad = "<|image_pad|>";
inline constexpr std::string_view kTurnEnd = "<|im_end|>";

/// One user turn and the opening of the assistant's: "<|im_start|>user\n" + content +
/// "<|im_end|>\n<|im_start|>assistant\n".
std::string chat_prompt(std::string_view content);

/// The sections of a report that is written or wanted.
struct Report {
  std::optional<std::string> findings;
  std::optional<std::string> impression;
};

/// The paper's template for the sections wanted; with neither, or both, the findings + impression
/// one. An impression-only template is not printed in the paper; ours is built on the same pattern.
std::string paper_template(bool findings, bool impression);
/// Puts `input` in place of every "{input}".
/// \throws Error(Exit::config) if the template has no "{input}"
std::string fill_template(std::string_view prompt_template, std::string_view input);

/// "Findings: F Impression: I" of the sections present; "" when there is none.
std::string format_report(const Report& report);
/// The inverse, for generated text: headings in any case, in any order; text before the first
/// heading is findings.
Report parse_report(std::string_view text);

/// Runs of white space to one space, ends trimmed.
std::string collapse_space(std::string_view text);

}  // namespace unirg::text
