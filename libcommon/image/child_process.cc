// SPDX-License-Identifier: Apache-2.0
#include "image/child_process.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "base/error.h"

namespace unirg::image::internal {
namespace {

void make_quiet_and_limited(unsigned seconds) {
  const int null = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (null >= 0) ::dup2(null, STDERR_FILENO);
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::alarm(seconds);
}

/// noexcept: an exception must not unwind into the copy of what this process was doing.
[[noreturn]] void be_the_child(unsigned seconds, const std::function<int()>& work) noexcept {
  make_quiet_and_limited(seconds);
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
                     const std::function<void()>& meanwhile) {
  const pid_t child = ::fork();
  if (child < 0) throw Error(Exit::unavailable, "cannot start a process for " + whom);
  if (child == 0) be_the_child(seconds, work);
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
