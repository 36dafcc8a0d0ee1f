// Options of unirg-model. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/run_main.h"
#include "model/config.h"
#include "model/parameters.h"
#include "policy/image_processor.h"

namespace unirg {

struct ModelToolOptions {
  cli::Common common;
  std::string action;
  std::vector<std::string> arguments;  ///< after the action
  std::filesystem::path model;
  std::filesystem::path output;
  bool list = false;
  int64_t max_shard_size = model::kShardBytes;
  std::filesystem::path studies;
  std::vector<std::string> splits{"train"};
  int64_t vocab_size = 1024;
  double init_std = 0.02;
  std::string mrope_section = "24,20,20";
  std::string deepstack = "8,16,24";
  double image_std = 0.5;
  model::ModelConfig config;
  policy::ImageProcessor processor;
};

cli::Table model_table(ModelToolOptions& options);

}  // namespace unirg
