// Takes names, dates and numbers of persons out of report text by the rules of a file: what a rule
// finds becomes "___", as MIMIC-CXR has it. A rule scrubber finds what its rules describe and no
// more: whoever publishes text reads it first. Immutable after loading; may be used from many
// threads. Depends on io (PCRE2 and yaml-cpp in the source).
//
// A rule file is YAML:
//   schema: unirg.scrub/1
//   version: text
//   rules:               in the order in which they are used
//     - name: text
//       pattern:         PCRE2, with letter case; a group (?<id>...), or several of that name, is
//                        what is replaced, else the whole match is
//       examples:        pairs [text, what the rule leaves of it], which a test checks
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace unirg::text {

class Scrubber {
 public:
  /// \throws Error(Exit::no_input) if the file cannot be opened; Error(Exit::config), naming file
  ///         and line, for a file of another form or a pattern that PCRE2 refuses
  explicit Scrubber(const std::filesystem::path& file);

  /// Replacements, by rule.
  using Counts = std::vector<int64_t>;

  /// The text after all rules. \param text  valid UTF-8
  /// \param counts  adds what was replaced; of the size of rules()
  /// \throws Error(Exit::config) if a pattern takes too many steps
  [[nodiscard]] std::string scrub(std::string_view text, Counts& counts) const;

  struct Rule {
    std::string name;
    std::vector<std::pair<std::string, std::string>> examples;
  };
  [[nodiscard]] const std::vector<Rule>& rules() const;
  /// The text after one rule.
  [[nodiscard]] std::string apply(size_t rule, std::string_view text, int64_t& count) const;

 private:
  struct Compiled;
  std::shared_ptr<const Compiled> compiled_;
};

}  // namespace unirg::text
