// SPDX-License-Identifier: Apache-2.0
#define PCRE2_CODE_UNIT_WIDTH 8
#include "text/categories.h"

#include <fmt/format.h>
#include <pcre2.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/hash.h"
#include "io/atomic_file.h"
#include "text/chat.h"
#include "text/words.h"

namespace unirg::text {
namespace {

constexpr std::string_view kSchema = "unirg.categories/1";
constexpr uint32_t kMatchLimit = 1'000'000;  // an honest pattern takes a few steps for each byte

/// Lower case, white space runs as one blank, ends trimmed.
std::string folded(std::string_view text) {
  std::string all;
  for (const char c : text) {
    if (!is_space(c)) {
      all += lower(c);
    } else if (!all.empty() && all.back() != ' ') {
      all += ' ';
    }
  }
  while (!all.empty() && all.back() == ' ') all.pop_back();
  return all;
}

/// A compiled pattern; `fixed` is the index of the value it names, or -1 if its group does.
class Pattern {
 public:
  Pattern(const std::string& text, int fixed) : fixed_(fixed) {
    int error = 0;
    PCRE2_SIZE offset = 0;
    code_.reset(pcre2_compile(
        reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(),
        PCRE2_CASELESS | PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C, &error,
        &offset, nullptr));
    if (!code_) {
      PCRE2_UCHAR why[128] = {};
      pcre2_get_error_message(error, why, sizeof why);
      complaint_ = fmt::format("{} at character {}", reinterpret_cast<const char*>(why), offset);
      return;
    }
    pcre2_jit_compile(code_.get(), PCRE2_JIT_COMPLETE);
    limits_.reset(pcre2_match_context_create(nullptr));
    pcre2_set_match_limit(limits_.get(), kMatchLimit);
    if (fixed_ >= 0) return;
    group_ = pcre2_substring_number_from_name(code_.get(), reinterpret_cast<PCRE2_SPTR>("value"));
    if (group_ < 1) complaint_ = "no group (?<value>...)";
  }

  /// Why the pattern cannot be used, or "".
  [[nodiscard]] const std::string& complaint() const { return complaint_; }

  /// Calls found(begin, end, captured text) for each match from the left; the captured text is ""
  /// for a fixed value.
  template <typename Found>
  void each(std::string_view text, const Found& found) const {
    const std::unique_ptr<pcre2_match_data, Free> data(
        pcre2_match_data_create_from_pattern(code_.get(), nullptr));
    const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data());
    for (size_t at = 0; at <= text.size();) {
      const int status =
          pcre2_match(code_.get(), subject, text.size(), at, 0, data.get(), limits_.get());
      if (status == PCRE2_ERROR_NOMATCH) return;
      if (status < 0)
        throw Error(Exit::config,
                    fmt::format("a category's pattern takes too many steps on a report of {} bytes "
                                "(hint: avoid nested repetitions in the categories file)",
                                text.size()));
      const PCRE2_SIZE* place = pcre2_get_ovector_pointer(data.get());
      std::string_view captured;
      const auto group = static_cast<size_t>(group_);
      if (group_ > 0 && place[2 * group] != PCRE2_UNSET)
        captured = text.substr(place[2 * group], place[2 * group + 1] - place[2 * group]);
      found(place[0], place[1], captured);
      at = std::max(place[1], at + 1);
    }
  }

  [[nodiscard]] int fixed() const { return fixed_; }

 private:
  struct Free {
    void operator()(pcre2_code* code) const { pcre2_code_free(code); }
    void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
    void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
  };
  std::unique_ptr<pcre2_code, Free> code_;
  std::unique_ptr<pcre2_match_context, Free> limits_;
  int fixed_ = -1;
  int group_ = 0;
  std::string complaint_;
};

struct Category {
  std::map<std::string, int> spellings;  ///< folded spelling -> index into values
  std::vector<Pattern> patterns;
};

struct Mention {
  size_t begin = 0, end = 0;
  int value = 0;  ///< index into values
};

}  // namespace

struct Categories::Compiled {
  std::string version, digest;
  std::vector<CategoryInfo> infos;
  std::vector<Category> rules;  ///< in the order of infos
};

namespace {

/// Reads one document; every failure names file and line.
class Reader {
 public:
  explicit Reader(const std::string& name) : name_(name) {}

  template <typename Compiled>
  void read(const YAML::Node& root, Compiled& into) const {
    check_keys(root, {"schema", "version", "categories"});
    const YAML::Node schema = need(root, "schema");
    if (text(schema) != kSchema) fail(schema, fmt::format("schema is not '{}'", kSchema));
    into.version = text(need(root, "version"));
    const YAML::Node list = sequence(need(root, "categories"));
    if (list.size() == 0) fail(list, "no category");
    for (const YAML::Node& node : list) {
      CategoryInfo info = read_info(node);
      for (const CategoryInfo& other : into.infos) {
        if (other.name == info.name) fail(node, fmt::format("category '{}' twice", info.name));
      }
      into.rules.push_back(read_rules(node, info));
      into.infos.push_back(std::move(info));
    }
  }

 private:
  [[noreturn]] void fail(const YAML::Node& at, const std::string& why) const {
    throw Error(Exit::config, fmt::format("'{}:{}': {}", name_, at.Mark().line + 1, why));
  }

  void check_keys(const YAML::Node& map, const std::vector<std::string>& known) const {
    if (!map.IsMap()) fail(map, "expected a map");
    for (const auto& entry : map) {
      const auto key = entry.first.as<std::string>();
      if (std::find(known.begin(), known.end(), key) != known.end()) continue;
      const std::string nearest = nearest_name(key, known);
      fail(entry.first, nearest.empty()
                            ? fmt::format("unknown key '{}'", key)
                            : fmt::format("unknown key '{}' (hint: '{}')", key, nearest));
    }
  }

  [[nodiscard]] YAML::Node need(const YAML::Node& map, const char* key) const {
    YAML::Node node = map[key];
    if (!node) fail(map, fmt::format("key '{}' is missing", key));
    return node;
  }

  [[nodiscard]] std::string text(const YAML::Node& node) const {
    if (!node.IsScalar()) fail(node, "expected text");
    auto value = node.as<std::string>();
    if (value.empty()) fail(node, "expected text, found nothing");
    return value;
  }

  [[nodiscard]] YAML::Node sequence(const YAML::Node& node) const {
    if (!node.IsSequence()) fail(node, "expected a list");
    return node;
  }

  [[nodiscard]] CategoryInfo read_info(const YAML::Node& node) const {
    check_keys(node, {"name", "meaning", "pick", "values", "map", "patterns", "is"});
    CategoryInfo info;
    const YAML::Node name = need(node, "name");
    info.name = text(name);
    const auto kebab = [](char c) { return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-'; };
    if (!std::all_of(info.name.begin(), info.name.end(), kebab))
      fail(name, fmt::format("name '{}' (hint: a-z, 0-9 and '-')", info.name));
    info.meaning = text(need(node, "meaning"));
    const YAML::Node pick = need(node, "pick");
    const std::string rule = text(pick);
    if (rule != "first" && rule != "last" && rule != "highest")
      fail(pick, fmt::format("unknown pick '{}' (hint: first, last, highest)", rule));
    info.pick = rule == "first"  ? CategoryPick::first
                : rule == "last" ? CategoryPick::last
                                 : CategoryPick::highest;
    for (const YAML::Node& value : sequence(need(node, "values")))
      info.values.push_back(text(value));
    if (info.values.empty()) fail(node, fmt::format("category '{}' has no values", info.name));
    return info;
  }

  [[nodiscard]] int value_index(const YAML::Node& node, const CategoryInfo& info) const {
    const std::string value = text(node);
    const auto at = std::find(info.values.begin(), info.values.end(), value);
    if (at == info.values.end())
      fail(node, fmt::format("'{}' is no value of category '{}'", value, info.name));
    return static_cast<int>(at - info.values.begin());
  }

  void add_spelling(const YAML::Node& at, const std::string& spelling, int value,
                    Category& rules) const {
    if (!rules.spellings.emplace(spelling, value).second)
      fail(at, fmt::format("spelling '{}' twice", spelling));
  }

  void add_pattern(const YAML::Node& node, int fixed, Category& rules) const {
    const std::string pattern = text(node);
    rules.patterns.emplace_back(pattern, fixed);
    const std::string& complaint = rules.patterns.back().complaint();
    if (!complaint.empty()) fail(node, fmt::format("pattern '{}': {}", pattern, complaint));
  }

  [[nodiscard]] Category read_rules(const YAML::Node& node, const CategoryInfo& info) const {
    Category rules;
    for (const YAML::Node& value : node["values"])
      add_spelling(value, folded(text(value)), value_index(value, info), rules);
    if (const YAML::Node map = node["map"]) {
      if (!map.IsMap()) fail(map, "expected a map");
      for (const auto& entry : map) {
        const std::string spelling = text(entry.first);
        if (folded(spelling) != spelling)
          fail(entry.first, fmt::format("spelling '{}' (hint: lower case)", spelling));
        add_spelling(entry.first, spelling, value_index(entry.second, info), rules);
      }
    }
    if (const YAML::Node patterns = node["patterns"]) {
      for (const YAML::Node& pattern : sequence(patterns)) add_pattern(pattern, -1, rules);
    }
    if (const YAML::Node fixed = node["is"]) {
      for (const YAML::Node& item : sequence(fixed)) {
        check_keys(item, {"value", "pattern"});
        add_pattern(need(item, "pattern"), value_index(need(item, "value"), info), rules);
      }
    }
    if (rules.patterns.empty()) fail(node, fmt::format("category '{}' has no patterns", info.name));
    return rules;
  }

  std::string name_;
};

std::vector<Mention> mentions_of(const Category& rules, std::string_view text) {
  std::vector<Mention> all;
  for (const Pattern& pattern : rules.patterns) {
    pattern.each(text, [&](size_t begin, size_t end, std::string_view captured) {
      int value = pattern.fixed();
      if (value < 0) {
        const auto known = rules.spellings.find(folded(captured));
        if (known == rules.spellings.end()) return;
        value = known->second;
      }
      all.push_back({begin, end, value});
    });
  }
  std::stable_sort(all.begin(), all.end(), [](const Mention& a, const Mention& b) {
    return a.begin != b.begin ? a.begin < b.begin : a.end > b.end;
  });
  const auto same_place = [](const Mention& a, const Mention& b) { return a.begin == b.begin; };
  all.erase(std::unique(all.begin(), all.end(), same_place), all.end());
  return all;
}

}  // namespace

Categories::Categories(const std::string& yaml, const std::string& name) {
  auto compiled = std::make_shared<Compiled>();
  try {
    Reader(name).read(YAML::Load(yaml), *compiled);
  } catch (const YAML::Exception& e) {
    throw Error(Exit::config, fmt::format("'{}:{}': {}", name, e.mark.line + 1, e.msg));
  }
  compiled->digest = sha256_hex(yaml);
  compiled_ = std::move(compiled);
}

Categories::Categories(const std::filesystem::path& file)
    : Categories(io::read_file(file), file.string()) {}

const std::vector<CategoryInfo>& Categories::infos() const { return compiled_->infos; }
const std::string& Categories::version() const { return compiled_->version; }
const std::string& Categories::digest() const { return compiled_->digest; }

std::optional<std::string> Categories::read(size_t which, std::string_view text) const {
  UNIRG_ASSERT(which < compiled_->infos.size(), "category out of range");
  // Runs of white space would let a pattern's \s* try the same run from each of its ends.
  const std::vector<Mention> mentions = mentions_of(compiled_->rules[which], collapse_space(text));
  if (mentions.empty()) return std::nullopt;
  const CategoryInfo& info = compiled_->infos[which];
  int value = info.pick == CategoryPick::first ? mentions.front().value : mentions.back().value;
  if (info.pick == CategoryPick::highest) {
    for (const Mention& m : mentions) value = std::max(value, m.value);
  }
  return info.values[static_cast<size_t>(value)];
}

}  // namespace unirg::text
