// SPDX-License-Identifier: Apache-2.0
#include "text/temporal.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <utility>

#include "base/error.h"
#include "base/hash.h"
#include "io/atomic_file.h"
#include "text/phrase_matcher.h"
#include "text/sentences.h"

namespace unirg::text {
namespace {

constexpr std::string_view kSchema = "unirg.temporal/1";
constexpr std::array<std::string_view, 5> kDirections{"new", "worse", "better", "resolved", "same"};
constexpr std::array<std::string_view, 5> kClasses{"first study", "new development", "no change",
                                                   "progression", "regression"};

[[noreturn]] void fail(const std::string& name, const YAML::Node& at, const std::string& why) {
  throw Error(Exit::config, fmt::format("'{}:{}': {}", name, at.Mark().line + 1, why));
}

std::vector<std::string> phrases_of(const YAML::Node& root, const std::string& key,
                                    const std::string& name) {
  const YAML::Node list = root[key];
  if (!list) fail(name, root, fmt::format("key '{}' is missing", key));
  if (!list.IsSequence()) fail(name, list, fmt::format("'{}': expected a list", key));
  std::vector<std::string> all;
  for (const YAML::Node& item : list) {
    if (!item.IsScalar()) fail(name, item, fmt::format("'{}': expected text", key));
    all.push_back(item.as<std::string>());
  }
  return all;
}

void check_keys(const YAML::Node& root, const std::string& name) {
  std::vector<std::string> known{"schema", "version", "ignore", "denial"};
  known.insert(known.end(), kDirections.begin(), kDirections.end());
  if (!root.IsMap()) fail(name, root, "expected a map");
  for (const auto& entry : root) {
    const auto key = entry.first.as<std::string>();
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    const std::string nearest = nearest_name(key, known);
    fail(name, entry.first,
         nearest.empty() ? fmt::format("unknown key '{}'", key)
                         : fmt::format("unknown key '{}' (hint: '{}')", key, nearest));
  }
}

TemporalLexicon read_lexicon(const YAML::Node& root, const std::string& name) {
  check_keys(root, name);
  const YAML::Node schema = root["schema"];
  if (!schema || !schema.IsScalar() || schema.as<std::string>() != kSchema)
    fail(name, schema ? schema : root, fmt::format("schema is not '{}'", kSchema));
  const YAML::Node version = root["version"];
  if (!version || !version.IsScalar())
    fail(name, version ? version : root, "key 'version' is missing or no text");
  TemporalLexicon lexicon;
  lexicon.version = version.as<std::string>();
  for (size_t d = 0; d < kDirections.size(); ++d)
    lexicon.directions.emplace_back(static_cast<Direction>(d),
                                    phrases_of(root, std::string(kDirections[d]), name));
  lexicon.ignored = phrases_of(root, "ignore", name);
  lexicon.denial = phrases_of(root, "denial", name);
  return lexicon;
}

/// Matcher payloads: a direction by its number, then these.
constexpr int32_t kIgnored = static_cast<int32_t>(kDirections.size());
constexpr int32_t kDenial = kIgnored + 1;
constexpr int32_t kBreak = kIgnored + 2;

using Matches = std::vector<PhraseMatch>;

/// Fewest skipped words, then the longer phrase: the labeler's order.
bool better(const PhraseMatch& a, const PhraseMatch& b) {
  if (a.gap_words != b.gap_words) return a.gap_words < b.gap_words;
  return std::popcount(a.literals) > std::popcount(b.literals);
}

/// Directions and what is ignored, none over another, left before right.
Matches choose_changes(const Matches& all) {
  Matches chosen;
  int32_t free_from = 0;
  for (size_t i = 0; i < all.size();) {
    const PhraseMatch* best = nullptr;
    const int32_t begin = all[i].begin;
    for (; i < all.size() && all[i].begin == begin; ++i) {
      if (all[i].payload <= kIgnored && (!best || better(all[i], *best))) best = &all[i];
    }
    if (!best || best->begin < free_from) continue;
    chosen.push_back(*best);
    free_from = best->end;
  }
  return chosen;
}

bool covers(const Matches& phrases, const PhraseMatch& m) {
  return std::any_of(phrases.begin(), phrases.end(),
                     [&](const PhraseMatch& p) { return p.begin <= m.begin && m.end <= p.end; });
}

/// One sentence: its words, which of them break it, which deny, and the conditions it speaks of.
class SentenceReader {
 public:
  SentenceReader(std::string_view text, Span sentence, std::vector<Entity> entities)
      : words_(split_words(text, sentence)), entities_(std::move(entities)) {}

  std::vector<ComparisonStatement> read(const PhraseMatcher& matcher, std::string_view text,
                                        int index) {
    const Matches all = matcher.match(text, words_);
    const Matches changes = choose_changes(all);
    mark(all, changes);
    std::vector<ComparisonStatement> statements;
    for (const PhraseMatch& change : changes) {
      if (change.payload == kIgnored) continue;
      const auto direction = static_cast<Direction>(change.payload);
      const Entity* about = condition_of(change);
      if (is_denied(change, direction, about)) continue;
      statements.push_back({direction,
                            about ? std::optional(about->condition) : std::nullopt,
                            index,
                            {words_[static_cast<size_t>(change.begin)].span.begin,
                             words_[static_cast<size_t>(change.end - 1)].span.end}});
    }
    return statements;
  }

 private:
  void mark(const Matches& all, const Matches& changes) {
    break_.assign(words_.size(), false);
    denial_.assign(words_.size(), false);
    for (size_t i = 0; i < words_.size(); ++i) break_[i] = words_[i].kind != WordKind::word;
    for (const PhraseMatch& m : all) {
      if (m.payload <= kIgnored || covers(changes, m)) continue;
      std::vector<bool>& marks = m.payload == kDenial ? denial_ : break_;
      for (int32_t i = m.begin; i < m.end; ++i) marks[static_cast<size_t>(i)] = true;
    }
  }

  /// "Resolved" denies the condition itself, and so may "better" ("near complete resolution").
  [[nodiscard]] bool is_denied(const PhraseMatch& change, Direction direction,
                               const Entity* about) const {
    if (direction == Direction::same || direction == Direction::resolved) return false;
    if (direction != Direction::better && about && about->presence == Presence::negative &&
        !about->kind.empty())
      return true;
    for (auto i = static_cast<size_t>(change.begin); i > 0 && !break_[i - 1]; --i) {
      if (denial_[i - 1]) return true;
    }
    return false;
  }

  /// Words between the phrase and a condition; nullopt across a break.
  [[nodiscard]] std::optional<size_t> distance(const PhraseMatch& change,
                                               const Entity& entity) const {
    size_t between = 0;
    const Span phrase{words_[static_cast<size_t>(change.begin)].span.begin,
                      words_[static_cast<size_t>(change.end - 1)].span.end};
    const bool behind = entity.span.begin >= phrase.end;
    const Span gap =
        behind ? Span{phrase.end, entity.span.begin} : Span{entity.span.end, phrase.begin};
    for (size_t i = 0; i < words_.size(); ++i) {
      if (words_[i].span.begin < gap.begin || words_[i].span.end > gap.end) continue;
      if (break_[i]) return std::nullopt;
      ++between;
    }
    return between;  // 0 for a phrase inside the condition's own words, too
  }

  [[nodiscard]] const Entity* condition_of(const PhraseMatch& change) const {
    const size_t at = words_[static_cast<size_t>(change.begin)].span.begin;
    const Entity* nearest = nullptr;
    const Entity* before = nullptr;
    size_t least = std::numeric_limits<size_t>::max();
    for (const Entity& entity : entities_) {  // in order of place: of two as near, the later
      if (entity.span.end <= at) before = &entity;
      const auto words = distance(change, entity);
      if (!words || *words > least) continue;
      nearest = &entity;
      least = *words;
    }
    if (nearest) return nearest;
    const bool behind_comma =
        change.begin > 0 && words_[static_cast<size_t>(change.begin - 1)].kind == WordKind::comma;
    return behind_comma ? before : nullptr;
  }

  std::vector<Word> words_;
  std::vector<Entity> entities_;  // of this sentence, none that is only implied
  std::vector<bool> break_, denial_;
};

}  // namespace

struct TemporalReader::Compiled {
  Labeler labeler;
  PhraseMatcher matcher;
  std::string signature;

  void add(int32_t payload, const std::vector<std::string>& phrases) {
    for (const std::string& phrase : phrases) matcher.add(phrase, payload);
  }
};

std::string_view direction_name(Direction direction) {
  return kDirections[static_cast<size_t>(direction)];
}

std::string_view temporal_name(TemporalClass temporal) {
  return kClasses[static_cast<size_t>(temporal)];
}

std::optional<TemporalClass> temporal_class(std::string_view name) {
  const auto at = std::find(kClasses.begin(), kClasses.end(), name);
  if (at == kClasses.end()) return std::nullopt;
  return static_cast<TemporalClass>(at - kClasses.begin());
}

TemporalClass class_of(const std::vector<ComparisonStatement>& statements) {
  const auto says = [&](Direction direction) {
    return std::any_of(statements.begin(), statements.end(), [&](const ComparisonStatement& s) {
      return s.direction == direction && s.condition != kSupportDevices;
    });
  };
  if (says(Direction::fresh)) return TemporalClass::new_development;
  if (says(Direction::worse)) return TemporalClass::progression;
  if (says(Direction::better) || says(Direction::resolved)) return TemporalClass::regression;
  return TemporalClass::no_change;
}

TemporalLexicon parse_temporal_lexicon(const std::string& yaml, const std::string& name) {
  try {
    TemporalLexicon lexicon = read_lexicon(YAML::Load(yaml), name);
    lexicon.digest = sha256_hex(yaml);
    return lexicon;
  } catch (const YAML::Exception& e) {
    throw Error(Exit::config, fmt::format("'{}:{}': {}", name, e.mark.line + 1, e.msg));
  }
}

TemporalLexicon load_temporal_lexicon(const std::filesystem::path& path) {
  return parse_temporal_lexicon(io::read_file(path), path.string());
}

TemporalReader::TemporalReader(const Lexicon& chest, const TemporalLexicon& temporal) {
  auto compiled = std::make_shared<Compiled>(Compiled{Labeler(chest), {}, {}});
  for (const AttributeRule& rule : chest.changes) {
    const auto at = std::find(kDirections.begin(), kDirections.end(), rule.values.front());
    if (at != kDirections.end())
      compiled->add(static_cast<int32_t>(at - kDirections.begin()), rule.phrases);
  }
  for (const auto& [direction, phrases] : temporal.directions)
    compiled->add(static_cast<int32_t>(direction), phrases);
  compiled->add(kIgnored, temporal.ignored);
  compiled->add(kDenial, temporal.denial);
  compiled->add(kBreak, chest.cues.scope_end);
  compiled->add(kBreak, chest.cues.clause_break);
  compiled->signature =
      fmt::format("temporal:rule|lexicon:{}@{}|temporal:{}@{}|v1", chest.version,
                  chest.digest.substr(0, 12), temporal.version, temporal.digest.substr(0, 12));
  compiled_ = std::move(compiled);
}

std::vector<ComparisonStatement> TemporalReader::statements(std::string_view report) const {
  const Reading reading = compiled_->labeler.read(report);
  const std::vector<Span> sentences = split_sentences(report);
  std::vector<ComparisonStatement> all;
  for (size_t i = 0; i < sentences.size(); ++i) {
    std::vector<Entity> entities;
    std::copy_if(reading.entities.begin(), reading.entities.end(), std::back_inserter(entities),
                 [&](const Entity& e) { return e.sentence == static_cast<int>(i) && !e.implied; });
    SentenceReader reader(report, sentences[i], std::move(entities));
    auto found = reader.read(compiled_->matcher, report, static_cast<int>(i));
    std::move(found.begin(), found.end(), std::back_inserter(all));
  }
  return all;
}

TemporalClass TemporalReader::classify(std::string_view report, bool has_prior) const {
  return has_prior ? class_of(statements(report)) : TemporalClass::first_study;
}

const std::string& TemporalReader::signature() const { return compiled_->signature; }

}  // namespace unirg::text
