// A library that may crash or hang on a damaged file, in a process of its own. Internal to this
// module. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "base/result.h"

namespace unirg::image::internal {

/// Runs `work` in a child process (fork) that writes nothing to standard error, has no other open
/// file than `kept`, leaves no core, lives `seconds` at most and no longer than this process, and
/// `meanwhile` in this one; then waits. The library must not have been used in this process: a lock
/// that another thread held at the fork would never be free.
/// \param whom  in reasons, e.g. "OpenSlide"
/// \param kept  a file descriptor, -1: none
/// \param work  ends with the child's exit status, 0 .. 255; what it throws is a crash
/// \returns that status. Reasons: it crashed; it hung
/// \throws Error(Exit::unavailable) if no process can be started
Result<int> in_child(
    const std::string& whom, unsigned seconds, const std::function<int()>& work, int kept = -1,
    const std::function<void()>& meanwhile = [] {});

}  // namespace unirg::image::internal
