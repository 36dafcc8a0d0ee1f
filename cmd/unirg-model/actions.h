// What unirg-model does, one function an action. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.h"
#include "cli/run_main.h"
#include "options.h"

namespace unirg {

Exit init_model(ModelToolOptions& options, cli::Context& context);
Exit print_info(const ModelToolOptions& options);
Exit verify_model(const ModelToolOptions& options);
Exit compare_models(const ModelToolOptions& options);
Exit merge_adapter(const ModelToolOptions& options, cli::Context& context);
Exit convert_model(const ModelToolOptions& options, cli::Context& context);
Exit answer_request(const ModelToolOptions& options, cli::Context& context);
Exit tokenize_lines(const ModelToolOptions& options);

}  // namespace unirg
