// Options of unirg-ingest. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "cli/run_main.h"
#include "data/ingest.h"

namespace unirg {

struct IngestToolOptions {
  cli::Common common;
  data::IngestOptions ingest;
  cli::Weights splits{{"train", 0.8}, {"validate", 0.1}, {"test", 0.1}};
  std::optional<int64_t> max_rejected;
};

cli::Table ingest_table(IngestToolOptions& options);

}  // namespace unirg
