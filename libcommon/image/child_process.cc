// SPDX-License-Identifier: Apache-2.0
#include "image/child_process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "base/error.h"

namespace unirg::image::internal {
namespace {

/// Children that other threads start meanwhile have copies of each other's pipes, too: a reader
/// would wait for the end of all of them.
void close_files_but(int kept) {
  const auto first = static_cast<unsigned>(STDERR_FILENO + 1);
  const auto from = static_cast<unsigned>(kept) + 1;
  if (kept > STDERR_FILENO + 1) ::close_range(first, static_cast<unsigned>(kept) - 1, 0);
  ::close_range(kept > STDERR_FILENO ? from : first, ~0U, 0);
}

void limit_life(unsigned seconds, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(EXIT_FAILURE);  // it has gone already
  // A launcher may leave signals ignored or blocked.
  std::signal(SIGALRM, SIG_DFL);
  sigset_t alarm_alone;
  sigemptyset(&alarm_alone);
  sigaddset(&alarm_alone, SIGALRM);
  ::sigprocmask(SIG_UNBLOCK, &alarm_alone, nullptr);
  ::alarm(seconds);
}

void be_quiet() {
  const int null = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (null >= 0) ::dup2(null, STDERR_FILENO);
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
}

/// noexcept: an exception must not unwind into the copy of what this process was doing.
[[noreturn]] void be_the_child(unsigned seconds, pid_t parent, int kept,
                               const std::function<int()>& work) noexcept {
  limit_life(seconds, parent);
  be_quiet();
  close_files_but(kept);
  ::_exit(work());
}

/// Its status.
int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) UNIRG_ASSERT(errno == EINTR, "the child is ours");
  return status;
}

}  // namespace

Result<int> in_child(const std::string& whom, unsigned seconds, const std::function<int()>& work,
                     int kept, const std::function<void()>& meanwhile) {
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) throw Error(Exit::unavailable, "cannot start a process for " + whom);
  if (child == 0) be_the_child(seconds, parent, kept, work);
  try {
    meanwhile();
  } catch (...) {
    ::kill(child, SIGKILL);
    wait_for(child);
    throw;
  }
  const int status = wait_for(child);
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) return bad_record(whom + " hung");
  if (!WIFEXITED(status)) return bad_record(whom + " crashed");
  return WEXITSTATUS(status);
}

}  // namespace unirg::image::internal
