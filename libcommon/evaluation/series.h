// One field of a metrics.jsonl over the steps: what a learning curve is drawn from. Depends on io.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace unirg::evaluation {

/// (step, value) of each line that has both. \param field dotted for nested objects, e.g.
/// "rewards.reward.mean" \throws Error(Exit::no_input), Error(Exit::data) "FILE:LINE: ...", also
/// when no line has the field
std::vector<std::pair<double, double>> read_series(const std::filesystem::path& file,
                                                   const std::string& field);

}  // namespace unirg::evaluation
