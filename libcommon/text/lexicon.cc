// SPDX-License-Identifier: Apache-2.0
#include "text/lexicon.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <sstream>

#include "base/error.h"
#include "io/atomic_file.h"
#include "text/labeler.h"

namespace unirg::text {

struct Lexicon::Node {
  std::map<std::string, std::unique_ptr<Node>, std::less<>> exact;
  std::vector<std::pair<std::string, std::unique_ptr<Node>>> prefix;
  std::vector<Tag> tags;  ///< of the phrase that ends here

  Node& child(const std::string& word) {
    if (!word.ends_with('*')) {
      auto& next = exact[word];
      if (!next) next = std::make_unique<Node>();
      return *next;
    }
    const std::string stem = word.substr(0, word.size() - 1);
    for (auto& [known, next] : prefix) {
      if (known == stem) return *next;
    }
    prefix.emplace_back(stem, std::make_unique<Node>());
    return *prefix.back().second;
  }

  void longest(const std::vector<std::string>& words, size_t first, size_t i, PhraseMatch& best) const {
    if (!tags.empty() && i - first > best.words) best = {tags, i - first};
    if (i == words.size()) return;
    const auto it = exact.find(words[i]);
    if (it != exact.end()) it->second->longest(words, first, i + 1, best);
    for (const auto& [stem, next] : prefix) {
      if (words[i].starts_with(stem)) next->longest(words, first, i + 1, best);
    }
  }
};

Lexicon::Lexicon() : root_(std::make_unique<Node>()) {}
Lexicon::~Lexicon() = default;
Lexicon::Lexicon(Lexicon&&) noexcept = default;
Lexicon& Lexicon::operator=(Lexicon&&) noexcept = default;

void Lexicon::add(const std::string& phrase, const Tag& tag) {
  Node* node = root_.get();
  std::istringstream words(phrase);
  for (std::string word; words >> word;) node = &node->child(word);
  UNIRG_ASSERT(node != root_.get(), "empty phrase");
  node->tags.push_back(tag);
}

PhraseMatch Lexicon::longest(const std::vector<std::string>& words, size_t i) const {
  PhraseMatch best;
  root_->longest(words, i, i, best);
  return best;
}

namespace {

/// Walks the YAML and says where something is wrong.
class LexiconReader {
 public:
  explicit LexiconReader(std::string file) : file_(std::move(file)) {}
  Lexicon read();

 private:
  [[noreturn]] void fail(const YAML::Node& node, const std::string& why) const {
    throw Error(Exit::config, fmt::format("{}:{}: {}", file_, node.Mark().line + 1, why));
  }
  [[nodiscard]] size_t condition_index(const YAML::Node& name) const {
    const auto it = std::find(kConditions.begin(), kConditions.end(), name.Scalar());
    if (it == kConditions.end()) {
      const std::string nearest = nearest_name(name.Scalar(), {kConditions.begin(), kConditions.end()});
      fail(name, fmt::format("unknown condition '{}'{}", name.Scalar(), nearest.empty() ? "" : fmt::format(" (hint: did you mean '{}'?)", nearest)));
    }
    return static_cast<size_t>(it - kConditions.begin());
  }
  void phrases(Lexicon& lexicon, const YAML::Node& list, const Tag& tag) const {
    if (!list.IsSequence()) fail(list, "expected a list of phrases");
    for (const YAML::Node& phrase : list) {
      if (!phrase.IsScalar() || phrase.Scalar().find_first_not_of(' ') == std::string::npos) fail(phrase, "expected a phrase");
      lexicon.add(phrase.Scalar(), tag);
    }
  }
  void cues(Lexicon& lexicon, const YAML::Node& section, TagKind before, TagKind after) const {
    if (!section.IsMap()) fail(section, "expected 'before' and 'after'");
    for (const auto& item : section) {
      const std::string key = item.first.Scalar();
      if (key != "before" && key != "after") fail(item.first, fmt::format("unknown key '{}'", key));
      phrases(lexicon, item.second, {key == "before" ? before : after, 0, ""});
    }
  }
  void named(Lexicon& lexicon, const YAML::Node& section, TagKind kind) const {
    if (!section.IsMap()) fail(section, "expected a map of lists");
    for (const auto& item : section) phrases(lexicon, item.second, {kind, 0, item.first.Scalar()});
  }
  void normals(Lexicon& lexicon, const YAML::Node& section) const {
    if (!section.IsSequence()) fail(section, "expected a list");
    for (const YAML::Node& entry : section) {
      if (!entry.IsMap() || !entry["phrases"] || !entry["denies"]) fail(entry, "expected 'phrases' and 'denies'");
      for (const YAML::Node& name : entry["denies"]) phrases(lexicon, entry["phrases"], {TagKind::normal, condition_index(name), ""});
    }
  }
  void section(Lexicon& lexicon, const YAML::Node& key, const YAML::Node& value) const;

  std::string file_;
};

void LexiconReader::section(Lexicon& lexicon, const YAML::Node& key, const YAML::Node& value) const {
  const std::string& name = key.Scalar();
  if (name == "version") {
    lexicon.set_version(value.Scalar());
  } else if (name == "conditions") {
    for (const auto& item : value) phrases(lexicon, item.second, {TagKind::condition, condition_index(item.first), ""});
  } else if (name == "normal") {
    normals(lexicon, value);
  } else if (name == "negation") {
    cues(lexicon, value, TagKind::negation_before, TagKind::negation_after);
  } else if (name == "uncertainty") {
    cues(lexicon, value, TagKind::uncertainty_before, TagKind::uncertainty_after);
  } else if (name == "scope_end") {
    phrases(lexicon, value, {TagKind::scope_end, 0, ""});
  } else if (name == "locations") {
    named(lexicon, value, TagKind::location);
  } else if (name == "severity") {
    named(lexicon, value, TagKind::severity);
  } else if (name == "changes") {
    named(lexicon, value, TagKind::change);
  } else {
    fail(key, fmt::format("unknown key '{}'", name));
  }
}

Lexicon LexiconReader::read() {
  YAML::Node root;
  try {
    root = YAML::Load(io::read_file(file_));
  } catch (const YAML::Exception& e) {
    throw Error(Exit::config, fmt::format("{}:{}: not valid YAML: {}", file_, e.mark.line + 1, e.msg));
  }
  Lexicon lexicon;
  if (!root.IsMap()) fail(root, "expected a map");
  for (const auto& item : root) section(lexicon, item.first, item.second);
  if (lexicon.version().empty()) fail(root, "key 'version' is missing");
  return lexicon;
}

}  // namespace

Lexicon load_lexicon(const std::filesystem::path& file) { return LexiconReader(file.string()).read(); }

}  // namespace unirg::text
