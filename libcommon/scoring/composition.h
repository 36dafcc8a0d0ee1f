// A reward from metrics: which ones, how each is transformed, its weight, and what happens where it
// has no value. Raw metrics are kept beside the reward, so that another composition can be applied
// without scoring again. Depends on io, cli. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "scoring/family.h"

namespace unirg::scoring {

/// 1 / (1 + x): UniRG's error reward. x > -1.
struct Reciprocal {};
/// The nearest value in [low, high].
struct Clip {
  double low = 0, high = 1;
};
/// (x - from) / (to - from): `from` becomes 0 and `to` becomes 1; from > to turns the direction.
struct Scale {
  double from = 0, to = 1;
};
using Transform = std::variant<Reciprocal, Clip, Scale>;

struct Term {
  std::string metric;
  double weight = 0;
  std::vector<Transform> transforms = {};  ///< applied in this order; none: the value itself
  /// Where the metric has no value: `stop` makes it an error, `drop` leaves the term out and scales
  /// the others up to the sum of all weights' sizes, `value` puts `null_value` in the place of the
  /// transformed value.
  enum class OnNull { stop, drop, value } on_null = OnNull::stop;
  double null_value = 0;
};

struct Composition {
  std::string name;  ///< "unirg-step1", a file's stem, or "weights"
  std::vector<Term> terms;
};

/// Reads a YAML file:
///
///     terms:
///       - {metric: bertscore, weight: 0.370}
///       - {metric: chexprompt-errors, weight: 0.5, transform: reciprocal, on-null: drop}
///       - {metric: radcliq-v1, weight: 1, transform: [{scale: [2.45, -1.44]}, {clip: [0, 1]}]}
///
/// on-null is stop (default), drop or a number. \throws Error(Exit::config) "FILE:LINE: ..." for
/// unknown keys, a metric that stands twice, or bad numbers; Error(Exit::no_input)
Composition load_composition(const std::filesystem::path& file);

/// Where a composition lies: a name is one of the installed ones ("unirg-step1"), anything with an
/// extension or a folder is a file. \throws Error(Exit::no_input) for a name that is not installed
std::filesystem::path composition_file(const std::string& name);

/// Every weight with its metric, untransformed; a missing value is an error.
Composition weighted_sum(const std::vector<std::pair<std::string, double>>& weights);

/// The reward. \returns nullopt where every term with a weight was dropped
/// \throws Error(Exit::data) if a metric is absent, or has no value and its term says stop; and if
/// a reciprocal meets x <= -1
std::optional<double> compose(const Composition& composition, const NamedValues& values);

/// What each term's weight multiplies: the metric after its transforms, or its null value; nullopt:
/// dropped. \throws as compose()
NamedValues term_values(const Composition& composition, const NamedValues& values);

/// Whether every term is the metric itself.
bool is_plain(const Composition& composition);

/// compose() as text, for signatures: "0.37*bertscore + 0.5*1/(1+chexprompt-errors)[null:drop]".
std::string formula(const Composition& composition);

}  // namespace unirg::scoring
