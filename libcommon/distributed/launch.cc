// SPDX-License-Identifier: Apache-2.0
#include "distributed/launch.h"

#include <fmt/format.h>

#include <cstdlib>

#include "base/error.h"

namespace unirg::distributed {
namespace {

/// 0 where the variable is missing or no number.
long number(const Environment& environment, const char* name) {
  const char* const value = environment(name);
  return value == nullptr ? 0 : std::strtol(value, nullptr, 10);
}

}  // namespace

bool is_one_of_several(const Environment& environment) {
  if (environment("OMPI_COMM_WORLD_SIZE") != nullptr)
    return number(environment, "OMPI_COMM_WORLD_SIZE") > 1;
  const long tasks = number(environment, "SLURM_STEP_NUM_TASKS");  // of an srun, not of a batch job
  // PMIx tells the number of ranks only to those who call it; where Slurm is silent, MPI is asked.
  if (environment("PMIX_RANK") != nullptr) return tasks != 1;
  if (tasks > 1)
    throw Error(Exit::config,
                fmt::format("srun started {} tasks that cannot find each other (hint: srun "
                            "--mpi=pmix, or --ntasks=1)",
                            tasks));
  if (const long others = number(environment, "PMI_SIZE"); others > 1)
    throw Error(Exit::config,
                fmt::format("{} processes were started by the launcher of another MPI (hint: Open "
                            "MPI's mpirun, or srun --mpi=pmix)",
                            others));
  return false;
}

int local_rank(const Environment& environment) {
  for (const char* name : {"OMPI_COMM_WORLD_LOCAL_RANK", "SLURM_LOCALID"})
    if (environment(name) != nullptr) return static_cast<int>(number(environment, name));
  return 0;
}

}  // namespace unirg::distributed
