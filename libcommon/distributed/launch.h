// How a process learns that a launcher started it as one of several, without starting MPI: a plain
// call must cost nothing. Depends on nothing. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

namespace unirg::distributed {

/// Reads an environment variable, as std::getenv does; nullptr if it is not set.
using Environment = std::function<const char*(const char*)>;

/// True under Open MPI's mpirun with more than one process, and under srun --mpi=pmix with more
/// than one task. \throws Error(Exit::config) if srun or another MPI's launcher started several
/// tasks that cannot find each other: each would do the whole work
bool is_one_of_several(const Environment& environment);

/// Which of a node's processes this is, from 0 on: the number of its GPU. 0 where no launcher
/// tells.
int local_rank(const Environment& environment);

}  // namespace unirg::distributed
