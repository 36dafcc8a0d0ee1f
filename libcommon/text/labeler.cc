// SPDX-License-Identifier: Apache-2.0
#include "text/labeler.h"

#include <algorithm>
#include <utility>

#include "text/labeler_sentence.h"
#include "text/phrase_matcher.h"
#include "text/sentences.h"

namespace unirg::text {

struct Labeler::Compiled {
  Lexicon lexicon;
  std::vector<PhraseUse> uses;
  PhraseMatcher matcher;

  void add(Layer layer, size_t rule, const std::vector<std::string>& phrases) {
    const auto payload = static_cast<int32_t>(uses.size());
    uses.push_back({layer, static_cast<int32_t>(rule)});
    for (const std::string& phrase : phrases) matcher.add(phrase, payload);
  }
  template <typename Rules>
  void add_all(Layer layer, const Rules& rules) {
    for (size_t i = 0; i < rules.size(); ++i) add(layer, i, rules[i].phrases);
  }
  void add_cue(Cue cue, const std::vector<std::string>& phrases) {
    add(Layer::cue, static_cast<size_t>(cue), phrases);
  }
};

namespace {

int strength(int label) { return label == 1 ? 2 : label == -1 ? 1 : 0; }

}  // namespace

Labels labels_of(const std::vector<Entity>& entities) {
  Labels labels{};
  for (const Entity& entity : entities) {
    const int value = entity.presence == Presence::positive    ? 1
                      : entity.presence == Presence::uncertain ? -1
                                                               : 0;
    auto& label = labels[entity.condition];
    if (!label || strength(value) > strength(*label)) label = value;
  }
  bool found = false;
  for (size_t c = 0; c < kSupportDevices; ++c) {
    const auto& label = labels[c];
    found = found || (label && *label != 0);
  }
  labels[kNoFinding] = found ? 0 : 1;
  return labels;
}

Labeler::Labeler(const Lexicon& lexicon) {
  auto compiled = std::make_shared<Compiled>();
  compiled->lexicon = lexicon;
  compiled->add_all(Layer::finding, lexicon.findings);
  compiled->add_all(Layer::normal, lexicon.normals);
  compiled->add_all(Layer::location, lexicon.locations);
  compiled->add_all(Layer::severity, lexicon.severities);
  compiled->add_all(Layer::change, lexicon.changes);
  const CueRules& cues = lexicon.cues;
  compiled->add_cue(Cue::negation_before, cues.negation_before);
  compiled->add_cue(Cue::negation_after, cues.negation_after);
  compiled->add_cue(Cue::uncertainty_before, cues.uncertainty_before);
  compiled->add_cue(Cue::uncertainty_after, cues.uncertainty_after);
  compiled->add_cue(Cue::uncertainty_between, cues.uncertainty_between);
  compiled->add_cue(Cue::ignore_before, cues.ignore_before);
  compiled->add_cue(Cue::no_cue, cues.no_cue);
  compiled->add_cue(Cue::scope_end, cues.scope_end);
  compiled->add_cue(Cue::clause_break, cues.clause_break);
  compiled->add_cue(Cue::clause_opener, cues.clause_opener);
  compiled->add_cue(Cue::list_word, cues.list_word);
  compiled_ = std::move(compiled);
}

Reading Labeler::read(std::string_view text) const {
  Reading report;
  const std::vector<Span> sentences = split_sentences(text);
  bool has_word = false;
  for (size_t i = 0; i < sentences.size(); ++i) {
    auto entities = read_sentence(compiled_->lexicon, compiled_->uses, compiled_->matcher, text,
                                  sentences[i], static_cast<int>(i));
    std::move(entities.begin(), entities.end(), std::back_inserter(report.entities));
    const auto letters = text.substr(sentences[i].begin, sentences[i].end - sentences[i].begin);
    has_word = has_word || std::any_of(letters.begin(), letters.end(), is_letter);
  }
  if (has_word) report.labels = labels_of(report.entities);
  return report;
}

const std::string& Labeler::version() const { return compiled_->lexicon.version; }
const std::string& Labeler::digest() const { return compiled_->lexicon.digest; }

}  // namespace unirg::text
