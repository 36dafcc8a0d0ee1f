// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <cstdio>
#include <nlohmann/json.hpp>

namespace unirg {
namespace {

std::string_view name_of(LogLevel level) {
  switch (level) {
    case LogLevel::error:
      return "error";
    case LogLevel::warning:
      return "warning";
    case LogLevel::info:
      return "info";
    case LogLevel::debug:
      return "debug";
  }
  return "";
}

}  // namespace

void Logger::write(LogLevel level, std::string_view message) {
  if (!shows(level)) return;
  std::string line;
  if (format_ == LogFormat::json) {
    const nlohmann::ordered_json object = {
        {"program", program_}, {"level", name_of(level)}, {"message", message}};
    line = object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  } else if (level == LogLevel::info) {
    line = fmt::format("{}: {}\n", program_, message);
  } else {
    line = fmt::format("{}: {}: {}\n", program_, name_of(level), message);
  }
  const std::lock_guard lock(mutex_);
  std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace unirg
