// SPDX-License-Identifier: Apache-2.0
#include "text/labeler.h"

#include <algorithm>
#include <cctype>

#include "text/lexicon.h"
#include "text/sentences.h"

namespace unirg::text {
namespace {

/// A matched phrase inside a sentence.
struct Match {
  Tag tag;
  size_t first = 0, last = 0;  ///< word indices
};

struct Word {
  std::string text;
  size_t begin = 0, end = 0;
};

bool is_word_char(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

std::vector<Word> words_of(std::string_view text, const Span& span) {
  std::vector<Word> words;
  for (size_t i = span.begin; i < span.end;) {
    if (text[i] == ';') words.push_back({";", i, i + 1});
    if (!is_word_char(text[i])) {
      ++i;
      continue;
    }
    size_t end = i;
    while (end < span.end && is_word_char(text[end])) ++end;
    Word word{std::string(text.substr(i, end - i)), i, end};
    std::transform(word.text.begin(), word.text.end(), word.text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    words.push_back(std::move(word));
    i = end;
  }
  return words;
}

/// One sentence with its matches sorted by kind.
struct Sentence {
  std::vector<Match> conditions, normals, attributes, cues, scope_ends;
};

Sentence sort_matches(const std::vector<Match>& matches) {
  Sentence s;
  for (const Match& m : matches) {
    switch (m.tag.kind) {
      case TagKind::condition: s.conditions.push_back(m); break;
      case TagKind::normal: s.normals.push_back(m); break;
      case TagKind::location:
      case TagKind::severity:
      case TagKind::change: s.attributes.push_back(m); break;
      case TagKind::scope_end: s.scope_ends.push_back(m); break;
      default: s.cues.push_back(m);
    }
  }
  return s;
}

/// True if a scope end stands between the two places.
bool cut(const Sentence& s, size_t a, size_t b) {
  return std::any_of(s.scope_ends.begin(), s.scope_ends.end(), [&](const Match& m) { return m.first > std::min(a, b) && m.first < std::max(a, b); });
}

/// Uncertainty beats negation where both reach a mention ("no definite ... cannot be excluded").
Presence presence_of(const Sentence& s, const Match& mention) {
  Presence presence = Presence::positive;
  for (const Match& cue : s.cues) {
    const bool before = cue.tag.kind == TagKind::negation_before || cue.tag.kind == TagKind::uncertainty_before;
    const bool reaches = before ? cue.last < mention.first : cue.first > mention.last;
    if (!reaches || cut(s, cue.first, mention.first)) continue;
    const bool uncertain = cue.tag.kind == TagKind::uncertainty_before || cue.tag.kind == TagKind::uncertainty_after;
    if (uncertain) return Presence::uncertain;
    presence = Presence::negative;
  }
  return presence;
}

size_t distance(const Match& a, const Match& b) {
  if (a.last < b.first) return b.first - a.last;
  if (b.last < a.first) return a.first - b.last;
  return 0;
}

/// Attributes beside each other ("right lower", "small left") belong to one mention: the span of words of the run that
/// holds attribute `i`. Attributes stand in text order.
Match run_of(const std::vector<Match>& attributes, size_t i) {
  Match run = attributes[i];
  for (size_t k = i; k > 0 && attributes[k - 1].last + 1 >= run.first; --k) run.first = attributes[k - 1].first;
  for (size_t k = i + 1; k < attributes.size() && attributes[k].first <= run.last + 1; ++k) run.last = attributes[k].last;
  return run;
}

/// Each attribute goes to the nearest mention, the following one on ties: adjectives come first in English.
void attach_attributes(const Sentence& s, const std::vector<Match>& mentions, std::vector<Entity>& entities) {
  for (size_t a = 0; a < s.attributes.size(); ++a) {
    const Match& attribute = s.attributes[a];
    const Match run = run_of(s.attributes, a);
    size_t best = mentions.size();
    for (size_t i = 0; i < mentions.size(); ++i) {
      if (best == mentions.size()) {
        best = i;
        continue;
      }
      const size_t d = distance(run, mentions[i]);
      const size_t least = distance(run, mentions[best]);
      if (d < least || (d == least && mentions[i].first > run.last)) best = i;
    }
    if (best == mentions.size()) continue;
    // Mentions of one place (a phrase that means two conditions) share their attributes.
    for (size_t i = 0; i < mentions.size(); ++i) {
      if (mentions[i].first != mentions[best].first) continue;
      Entity& entity = entities[i];
      if (attribute.tag.kind == TagKind::location) entity.locations.insert(attribute.tag.name);
      if (attribute.tag.kind == TagKind::severity) entity.severity = attribute.tag.name;
      if (attribute.tag.kind == TagKind::change) entity.change = attribute.tag.name;
    }
  }
}

Labels aggregate(const std::vector<Entity>& entities, bool says_anything) {
  Labels labels;
  const auto strength = [](int value) { return value == 1 ? 2 : value == -1 ? 1 : 0; };
  for (const Entity& entity : entities) {
    const int value = entity.presence == Presence::positive ? 1 : entity.presence == Presence::negative ? 0 : -1;
    std::optional<int>& label = labels[entity.condition];
    if (!label || strength(value) > strength(*label)) label = value;
  }
  bool abnormal = false;
  for (size_t c = 0; c < kSupportDevices; ++c) abnormal |= labels[c].has_value() && *labels[c] != 0;
  if (says_anything) labels[kNoFinding] = abnormal ? 0 : 1;
  return labels;
}

}  // namespace

struct Labeler::Impl {
  Lexicon lexicon;

  [[nodiscard]] std::vector<Match> match(const std::vector<Word>& words) const;
  void read_sentence(std::string_view text, const Span& span, std::vector<Entity>& entities) const;
};

/// Longest phrase at each word; a phrase may carry several tags.
std::vector<Match> Labeler::Impl::match(const std::vector<Word>& words) const {
  std::vector<Match> matches;
  std::vector<std::string> texts;
  for (const Word& word : words) texts.push_back(word.text);
  for (size_t i = 0; i < words.size();) {
    const PhraseMatch found = lexicon.longest(texts, i);
    for (const Tag& tag : found.tags) matches.push_back({tag, i, i + found.words - 1});
    // A phrase may hold an attribute of its own mention: "heart is mildly enlarged".
    for (size_t inner = i; found.words > 1 && inner < i + found.words; ++inner) {
      for (const Tag& tag : lexicon.longest({texts[inner]}, 0).tags) {
        if (tag.kind == TagKind::severity || tag.kind == TagKind::location) matches.push_back({tag, inner, inner});
      }
    }
    i += std::max<size_t>(1, found.words);
  }
  return matches;
}

void Labeler::Impl::read_sentence(std::string_view text, const Span& span, std::vector<Entity>& entities) const {
  const std::vector<Word> words = words_of(text, span);
  const Sentence s = sort_matches(match(words));
  std::vector<Entity> found;
  for (const Match& m : s.conditions) {
    Entity entity;
    entity.condition = m.tag.condition;
    entity.presence = presence_of(s, m);
    entity.begin = words[m.first].begin;
    entity.end = words[m.last].end;
    found.push_back(std::move(entity));
  }
  attach_attributes(s, s.conditions, found);
  for (const Match& m : s.normals) {
    Entity entity;
    entity.condition = m.tag.condition;
    entity.presence = Presence::negative;
    entity.begin = words[m.first].begin;
    entity.end = words[m.last].end;
    found.push_back(std::move(entity));
  }
  std::stable_sort(found.begin(), found.end(), [](const Entity& a, const Entity& b) { return a.begin < b.begin; });
  entities.insert(entities.end(), std::make_move_iterator(found.begin()), std::make_move_iterator(found.end()));
}

Labeler::Labeler(const std::filesystem::path& lexicon) : impl_(std::make_shared<Impl>(Impl{load_lexicon(lexicon)})) {}

Reading Labeler::read(std::string_view text) const {
  Reading reading;
  const std::vector<Span> sentences = sentence_spans(text);
  for (const Span& span : sentences) impl_->read_sentence(text, span, reading.entities);
  reading.labels = aggregate(reading.entities, !sentences.empty());
  return reading;
}

const std::string& Labeler::version() const { return impl_->lexicon.version(); }

}  // namespace unirg::text
