// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <optional>

#include "actions.h"
#include "data/verify_folder.h"
#include "io/atomic_file.h"

namespace unirg {

Exit verify(const IngestToolOptions& o, cli::Context& context) {
  if (o.arguments.size() != 1) throw Error(Exit::usage, "verify takes one folder");
  const std::filesystem::path folder = o.arguments.front();
  std::optional<cli::Progress> progress;
  const data::FolderCheck check =
      data::verify_folder(folder, static_cast<int>(o.common.threads), [&](int64_t files) {
        if (!progress) progress.emplace(context.log, "file", files, o.common.log_every);
        progress->advance();
        return !context.stop.requested();
      });
  progress.reset();
  if (!check.whole) return Exit::interrupted;
  if (check.unrecorded > 0) {
    context.log.warning(
        "{} shards have no digest in the run record, which is of an older version: their pictures "
        "were checked, and nothing else in them",
        check.unrecorded);
  }
  io::AtomicFile out("-");
  for (const data::FolderProblem& problem : check.problems)
    out.write(fmt::format("{}: {}\n", problem.file, problem.what));
  if (check.problems.empty())
    out.write(fmt::format("{}: {} files and {} pictures are as recorded\n", folder.string(),
                          check.files, check.pictures));
  out.commit();
  if (check.problems.empty()) return Exit::ok;
  throw Error(Exit::data, fmt::format("'{}' is not what its run wrote: {} problems (hint: ingest "
                                      "again, or take it from a copy)",
                                      folder.string(), check.problems.size()));
}

}  // namespace unirg
