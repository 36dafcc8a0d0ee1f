// Stores of parameters against each other, and against what numbers may be.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "model/parameters.h"

namespace unirg::model {

enum class Verdict { same, same_values, values, shape, only_first, only_second };

struct TensorDifference {
  std::string name;
  Verdict verdict = Verdict::same;  ///< same_values: equal numbers, other bytes (dtype, -0)
  double largest = 0;               ///< max |a - b|
  double relative = 0;              ///< |a - b| / |a|, Euclidean norms
};

/// One entry for every name that either has, in name order.
std::vector<TensorDifference> compare_parameters(const Parameters& a, const Parameters& b);

/// Name of the first tensor that holds a NaN or an infinity; "" if none does.
std::string first_not_finite(const Parameters& parameters);

/// All as `dtype`: "float32", "bfloat16", or "auto" for no change.
/// \throws Error(Exit::config) for another name
Parameters cast(const Parameters& parameters, const std::string& dtype);

/// Everything a folder's weights file holds, under the names and types it has there: a checkpoint's
/// weights, or an adapter's own.
Parameters stored_parameters(const std::filesystem::path& folder);

}  // namespace unirg::model
