// SIGTERM, SIGINT and SIGUSR1 ask a tool to stop: it finishes the unit in hand, saves, and
// exits 75. A second signal, later than a burst of copies of the first, ends the process at once: a
// scheduler signals every process of a job, and those that wait for the tool pass it on again. The
// handler only sets a flag (CERT SIG30-C); every loop asks requested().
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace unirg::cli {

/// Installs the handlers; one per process, made by run_main.
class StopFlag {
 public:
  StopFlag();
  [[nodiscard]] bool requested() const;
};

}  // namespace unirg::cli
