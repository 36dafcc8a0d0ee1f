// Groups of reports that tables tell apart: by site, sex, age, encounter and so on. Depends on
// scores.h. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "evaluation/scores.h"

namespace unirg::evaluation {

/// What reports can be grouped by: site; sex (F, M, other values as they are); race (as it is);
/// white (White and "other", the paper's two); age ("<60" and "60+" years, the paper's two);
/// decade; encounter (1, 2, 3, 4 and 5+, the paper's five); prior (none, follow-up); temporal
/// (temporal class of the reference). What a record does not tell is "unknown".
const std::vector<std::string>& group_variables();

/// The group of a report. \param by a variable, or several joined by ':' ("sex:age"), whose labels
/// are then joined by ", ". \throws Error(Exit::config) for a variable there is not
std::string group_of(const Score& score, const std::string& by);

/// "NAME=GROUP": those of one group only.
struct GroupFilter {
  std::string by, group;
};
/// \throws Error(Exit::usage) if it is not of that form, Error(Exit::config) for a variable there
/// is not
GroupFilter parse_group_filter(const std::string& text);

/// The scores that are in every one of these groups. \throws Error(Exit::data) if none is
std::vector<Score> only_groups(std::vector<Score> scores, const std::vector<GroupFilter>& filters);

/// Puts group labels in the order of tables: as they sort, "unknown" last.
bool group_before(const std::string& a, const std::string& b);

}  // namespace unirg::evaluation
