// Errors that end a run, with the exit status they end it with. Depends on nothing.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace unirg {

/// Exit statuses of every tool, after sysexits.h. Listed in every man page.
enum class Exit : int {
  ok = 0,
  differ = 1,          ///< a comparison found a difference, as diff(1) and cmp(1) say it
  usage = 64,          ///< bad command line
  data = 65,           ///< a record or file has bad content
  no_input = 66,       ///< an input does not exist or cannot be opened
  unavailable = 69,    ///< a device or service (judge) is not there
  internal = 70,       ///< our bug
  cannot_create = 73,  ///< an output cannot be created
  io = 74,             ///< read or write failed part-way, e.g. full disk
  interrupted = 75,  ///< stopped by a signal or time limit after saving; run the same command again
  config = 78,       ///< bad configuration file or value
};

/// The run cannot go on. Thrown anywhere, caught once, in cli::run_main.
/// Messages: lower case, no full stop, problem first, subject in single quotes, then "(hint: ...)".
class Error : public std::runtime_error {
 public:
  Error(Exit exit, const std::string& message) : std::runtime_error(message), exit_(exit) {}
  [[nodiscard]] Exit exit() const noexcept { return exit_; }

 private:
  Exit exit_;
};

/// Whoever read our standard output has gone (head, less): the run ends without a word, as if by
/// SIGPIPE.
class BrokenPipe : public Error {
 public:
  BrokenPipe() : Error(Exit::io, "standard output was closed by its reader") {}
};

/// Throws std::logic_error with file and line: for broken invariants of ours, never for user input.
[[noreturn]] void assertion_failed(const char* condition, const char* what, const char* file,
                                   int line);

/// The known name nearest to `given` by edit distance (at most 3, and less than its length), or "".
std::string nearest_name(std::string_view given, const std::vector<std::string>& known);

}  // namespace unirg

#define UNIRG_ASSERT(condition, what) \
  ((condition) ? static_cast<void>(0) \
               : ::unirg::assertion_failed(#condition, what, __FILE__, __LINE__))
