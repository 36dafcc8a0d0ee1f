// How the ranks of a run share what they hold (data parallel, ZeRO: Rajbhandari et al.,
// arXiv:1910.02054). SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "cli/options.h"

namespace unirg::train {

struct RankOptions {
  int64_t zero = 2;  ///< stage
};

/// Adds zero; what it points to must outlive the table.
void add_rank_options(cli::Table& table, RankOptions& options);

}  // namespace unirg::train
