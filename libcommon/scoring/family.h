// What the registry asks of a family of metrics: names and signatures, and the values of a group of
// reports that share one reference. Text metrics, rules, networks and judges are families; the
// scorer knows no other kind. Depends on io (JSON). SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/jsonl.h"

namespace unirg::scoring {

enum class Better { lower = -1, neither = 0, higher = 1 };

struct MetricInfo {
  std::string name;  ///< kebab-case, as --metrics takes it
  std::string
      signature;        ///< what exactly is computed, "name|key:value|...|vN"; printed with tables
  std::string meaning;  ///< one line
  Better better = Better::higher;
  int decimals = 3;
  std::string range = "0..1";
  std::string needs = {};   ///< files or services without which it cannot be computed; "" for none
  std::string source = {};  ///< paper, or package with version, that defines it
};

/// Makes a signature say which references a metric was fitted to, in whatever order they came:
/// puts "KEY:references@DIGEST", 12 hex digits, in the place of its part "KEY:...".
void name_references(MetricInfo& metric, std::string_view part, std::vector<std::string> texts);

/// Metrics of one report by name; nullopt: no value.
using NamedValues = std::vector<std::pair<std::string, std::optional<double>>>;

/// One reference and what was written for its study. The unit of work: a family computes what the
/// reference needs once for all hypotheses.
struct TextGroup {
  std::string reference;
  std::vector<std::string> hypotheses;
  /// What the model wrote, before it was cut into sections; empty: the hypotheses themselves.
  std::vector<std::string> replies = {};
};

/// Values of one hypothesis.
struct Scored {
  /// In the order of Family::metrics(); nullopt where there is no value (a judge's reply that
  /// cannot be read), never a substitute.
  std::vector<std::optional<double>> values;
  /// Numbers that add up over reports and that corpus metrics are made of, by statistic, e.g.
  /// {"coco-bleu", {correct 1..4, guessed 1..4, hypothesis words, reference words}}.
  std::vector<std::pair<std::string, std::vector<double>>> sums = {};
  /// What a person wants to see of it (a judge's reply, a graph): an object, or null.
  io::Json details = nullptr;
};

/// score() is called from many threads at once; its result depends on the group, the options and
/// what fit() saw, on nothing else.
class Family {
 public:
  Family() = default;
  Family(const Family&) = delete;
  Family& operator=(const Family&) = delete;
  virtual ~Family() = default;

  [[nodiscard]] virtual const std::vector<MetricInfo>& metrics() const = 0;
  /// Whether a score hangs on other studies' references: inverse document frequencies and the like.
  [[nodiscard]] virtual bool needs_fit() const { return false; }
  /// Called once before score() with every reference of the run, in input order, if needs_fit().
  virtual void fit(const std::vector<std::string>& /*references*/) {}
  /// One Scored for each hypothesis. \throws Error for what no later call can mend
  [[nodiscard]] virtual std::vector<Scored> score(const TextGroup& group) const = 0;
};

}  // namespace unirg::scoring
