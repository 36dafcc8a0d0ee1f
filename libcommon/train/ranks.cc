// SPDX-License-Identifier: Apache-2.0
#include "train/ranks.h"

namespace unirg::train {

void add_rank_options(cli::Table& table, RankOptions& options) {
  const cli::Table rows{
      {.name = "zero",
       .target = &options.zero,
       .metavar = "STAGE",
       .help = "What the ranks of mpirun or srun share out: 0 nothing, 1 the optimiser's state, 2 "
               "gradients too, which are then added unit by unit: the bytes of one process.",
       .min = 0,
       .max = 2,
       .group = "Resources"},
  };
  table.insert(table.end(), rows.begin(), rows.end());
}

}  // namespace unirg::train
