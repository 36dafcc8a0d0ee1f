// SPDX-License-Identifier: Apache-2.0
#include "cli/run_main.h"

#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <new>

#include "base/version.h"

namespace unirg::cli {
namespace {

constexpr const char* kAbout = "About";
constexpr const char* kResources = "Resources";

double now_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Cores this process may run on: a scheduler's allocation shows as the affinity mask.
int64_t allowed_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return std::max(1, CPU_COUNT(&set));
}

void add_about(Table& table, Common& common) {
  table.push_back({.name = "config",
                   .target = &common.config,
                   .metavar = "FILE",
                   .help = "YAML file that gives any option of this tool by its long name; later "
                           "files win, flags win over files.",
                   .letter = 'c',
                   .group = kAbout});
  table.push_back(
      {.name = "set",
       .target = &common.set,
       .metavar = "KEY=VALUE",
       .help = "Overrides one configuration key, or one entry of a map with KEY.ENTRY=VALUE.",
       .group = kAbout});
  table.push_back(
      {.name = "dump-config",
       .target = &common.dump_config,
       .help = "Prints the merged configuration as YAML, itself a valid --config file, and stops.",
       .group = kAbout});
  table.push_back({.name = "quiet",
                   .target = &common.quiet,
                   .help = "Logs errors only.",
                   .letter = 'q',
                   .group = kAbout});
  table.push_back({.name = "verbose",
                   .target = &common.verbose,
                   .help = "Logs debugging detail too.",
                   .letter = 'v',
                   .group = kAbout});
  table.push_back({.name = "log-format",
                   .target = &common.log_format,
                   .metavar = "FORMAT",
                   .help = "Form of log lines on standard error.",
                   .choices = {"text", "json"},
                   .group = kAbout});
  table.push_back({.name = "log-every",
                   .target = &common.log_every,
                   .metavar = "SECONDS",
                   .help = "Time between progress lines when standard error is no terminal.",
                   .min = 0,
                   .group = kAbout});
  table.push_back({.name = "generate",
                   .target = &common.generate,
                   .metavar = "WHAT",
                   .help = "Prints documentation made from the option table, and stops.",
                   .choices = {"", "man-options", "bash-completion", "synopsis"},
                   .group = kAbout});
  table.push_back({.name = "help",
                   .target = &common.help,
                   .help = "Prints this help and stops.",
                   .letter = 'h',
                   .group = kAbout});
  table.push_back({.name = "version",
                   .target = &common.version,
                   .help = "Prints version, commit, compiler and library versions, and stops.",
                   .group = kAbout});
}

std::string version_text(const std::string& name) {
  const BuildInfo& build = build_info();
  return fmt::format("{} {} ({})\ncompiler {} {}, LibTorch {}, DCMTK {}, GDCM {}\n", name,
                     build.version, build.commit, build.compiler, build.build_type, build.libtorch,
                     build.dcmtk, build.gdcm);
}

void print(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) {
    throw Error(Exit::io, fmt::format("cannot write standard output: {}", std::strerror(errno)));
  }
}

/// The last thing a tool does: a full disk behind standard output must not pass for success.
void close_stdout() {
  const bool failed = std::ferror(stdout) != 0;
  if (std::fclose(stdout) != 0 || failed)
    throw Error(Exit::io, fmt::format("cannot write standard output: {}", std::strerror(errno)));
}

/// True if help, version or another question about the tool was answered.
bool answer_about(const OptionParser& parser, const Common& common) {
  if (common.help)
    print(parser.help_text());
  else if (common.version)
    print(version_text(parser.info().name));
  else if (common.generate == "man-options")
    print(parser.man_options());
  else if (common.generate == "bash-completion")
    print(parser.bash_completion());
  else if (common.generate == "synopsis")
    print(parser.info().synopsis + "\n");
  else if (common.dump_config)
    print(parser.config_yaml());
  else
    return false;
  return true;
}

/// --help and its kin are answered even when required options are missing.
bool asks_about(const std::vector<std::string>& arguments) {
  return std::any_of(arguments.begin(), arguments.end(), [](const std::string& a) {
    return a == "-h" || a == "--help" || a == "--version" || a == "--dump-config" ||
           a.starts_with("--generate");
  });
}

LogLevel level_of(const Common& common) {
  if (common.quiet) return LogLevel::error;
  return common.verbose ? LogLevel::debug : LogLevel::info;
}

Exit run_parsed(const OptionParser& parser, Common& common, Logger& log,
                std::vector<std::string> command_line, const std::function<Exit(Context&)>& run) {
  if (common.threads == 0) common.threads = allowed_cores();
  const StopFlag stop;
  io::RunRecord record(parser.info().name, std::move(command_line), parser.config());
  Context context{log, stop, record};
  const double begin = now_s();
  const Exit exit = run(context);
  log.info("{}, {:.1f} s",
           exit == Exit::interrupted ? "stopped (run the same command again to go on)" : "done",
           now_s() - begin);
  return exit;
}

}  // namespace

void add_seed(Table& table, Common& common) {
  table.push_back({.name = "seed",
                   .target = &common.seed,
                   .metavar = "N",
                   .help = "Seed of every random number; the same seed gives the same bytes.",
                   .min = 0});
}
void add_threads(Table& table, Common& common) {
  table.push_back({.name = "threads",
                   .target = &common.threads,
                   .metavar = "N",
                   .help = "Worker threads; 0 takes the cores allowed to this process. The output "
                           "does not depend on it.",
                   .min = 0,
                   .max = 4096,
                   .group = kResources});
}
void add_device(Table& table, Common& common) {
  table.push_back({.name = "device",
                   .target = &common.device,
                   .metavar = "DEVICE",
                   .help = "Where tensors live: auto, cpu, cuda or cuda:N.",
                   .group = kResources});
  table.push_back({.name = "dtype",
                   .target = &common.dtype,
                   .metavar = "DTYPE",
                   .help = "Type in which weights are held; auto: as the checkpoint stores them.",
                   .choices = {"float32", "bfloat16", "auto"},
                   .group = kResources});
}
void add_shard(Table& table, Common& common) {
  table.push_back(
      {.name = "shard",
       .target = &common.shard,
       .metavar = "I/N",
       .help =
           "Takes every N-th record, beginning with record I (from 0): one task of a job array.",
       .group = kResources});
}
void add_on_error(Table& table, Common& common) {
  table.push_back({.name = "on-error",
                   .target = &common.on_error,
                   .metavar = "ACTION",
                   .help = "What a bad record does: stop the tool (65), or be moved to "
                           "OUTPUT.rejected.jsonl with its reason.",
                   .choices = {"stop", "skip"}});
}
void add_dry_run(Table& table, Common& common) {
  table.push_back(
      {.name = "dry-run",
       .target = &common.dry_run,
       .help = "Checks inputs, prints the plan (records, memory, arithmetic) and writes nothing.",
       .group = kResources});
}

int run_main(const ToolInfo& info, Table table, Common& common, int argc, char** argv,
             const std::function<Exit(Context&)>& run) {
  Logger log(info.name);
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const auto fail = [&](Exit exit, const std::string& message) {
    log.error("{}", message);
    if (exit == Exit::usage) std::fprintf(stderr, "try '%s --help'\n", info.name.c_str());
    return exit;
  };
  Exit exit = Exit::ok;
  try {
    // Positional rows must come last in the command line's view of the table; About rows sit before
    // them in help.
    Table about;
    add_about(about, common);
    table.insert(table.end(), about.begin(), about.end());
    OptionParser parser(info, std::move(table));
    parser.parse(arguments, asks_about(arguments) ? Required::may_miss : Required::must_be_there);
    log.set(level_of(common), common.log_format == "json" ? LogFormat::json : LogFormat::text);
    if (!answer_about(parser, common))
      exit = run_parsed(parser, common, log, {argv, argv + argc}, run);
  } catch (const BrokenPipe&) {
    std::signal(SIGPIPE, SIG_DFL);
    std::raise(SIGPIPE);
  } catch (const Error& e) {
    exit = fail(e.exit(), e.what());
  } catch (const std::filesystem::filesystem_error& e) {
    exit = fail(Exit::io, fmt::format("'{}': {}", e.path1().string(), e.code().message()));
  } catch (const std::bad_alloc&) {
    exit = fail(Exit::internal, "out of memory");
  } catch (const std::exception& e) {
    const std::string what = e.what();  // LibTorch's go on with a stack trace
    exit = fail(Exit::internal, fmt::format("internal error: {}", what.substr(0, what.find('\n'))));
  }
  try {
    close_stdout();
  } catch (const Error& e) {
    if (exit == Exit::ok) exit = fail(e.exit(), e.what());
  }
  return static_cast<int>(exit);
}

Progress::Progress(Logger& log, std::string what, int64_t total, double every_s)
    : log_(log),
      what_(std::move(what)),
      total_(total),
      every_s_(every_s),
      begin_s_(now_s()),
      shown_s_(begin_s_),
      terminal_(::isatty(STDERR_FILENO) == 1 && log.shows(LogLevel::info)) {}

Progress::~Progress() {
  if (terminal_ && done_ > 0) std::fputs("\r\033[K", stderr);
}

void Progress::advance(int64_t n, const std::string& detail) {
  done_ += n;
  detail_ = detail;
  const double now = now_s();
  if (now - shown_s_ < (terminal_ ? 0.2 : every_s_)) return;
  shown_s_ = now;
  const double rate = static_cast<double>(done_) / std::max(1e-9, now - begin_s_);
  std::string line = total_ > 0
                         ? fmt::format("{} {}/{}, {:.1f}/s, {:.0f} s left", what_, done_, total_,
                                       rate, static_cast<double>(total_ - done_) / rate)
                         : fmt::format("{} {}, {:.1f}/s", what_, done_, rate);
  if (!detail_.empty()) line += ", " + detail_;
  if (terminal_)
    std::fprintf(stderr, "\r\033[K%s: %s", log_.program().c_str(), line.c_str());
  else
    log_.info("{}", line);
}

}  // namespace unirg::cli
