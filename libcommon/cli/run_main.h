// The frame of every tool: parse the option table, run, map errors to exit statuses, close standard
// output and check it. A tool's main.cc is its table, its run function and one call of run_main.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/log.h"
#include "cli/options.h"
#include "cli/stop_flag.h"
#include "io/run_record.h"

namespace unirg::cli {

/// What the tools share. A tool takes the groups it needs with the add_* functions below.
struct Common {
  int64_t seed = 0;
  int64_t threads = 0;  ///< 0: the cores this process may use; filled in by run_main
  std::string device = "auto";
  std::string dtype = "float32";
  std::string shard = "0/1";
  std::string on_error = "stop";
  bool dry_run = false;
  // about the call
  std::string log_format = "text";
  double log_every = 60;  ///< seconds between progress lines
  bool quiet = false;
  bool verbose = false;
  bool help = false;
  bool version = false;
  bool dump_config = false;
  std::vector<std::string> config;
  std::vector<std::string> set;
  std::string generate;
};

/// Rows for Common's fields; append them to the tool's own.
void add_seed(Table& table, Common& common);
void add_threads(Table& table, Common& common);
void add_device(Table& table, Common& common);  ///< --device and --dtype
void add_shard(Table& table, Common& common);
void add_on_error(Table& table, Common& common);
void add_dry_run(Table& table, Common& common);

/// What a running tool gets.
struct Context {
  Logger& log;
  const StopFlag& stop;
  io::RunRecord& record;
};

/// Adds the rows every tool has (help, version, config, set, dump-config, quiet, verbose,
/// log-format, log-every), parses, handles help/version/dump-config/generate, calls `run`, and
/// returns the process's exit status. \param common must be the object the table's rows point into
int run_main(const ToolInfo& info, Table table, Common& common, int argc, char** argv,
             const std::function<Exit(Context&)>& run);

/// Progress on stderr: a bar's line when stderr is a terminal, else one log line every `every`
/// seconds.
class Progress {
 public:
  /// \param total 0 when unknown
  Progress(Logger& log, std::string what, int64_t total, double every_s);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void advance(int64_t n = 1, const std::string& detail = {});

 private:
  Logger& log_;
  std::string what_;
  std::string detail_;
  int64_t total_;
  int64_t done_ = 0;
  double every_s_;
  double begin_s_;
  double shown_s_;
  bool terminal_;
};

}  // namespace unirg::cli
