// The page of unirg-eval: score records, pictures and curves put together.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "evaluation/comparison.h"
#include "io/run_record.h"
#include "options.h"

namespace unirg {

/// Writes options.html.
void write_report(const EvalToolOptions& options, const std::vector<evaluation::Score>& scores,
                  const evaluation::Comparison& comparison,
                  const std::map<std::string, std::string>& signatures, io::RunRecord& record);

}  // namespace unirg
