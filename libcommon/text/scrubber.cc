// SPDX-License-Identifier: Apache-2.0
#define PCRE2_CODE_UNIT_WIDTH 8
#include "text/scrubber.h"

#include <fmt/format.h>
#include <pcre2.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "io/atomic_file.h"

namespace unirg::text {
namespace {

constexpr const char* kSchema = "unirg.scrub/1";
constexpr const char* kBlank = "___";
constexpr uint32_t kMatchLimit = 1'000'000;  // an honest pattern takes a few steps for each byte

struct Free {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};

struct Pattern {
  std::unique_ptr<pcre2_code, Free> code;
  std::unique_ptr<pcre2_match_context, Free> limits;
  std::vector<uint32_t> groups;  ///< those named "id"
};

/// Numbers of the groups named "id", from PCRE2's table of names.
std::vector<uint32_t> id_groups(const pcre2_code* code) {
  uint32_t count = 0;
  uint32_t size = 0;
  PCRE2_SPTR table = nullptr;
  pcre2_pattern_info(code, PCRE2_INFO_NAMECOUNT, &count);
  pcre2_pattern_info(code, PCRE2_INFO_NAMEENTRYSIZE, &size);
  pcre2_pattern_info(code, PCRE2_INFO_NAMETABLE, &table);
  std::vector<uint32_t> groups;
  for (uint32_t i = 0; i < count; ++i, table += size) {
    if (std::string_view(reinterpret_cast<const char*>(table + 2)) == "id")
      groups.push_back(static_cast<uint32_t>(table[0]) << 8 | table[1]);
  }
  return groups;
}

/// \param complaint  why the pattern cannot be used, or ""
Pattern compile(const std::string& text, std::string& complaint) {
  Pattern pattern;
  int error = 0;
  PCRE2_SIZE offset = 0;
  pattern.code.reset(
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(),
                    PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_DUPNAMES | PCRE2_NEVER_BACKSLASH_C,
                    &error, &offset, nullptr));
  if (!pattern.code) {
    PCRE2_UCHAR why[128] = {};
    pcre2_get_error_message(error, why, sizeof why);
    complaint = fmt::format("{} at character {}", reinterpret_cast<const char*>(why), offset);
    return pattern;
  }
  pcre2_jit_compile(pattern.code.get(), PCRE2_JIT_COMPLETE);
  pattern.limits.reset(pcre2_match_context_create(nullptr));
  pcre2_set_match_limit(pattern.limits.get(), kMatchLimit);
  pattern.groups = id_groups(pattern.code.get());
  return pattern;
}

}  // namespace

struct Scrubber::Compiled {
  std::vector<Rule> rules;
  std::vector<Pattern> patterns;
};

namespace {

[[noreturn]] void fail(const std::string& file, const YAML::Node& node, const std::string& why) {
  throw Error(Exit::config, fmt::format("{}:{}: {}", file, node.Mark().line + 1, why));
}

std::string scalar(const std::string& file, const YAML::Node& map, const char* key) {
  const YAML::Node node = map[key];
  if (!node) fail(file, map, fmt::format("'{}' is missing", key));
  if (!node.IsScalar() || node.Scalar().empty())
    fail(file, node, fmt::format("'{}': expected a text", key));
  return node.Scalar();
}

void check_keys(const std::string& file, const YAML::Node& map,
                const std::vector<std::string>& known) {
  if (!map.IsMap()) fail(file, map, "expected a map");
  for (const auto& item : map) {
    const std::string& key = item.first.Scalar();
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    const std::string nearest = nearest_name(key, known);
    fail(file, item.first,
         fmt::format("unknown key '{}'{}", key,
                     nearest.empty() ? "" : fmt::format(" (hint: did you mean '{}'?)", nearest)));
  }
}

Scrubber::Rule read_rule(const std::string& file, const YAML::Node& node) {
  check_keys(file, node, {"name", "pattern", "examples"});
  Scrubber::Rule rule{scalar(file, node, "name"), {}};
  const YAML::Node examples = node["examples"];
  if (examples && !examples.IsSequence()) fail(file, examples, "'examples': expected a list");
  for (const YAML::Node& pair : examples) {
    if (!pair.IsSequence() || pair.size() != 2 || !pair[0].IsScalar() || !pair[1].IsScalar())
      fail(file, pair, "'examples': expected pairs of texts");
    rule.examples.emplace_back(pair[0].Scalar(), pair[1].Scalar());
  }
  return rule;
}

}  // namespace

Scrubber::Scrubber(const std::filesystem::path& path) {
  const std::string file = path.string();
  auto compiled = std::make_shared<Compiled>();
  YAML::Node root;
  try {
    root = YAML::Load(io::read_file(path));
  } catch (const YAML::Exception& e) {
    throw Error(Exit::config,
                fmt::format("{}:{}: not valid YAML: {}", file, e.mark.line + 1, e.msg));
  }
  check_keys(file, root, {"schema", "version", "rules"});
  if (scalar(file, root, "schema") != kSchema)
    fail(file, root["schema"], fmt::format("schema is not '{}'", kSchema));
  (void)scalar(file, root, "version");
  const YAML::Node rules = root["rules"];
  if (!rules || !rules.IsSequence() || rules.size() == 0)
    fail(file, root, "'rules': expected a list");
  std::set<std::string> names;
  for (const YAML::Node& node : rules) {
    Rule rule = read_rule(file, node);
    if (!names.insert(rule.name).second)
      fail(file, node, fmt::format("rule '{}' stands twice", rule.name));
    std::string complaint;
    Pattern pattern = compile(scalar(file, node, "pattern"), complaint);
    if (!complaint.empty()) fail(file, node["pattern"], "bad pattern: " + complaint);
    compiled->rules.push_back(std::move(rule));
    compiled->patterns.push_back(std::move(pattern));
  }
  compiled_ = std::move(compiled);
}

const std::vector<Scrubber::Rule>& Scrubber::rules() const { return compiled_->rules; }

std::string Scrubber::apply(size_t rule, std::string_view text, int64_t& count) const {
  const Pattern& pattern = compiled_->patterns[rule];
  const std::unique_ptr<pcre2_match_data, Free> data(
      pcre2_match_data_create_from_pattern(pattern.code.get(), nullptr));
  const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data());
  std::string out;
  size_t kept = 0;  // text before it is in `out`
  for (size_t at = 0; at <= text.size();) {
    const int status = pcre2_match(pattern.code.get(), subject, text.size(), at, 0, data.get(),
                                   pattern.limits.get());
    if (status == PCRE2_ERROR_NOMATCH) break;
    if (status < 0)
      throw Error(Exit::config,
                  fmt::format("scrubbing rule '{}' takes too many steps on a text of {} bytes "
                              "(hint: avoid nested repetitions in its pattern)",
                              compiled_->rules[rule].name, text.size()));
    const PCRE2_SIZE* place = pcre2_get_ovector_pointer(data.get());
    size_t from = place[0];
    size_t to = place[1];
    for (const uint32_t group : pattern.groups) {
      if (place[2 * group] == PCRE2_UNSET) continue;
      from = place[2 * group];
      to = place[2 * group + 1];
    }
    if (to > from) {
      out.append(text.substr(kept, from - kept)).append(kBlank);
      kept = to;
      ++count;
    }
    at = std::max(place[1], at + 1);
  }
  return out.append(text.substr(kept));
}

std::string Scrubber::scrub(std::string_view text, Counts& counts) const {
  std::string out(text);
  for (size_t rule = 0; rule < rules().size(); ++rule) out = apply(rule, out, counts[rule]);
  return out;
}

}  // namespace unirg::text
