// Messages without what is special to one file or patient: reasons of rejected.jsonl and errors put
// names, paths and cells in single quotes. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace unirg::data {

/// What stands from the first single quote to the last becomes '...', whatever lies between, and if
/// their number is odd all to the end: a name may hold quotes itself. \param kept  texts that stay
/// where they stand in quotes
std::string without_quoted(std::string_view message, const std::vector<std::string>& kept = {});

/// without_quoted(), and numbers as N, so that equal reasons are counted as one.
std::string common_reason(std::string_view reason);

}  // namespace unirg::data
