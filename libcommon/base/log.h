// One line to stderr per message: "unirg-sft: warning: text", or a JSON object a line. Thread-safe.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace unirg {

enum class LogLevel { error, warning, info, debug };
enum class LogFormat { text, json };

class Logger {
 public:
  explicit Logger(std::string program, LogLevel level = LogLevel::info,
                  LogFormat format = LogFormat::text)
      : program_(std::move(program)), level_(level), format_(format) {}

  void set(LogLevel level, LogFormat format) {
    level_ = level;
    format_ = format;
  }
  [[nodiscard]] const std::string& program() const { return program_; }
  [[nodiscard]] bool shows(LogLevel level) const { return level <= level_; }
  void write(LogLevel level, std::string_view message);

  template <typename... Args>
  void error(fmt::format_string<Args...> f, Args&&... args) {
    write(LogLevel::error, fmt::format(f, std::forward<Args>(args)...));
  }
  template <typename... Args>
  void warning(fmt::format_string<Args...> f, Args&&... args) {
    write(LogLevel::warning, fmt::format(f, std::forward<Args>(args)...));
  }
  template <typename... Args>
  void info(fmt::format_string<Args...> f, Args&&... args) {
    write(LogLevel::info, fmt::format(f, std::forward<Args>(args)...));
  }
  template <typename... Args>
  void debug(fmt::format_string<Args...> f, Args&&... args) {
    write(LogLevel::debug, fmt::format(f, std::forward<Args>(args)...));
  }

 private:
  std::string program_;
  LogLevel level_;
  LogFormat format_;
  std::mutex mutex_;
};

}  // namespace unirg
