// Templates, lists in cells, and rows as the rules of a layout see them.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "data/dataset_layout.h"
#include "io/jsonl.h"
#include "text/chat.h"

namespace unirg::data {
namespace {

int number(std::string_view text, const std::string& where) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value == 0)
    throw Error(Exit::config, fmt::format("{}: bad number '{}' in a template", where, text));
  return value;
}

/// "a", "a?", "a:2", "a/-2".
Template::Part parse_column(std::string_view text, const std::string& where) {
  Template::Part part;
  if (const size_t at = text.rfind(':'); at != std::string_view::npos) {
    part.first = number(text.substr(at + 1), where);
    if (part.first < 0) throw Error(Exit::config, where + ": a length is above 0");
    text = text.substr(0, at);
  } else if (const size_t slash = text.rfind('/'); slash != std::string_view::npos) {
    part.component = number(text.substr(slash + 1), where);
    text = text.substr(0, slash);
  }
  if (text.ends_with('?')) {
    part.optional = true;
    text.remove_suffix(1);
  }
  if (text.empty()) throw Error(Exit::config, where + ": a template names no column");
  part.column = text;
  return part;
}

std::string cut(std::string value, const Template::Part& part) {
  if (part.first > 0) return value.substr(0, static_cast<size_t>(part.first));
  if (part.component == 0) return value;
  std::vector<std::string> parts;
  for (size_t begin = 0; begin <= value.size();) {
    const size_t end = std::min(value.find('/', begin), value.size());
    parts.push_back(value.substr(begin, end - begin));
    begin = end + 1;
  }
  const int n = static_cast<int>(parts.size());
  const int at = part.component > 0 ? part.component - 1 : n + part.component;
  return at >= 0 && at < n ? parts[static_cast<size_t>(at)] : "";
}

/// One item of a list, quoted as JSON or Python do, or bare; `at` moves behind it.
std::string list_item(std::string_view text, size_t& at) {
  std::string item;
  if (text[at] != '\'' && text[at] != '"') {
    while (at < text.size() && text[at] != ',' && text[at] != ']') item += text[at++];
    item = text::collapse_space(item);
    return item == "None" || item == "null" || item == "nan" ? "" : item;
  }
  const char quote = text[at++];
  while (at < text.size() && text[at] != quote) {
    if (text[at] == '\\' && at + 1 < text.size()) ++at;
    item += text[at++];
  }
  ++at;
  return item;
}

bool is_list(std::string_view cell) { return cell.starts_with('[') && cell.ends_with(']'); }

}  // namespace

Template parse_template(const std::string& text, const std::string& where) {
  Template out;
  if (text.find_first_of("{}") == std::string::npos) {
    out.parts.push_back(parse_column(text, where));
    return out;
  }
  size_t at = 0;
  while (at < text.size()) {
    const size_t open = text.find('{', at);
    const size_t close = text.find('}', at);
    if (open == std::string::npos && close == std::string::npos) {
      out.parts.push_back({text.substr(at), "", 0, 0, false});
      break;
    }
    if (close == std::string::npos || open == std::string::npos || close < open)
      throw Error(Exit::config, fmt::format("{}: unbalanced braces in '{}'", where, text));
    out.parts.push_back(
        parse_column(std::string_view(text).substr(open + 1, close - open - 1), where));
    out.parts.back().literal = text.substr(at, open - at);
    at = close + 1;
  }
  return out;
}

std::vector<std::string> list_items(std::string_view cell) {
  if (cell.empty()) return {};
  if (!is_list(cell)) return {std::string(cell)};
  std::vector<std::string> items;
  if (const auto json = io::Json::parse(cell, nullptr, false); json.is_array()) {
    for (const auto& item : json)
      items.push_back(item.is_string() ? item.get<std::string>()
                      : item.is_null() ? ""
                                       : item.dump());
    return items;
  }
  const std::string_view text = cell.substr(0, cell.size() - 1);
  size_t at = 1;
  while (true) {
    while (at < text.size() && (text[at] == ' ' || text[at] == '\n' || text[at] == '\t')) ++at;
    if (at >= text.size()) return items;
    items.push_back(list_item(text, at));
    while (at < text.size() && text[at] != ',') ++at;
    ++at;
  }
}

std::optional<std::string> RowView::cell(const std::string& column) const {
  const auto it = row_.cells.find(column);
  if (it == row_.cells.end()) return std::nullopt;
  const size_t begin = it->second.find_first_not_of(" \t\r\n");
  if (begin == std::string::npos) return std::nullopt;
  std::string text = it->second.substr(begin, it->second.find_last_not_of(" \t\r\n") - begin + 1);
  if (layout_.nothing.contains(text)) return std::nullopt;
  return text;
}

std::optional<std::string> RowView::expand(const Template& text, int item) const {
  std::string out;
  for (const Template::Part& part : text.parts) {
    out += part.literal;
    if (part.column.empty()) continue;
    std::optional<std::string> value = cell(part.column);
    if (value && item >= 0 && is_list(*value)) {
      const std::vector<std::string> items = list_items(*value);
      const bool there = static_cast<size_t>(item) < items.size();
      const std::string one = there ? items[static_cast<size_t>(item)] : "";
      value = one.empty() || layout_.nothing.contains(one) ? std::nullopt : std::optional(one);
    }
    if (value) value = cut(std::move(*value), part);
    if (!value || value->empty()) return std::nullopt;
    out += *value;
  }
  return out;
}

std::optional<std::string> RowView::value(const FieldRule& rule, int item) const {
  if (rule.constant) return rule.constant;
  for (const Template& text : rule.first_of) {
    if (auto found = expand(text, item)) return found;
  }
  return std::nullopt;
}

int RowView::items(const Template& text) const {
  size_t count = 0;
  bool is_listed = false;
  for (const Template::Part& part : text.parts) {
    const auto value = part.column.empty() ? std::nullopt : cell(part.column);
    if (!value || !is_list(*value)) continue;
    is_listed = true;
    count = std::max(count, list_items(*value).size());
  }
  return is_listed ? static_cast<int>(count) : 1;
}

}  // namespace unirg::data
