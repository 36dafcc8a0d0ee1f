// The one option table of a tool. From it come the parser, --help, the OPTIONS section of the man
// page, the shell completion, the YAML keys and --dump-config, so that they cannot disagree.
// Depends on io (JSON) and base. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/error.h"
#include "io/jsonl.h"

namespace unirg::cli {

using io::Json;
using Weights =
    std::vector<std::pair<std::string, double>>;  ///< "a=0.5,b=1" or a YAML map, order kept

/// Where a value goes. The value found there when the table is made is the default.
using Target =
    std::variant<bool*, int64_t*, double*, std::string*, std::filesystem::path*,
                 std::optional<int64_t>*, std::optional<double>*, std::optional<std::string>*,
                 std::vector<std::string>*, std::vector<std::filesystem::path>*, Weights*>;

/// One row of the table.
struct Option {
  std::string name;  ///< kebab-case; the same word on the command line, in YAML and in the man page
  Target target;
  std::string metavar = {};  ///< "FILE", "N", ...; "NAME,...": a list that commas may separate
  std::string help = {};     ///< at least one sentence; units named
  char letter = 0;           ///< one-letter form, 0 for none
  double min = -std::numeric_limits<double>::infinity();  ///< numbers only
  double max = std::numeric_limits<double>::infinity();
  std::vector<std::string> choices = {};  ///< strings only; empty: any
  bool required = false;
  bool positional = false;        ///< takes the arguments without a flag (last row only)
  std::string group = "Options";  ///< heading in help and man page
};

/// Prose of a tool, for --help, the man page check and error messages.
struct ToolInfo {
  std::string name;      ///< "unirg-reward"
  std::string summary;   ///< one line
  std::string synopsis;  ///< without the tool's name, e.g. "[options] ROLLOUTS"
  std::string example;   ///< one command line
};

using Table = std::vector<Option>;

/// Adds rows behind those of a table.
inline void append(Table& table, const Table& rows) {
  table.insert(table.end(), rows.begin(), rows.end());
}

/// Whether parse() insists on required options; --help and its kin are answered without them.
enum class Required { must_be_there, may_miss };

/// Parses argv and the YAML files it names (-c/--config, repeatable, later wins; then --set
/// KEY=VALUE; then flags) into the targets. \throws Error(Exit::usage) for an unknown flag or a bad
/// value, Error(Exit::config) for YAML: "FILE:LINE: unknown
///         key 'x' (hint: did you mean 'y'?)"
class OptionParser {
 public:
  OptionParser(ToolInfo info, Table table);
  void parse(const std::vector<std::string>& arguments,
             Required required = Required::must_be_there);

  /// The merged configuration: every option with its value, in table order; null where unset.
  [[nodiscard]] Json config() const;
  [[nodiscard]] std::string config_yaml() const;
  [[nodiscard]] std::string help_text() const;
  /// mdoc(7) list of all options, for man pages.
  [[nodiscard]] std::string man_options() const;
  [[nodiscard]] std::string bash_completion() const;
  [[nodiscard]] const Table& table() const { return table_; }
  [[nodiscard]] const ToolInfo& info() const { return info_; }

 private:
  void load_yaml(const std::string& file);
  void apply_set(const std::string& assignment);
  void check_required() const;
  Option& find(const std::string& name, const std::string& where, Exit exit);

  ToolInfo info_;
  Table table_;
  std::map<std::string, bool> given_;
};

}  // namespace unirg::cli
