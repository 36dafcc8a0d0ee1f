// SPDX-License-Identifier: Apache-2.0
#include "evaluation/series.h"

#include <fmt/format.h>

#include "base/error.h"
#include "io/jsonl.h"

namespace unirg::evaluation {
namespace {

/// nullptr unless the object holds a number there.
const io::Json* find_number(const io::Json& object, const std::string& field) {
  const size_t dot = field.find('.');
  const auto it = object.find(field.substr(0, dot));
  if (it == object.end()) return nullptr;
  if (dot != std::string::npos)
    return it->is_object() ? find_number(*it, field.substr(dot + 1)) : nullptr;
  return it->is_number() ? &*it : nullptr;
}

}  // namespace

std::vector<std::pair<double, double>> read_series(const std::filesystem::path& file,
                                                   const std::string& field) {
  std::vector<std::pair<double, double>> points;
  io::JsonlReader reader(file);
  while (const auto line = reader.next()) {
    if (!line->has_value())
      throw Error(Exit::data, fmt::format("{}: {}", reader.place().text(), line->error().reason));
    const io::Json* step = find_number((*line)->object, "step");
    const io::Json* value = find_number((*line)->object, field);
    if (step && value) points.emplace_back(step->get<double>(), value->get<double>());
  }
  if (points.empty())
    throw Error(Exit::data,
                fmt::format("'{}': no line has the numbers 'step' and '{}'", file.string(), field));
  return points;
}

}  // namespace unirg::evaluation
