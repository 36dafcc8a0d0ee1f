// Reports as RadGraph's models read them: words, from which the whole report makes one "sentence".
// Source: package radgraph 0.1.18 (Stanford-AIMI/radgraph), utils.py; nltk's wordpunct_tokenize.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace unirg::text {

enum class RadGraphTokens {
  v1,  ///< model `radgraph`: "/,:.!?()" stand alone, the rest is split at blanks
  xl,  ///< `radgraph-xl` and its kin: runs of word characters, runs of other ones
};

/// Words of a report; the word "None" for one that is empty or blank. (The package stops at a blank
/// one.) Broken UTF-8 counts as U+FFFD.
std::vector<std::string> radgraph_tokens(std::string_view report, RadGraphTokens kind);

}  // namespace unirg::text
