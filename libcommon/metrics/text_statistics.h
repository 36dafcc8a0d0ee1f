// What can be said of a report without a reference: repetition, sentences, boilerplate. Depends on
// text, io (files). SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

#include "metrics/ngrams.h"

namespace unirg::metrics {

/// Share of 4-grams that repeat an earlier one: 1 - different / all ("seq-rep-4"); 0 for fewer than
/// four tokens. \see Welleck et al. 2019, arXiv:1908.04319, section 6
double repetition(const Ids& tokens);

/// Sentences as text::split_sentences() finds them.
size_t sentence_count(std::string_view report);

/// Sentences that training reports repeat word for word, one a line; empty lines are skipped.
class Boilerplate {
 public:
  /// \throws Error(Exit::no_input | Exit::io), Error(Exit::data) for a file without a sentence
  explicit Boilerplate(const std::filesystem::path& path);

  /// Share of the report's sentences that are in the file, both in lower case (Unicode) and with
  /// runs of white space as one space; a sentence holds its full stop. Nothing for a report without
  /// a sentence.
  [[nodiscard]] std::optional<double> share(std::string_view report) const;

 private:
  std::unordered_set<std::string> sentences_;
};

}  // namespace unirg::metrics
