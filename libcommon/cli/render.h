// What the option table is turned into: help, man page section, completion, values as JSON. Depends
// on cli/options.h. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cli/options.h"

namespace unirg::cli {

bool is_switch(const Option& option);
bool is_list(const Option& option);
/// Options about the call itself (help, config, ...), not part of the configuration.
bool is_meta(const Option& option);
/// "a number from 0 to 2", "a number of at least 1", ...
std::string range_text(const Option& option);
/// The present value; null where unset.
Json value_json(const Option& option);

std::string render_help(const ToolInfo& info, const Table& table);
std::string render_man_options(const Table& table);
std::string render_bash_completion(const ToolInfo& info, const Table& table);

}  // namespace unirg::cli
