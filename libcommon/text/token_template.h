// Post-processors of tokenizer.json: special tokens round one text or two. Plain data and
// functions. Private to the text module. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "text/token_json.h"
#include "text/tokenizer.h"

namespace unirg::text {

/// A special token or the place of a text.
struct TemplateItem {
  int sequence = -1;         ///< 0: the first text, 1: the second, -1: special tokens
  std::vector<int64_t> ids;  ///< the special tokens
  int64_t type_id = 0;
};
struct Templates {
  std::vector<TemplateItem> single{{0, {}, 0}};
  std::vector<TemplateItem> pair{{0, {}, 0}, {1, {}, 1}};
};

/// \param node a post_processor object \throws Error(Exit::data), naming a type that is not known
Templates parse_templates(const Node& node);

/// Cuts `parts` (one text or two) so that with the template's special tokens they are at most
/// `max_length` ids (0: no limit), the longer one first, and puts them together.
Encoding fill_template(const Templates& templates, std::vector<Encoding> parts,
                       const EncodeOptions& options);

}  // namespace unirg::text
