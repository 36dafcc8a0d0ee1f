// SPDX-License-Identifier: Apache-2.0
#include "scoring/composition.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.h"
#include "cli/installed.h"
#include "io/atomic_file.h"

namespace unirg::scoring {
namespace {

/// Nodes of one file, with messages that say where.
class Reader {
 public:
  explicit Reader(const std::filesystem::path& file) : file_(file.string()) {}

  [[nodiscard]] YAML::Node root() const {
    try {
      return YAML::Load(io::read_file(file_));
    } catch (const YAML::Exception& e) {
      throw Error(Exit::config,
                  fmt::format("{}:{}: not valid YAML: {}", file_, e.mark.line + 1, e.msg));
    }
  }
  [[noreturn]] void fail(const YAML::Node& node, const std::string& what) const {
    throw Error(Exit::config, fmt::format("{}:{}: {}", file_, node.Mark().line + 1, what));
  }
  void check_keys(const YAML::Node& map, const std::vector<std::string>& known) const {
    for (const auto& item : map) {
      const std::string key = item.first.Scalar();
      if (std::find(known.begin(), known.end(), key) != known.end()) continue;
      const std::string nearest = nearest_name(key, known);
      fail(item.first,
           fmt::format("unknown key '{}'{}", key,
                       nearest.empty() ? "" : fmt::format(" (hint: did you mean '{}'?)", nearest)));
    }
  }
  [[nodiscard]] double number(const YAML::Node& node, const std::string& key) const {
    double value = 0;
    if (!node.IsScalar() || !YAML::convert<double>::decode(node, value) || !std::isfinite(value))
      fail(node, fmt::format("key '{}': expected a number", key));
    return value;
  }
  [[nodiscard]] std::pair<double, double> two_numbers(const YAML::Node& node,
                                                      const std::string& key) const {
    if (!node.IsSequence() || node.size() != 2)
      fail(node, fmt::format("key '{}': expected two numbers in brackets", key));
    return {number(node[0], key), number(node[1], key)};
  }

 private:
  std::string file_;
};

Transform read_transform(const Reader& reader, const YAML::Node& node) {
  if (node.IsScalar() && node.Scalar() == "reciprocal") return Reciprocal{};
  if (!node.IsMap() || node.size() != 1)
    reader.fail(node,
                "a transform is identity, reciprocal, {clip: [low, high]} or "
                "{scale: [from, to]}");
  reader.check_keys(node, {"clip", "scale"});
  const auto key = node.begin()->first.Scalar();
  const auto [a, b] = reader.two_numbers(node.begin()->second, key);
  if (key == "clip") {
    if (a > b) reader.fail(node, "key 'clip': the first number must not be above the second");
    return Clip{a, b};
  }
  if (a == b) reader.fail(node, "key 'scale': the two numbers must differ");
  return Scale{a, b};
}

std::vector<Transform> read_transforms(const Reader& reader, const YAML::Node& node) {
  std::vector<Transform> transforms;
  if (!node || (node.IsScalar() && node.Scalar() == "identity")) return transforms;
  if (!node.IsSequence()) return {read_transform(reader, node)};
  for (const YAML::Node& item : node) transforms.push_back(read_transform(reader, item));
  return transforms;
}

void read_on_null(const Reader& reader, const YAML::Node& node, Term& term) {
  if (!node || (node.IsScalar() && node.Scalar() == "stop")) return;
  if (node.IsScalar() && node.Scalar() == "drop") {
    term.on_null = Term::OnNull::drop;
    return;
  }
  double value = 0;
  if (!node.IsScalar() || !YAML::convert<double>::decode(node, value) || !std::isfinite(value))
    reader.fail(node, "key 'on-null': expected stop, drop or a number");
  term.on_null = Term::OnNull::value;
  term.null_value = value;
}

Term read_term(const Reader& reader, const YAML::Node& node) {
  if (!node.IsMap()) reader.fail(node, "a term is a map with metric and weight");
  reader.check_keys(node, {"metric", "weight", "transform", "on-null"});
  Term term;
  if (!node["metric"] || !node["metric"].IsScalar())
    reader.fail(node, "key 'metric': expected a metric's name");
  term.metric = node["metric"].Scalar();
  if (!node["weight"]) reader.fail(node, "key 'weight' is missing");
  term.weight = reader.number(node["weight"], "weight");
  term.transforms = read_transforms(reader, node["transform"]);
  read_on_null(reader, node["on-null"], term);
  return term;
}

double apply(const Transform& transform, double x) {
  if (std::holds_alternative<Reciprocal>(transform)) {
    if (!(x > -1)) throw Error(Exit::data, fmt::format("1/(1+x) is not defined for x = {}", x));
    return 1 / (1 + x);
  }
  if (const auto* clip = std::get_if<Clip>(&transform)) return std::clamp(x, clip->low, clip->high);
  const auto& scale = std::get<Scale>(transform);
  return (x - scale.from) / (scale.to - scale.from);
}

std::string formula(const Term& term) {
  std::string text = term.metric;
  for (const Transform& transform : term.transforms) {
    if (std::holds_alternative<Reciprocal>(transform)) {
      text = fmt::format("1/(1+{})", text);
    } else if (const auto* clip = std::get_if<Clip>(&transform)) {
      text = fmt::format("clip({},{},{})", text, clip->low, clip->high);
    } else {
      const auto& scale = std::get<Scale>(transform);
      text = fmt::format("scale({},{},{})", text, scale.from, scale.to);
    }
  }
  if (term.on_null == Term::OnNull::drop) text += "[null:drop]";
  if (term.on_null == Term::OnNull::value) text += fmt::format("[null:{}]", term.null_value);
  return fmt::format("{}*{}", term.weight, text);
}

/// The term's value before its weight; nullopt: the term is left out.
std::optional<double> value_of(const Term& term, const NamedValues& values) {
  const auto it = std::find_if(values.begin(), values.end(),
                               [&](const auto& v) { return v.first == term.metric; });
  if (it == values.end())
    throw Error(Exit::data,
                fmt::format("metric '{}' of the reward is not among the metrics", term.metric));
  if (!it->second) {
    if (term.on_null == Term::OnNull::drop) return std::nullopt;
    if (term.on_null == Term::OnNull::value) return term.null_value;
    throw Error(Exit::data,
                fmt::format("metric '{}' has no value (hint: on-null of a reward file says what "
                            "to do then)",
                            term.metric));
  }
  double x = *it->second;
  for (const Transform& transform : term.transforms) x = apply(transform, x);
  return x;
}

}  // namespace

Composition load_composition(const std::filesystem::path& file) {
  const Reader reader(file);
  const YAML::Node root = reader.root();
  if (!root.IsMap()) reader.fail(root, "expected a map with the key 'terms'");
  reader.check_keys(root, {"terms"});
  if (!root["terms"] || !root["terms"].IsSequence() || root["terms"].size() == 0)
    reader.fail(root, "key 'terms': expected a list of terms");
  Composition composition{file.stem().string(), {}};
  std::set<std::string> seen;
  for (const YAML::Node& node : root["terms"]) {
    composition.terms.push_back(read_term(reader, node));
    if (!seen.insert(composition.terms.back().metric).second)
      reader.fail(node, fmt::format("metric '{}' stands twice", composition.terms.back().metric));
  }
  return composition;
}

std::filesystem::path composition_file(const std::string& name) {
  const std::filesystem::path path(name);
  if (path.has_extension() || path.has_parent_path()) return path;
  return cli::installed_file("rewards/" + name + ".yaml");
}

Composition weighted_sum(const std::vector<std::pair<std::string, double>>& weights) {
  Composition composition{"weights", {}};
  for (const auto& [metric, weight] : weights) composition.terms.push_back({metric, weight});
  return composition;
}

std::optional<double> compose(const Composition& composition, const NamedValues& values) {
  double sum = 0;
  double dropped = 0;
  double kept = 0;
  for (const Term& term : composition.terms) {
    const auto value = value_of(term, values);
    (value ? kept : dropped) += std::abs(term.weight);
    if (value) sum += term.weight * *value;
  }
  if (dropped == 0) return sum;
  if (kept == 0) return std::nullopt;
  return sum * (kept + dropped) / kept;
}

NamedValues term_values(const Composition& composition, const NamedValues& values) {
  NamedValues terms;
  for (const Term& term : composition.terms)
    terms.emplace_back(term.metric, value_of(term, values));
  return terms;
}

bool is_plain(const Composition& composition) {
  return std::all_of(composition.terms.begin(), composition.terms.end(), [](const Term& term) {
    return term.transforms.empty() && term.on_null == Term::OnNull::stop;
  });
}

std::string formula(const Composition& composition) {
  std::string text;
  for (const Term& term : composition.terms) text += (text.empty() ? "" : " + ") + formula(term);
  return text;
}

}  // namespace unirg::scoring
