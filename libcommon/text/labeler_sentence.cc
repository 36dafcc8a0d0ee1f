// SPDX-License-Identifier: Apache-2.0
#include "text/labeler_sentence.h"

#include <algorithm>
#include <array>
#include <bit>
#include <optional>
#include <set>
#include <utility>

namespace unirg::text {
namespace {

/// A finding of the sentence with what has been read about it.
struct Found {
  PhraseMatch match;
  const FindingRule* rule = nullptr;
  Presence presence = Presence::positive;
  bool ignored = false;
  std::set<std::string> locations;
  int32_t severity = -1;  // index into lexicon.severities
  std::string change;
};

class SentenceReader {
 public:
  SentenceReader(const Lexicon& lexicon, const std::vector<PhraseUse>& uses, std::string_view text)
      : lexicon_(lexicon), uses_(uses), text_(text) {}

  std::vector<Entity> read(const PhraseMatcher& matcher, Span sentence, int index);

 private:
  using Matches = std::vector<PhraseMatch>;

  [[nodiscard]] Layer layer(const PhraseMatch& m) const {
    return uses_[static_cast<size_t>(m.payload)].layer;
  }
  [[nodiscard]] int32_t rule(const PhraseMatch& m) const {
    return uses_[static_cast<size_t>(m.payload)].rule;
  }
  [[nodiscard]] Cue cue(const PhraseMatch& m) const { return static_cast<Cue>(rule(m)); }
  [[nodiscard]] WordKind kind(int32_t at) const { return words_[static_cast<size_t>(at)].kind; }

  void choose_findings(const Matches& all);
  [[nodiscard]] Matches choose(const Matches& all, Layer layer, bool may_overlap) const;
  [[nodiscard]] bool taken(const PhraseMatch& m) const;
  void mark_boundaries();
  [[nodiscard]] bool is_boundary(int32_t at, Cue cue) const {
    return (boundary_[static_cast<size_t>(at)] >> static_cast<int>(cue) & 1U) != 0;
  }
  [[nodiscard]] bool list_goes_on(int32_t comma) const;
  [[nodiscard]] bool alternatives_follow(int32_t comma) const;
  [[nodiscard]] bool reaches_forward(const PhraseMatch& cue, const Found& finding) const;
  [[nodiscard]] bool reaches_back(const PhraseMatch& cue, const Found& finding) const;
  [[nodiscard]] bool reaches_near(const PhraseMatch& cue, const Found& finding) const;
  [[nodiscard]] bool is_alternative(const PhraseMatch& cue, const Found& finding) const;
  void judge(Found& finding) const;
  [[nodiscard]] bool broken(int32_t from, int32_t to) const;
  [[nodiscard]] bool only_attributes(int32_t from, int32_t to) const;
  [[nodiscard]] Found* main_finding(Found* reading);
  [[nodiscard]] Found* owner(const PhraseMatch& attribute);
  void attach(const Matches& attributes);
  [[nodiscard]] std::vector<Entity> entities(const Matches& normals, int index) const;
  [[nodiscard]] Span span(const PhraseMatch& m) const {
    return {words_[static_cast<size_t>(m.begin)].span.begin,
            words_[static_cast<size_t>(m.end - 1)].span.end};
  }

  const Lexicon& lexicon_;
  const std::vector<PhraseUse>& uses_;
  std::string_view text_;
  std::vector<Word> words_;
  std::vector<bool> used_;          // by word: named by a finding's phrase
  std::vector<bool> attribute_;     // by word: part of an attribute
  std::vector<uint16_t> boundary_;  // by word: bit set of the cues it is part of
  std::vector<Found> found_;
  Matches cues_;
};

/// Fewest skipped words, then the longer phrase.
bool better(const PhraseMatch& a, const PhraseMatch& b) {
  if (a.gap_words != b.gap_words) return a.gap_words < b.gap_words;
  return std::popcount(a.literals) > std::popcount(b.literals);
}

bool SentenceReader::taken(const PhraseMatch& m) const {
  for (int32_t i = m.begin; i < m.end; ++i) {
    if ((m.literals >> (i - m.begin) & 1U) != 0 && used_[static_cast<size_t>(i)]) return true;
  }
  return false;
}

void SentenceReader::choose_findings(const Matches& all) {
  for (size_t i = 0; i < all.size();) {
    size_t end = i;
    const PhraseMatch* best = nullptr;
    for (; end < all.size() && all[end].begin == all[i].begin; ++end) {
      if (layer(all[end]) != Layer::finding || taken(all[end])) continue;
      if (!best || better(all[end], *best)) best = &all[end];
    }
    for (; best && i < end; ++i) {  // the same words may speak of several conditions
      if (layer(all[i]) != Layer::finding || all[i].end != best->end ||
          all[i].literals != best->literals)
        continue;
      Found found;
      found.match = all[i];
      found.rule = &lexicon_.findings[static_cast<size_t>(rule(all[i]))];
      found_.push_back(std::move(found));
    }
    if (best) {
      for (int32_t w = best->begin; w < best->end; ++w) {
        if ((best->literals >> (w - best->begin) & 1U) != 0) used_[static_cast<size_t>(w)] = true;
      }
    }
    i = end;
  }
}

SentenceReader::Matches SentenceReader::choose(const Matches& all, Layer wanted,
                                               bool may_overlap) const {
  Matches chosen;
  int32_t free_from = 0;
  for (size_t i = 0; i < all.size();) {
    size_t end = i;
    const PhraseMatch* best = nullptr;
    for (; end < all.size() && all[end].begin == all[i].begin; ++end) {
      if (layer(all[end]) != wanted || taken(all[end])) continue;
      if (!best || better(all[end], *best)) best = &all[end];
    }
    i = end;
    if (!best || (!may_overlap && best->begin < free_from)) continue;
    chosen.push_back(*best);
    free_from = best->end;
  }
  return chosen;
}

void SentenceReader::mark_boundaries() {
  boundary_.assign(words_.size(), 0);
  for (const PhraseMatch& c : cues_) {
    for (int32_t i = c.begin; i < c.end; ++i)
      boundary_[static_cast<size_t>(i)] |= static_cast<uint16_t>(1U << static_cast<int>(cue(c)));
  }
}

/// Whether an enumeration continues behind a comma: nothing there opens a new clause, or an "or"
/// follows.
bool SentenceReader::list_goes_on(int32_t comma) const {
  const auto count = static_cast<int32_t>(words_.size());
  if (comma + 1 >= count) return true;
  const bool opens =
      attribute_[static_cast<size_t>(comma + 1)] || is_boundary(comma + 1, Cue::clause_opener);
  if (!opens) return true;
  for (int32_t i = comma + 1; i < count && kind(i) != WordKind::stop; ++i) {
    if (is_boundary(i, Cue::scope_end)) return false;
    if (is_boundary(i, Cue::list_word)) return true;
  }
  return false;
}

/// Whether an "or" behind the comma shows that what was doubted before it is one of several.
bool SentenceReader::alternatives_follow(int32_t comma) const {
  const auto count = static_cast<int32_t>(words_.size());
  for (int32_t i = comma + 1; i < count && kind(i) != WordKind::stop; ++i) {
    if (is_boundary(i, Cue::list_word)) return true;
    if (is_boundary(i, Cue::scope_end) || is_boundary(i, Cue::clause_break) ||
        is_boundary(i, Cue::clause_opener))
      return false;
  }
  return false;
}

bool SentenceReader::reaches_forward(const PhraseMatch& c, const Found& finding) const {
  if (c.begin >= finding.match.end) return false;
  const bool doubt = cue(c) == Cue::uncertainty_before || cue(c) == Cue::uncertainty_between;
  for (int32_t i = c.end; i < finding.match.begin; ++i) {
    if (kind(i) == WordKind::stop || is_boundary(i, Cue::scope_end)) return false;
    if (kind(i) == WordKind::comma && !(doubt ? alternatives_follow(i) : list_goes_on(i)))
      return false;
    if (doubt && is_boundary(i, Cue::clause_break)) return false;
  }
  return true;
}

bool SentenceReader::reaches_back(const PhraseMatch& c, const Found& finding) const {
  if (finding.match.begin >= c.begin) return false;
  for (int32_t i = finding.match.end; i < c.begin; ++i) {
    if (kind(i) != WordKind::word || is_boundary(i, Cue::scope_end) ||
        is_boundary(i, Cue::clause_break))
      return false;
  }
  return true;
}

/// Within the clause behind the cue.
bool SentenceReader::reaches_near(const PhraseMatch& c, const Found& finding) const {
  if (finding.match.begin < c.end) return false;
  for (int32_t i = c.end; i < finding.match.begin; ++i) {
    if (kind(i) != WordKind::word || is_boundary(i, Cue::scope_end) ||
        is_boundary(i, Cue::clause_break))
      return false;
  }
  return true;
}

/// Whether the "or" stands between this finding and another, with no third one between.
bool SentenceReader::is_alternative(const PhraseMatch& c, const Found& finding) const {
  const Found* left = nullptr;
  const Found* right = nullptr;
  for (const Found& f : found_) {
    if (f.match.end <= c.begin) left = &f;
    if (f.match.begin >= c.end && !right) right = &f;
  }
  if (!left || !right || !reaches_back(c, *left) || !reaches_near(c, *right)) return false;
  return finding.match.begin == left->match.begin || finding.match.begin == right->match.begin;
}

void SentenceReader::judge(Found& finding) const {
  bool negated = false;
  bool doubted = finding.rule->always_uncertain;
  for (const PhraseMatch& c : cues_) {
    switch (cue(c)) {
      case Cue::negation_before:
        negated = negated || reaches_forward(c, finding);
        break;
      case Cue::negation_after:
        negated = negated || reaches_back(c, finding);
        break;
      case Cue::uncertainty_before:
        doubted = doubted || reaches_forward(c, finding);
        break;
      case Cue::uncertainty_after:
        doubted = doubted || reaches_back(c, finding);
        break;
      case Cue::uncertainty_between:
        doubted = doubted || reaches_forward(c, finding) || reaches_back(c, finding);
        break;
      case Cue::ignore_before:
        finding.ignored = finding.ignored || reaches_forward(c, finding);
        break;
      case Cue::list_word:
        doubted = doubted || is_alternative(c, finding);
        break;
      case Cue::no_cue:
      case Cue::scope_end:
      case Cue::clause_break:
      case Cue::clause_opener:
        break;
    }
  }
  finding.presence = negated   ? Presence::negative
                     : doubted ? Presence::uncertain
                               : Presence::positive;
}

bool SentenceReader::broken(int32_t from, int32_t to) const {
  constexpr uint16_t kNoBreak = 1U << static_cast<int>(Cue::no_cue) |
                                1U << static_cast<int>(Cue::clause_opener) |
                                1U << static_cast<int>(Cue::list_word);
  for (int32_t i = from; i < to; ++i) {
    if (kind(i) != WordKind::word) return true;
    if ((boundary_[static_cast<size_t>(i)] & ~kNoBreak) != 0) return true;
  }
  return false;
}

/// Only attributes and commas in between: "mild, stable cardiomegaly".
bool SentenceReader::only_attributes(int32_t from, int32_t to) const {
  for (int32_t i = from; i < to; ++i) {
    if (kind(i) == WordKind::stop ||
        (kind(i) == WordKind::word && !attribute_[static_cast<size_t>(i)]))
      return false;
  }
  return true;
}

/// What a doubtful reading is a reading of: the opacity in "opacity concerning for pneumonia". What
/// follows behind a comma speaks of that.
Found* SentenceReader::main_finding(Found* reading) {
  for (size_t i = static_cast<size_t>(reading - found_.data()); i > 0; --i) {
    const int32_t from = found_[i - 1].match.end;
    const int32_t to = found_[i].match.begin;
    bool linked = false;
    for (int32_t w = from; w < to; ++w) {
      if (kind(w) != WordKind::word || is_boundary(w, Cue::clause_break)) return &found_[i];
      linked = linked || is_boundary(w, Cue::uncertainty_before);
    }
    if (!linked) return &found_[i];
  }
  return &found_.front();
}

Found* SentenceReader::owner(const PhraseMatch& a) {
  Found* previous = nullptr;
  Found* next = nullptr;
  for (Found& f : found_) {
    if (a.begin >= f.match.begin && a.end <= f.match.end) return &f;
    if (f.match.end <= a.begin) previous = &f;
    if (f.match.begin >= a.end && !next) next = &f;
  }
  if (!next)
    return previous && broken(previous->match.end, a.begin) ? main_finding(previous) : previous;
  if (!previous) return next;
  const bool after_comma = kind(a.begin - 1) == WordKind::comma;
  const bool next_near = !broken(a.end, next->match.begin) ||
                         (!after_comma && only_attributes(a.end, next->match.begin));
  const bool previous_near = !broken(previous->match.end, a.begin);
  if (next_near != previous_near) return next_near ? next : previous;
  if (!next_near) return main_finding(previous);
  return next->match.begin - a.end <= a.begin - previous->match.end ? next : previous;
}

void SentenceReader::attach(const Matches& attributes) {
  for (const PhraseMatch& a : attributes) {
    Found* to = owner(a);
    if (!to || to->rule->condition == kOtherFinding) continue;
    const AttributeUse& use = lexicon_.uses[to->rule->condition];
    const auto index = static_cast<size_t>(rule(a));
    // Several conditions may share the words of one phrase.
    for (Found& f : found_) {
      if (f.match.begin != to->match.begin) continue;
      if (layer(a) == Layer::location && use.location) {
        const auto& values = lexicon_.locations[index].values;
        f.locations.insert(values.begin(), values.end());
      } else if (layer(a) == Layer::severity && use.severity) {
        f.severity = std::max(f.severity, static_cast<int32_t>(index));
      } else if (layer(a) == Layer::change && use.change && f.change.empty()) {
        f.change = lexicon_.changes[index].values.front();
      }
    }
  }
}

bool disjoint(const std::set<std::string>& a, const std::set<std::string>& b) {
  if (a.empty() || b.empty()) return false;
  return std::none_of(a.begin(), a.end(), [&](const std::string& v) { return b.contains(v); });
}

/// Joins findings that say one thing twice ("vascular congestion and mild edema").
void merge(std::vector<Found>& found) {
  for (size_t i = 0; i < found.size(); ++i) {
    for (size_t j = i + 1; j < found.size();) {
      Found& a = found[i];
      Found& b = found[j];
      const bool same = a.rule->condition == b.rule->condition && a.rule->kind == b.rule->kind;
      const bool agree = (a.presence == Presence::negative) == (b.presence == Presence::negative);
      if (!same || !agree || disjoint(a.locations, b.locations)) {
        ++j;
        continue;
      }
      a.presence = std::max(a.presence, b.presence);
      a.locations.insert(b.locations.begin(), b.locations.end());
      a.severity = std::max(a.severity, b.severity);
      if (a.change.empty()) a.change = b.change;
      found.erase(found.begin() + static_cast<std::ptrdiff_t>(j));
    }
  }
}

std::vector<Entity> SentenceReader::entities(const Matches& normals, int index) const {
  std::vector<Entity> all;
  std::array<bool, kConditions.size()> said{};
  for (const Found& f : found_) {
    Entity m{f.rule->condition, f.rule->kind, f.presence, false, f.locations, "", "", index,
             span(f.match)};
    if (f.presence != Presence::negative) {
      if (f.severity >= 0)
        m.severity = lexicon_.severities[static_cast<size_t>(f.severity)].values.front();
      m.change = f.change;
    }
    said[m.condition] = true;
    all.push_back(std::move(m));
  }
  Matches standing;
  for (const PhraseMatch& n : normals) {
    const bool denied = std::any_of(cues_.begin(), cues_.end(), [&](const PhraseMatch& c) {
      const bool inside = c.begin >= n.begin && c.end <= n.end;
      const bool own_word = inside && (n.literals >> (c.begin - n.begin) & 1U) != 0;
      return cue(c) == Cue::negation_before && inside && !own_word;
    });
    if (!denied) standing.push_back(n);
  }
  for (const bool implied : {false, true}) {  // what is said outright comes first
    for (const PhraseMatch& n : standing) {
      const NormalRule& normal = lexicon_.normals[static_cast<size_t>(rule(n))];
      for (const size_t condition : implied ? normal.implied : normal.conditions) {
        if (std::exchange(said[condition], true)) continue;
        all.push_back({condition, "", Presence::negative, implied, {}, "", "", index, span(n)});
      }
    }
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Entity& a, const Entity& b) { return a.span.begin < b.span.begin; });
  return all;
}

std::vector<Entity> SentenceReader::read(const PhraseMatcher& matcher, Span sentence, int index) {
  words_ = split_words(text_, sentence);
  const Matches all = matcher.match(text_, words_);
  if (all.empty()) return {};
  used_.assign(words_.size(), false);
  attribute_.assign(words_.size(), false);
  choose_findings(all);
  const Matches normals = choose(all, Layer::normal, /*may_overlap=*/true);
  if (found_.empty() && normals.empty()) return {};
  cues_ = choose(all, Layer::cue, /*may_overlap=*/false);
  mark_boundaries();
  Matches attributes;
  for (const Layer l : {Layer::location, Layer::severity, Layer::change}) {
    for (const PhraseMatch& a : choose(all, l, /*may_overlap=*/false)) {
      attributes.push_back(a);
      for (int32_t i = a.begin; i < a.end; ++i) attribute_[static_cast<size_t>(i)] = true;
    }
  }
  for (Found& f : found_) judge(f);
  attach(attributes);
  std::erase_if(found_,
                [](const Found& f) { return f.ignored || f.rule->condition == kOtherFinding; });
  merge(found_);
  return entities(normals, index);
}

}  // namespace

std::vector<Entity> read_sentence(const Lexicon& lexicon, const std::vector<PhraseUse>& uses,
                                  const PhraseMatcher& matcher, std::string_view text,
                                  Span sentence, int index) {
  return SentenceReader(lexicon, uses, text).read(matcher, sentence, index);
}

}  // namespace unirg::text
