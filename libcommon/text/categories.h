// Categories that a report states in words of its own: BI-RADS, breast density, Lung-RADS and
// others, read by the patterns of a YAML file (share/lexicon/categories.yaml). Immutable; read()
// may be called from many threads. Depends on io (PCRE2 and yaml-cpp in the source).
//
//   schema: unirg.categories/1
//   version: categories-1
//   categories:
//     - name: birads                 kebab-case; the metric is called category-birads
//       meaning: BI-RADS assessment  one line
//       pick: last                   first | last | highest: which of several mentions counts
//       values: ["1", "2", "4A"]     all there are, from low to high
//       map: {iv: "4", four: "4"}    other spellings; keys in lower case, blanks as one
//       patterns:                    PCRE2, without case, with one group called `value`
//         - 'bi-?rads\s*(?<value>\d[abc]?)'
//       is: [{value: C, pattern: 'heterogeneously dense'}]    patterns that name a value themselves
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace unirg::text {

enum class CategoryPick { first, last, highest };

struct CategoryInfo {
  std::string name, meaning;
  CategoryPick pick = CategoryPick::last;
  std::vector<std::string> values;  ///< from low to high
};

class Categories {
 public:
  /// \throws Error(Exit::no_input) if the file cannot be opened; Error(Exit::config) "FILE:LINE:
  /// ..." for unknown or missing keys, names twice, values or map targets that are not listed,
  /// patterns that PCRE2 refuses or that lack the group `value`
  explicit Categories(const std::filesystem::path& file);
  /// The same from text; `name` stands for the file in messages.
  Categories(const std::string& yaml, const std::string& name);

  [[nodiscard]] const std::vector<CategoryInfo>& infos() const;
  [[nodiscard]] const std::string& version() const;
  /// SHA-256 of the file's bytes, 64 hex digits.
  [[nodiscard]] const std::string& digest() const;

  /// The value of category `which` (index into infos()), as in CategoryInfo::values; nullopt if the
  /// text states none. White space runs count as one blank. A capture that is neither a value nor
  /// in the map is no mention. Where two patterns match at one place, the one that ends later
  /// counts. \throws Error(Exit::config) if a pattern takes too many steps on this text
  [[nodiscard]] std::optional<std::string> read(size_t which, std::string_view text) const;

 private:
  struct Compiled;
  std::shared_ptr<const Compiled> compiled_;
};

}  // namespace unirg::text
