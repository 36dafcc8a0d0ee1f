// SPDX-License-Identifier: Apache-2.0
#include "text/chat.h"

#include <fmt/format.h>

#include <cctype>

#include "base/error.h"

namespace unirg::text {
namespace {

constexpr std::string_view kInput = "{input}";

bool same_letters(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (std::tolower(static_cast<unsigned char>(a[i])) !=
        std::tolower(static_cast<unsigned char>(b[i])))
      return false;
  }
  return true;
}

/// Length of a heading ("findings:" or "impression:") that begins a word at `at`, else 0.
size_t heading_at(std::string_view text, size_t at, std::string_view heading) {
  const bool word_begins = at == 0 || std::isalnum(static_cast<unsigned char>(text[at - 1])) == 0;
  return word_begins && same_letters(text.substr(at, heading.size()), heading) ? heading.size() : 0;
}

void append(std::optional<std::string>& section, std::string_view text) {
  const std::string clean = collapse_space(text);
  if (clean.empty()) return;
  section = section ? *section + " " + clean : clean;
}

}  // namespace

std::string chat_prompt(std::string_view content) {
  return fmt::format("<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n", content);
}

std::string paper_template(bool findings, bool impression) {
  const std::string both = "Findings: [write the findings] Impression: [write the impression]";
  const bool all = findings == impression;
  const std::string format = all        ? both
                             : findings ? "Findings: [write the findings]"
                                        : "Impression: [write the impression]";
  const std::string noun = all ? "report" : findings ? "findings" : "impression";
  return fmt::format(
      "This is a radiology report generation task. Here is the context: {{input}} Given the image "
      "and the context, "
      "provide the {} in the following format: {} Now write the report in the format above.",
      noun, format);
}

std::string fill_template(std::string_view prompt_template, std::string_view input) {
  std::string out;
  bool found = false;
  while (!prompt_template.empty()) {
    const size_t at = prompt_template.find(kInput);
    out += prompt_template.substr(0, at);
    if (at == std::string_view::npos) break;
    found = true;
    out += input;
    prompt_template.remove_prefix(at + kInput.size());
  }
  if (!found)
    throw Error(Exit::config,
                "prompt template has no '{input}' (hint: it stands for images and context)");
  return out;
}

std::string format_report(const Report& report) {
  std::string text;
  if (report.findings) text += "Findings: " + *report.findings;
  if (report.impression)
    text += std::string(text.empty() ? "" : " ") + "Impression: " + *report.impression;
  return text;
}

Report parse_report(std::string_view text) {
  Report report;
  std::optional<std::string>* section = &report.findings;
  size_t begin = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    const size_t findings = heading_at(text, at, "findings:");
    const size_t impression = heading_at(text, at, "impression:");
    if (findings + impression == 0) continue;
    append(*section, text.substr(begin, at - begin));
    section = findings ? &report.findings : &report.impression;
    begin = at + findings + impression;
    at = begin - 1;
  }
  append(*section, text.substr(begin));
  return report;
}

std::string collapse_space(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool space = std::isspace(static_cast<unsigned char>(c)) != 0;
    if (space && (out.empty() || out.back() == ' ')) continue;
    out += space ? ' ' : c;
  }
  if (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

}  // namespace unirg::text
