// SPDX-License-Identifier: Apache-2.0
#include "io/run_record.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include <algorithm>
#include <thread>

#include "base/hash.h"
#include "base/version.h"

namespace unirg::io {
namespace fs = std::filesystem;

RunRecord::RunRecord(std::string tool, std::vector<std::string> command_line, Json config)
    : tool_(std::move(tool)), command_line_(std::move(command_line)), config_(std::move(config)) {}

void RunRecord::add_input(const fs::path& path) {
  // What came through a pipe is gone; opening a named one again would wait for ever.
  if (!is_stream(path) && !fs::is_fifo(path)) add_input(path, digest_path(path));
}
void RunRecord::add_input(const fs::path& path, const std::string& sha256) {
  inputs_[path.string()] = sha256;
}
void RunRecord::add_output(const fs::path& path, const std::string& sha256) {
  outputs_[path.string()] = sha256;
}
void RunRecord::note(const std::string& name, Json value) { notes_[name] = std::move(value); }

Json RunRecord::json() const {
  utsname host{};
  ::uname(&host);
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin_;
  const BuildInfo& build = build_info();
  return {
      {"schema", "unirg.run/1"},
      {"tool", tool_},
      {"version", build.version},
      {"commit", build.commit},
      {"command_line", command_line_},
      {"config", config_},
      {"inputs", inputs_},
      {"outputs", outputs_},
      {"notes", notes_},
      {"host",
       {{"name", host.nodename},
        {"system", host.sysname},
        {"release", host.release},
        {"machine", host.machine},
        {"cores", std::thread::hardware_concurrency()}}},
      {"wall_s", wall.count()},
      {"cpu_s", static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                    1e-6 * static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec)},
      {"peak_memory_bytes", static_cast<int64_t>(usage.ru_maxrss) * 1024}};
}

void RunRecord::write(const fs::path& path) const { write_file(path, json().dump(2) + "\n"); }

void RunRecord::write_beside(const fs::path& output) const {
  if (!is_stream(output) && !is_special(output)) write(output.string() + ".run.json");
}

std::string digest_path(const fs::path& path) {
  if (!fs::is_directory(path)) return sha256_file(path);
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(path)) {
    // Lexically: fs::relative() would follow a link and name what it points to.
    const std::string name = entry.path().lexically_relative(path).string();
    const bool about_the_run =
        name == "run.json" || name == "DONE" || name.starts_with("training_state");
    if (entry.is_regular_file() && !about_the_run) files.push_back(name);
  }
  std::sort(files.begin(), files.end());
  Sha256 sha;
  for (const fs::path& name : files)
    sha.update(fmt::format("{} {}\n", name.string(), sha256_file(path / name)));
  return sha.hex();
}

}  // namespace unirg::io
