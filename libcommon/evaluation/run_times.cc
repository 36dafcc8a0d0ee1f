// SPDX-License-Identifier: Apache-2.0
#include "evaluation/run_times.h"

#include <fmt/format.h>

#include <cmath>
#include <map>

#include "base/error.h"
#include "io/atomic_file.h"

namespace unirg::evaluation {
namespace {

double tenths(double seconds) { return std::round(seconds * 10) / 10; }

io::Json rounded(const std::map<std::string, double>& times) {
  io::Json json = io::Json::object();
  for (const auto& [name, seconds] : times) json[name] = tenths(seconds);
  return json;
}

/// Tool and wall_s of one run record.
std::pair<std::string, double> read_time(const std::filesystem::path& file) {
  const auto record = io::Json::parse(io::read_file(file), nullptr, /*allow_exceptions=*/false);
  if (!record.is_object() || !record.contains("tool") || !record["tool"].is_string() ||
      !record.contains("wall_s") || !record["wall_s"].is_number()) {
    throw Error(Exit::data, fmt::format("'{}' is not a run record", file.string()));
  }
  return {record["tool"].get<std::string>(), record["wall_s"].get<double>()};
}

/// "seed-1/rl/003/policy/run.json" -> "seed-1/rl": the first two folders.
std::string stage_of(const std::filesystem::path& file) {
  std::filesystem::path stage;
  int depth = 0;
  for (const std::filesystem::path& part : file.parent_path()) {
    if (depth++ < 2) stage /= part;
  }
  return stage.empty() ? "." : stage.string();
}

}  // namespace

io::Json run_times(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  if (!fs::is_directory(folder))
    throw Error(Exit::no_input, fmt::format("'{}' is not a folder", folder.string()));
  std::map<std::string, double> tools;
  std::map<std::string, double> stages;
  double total = 0;
  const auto add = [&](const fs::path& file) {
    const auto [tool, seconds] = read_time(file);
    tools[tool] += seconds;
    stages[stage_of(file.lexically_relative(folder))] += seconds;
    total += seconds;
  };
  for (auto it = fs::recursive_directory_iterator(folder); it != fs::end(it); ++it) {
    if (it->is_symlink()) continue;  // work of another run
    const fs::path record = it->path() / "run.json";
    if (it->is_directory() && fs::exists(record)) {
      if (!fs::is_symlink(record)) add(record);
      it.disable_recursion_pending();  // what lies inside (best/, last/) is of the same run
    } else if (it->is_regular_file() && it->path().filename().string().ends_with(".run.json")) {
      add(it->path());
    }
  }
  return {{"total", tenths(total)}, {"tools", rounded(tools)}, {"stages", rounded(stages)}};
}

}  // namespace unirg::evaluation
