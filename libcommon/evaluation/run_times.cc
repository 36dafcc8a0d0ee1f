// SPDX-License-Identifier: Apache-2.0
#include "evaluation/run_times.h"

#include <fmt/format.h>

#include <cmath>
#include <map>

#include "base/error.h"
#include "io/atomic_file.h"

namespace unirg::evaluation {
namespace {

bool is_run_record(const std::filesystem::path& file) {
  const std::string name = file.filename().string();
  return name == "run.json" || name.ends_with(".run.json");
}

double tenths(double seconds) { return std::round(seconds * 10) / 10; }

}  // namespace

io::Json run_times(const std::filesystem::path& folder) {
  if (!std::filesystem::is_directory(folder))
    throw Error(Exit::no_input, fmt::format("'{}' is not a folder", folder.string()));
  std::map<std::string, double> seconds;
  double total = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file() || !is_run_record(entry.path())) continue;
    const auto record =
        io::Json::parse(io::read_file(entry.path()), nullptr, /*allow_exceptions=*/false);
    if (!record.is_object() || !record.contains("tool") || !record["tool"].is_string() ||
        !record.contains("wall_s") || !record["wall_s"].is_number()) {
      throw Error(Exit::data, fmt::format("'{}' is not a run record", entry.path().string()));
    }
    seconds[record["tool"].get<std::string>()] += record["wall_s"].get<double>();
    total += record["wall_s"].get<double>();
  }
  io::Json times = io::Json::object();
  for (const auto& [tool, sum] : seconds) times[tool] = tenths(sum);
  times["total"] = tenths(total);
  return times;
}

}  // namespace unirg::evaluation
