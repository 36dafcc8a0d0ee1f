// SPDX-License-Identifier: Apache-2.0
#include "cli/options.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <boost/program_options.hpp>
#include <charconv>
#include <cmath>

#include "cli/overload.h"
#include "cli/render.h"
#include "io/atomic_file.h"

namespace unirg::cli {
namespace {

namespace po = boost::program_options;

std::string with_hint(const std::string& message, const std::string& nearest) {
  return nearest.empty() ? message : fmt::format("{} (hint: did you mean '{}'?)", message, nearest);
}

template <typename T>
T parse_number(const Option& option, const std::string& text, Exit exit) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) {
    const char* kind = std::is_same_v<T, int64_t> ? "a whole number" : "a number";
    throw Error(exit, fmt::format("bad value '{}' for '{}': expected {}", text, option.name, kind));
  }
  if (!(static_cast<double>(value) >= option.min && static_cast<double>(value) <= option.max)) {
    throw Error(exit, fmt::format("bad value '{}' for '{}': expected {}", text, option.name,
                                  range_text(option)));
  }
  return value;
}

Weights parse_weights(const Option& option, const std::string& text, Exit exit) {
  Weights weights;
  size_t begin = 0;
  while (begin < text.size()) {
    const size_t end = std::min(text.find(',', begin), text.size());
    const std::string item = text.substr(begin, end - begin);
    const size_t equals = item.find('=');
    if (equals == std::string::npos || equals == 0) {
      throw Error(exit, fmt::format("bad value '{}' for '{}': expected NAME=NUMBER,...", text,
                                    option.name));
    }
    const std::string name = item.substr(0, equals);
    const bool is_new = std::none_of(weights.begin(), weights.end(),
                                     [&](const auto& w) { return w.first == name; });
    if (!is_new)
      throw Error(
          exit, fmt::format("bad value '{}' for '{}': '{}' stands twice", text, option.name, name));
    weights.emplace_back(name, parse_number<double>(option, item.substr(equals + 1), exit));
    begin = end + 1;
  }
  return weights;
}

bool parse_bool(const Option& option, const std::string& text, Exit exit) {
  if (text == "true" || text == "yes" || text == "on") return true;
  if (text == "false" || text == "no" || text == "off") return false;
  throw Error(exit,
              fmt::format("bad value '{}' for '{}': expected true or false", text, option.name));
}

void check_choice(const Option& option, const std::string& text, Exit exit) {
  if (option.choices.empty()) return;
  for (const std::string& choice : option.choices) {
    if (choice == text) return;
  }
  throw Error(exit, fmt::format("bad value '{}' for '{}': expected one of {}", text, option.name,
                                fmt::join(option.choices, ", ")));
}

/// A list whose metavar ends in ",..." takes several words at once, with commas between them.
void store_words(const Option& option, const std::string& text, std::vector<std::string>& out) {
  if (!option.metavar.ends_with(",...")) return out.push_back(text);
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    if (end > begin) out.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
}

/// Stores one textual value; lists are appended to.
void store(const Option& option, const std::string& text, Exit exit) {
  std::visit(
      Overload{
          [&](bool* out) { *out = parse_bool(option, text, exit); },
          [&](int64_t* out) { *out = parse_number<int64_t>(option, text, exit); },
          [&](double* out) { *out = parse_number<double>(option, text, exit); },
          [&](std::optional<int64_t>* out) { *out = parse_number<int64_t>(option, text, exit); },
          [&](std::optional<double>* out) { *out = parse_number<double>(option, text, exit); },
          [&](std::string* out) { check_choice(option, text, exit), *out = text; },
          [&](std::optional<std::string>* out) { check_choice(option, text, exit), *out = text; },
          [&](std::filesystem::path* out) { *out = text; },
          [&](std::vector<std::string>* out) { store_words(option, text, *out); },
          [&](std::vector<std::filesystem::path>* out) { out->emplace_back(text); },
          [&](Weights* out) { *out = parse_weights(option, text, exit); },
      },
      option.target);
}

void clear(const Option& option) {
  std::visit(Overload{[](std::vector<std::string>* out) { out->clear(); },
                      [](std::vector<std::filesystem::path>* out) { out->clear(); },
                      [](Weights* out) { out->clear(); },
                      [](std::optional<int64_t>* out) { out->reset(); },
                      [](std::optional<double>* out) { out->reset(); },
                      [](std::optional<std::string>* out) { out->reset(); }, [](auto*) {}},
             option.target);
}

/// Stores a YAML node: scalar, list (for lists) or map (for weights); null keeps the default.
void store_yaml(const Option& option, const YAML::Node& node) {
  if (node.IsNull()) return clear(option);
  if (node.IsScalar()) {
    clear(option);
    return store(option, node.Scalar(), Exit::config);
  }
  if (node.IsSequence() && is_list(option)) {
    clear(option);
    for (const YAML::Node& item : node) {
      if (!item.IsScalar())
        throw Error(Exit::config,
                    fmt::format("key '{}': expected a list of plain values", option.name));
      store(option, item.Scalar(), Exit::config);
    }
    return;
  }
  if (node.IsMap() && std::holds_alternative<Weights*>(option.target)) {
    Weights weights;
    for (const auto& item : node) {
      weights.emplace_back(item.first.Scalar(),
                           parse_number<double>(option, item.second.Scalar(), Exit::config));
    }
    *std::get<Weights*>(option.target) = std::move(weights);
    return;
  }
  throw Error(Exit::config, fmt::format("key '{}': wrong kind of value", option.name));
}

std::vector<std::string> names_of(const Table& table) {
  std::vector<std::string> names;
  for (const Option& option : table) names.push_back(option.name);
  return names;
}

po::options_description describe(const Table& table) {
  po::options_description description;
  for (const Option& option : table) {
    const std::string spelling =
        option.letter ? fmt::format("{},{}", option.name, option.letter) : option.name;
    if (is_switch(option)) {
      description.add_options()(
          spelling.c_str(),
          po::value<std::vector<std::string>>()->implicit_value({"true"}, "true")->zero_tokens());
    } else {
      description.add_options()(spelling.c_str(),
                                po::value<std::vector<std::string>>()->composing());
    }
  }
  return description;
}

}  // namespace

OptionParser::OptionParser(ToolInfo info, Table table)
    : info_(std::move(info)), table_(std::move(table)) {}

Option& OptionParser::find(const std::string& name, const std::string& where, Exit exit) {
  for (Option& option : table_) {
    if (option.name == name) return option;
  }
  throw Error(exit, where + with_hint(fmt::format("unknown key '{}'", name),
                                      nearest_name(name, names_of(table_))));
}

void OptionParser::load_yaml(const std::string& file) {
  YAML::Node root;
  try {
    root = YAML::Load(io::read_file(file));
  } catch (const YAML::Exception& e) {
    throw Error(Exit::config,
                fmt::format("{}:{}: not valid YAML: {}", file, e.mark.line + 1, e.msg));
  }
  if (root.IsNull()) return;
  if (!root.IsMap()) throw Error(Exit::config, fmt::format("{}: expected a map of options", file));
  for (const auto& item : root) {
    const std::string where = fmt::format("{}:{}: ", file, item.first.Mark().line + 1);
    const Option& option = find(item.first.Scalar(), where, Exit::config);
    try {
      store_yaml(option, item.second);
    } catch (const Error& e) {
      throw Error(Exit::config, where + e.what());
    }
    if (!item.second.IsNull()) given_[option.name] = true;
  }
}

/// "key=value", or "weights.name=value" for one entry of a map.
void OptionParser::apply_set(const std::string& assignment) {
  const size_t equals = assignment.find('=');
  if (equals == std::string::npos)
    throw Error(Exit::usage,
                fmt::format("bad value '{}' for 'set': expected KEY=VALUE", assignment));
  const std::string key = assignment.substr(0, equals);
  const std::string value = assignment.substr(equals + 1);
  const size_t dot = key.find('.');
  const Option& option = find(key.substr(0, dot), "--set: ", Exit::usage);
  given_[option.name] = true;
  if (dot == std::string::npos) {
    try {
      return store_yaml(option, YAML::Load(value));
    } catch (const YAML::Exception& e) {
      throw Error(Exit::usage,
                  fmt::format("bad value '{}' for '{}': not valid YAML: {} (hint: quote it)", value,
                              option.name, e.msg));
    }
  }
  if (!std::holds_alternative<Weights*>(option.target))
    throw Error(Exit::usage, fmt::format("'{}' has no entries to set", option.name));
  Weights& weights = *std::get<Weights*>(option.target);
  const std::string entry = key.substr(dot + 1);
  const double number = parse_number<double>(option, value, Exit::usage);
  for (auto& [name, weight] : weights) {
    if (name == entry) {
      weight = number;
      return;
    }
  }
  weights.emplace_back(entry, number);
}

void OptionParser::check_required() const {
  for (const Option& option : table_) {
    if (option.required && !given_.contains(option.name)) {
      throw Error(Exit::usage, option.positional
                                   ? fmt::format("missing argument {}", option.metavar)
                                   : fmt::format("missing option '--{}'", option.name));
    }
  }
}

void OptionParser::parse(const std::vector<std::string>& arguments, Required required) {
  const po::options_description description = describe(table_);
  po::positional_options_description positional;
  bool takes_positional = false;
  for (const Option& option : table_) {
    if (!option.positional) continue;
    positional.add(option.name.c_str(), is_list(option) ? -1 : 1);
    takes_positional = true;
  }
  po::parsed_options parsed(&description);
  try {
    using namespace po::command_line_style;
    const int style = (unix_style | allow_long_disguise) & ~allow_guessing & ~allow_long_disguise;
    parsed = po::command_line_parser(arguments)
                 .options(description)
                 .positional(positional)
                 .style(style)
                 .run();
  } catch (const po::unknown_option& e) {
    std::string name = e.get_option_name();
    name.erase(0, name.find_first_not_of('-'));
    throw Error(Exit::usage, with_hint(fmt::format("unknown option '{}'", e.get_option_name()),
                                       nearest_name(name, names_of(table_))));
  } catch (const po::too_many_positional_options_error&) {
    throw Error(Exit::usage, takes_positional ? "too many arguments"
                                              : "this tool takes no arguments without a flag");
  } catch (const po::error& e) {
    throw Error(Exit::usage, e.what());
  }
  std::vector<const po::option*> flags;
  for (const po::option& item : parsed.options) {
    const bool first = item.string_key == "config" || item.string_key == "set";
    if (item.string_key == "config") {
      for (const std::string& file : item.value) load_yaml(file);
    }
    if (!first) flags.push_back(&item);
  }
  for (const po::option& item : parsed.options) {
    if (item.string_key != "set") continue;
    for (const std::string& assignment : item.value) apply_set(assignment);
  }
  std::map<std::string, bool> cleared;
  for (const po::option* item : flags) {
    const Option& option = find(item->string_key, "", Exit::usage);
    if (is_list(option) && !std::exchange(cleared[option.name], true)) clear(option);
    given_[option.name] = true;
    if (item->value.empty() && is_switch(option)) store(option, "true", Exit::usage);
    for (const std::string& value : item->value) store(option, value, Exit::usage);
  }
  if (required == Required::must_be_there) check_required();
}

Json OptionParser::config() const {
  Json config = Json::object();
  for (const Option& option : table_) {
    if (!is_meta(option)) config[option.name] = value_json(option);
  }
  return config;
}

std::string OptionParser::config_yaml() const {
  YAML::Emitter out;
  out << YAML::BeginMap;
  for (const Option& option : table_) {
    if (is_meta(option)) continue;
    // JSON is YAML: one line a key, flow style for lists and maps, numbers as they were read.
    out << YAML::Key << option.name << YAML::Value << YAML::Load(value_json(option).dump());
  }
  out << YAML::EndMap;
  return std::string(out.c_str()) + "\n";
}

std::string OptionParser::help_text() const { return render_help(info_, table_); }
std::string OptionParser::man_options() const { return render_man_options(table_); }
std::string OptionParser::bash_completion() const { return render_bash_completion(info_, table_); }

}  // namespace unirg::cli
