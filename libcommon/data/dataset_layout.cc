// SPDX-License-Identifier: Apache-2.0
#include "data/dataset_layout.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <functional>

#include "base/error.h"
#include "data/column_map.h"
#include "io/atomic_file.h"
#include "text/lexicon.h"

namespace unirg::data {
namespace {

/// Reads the nodes of one file, and says where one is wrong.
class LayoutReader {
 public:
  explicit LayoutReader(const std::filesystem::path& yaml) { layout_.file = yaml.string(); }
  Layout read();

 private:
  using Readers = std::map<std::string, std::function<void(const YAML::Node&)>>;

  [[nodiscard]] std::string where(const YAML::Node& node) const {
    return fmt::format("{}:{}", layout_.file, node.Mark().line + 1);
  }
  [[noreturn]] void refuse(const YAML::Node& node, const std::string& why) const {
    throw Error(Exit::config, where(node) + ": " + why);
  }
  void unknown(const YAML::Node& key, const std::vector<std::string>& known) const {
    const std::string nearest = nearest_name(key.Scalar(), known);
    refuse(key,
           fmt::format("unknown key '{}'{}", key.Scalar(),
                       nearest.empty() ? "" : fmt::format(" (hint: did you mean '{}'?)", nearest)));
  }
  /// Gives each value of a map to the reader of its key.
  void read_map(const YAML::Node& node, const Readers& readers) const;
  std::string word(const YAML::Node& node) const;
  bool flag(const YAML::Node& node) const;
  std::vector<std::string> words(const YAML::Node& node) const;
  Template text(const YAML::Node& node) const { return parse_template(word(node), where(node)); }
  std::vector<Template> texts(const YAML::Node& node) const;
  FieldRule rule(const YAML::Node& node) const;
  void read_table(const YAML::Node& node);
  void read_join(const YAML::Node& node);
  void read_field(const YAML::Node& key, const YAML::Node& node);
  void read_age(const YAML::Node& node);
  void read_pictures(const YAML::Node& node);
  void read_labels(const YAML::Node& node);
  void check() const;

  Layout layout_;
};

void LayoutReader::read_map(const YAML::Node& node, const Readers& readers) const {
  if (!node.IsMap()) refuse(node, "expected a map");
  std::vector<std::string> known;
  for (const auto& [key, reader] : readers) known.push_back(key);
  for (const auto& item : node) {
    const auto reader = readers.find(item.first.Scalar());
    if (reader == readers.end()) unknown(item.first, known);
    reader->second(item.second);
  }
}

std::string LayoutReader::word(const YAML::Node& node) const {
  if (!node.IsScalar()) refuse(node, "expected a text");
  return node.Scalar();
}

bool LayoutReader::flag(const YAML::Node& node) const {
  const std::string text = word(node);
  if (text != "true" && text != "false") refuse(node, "expected true or false");
  return text == "true";
}

std::vector<std::string> LayoutReader::words(const YAML::Node& node) const {
  if (node.IsScalar()) return {node.Scalar()};
  if (!node.IsSequence()) refuse(node, "expected a text or a list of texts");
  std::vector<std::string> out;
  for (const auto& item : node) out.push_back(word(item));
  return out;
}

std::vector<Template> LayoutReader::texts(const YAML::Node& node) const {
  std::vector<Template> out;
  for (const std::string& item : words(node)) out.push_back(parse_template(item, where(node)));
  return out;
}

FieldRule LayoutReader::rule(const YAML::Node& node) const {
  FieldRule rule;
  if (node.IsMap())
    read_map(node, {{"value", [&](const YAML::Node& n) { rule.constant = word(n); }}});
  else
    rule.first_of = texts(node);
  return rule;
}

void LayoutReader::read_table(const YAML::Node& node) {
  static const std::map<std::string, RowSource::Form> forms{{"cells", RowSource::Form::cells},
                                                            {"entries", RowSource::Form::entries},
                                                            {"splits", RowSource::Form::splits},
                                                            {"texts", RowSource::Form::texts}};
  RowSource table;
  read_map(node, {{"files", [&](const YAML::Node& n) { table.files = words(n); }},
                  {"form",
                   [&](const YAML::Node& n) {
                     const auto form = forms.find(word(n));
                     if (form == forms.end()) refuse(n, "expected cells, entries, splits or texts");
                     table.form = form->second;
                   }},
                  {"split", [&](const YAML::Node& n) { table.split = word(n); }},
                  {"optional", [&](const YAML::Node& n) { table.optional = flag(n); }}});
  if (table.files.empty()) refuse(node, "'files' is missing");
  layout_.tables.push_back(std::move(table));
}

void LayoutReader::read_join(const YAML::Node& node) {
  Join join;
  read_map(node, {{"files", [&](const YAML::Node& n) { join.files = words(n); }},
                  {"key", [&](const YAML::Node& n) { join.key = word(n); }},
                  {"columns",
                   [&](const YAML::Node& n) {
                     join.columns = words(n);
                     if (join.columns == std::vector<std::string>{"conditions"})
                       join.columns.assign(text::kConditions.begin(), text::kConditions.end());
                   }},
                  {"optional", [&](const YAML::Node& n) { join.optional = flag(n); }}});
  if (join.files.empty() || join.key.empty() || join.columns.empty())
    refuse(node, "'files', 'key' or 'columns' is missing");
  layout_.joins.push_back(std::move(join));
}

void LayoutReader::read_age(const YAML::Node& node) {
  AgeRule age;
  read_map(node, {{"born", [&](const YAML::Node& n) { age.born = word(n); }},
                  {"at", [&](const YAML::Node& n) { age.at = word(n); }},
                  {"year", [&](const YAML::Node& n) { age.year = word(n); }}});
  if (age.born.empty() == (age.at.empty() || age.year.empty()))
    refuse(node, "expected either 'born', or 'at' and 'year'");
  layout_.age = std::move(age);
}

void LayoutReader::read_field(const YAML::Node& key, const YAML::Node& node) {
  static const std::vector<std::string> known = [] {
    std::vector<std::string> names = table_fields();
    names.erase(std::find(names.begin(), names.end(), "file"));
    names.erase(std::find(names.begin(), names.end(), "view"));  // a picture's: pictures.view
    return names;
  }();
  const std::string field = key.Scalar();
  if (std::find(known.begin(), known.end(), field) == known.end()) unknown(key, known);
  if (field == "age" && node.IsMap() && !node["value"]) return read_age(node);
  if (field == "report" && node.IsMap() && !node["value"]) {
    return read_map(node,
                    {{"file", [&](const YAML::Node& n) { layout_.report_files = texts(n); }}});
  }
  layout_.fields[field] = rule(node);
}

void LayoutReader::read_pictures(const YAML::Node& node) {
  PictureRules& p = layout_.pictures;
  read_map(node, {{"files", [&](const YAML::Node& n) { p.files = texts(n); }},
                  {"folder", [&](const YAML::Node& n) { p.folder = text(n); }},
                  {"key", [&](const YAML::Node& n) { p.key = text(n); }},
                  {"view", [&](const YAML::Node& n) { p.view = rule(n); }},
                  {"by-name", [&](const YAML::Node& n) { p.by_name = flag(n); }},
                  {"key-is-first", [&](const YAML::Node& n) { p.key_is_first = flag(n); }}});
}

void LayoutReader::read_labels(const YAML::Node& node) {
  LabelRule& labels = layout_.labels;
  read_map(node, {{"column", [&](const YAML::Node& n) { labels.column = text(n); }},
                  {"conditions", [&](const YAML::Node& n) {
                     for (const auto& item : n) {
                       if (!text::condition_index(word(item.second)))
                         refuse(item.second, fmt::format("'{}' is none of the 14 conditions",
                                                         item.second.Scalar()));
                       labels.conditions[item.first.Scalar()] = item.second.Scalar();
                     }
                   }}});
}

void LayoutReader::check() const {
  const auto need = [&](bool there, const char* what) {
    if (!there) throw Error(Exit::config, fmt::format("{}: {} is missing", layout_.file, what));
  };
  need(!layout_.tables.empty(), "'tables'");
  need(layout_.fields.contains("study_id"), "field 'study_id'");
  need(!layout_.pictures.files.empty() || layout_.pictures.folder, "'pictures'");
}

Layout LayoutReader::read() {
  YAML::Node root;
  try {
    root = YAML::Load(io::read_file(layout_.file));
  } catch (const YAML::Exception& e) {
    throw Error(Exit::config,
                fmt::format("{}:{}: not valid YAML: {}", layout_.file, e.mark.line + 1, e.msg));
  }
  const auto each = [](const YAML::Node& list, const auto& read) {
    for (const auto& item : list) read(item);
  };
  read_map(
      root,
      {{"tables",
        [&](const YAML::Node& n) { each(n, [&](const YAML::Node& t) { read_table(t); }); }},
       {"joins", [&](const YAML::Node& n) { each(n, [&](const YAML::Node& j) { read_join(j); }); }},
       {"fields",
        [&](const YAML::Node& n) {
          for (const auto& item : n) read_field(item.first, item.second);
        }},
       {"extra",
        [&](const YAML::Node& n) {
          for (const auto& item : n) layout_.extra[item.first.Scalar()] = rule(item.second);
        }},
       {"names",
        [&](const YAML::Node& n) {
          for (const auto& field : n) {
            for (const auto& item : field.second)
              layout_.names[field.first.Scalar()][item.first.Scalar()] = word(item.second);
          }
        }},
       {"pictures", [&](const YAML::Node& n) { read_pictures(n); }},
       {"labels", [&](const YAML::Node& n) { read_labels(n); }},
       {"context", [&](const YAML::Node& n) { layout_.context = text(n); }},
       {"order", [&](const YAML::Node& n) { layout_.order = text(n); }},
       {"nothing",
        [&](const YAML::Node& n) {
          for (const std::string& text : words(n)) layout_.nothing.insert(text);
        }},
       {"ignored", [&](const YAML::Node& n) { layout_.ignored = words(n); }}});
  check();
  return std::move(layout_);
}

/// The columns of a rule that a table must have, by alternative.
bool has_all(const Template& text, const std::set<std::string>& columns, std::string& missing) {
  for (const Template::Part& part : text.parts) {
    if (part.column.empty() || part.optional || columns.contains(part.column)) continue;
    if (missing.empty()) missing = part.column;
    return false;
  }
  return true;
}

}  // namespace

Layout load_layout(const std::filesystem::path& yaml) { return LayoutReader(yaml).read(); }

void check_columns(const Layout& layout, const std::string& table,
                   const std::vector<std::string>& columns) {
  std::set<std::string> there(columns.begin(), columns.end());
  for (const Join& join : layout.joins) there.insert(join.columns.begin(), join.columns.end());
  const auto check = [&](const std::string& field, const std::vector<Template>& alternatives) {
    std::string missing;
    const bool found = alternatives.empty() ||
                       std::any_of(alternatives.begin(), alternatives.end(),
                                   [&](const Template& t) { return has_all(t, there, missing); });
    if (found) return;
    const std::string nearest = nearest_name(missing, columns);
    throw Error(
        Exit::data,
        fmt::format("'{}' has no column '{}', which '{}' is read from{}", table, missing, field,
                    nearest.empty() ? fmt::format(" (hint: its layout is in '{}')", layout.file)
                                    : fmt::format(" (hint: it has '{}')", nearest)));
  };
  const auto column = [&](const std::string& field, const std::string& name) {
    if (!name.empty()) check(field, {parse_template(name, layout.file)});
  };
  for (const auto& [field, rule] : layout.fields) check(field, rule.first_of);
  for (const auto& [field, rule] : layout.extra) check(field, rule.first_of);
  for (const Join& join : layout.joins) {
    if (!join.optional) column("the join of " + join.files.front(), join.key);
  }
  check("report", layout.report_files);
  // A folder stands in where no picture is named.
  if (!layout.pictures.folder) check("pictures", layout.pictures.files);
  check("view", layout.pictures.view.first_of);
  for (const auto& [field, text] :
       {std::pair("labels", layout.labels.column), std::pair("context", layout.context),
        std::pair("order", layout.order)}) {
    if (text) check(field, {*text});
  }
  if (layout.age) {
    column("age", layout.age->born);
    column("age", layout.age->at);
    column("age", layout.age->year);
  }
}

}  // namespace unirg::data
