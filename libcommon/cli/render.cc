// SPDX-License-Identifier: Apache-2.0
#include "cli/render.h"

#include <fmt/format.h>

#include <cmath>

#include "cli/overload.h"

namespace unirg::cli {
namespace {

constexpr size_t kWidth = 80;
constexpr size_t kIndent = 6;

/// Breaks text between words: the first line is indented by `first`, the others by `rest`; `broken`
/// ends each line but the last.
std::string wrap(const std::string& text, size_t first, size_t rest,
                 const std::string& broken = "") {
  std::string out(first, ' ');
  size_t column = first;
  bool line_begins = true;
  size_t begin = 0;
  while (begin < text.size()) {
    const size_t end = std::min(text.find(' ', begin), text.size());
    const size_t length = end - begin;
    if (!line_begins && column + 1 + length + broken.size() > kWidth) {
      out += broken + "\n" + std::string(rest, ' ');
      column = rest;
    } else if (!line_begins) {
      out += ' ';
      ++column;
    }
    line_begins = false;
    out.append(text, begin, length);
    column += length;
    begin = end + 1;
  }
  return out + "\n";
}

/// The default as one would type it; "" if there is none worth telling.
std::string default_text(const Option& option) {
  if (is_switch(option) || is_meta(option)) return "";
  const Json value = value_json(option);
  if (value.is_null()) return "";
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_structured()) return value.dump();
  std::string text;
  for (const auto& [key, item] : value.items()) {
    const std::string word = item.is_string() ? item.get<std::string>() : item.dump();
    text += (text.empty() ? "" : ",") + (value.is_object() ? key + "=" + word : word);
  }
  return text;
}

/// Sentences that the table itself knows: range, choices, default.
std::string facts(const Option& option) {
  std::string text;
  if (std::isfinite(option.min) || std::isfinite(option.max))
    text += fmt::format(" Expects {}.", range_text(option));
  if (!option.choices.empty()) text += fmt::format(" One of: {}.", fmt::join(option.choices, ", "));
  if (const std::string value = default_text(option); !value.empty())
    text += fmt::format(" Default: {}.", value);
  if (is_list(option) && !option.positional) text += " Repeatable.";
  if (option.required) text += " Required.";
  return text;
}

std::string flag_text(const Option& option) {
  if (option.positional) return option.metavar;
  std::string text = option.letter ? fmt::format("-{}, --{}", option.letter, option.name)
                                   : fmt::format("--{}", option.name);
  if (!is_switch(option)) text += " " + option.metavar;
  return text;
}

/// As mdoc(7) wants text: each sentence on a line of its own, no line that begins with '.' or a
/// quote, no bare backslash.
std::string mdoc_escape(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool line_begins = out.empty() || out.back() == '\n';
    if (line_begins && (text[i] == '.' || text[i] == '\'')) out += "\\&";
    const bool sentence_ends = text[i] == ' ' && i > 0 && text[i - 1] == '.' &&
                               i + 1 < text.size() && text[i + 1] >= 'A' && text[i + 1] <= 'Z';
    if (text[i] == '\\')
      out += "\\e";
    else
      out += sentence_ends ? '\n' : text[i];
  }
  return out;
}

std::vector<std::string> groups_of(const Table& table) {
  std::vector<std::string> groups;
  for (const Option& option : table) {
    if (std::find(groups.begin(), groups.end(), option.group) == groups.end())
      groups.push_back(option.group);
  }
  return groups;
}

}  // namespace

bool is_switch(const Option& option) { return std::holds_alternative<bool*>(option.target); }

bool is_list(const Option& option) {
  return std::holds_alternative<std::vector<std::string>*>(option.target) ||
         std::holds_alternative<std::vector<std::filesystem::path>*>(option.target);
}

bool is_meta(const Option& option) { return option.group == "About"; }

std::string range_text(const Option& option) {
  if (std::isfinite(option.min) && std::isfinite(option.max))
    return fmt::format("a number from {} to {}", option.min, option.max);
  if (std::isfinite(option.min)) return fmt::format("a number of at least {}", option.min);
  return fmt::format("a number of at most {}", option.max);
}

Json value_json(const Option& option) {
  const auto optional = [](const auto& value) { return value ? Json(*value) : Json(nullptr); };
  // A required option has no default: as long as it is empty, it is unset.
  const auto text = [&](std::string value) {
    return option.required && value.empty() ? Json(nullptr) : Json(std::move(value));
  };
  return std::visit(Overload{[&](std::optional<int64_t>* v) { return optional(*v); },
                             [&](std::optional<double>* v) { return optional(*v); },
                             [&](std::optional<std::string>* v) { return optional(*v); },
                             [&](std::string* v) { return text(*v); },
                             [&](std::filesystem::path* v) { return text(v->string()); },
                             [](std::vector<std::filesystem::path>* v) {
                               Json list = Json::array();
                               for (const auto& path : *v) list.push_back(path.string());
                               return list;
                             },
                             [](Weights* v) {
                               Json map = Json::object();
                               for (const auto& [name, weight] : *v) map[name] = weight;
                               return map;
                             },
                             [](auto* v) { return Json(*v); }},
                    option.target);
}

std::string render_help(const ToolInfo& info, const Table& table) {
  std::string text = wrap(fmt::format("usage: {} {}", info.name, info.synopsis), 0, kIndent) +
                     "\n" + wrap(info.summary, 0, 0);
  for (const std::string& group : groups_of(table)) {
    text += fmt::format("\n{}:\n", group);
    for (const Option& option : table) {
      if (option.group == group)
        text +=
            "  " + flag_text(option) + "\n" + wrap(option.help + facts(option), kIndent, kIndent);
    }
  }
  text += "\nExample:\n" + wrap(info.example, 2, kIndent, " \\");
  text += fmt::format(
      "\nExit status: 0 done, 64 usage, 65 bad data, 66 no input, 69 unavailable,\n70 our bug, "
      "73 cannot create output, 74 I/O error, 75 stopped (run again),\n78 bad configuration. See "
      "man {}.\n",
      info.name);
  return text;
}

std::string render_man_options(const Table& table) {
  std::string text;
  for (const std::string& group : groups_of(table)) {
    text += fmt::format(".Ss {}\n.Bl -tag -width Ds\n", group);
    for (const Option& option : table) {
      if (option.group != group) continue;
      text += ".It ";
      if (option.positional) {
        text += "Ar " + option.metavar;
      } else {
        if (option.letter) text += fmt::format("Fl {} , ", option.letter);
        text += "Fl Fl " + option.name;
        if (!is_switch(option)) text += " Ar " + option.metavar;
      }
      text += "\n" + mdoc_escape(option.help + facts(option)) + "\n";
    }
    text += ".El\n";
  }
  return text;
}

std::string render_bash_completion(const ToolInfo& info, const Table& table) {
  std::string flags;
  std::string cases;
  for (const Option& option : table) {
    if (option.positional) continue;
    flags += fmt::format("--{} ", option.name);
    if (!option.choices.empty()) {
      cases += fmt::format("    --{}) COMPREPLY=($(compgen -W '{}' -- \"$current\")); return ;;\n",
                           option.name, fmt::join(option.choices, " "));
    }
  }
  std::string function = info.name;
  std::replace(function.begin(), function.end(), '-', '_');
  return fmt::format(
      "# bash completion for {0}, generated from its option table\n"
      "_{1}() {{\n"
      "  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}}\n"
      "  case $previous in\n{2}  esac\n"
      "  if [[ $current == -* ]]; then COMPREPLY=($(compgen -W '{3}' -- \"$current\")); else "
      "COMPREPLY=($(compgen -f -- \"$current\")); fi\n"
      "}}\n"
      "complete -o filenames -F _{1} {0}\n",
      info.name, function, cases, flags);
}

}  // namespace unirg::cli
