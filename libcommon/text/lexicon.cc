// SPDX-License-Identifier: Apache-2.0
#include "text/lexicon.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>

#include "base/error.h"
#include "base/hash.h"
#include "io/atomic_file.h"

namespace unirg::text {
namespace {

constexpr std::string_view kSchema = "unirg.lexicon/1";

/// Reads one document; every failure names file, line and key.
class Reader {
 public:
  explicit Reader(const std::string& name) : name_(name) {}
  Lexicon read(const YAML::Node& root) const;

 private:
  [[noreturn]] void fail(const YAML::Node& at, const std::string& why) const {
    throw Error(Exit::config, fmt::format("'{}:{}': {}", name_, at.Mark().line + 1, why));
  }
  void check_keys(const YAML::Node& map, const std::vector<std::string>& known) const;
  [[nodiscard]] YAML::Node need(const YAML::Node& map, const char* key) const;
  [[nodiscard]] std::string text(const YAML::Node& node, const char* what) const;
  [[nodiscard]] std::vector<std::string> texts(const YAML::Node& node, const char* what) const;
  [[nodiscard]] std::vector<std::string> texts_of(const YAML::Node& map, const char* key) const {
    return texts(need(map, key), key);
  }
  [[nodiscard]] size_t condition(const YAML::Node& node) const;
  [[nodiscard]] std::vector<size_t> conditions_of(const YAML::Node& rule, const char* key) const;
  void read_condition(const YAML::Node& node, Lexicon& lexicon) const;
  [[nodiscard]] AttributeUse uses(const YAML::Node& node) const;
  [[nodiscard]] std::vector<AttributeRule> attributes(const YAML::Node& list,
                                                      const char* what) const;
  [[nodiscard]] CueRules cues(const YAML::Node& node) const;

  std::string name_;
};

void Reader::check_keys(const YAML::Node& map, const std::vector<std::string>& known) const {
  if (!map.IsMap()) fail(map, "expected a map");
  for (const auto& entry : map) {
    const auto key = entry.first.as<std::string>();
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    const std::string nearest = nearest_name(key, known);
    fail(entry.first, nearest.empty() ? fmt::format("unknown key '{}'", key)
                                      : fmt::format("unknown key '{}' (hint: '{}')", key, nearest));
  }
}

YAML::Node Reader::need(const YAML::Node& map, const char* key) const {
  YAML::Node node = map[key];
  if (!node) fail(map, fmt::format("key '{}' is missing", key));
  return node;
}

std::string Reader::text(const YAML::Node& node, const char* what) const {
  if (!node.IsScalar()) fail(node, fmt::format("'{}': expected text", what));
  return node.as<std::string>();
}

std::vector<std::string> Reader::texts(const YAML::Node& node, const char* what) const {
  if (!node.IsSequence()) fail(node, fmt::format("'{}': expected a list", what));
  std::vector<std::string> all;
  for (const YAML::Node& item : node) all.push_back(text(item, what));
  return all;
}

size_t Reader::condition(const YAML::Node& node) const {
  const std::string name = text(node, "condition");
  const auto index = condition_index(name);
  if (index && *index != kNoFinding) return *index;
  const std::vector<std::string> known(kConditions.begin(), kConditions.end() - 1);
  const std::string nearest = nearest_name(name, known);
  fail(node, nearest.empty() ? fmt::format("unknown condition '{}'", name)
                             : fmt::format("unknown condition '{}' (hint: '{}')", name, nearest));
}

AttributeUse Reader::uses(const YAML::Node& node) const {
  AttributeUse use{false, false, false};
  for (const YAML::Node& item : node) {
    const std::string name = text(item, "attributes");
    if (name == "location") {
      use.location = true;
    } else if (name == "severity") {
      use.severity = true;
    } else if (name == "change") {
      use.change = true;
    } else {
      fail(item, fmt::format("unknown attribute '{}' (hint: location, severity, change)", name));
    }
  }
  return use;
}

std::vector<size_t> Reader::conditions_of(const YAML::Node& rule, const char* key) const {
  std::vector<size_t> all;
  const YAML::Node named = rule[key];
  if (!named) return all;
  (void)texts(named, key);
  for (const YAML::Node& item : named) all.push_back(condition(item));
  return all;
}

void Reader::read_condition(const YAML::Node& node, Lexicon& lexicon) const {
  check_keys(node, {"name", "attributes", "findings"});
  const size_t index = condition(need(node, "name"));
  const YAML::Node attributes = need(node, "attributes");
  (void)texts(attributes, "attributes");
  lexicon.uses[index] = uses(attributes);
  const YAML::Node findings = need(node, "findings");
  if (!findings.IsSequence()) fail(findings, "'findings': expected a list");
  for (const YAML::Node& finding : findings) {
    check_keys(finding, {"kind", "uncertain", "phrases"});
    FindingRule rule;
    rule.condition = index;
    rule.kind = text(need(finding, "kind"), "kind");
    if (const YAML::Node uncertain = finding["uncertain"]) {
      const std::string value = text(uncertain, "uncertain");
      if (value != "true" && value != "false")
        fail(uncertain, "'uncertain': expected true or false");
      rule.always_uncertain = value == "true";
    }
    rule.phrases = texts_of(finding, "phrases");
    lexicon.findings.push_back(std::move(rule));
  }
}

std::vector<AttributeRule> Reader::attributes(const YAML::Node& list, const char* what) const {
  if (!list.IsSequence()) fail(list, fmt::format("'{}': expected a list", what));
  std::vector<AttributeRule> rules;
  for (const YAML::Node& item : list) {
    check_keys(item, {"value", "values", "phrases"});
    AttributeRule rule;
    rule.values = item["values"] ? texts_of(item, "values")
                                 : std::vector<std::string>{text(need(item, "value"), "value")};
    if (rule.values.empty()) fail(item, fmt::format("'{}': a rule without a value", what));
    rule.phrases = texts_of(item, "phrases");
    rules.push_back(std::move(rule));
  }
  return rules;
}

CueRules Reader::cues(const YAML::Node& node) const {
  CueRules cues;
  const std::vector<std::pair<const char*, std::vector<std::string>*>> parts{
      {"negation-before", &cues.negation_before},
      {"negation-after", &cues.negation_after},
      {"uncertainty-before", &cues.uncertainty_before},
      {"uncertainty-after", &cues.uncertainty_after},
      {"uncertainty-between", &cues.uncertainty_between},
      {"ignore-before", &cues.ignore_before},
      {"no-cue", &cues.no_cue},
      {"scope-end", &cues.scope_end},
      {"clause-break", &cues.clause_break},
      {"clause-opener", &cues.clause_opener},
      {"list-word", &cues.list_word}};
  std::vector<std::string> known;
  for (const auto& part : parts) known.emplace_back(part.first);
  check_keys(node, known);
  for (const auto& [key, list] : parts) *list = texts_of(node, key);
  return cues;
}

Lexicon Reader::read(const YAML::Node& root) const {
  check_keys(root, {"schema", "version", "conditions", "other", "normal", "cues", "locations",
                    "severities", "changes"});
  const YAML::Node schema = need(root, "schema");
  if (text(schema, "schema") != kSchema) fail(schema, fmt::format("schema is not '{}'", kSchema));
  Lexicon lexicon;
  lexicon.version = text(need(root, "version"), "version");
  const YAML::Node conditions = need(root, "conditions");
  if (!conditions.IsSequence()) fail(conditions, "'conditions': expected a list");
  for (const YAML::Node& node : conditions) read_condition(node, lexicon);
  FindingRule other;
  other.condition = kOtherFinding;
  other.phrases = texts_of(root, "other");
  lexicon.findings.push_back(std::move(other));
  const YAML::Node normals = need(root, "normal");
  if (!normals.IsSequence()) fail(normals, "'normal': expected a list");
  for (const YAML::Node& node : normals) {
    check_keys(node, {"conditions", "implies", "phrases"});
    NormalRule rule;
    rule.conditions = conditions_of(node, "conditions");
    rule.implied = conditions_of(node, "implies");
    if (rule.conditions.empty() && rule.implied.empty())
      fail(node, "a statement of normality about nothing (hint: 'conditions' or 'implies')");
    rule.phrases = texts_of(node, "phrases");
    lexicon.normals.push_back(std::move(rule));
  }
  lexicon.cues = cues(need(root, "cues"));
  lexicon.locations = attributes(need(root, "locations"), "locations");
  lexicon.severities = attributes(need(root, "severities"), "severities");
  lexicon.changes = attributes(need(root, "changes"), "changes");
  return lexicon;
}

}  // namespace

std::optional<size_t> condition_index(std::string_view name) {
  const auto at = std::find(kConditions.begin(), kConditions.end(), name);
  if (at == kConditions.end()) return std::nullopt;
  return static_cast<size_t>(at - kConditions.begin());
}

Lexicon parse_lexicon(const std::string& yaml, const std::string& name) {
  try {
    Lexicon lexicon = Reader(name).read(YAML::Load(yaml));
    lexicon.digest = sha256_hex(yaml);
    return lexicon;
  } catch (const YAML::Exception& e) {
    throw Error(Exit::config, fmt::format("'{}:{}': {}", name, e.mark.line + 1, e.msg));
  }
}

Lexicon load_lexicon(const std::filesystem::path& path) {
  return parse_lexicon(io::read_file(path), path.string());
}

}  // namespace unirg::text
