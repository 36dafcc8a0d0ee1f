// SPDX-License-Identifier: Apache-2.0
#include "scoring/judge_prompt.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>

#include "base/error.h"
#include "base/hash.h"
#include "io/atomic_file.h"
#include "metrics/reply_text.h"
#include "text/words.h"

namespace unirg::scoring {
namespace {

constexpr std::string_view kSchema = "unirg.judge/1";
constexpr std::string_view kReference = "{reference}";
constexpr std::string_view kCandidate = "{candidate}";

/// Reads one document; every failure names file, line and key.
class Reader {
 public:
  explicit Reader(const std::string& name) : name_(name) {}
  [[nodiscard]] JudgePrompt read(const YAML::Node& root) const;

 private:
  [[noreturn]] void fail(const YAML::Node& at, const std::string& why) const {
    throw Error(Exit::config, fmt::format("'{}:{}': {}", name_, at.Mark().line + 1, why));
  }
  void check_keys(const YAML::Node& map, const std::vector<std::string>& known) const;
  [[nodiscard]] YAML::Node need(const YAML::Node& map, const char* key) const;
  [[nodiscard]] std::string text(const YAML::Node& map, const char* key) const;
  [[nodiscard]] std::string choice(const YAML::Node& map, const char* key,
                                   const std::vector<std::string>& known) const;
  template <typename T>
  [[nodiscard]] std::optional<T> number(const YAML::Node& map, const char* key, T least,
                                        T most) const;
  [[nodiscard]] JudgeGeneration generation(const YAML::Node& map) const;
  [[nodiscard]] std::vector<JudgeMessage> messages(const YAML::Node& list) const;
  void check_placeholders(const YAML::Node& at, const std::string& content) const;

  std::string name_;
};

void Reader::check_keys(const YAML::Node& map, const std::vector<std::string>& known) const {
  if (!map.IsMap()) fail(map, "expected a map");
  std::vector<std::string> seen;
  for (const auto& entry : map) {
    const auto key = entry.first.as<std::string>();
    if (std::find(seen.begin(), seen.end(), key) != seen.end())
      fail(entry.first, fmt::format("key '{}' stands twice", key));
    seen.push_back(key);
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    const std::string nearest = nearest_name(key, known);
    fail(entry.first,
         fmt::format("unknown key '{}' (hint: {})", key,
                     nearest.empty() ? fmt::format("known are {}", fmt::join(known, ", "))
                                     : fmt::format("'{}'", nearest)));
  }
}

YAML::Node Reader::need(const YAML::Node& map, const char* key) const {
  YAML::Node node = map[key];
  if (!node) fail(map, fmt::format("key '{}' is missing", key));
  return node;
}

std::string Reader::text(const YAML::Node& map, const char* key) const {
  const YAML::Node node = need(map, key);
  if (!node.IsScalar() || node.Scalar().empty())
    fail(node, fmt::format("'{}': expected text", key));
  return node.Scalar();
}

std::string Reader::choice(const YAML::Node& map, const char* key,
                           const std::vector<std::string>& known) const {
  const std::string value = text(map, key);
  if (std::find(known.begin(), known.end(), value) == known.end())
    fail(map[key], fmt::format("'{}': unknown value '{}' (hint: known are {})", key, value,
                               fmt::join(known, ", ")));
  return value;
}

template <typename T>
std::optional<T> Reader::number(const YAML::Node& map, const char* key, T least, T most) const {
  const YAML::Node node = map[key];
  if (!node || node.IsNull()) return std::nullopt;
  T value{};
  const bool read = node.IsScalar() && YAML::convert<T>::decode(node, value);
  if (!read || !(value >= least && value <= most))
    fail(node, fmt::format("'{}': expected {} from {} to {}", key,
                           std::is_integral_v<T> ? "an integer" : "a number", least, most));
  return value;
}

JudgeGeneration Reader::generation(const YAML::Node& map) const {
  check_keys(map, {"temperature", "top-p", "max-tokens", "seed"});
  return {number<double>(map, "temperature", 0, 2), number<double>(map, "top-p", 1e-6, 1),
          number<int64_t>(map, "max-tokens", 1, 1'000'000),
          number<int64_t>(map, "seed", 0, INT64_C(2147483647))};
}

void Reader::check_placeholders(const YAML::Node& at, const std::string& content) const {
  for (size_t i = content.find('{'); i != std::string::npos; i = content.find('{', i + 1)) {
    size_t end = i + 1;
    while (end < content.size() && (text::is_letter(content[end]) || content[end] == '_')) ++end;
    if (end == i + 1 || end == content.size() || content[end] != '}') continue;
    const std::string_view mark = std::string_view(content).substr(i, end + 1 - i);
    if (mark != kReference && mark != kCandidate)
      fail(at, fmt::format("unknown placeholder '{}' (hint: '{}' and '{}')", mark, kReference,
                           kCandidate));
  }
}

std::vector<JudgeMessage> Reader::messages(const YAML::Node& list) const {
  if (!list.IsSequence() || list.size() == 0) fail(list, "'messages': expected a list");
  std::vector<JudgeMessage> all;
  std::string together;
  for (const YAML::Node& item : list) {
    check_keys(item, {"role", "content"});
    all.push_back({choice(item, "role", {"system", "user", "assistant"}), text(item, "content")});
    check_placeholders(item, all.back().content);
    together += all.back().content;
  }
  for (const std::string_view mark : {kReference, kCandidate}) {
    if (together.find(mark) == std::string::npos)
      fail(list, fmt::format("'messages': no placeholder '{}'", mark));
  }
  if (all.back().role != "user") fail(list, "'messages': the last one is not the user's");
  return all;
}

JudgePrompt Reader::read(const YAML::Node& root) const {
  check_keys(root, {"schema", "name", "version", "reply", "words", "generation", "template",
                    "total-tokens", "messages"});
  if (text(root, "schema") != kSchema)
    fail(root["schema"], fmt::format("schema is not '{}'", kSchema));
  JudgePrompt prompt;
  prompt.name = text(root, "name");
  prompt.version = text(root, "version");
  prompt.reply = choice(root, "reply", {"green", "chexprompt"}) == "green" ? ReplyForm::green
                                                                           : ReplyForm::chexprompt;
  prompt.words = number<int64_t>(root, "words", 0, 1'000'000).value_or(0);
  prompt.generation = generation(need(root, "generation"));
  prompt.chat_template = choice(root, "template", {"radllama", "chatml", "llama-3"});
  prompt.total_tokens = number<int64_t>(root, "total-tokens", 0, 1'000'000'000).value_or(0);
  prompt.messages = messages(need(root, "messages"));
  return prompt;
}

std::string put_in(std::string_view content, std::string_view reference,
                   std::string_view candidate) {
  std::string out;
  while (!content.empty()) {
    const size_t at = std::min(content.find(kReference), content.find(kCandidate));
    out += content.substr(0, at);
    if (at == std::string_view::npos) break;
    content.remove_prefix(at);
    const bool is_reference = content.starts_with(kReference);
    out += is_reference ? reference : candidate;
    content.remove_prefix((is_reference ? kReference : kCandidate).size());
  }
  return out;
}

}  // namespace

std::string JudgePrompt::id() const { return fmt::format("{}@{}", version, digest.substr(0, 12)); }

JudgePrompt parse_judge_prompt(const std::string& yaml, const std::string& name) {
  try {
    JudgePrompt prompt = Reader(name).read(YAML::Load(yaml));
    prompt.digest = sha256_hex(yaml);
    return prompt;
  } catch (const YAML::Exception& e) {
    throw Error(Exit::config, fmt::format("'{}:{}': {}", name, e.mark.line + 1, e.msg));
  }
}

JudgePrompt load_judge_prompt(const std::filesystem::path& file) {
  return parse_judge_prompt(io::read_file(file), file.string());
}

std::vector<JudgeMessage> fill_judge_prompt(const JudgePrompt& prompt, const std::string& reference,
                                            const std::string& candidate) {
  const auto cut = [&](const std::string& text) {
    return prompt.words > 0 ? metrics::first_words(text, prompt.words) : text;
  };
  const std::string cut_reference = cut(reference);
  const std::string cut_candidate = cut(candidate);
  std::vector<JudgeMessage> messages;
  for (const JudgeMessage& message : prompt.messages)
    messages.push_back({message.role, put_in(message.content, cut_reference, cut_candidate)});
  return messages;
}

io::Json plain_usage(const io::Json& usage) {
  io::Json plain;
  if (!usage.is_object()) return plain;
  for (const char* key : {"prompt_tokens", "completion_tokens", "total_tokens"}) {
    const auto at = usage.find(key);
    if (at != usage.end() && at->is_number_integer()) plain[key] = *at;
  }
  return plain;
}

}  // namespace unirg::scoring
