// What the rule labeler knows, as read from a YAML file (share/lexicon/chest.yaml): phrases of each
// condition, statements of normality, cues of negation and doubt, words for place, severity and
// change. Plain data; no phrase lives in the sources. Depends on io.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace unirg::text {

/// The 14 conditions in CheXpert's order (Irvin et al., "CheXpert", AAAI 2019, table 1).
inline constexpr std::array<std::string_view, 14> kConditions{"Enlarged Cardiomediastinum",
                                                              "Cardiomegaly",
                                                              "Lung Opacity",
                                                              "Lung Lesion",
                                                              "Edema",
                                                              "Consolidation",
                                                              "Pneumonia",
                                                              "Atelectasis",
                                                              "Pneumothorax",
                                                              "Pleural Effusion",
                                                              "Pleural Other",
                                                              "Fracture",
                                                              "Support Devices",
                                                              "No Finding"};
inline constexpr size_t kSupportDevices = 12;
inline constexpr size_t kNoFinding = 13;
/// A finding outside the 14 ("low lung volumes"): not reported, but it draws attributes to itself.
inline constexpr size_t kOtherFinding = kConditions.size();

/// Index of a name of kConditions, exact spelling.
std::optional<size_t> condition_index(std::string_view name);

/// A way to speak of a condition. Phrases in the syntax of phrase_matcher.h.
struct FindingRule {
  size_t condition = 0;           ///< index into kConditions, never kNoFinding; or kOtherFinding
  std::string kind;               ///< e.g. "pacemaker"; a finer name within the condition
  bool always_uncertain = false;  ///< "heart size at the upper limits of normal"
  std::vector<std::string> phrases;
};

/// A statement of normality: negates conditions.
struct NormalRule {
  std::vector<size_t> conditions;  ///< what the words are about
  std::vector<size_t> implied;     ///< what follows from it: no mention by CheXpert's rules
  std::vector<std::string> phrases;
};

/// Words for one value of an attribute, e.g. severity "mild": "mild", "small".
struct AttributeRule {
  std::vector<std::string> values;  ///< several only for locations: "bilateral" is left and right
  std::vector<std::string> phrases;
};

/// Which attributes a condition's mentions carry.
struct AttributeUse {
  bool location = true, severity = true, change = true;
};

struct CueRules {
  std::vector<std::string> negation_before;      ///< "no", "without": what follows is absent
  std::vector<std::string> negation_after;       ///< "is not seen": what precedes is absent
  std::vector<std::string> uncertainty_before;   ///< "possible"
  std::vector<std::string> uncertainty_after;    ///< "cannot be excluded"
  std::vector<std::string> uncertainty_between;  ///< "versus": both neighbours are uncertain
  std::vector<std::string> ignore_before;        ///< "history of": no mention at all
  std::vector<std::string> no_cue;               ///< "no change": looks like a cue and is none
  std::vector<std::string> scope_end;            ///< "but": no cue reaches across
  std::vector<std::string> clause_break;         ///< "and", "with": attributes rarely reach across
  std::vector<std::string> clause_opener;  ///< "a", "the": after a comma they end a negation ...
  std::vector<std::string> list_word;      ///< ... unless "or" shows that the list goes on
};

struct Lexicon {
  std::string version;  ///< free text, for metric signatures
  std::string digest;   ///< SHA-256 of the file's bytes, 64 hex digits
  std::vector<FindingRule> findings;
  std::vector<NormalRule> normals;
  std::array<AttributeUse, kConditions.size()> uses{};
  CueRules cues;
  std::vector<AttributeRule> locations;
  std::vector<AttributeRule> severities;  ///< in order of grade: of two, the later one counts
  std::vector<AttributeRule> changes;
};

/// \throws Error(Exit::no_input) if the file cannot be opened; Error(Exit::config) naming file,
/// line and key for unknown keys, conditions or attributes, a missing part, or a bad phrase
Lexicon load_lexicon(const std::filesystem::path& path);
/// The same from text; `name` stands for the file in messages.
Lexicon parse_lexicon(const std::string& yaml, const std::string& name);

}  // namespace unirg::text
