// SPDX-License-Identifier: Apache-2.0
#include "data/dataset_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <unordered_map>
#include <utility>

#include "base/digest.h"
#include "base/error.h"
#include "io/gzip.h"
#include "io/jsonl.h"
#include "io/shelf.h"

namespace unirg::data {
namespace fs = std::filesystem;
namespace {

// nlohmann::ordered_json looks keys up one by one, which a hundred thousand entries do not bear.
using SortedJson = nlohmann::json;

/// Python's json writes NaN and Infinity, which JSON does not have.
std::string without_nan(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string && c == '\\' && i + 1 < text.size()) {
      out += c;
      out += text[++i];
      continue;
    }
    if (c == '"') in_string = !in_string;
    const std::string_view rest = text.substr(i, 9);
    if (!in_string && (rest.starts_with("NaN") || rest.starts_with("Infinity") ||
                       rest.starts_with("-Infinity"))) {
      out += "null";
      i += (c == 'N' ? 3 : c == 'I' ? 8 : 9) - 1;
      continue;
    }
    out += c;
  }
  return out;
}

std::string text_of(const SortedJson& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.is_null() ? "" : value.dump();
}

/// The columns of a join by key, one row a key; the rows lie on disk.
class JoinTable {
 public:
  JoinTable(const Join& join, const fs::path& path, const std::string& name,
            const fs::path& scratch)
      : join_(join), rows_(scratch) {
    visit_table(path, {.header = [&](const auto& columns) { check(columns, name); },
                       .row = [&](const TableRow& row) { add(row); }});
  }
  void fill(TableRow& row) const {
    const auto key = row.cells.find(join_.key);
    const auto found =
        key == row.cells.end() ? places_.end() : places_.find(digest_of(key->second));
    const auto cells =
        found == places_.end() ? io::Json::array() : io::Json::from_cbor(rows_.get(found->second));
    for (size_t i = 0; i < join_.columns.size(); ++i) {
      // What the row itself says is not overwritten.
      std::string& cell = row.cells[join_.columns[i]];
      if (cell.empty() && !cells.empty()) cell = cells.at(i).get<std::string>();
    }
  }

 private:
  void check(const std::vector<std::string>& columns, const std::string& name) const {
    std::vector<std::string> needed = join_.columns;
    needed.push_back(join_.key);
    for (const std::string& column : needed) {
      if (std::find(columns.begin(), columns.end(), column) != columns.end()) continue;
      const std::string nearest = nearest_name(column, columns);
      throw Error(Exit::data,
                  fmt::format("'{}' has no column '{}'{}", name, column,
                              nearest.empty() ? "" : fmt::format(" (hint: it has '{}')", nearest)));
    }
  }
  void add(const TableRow& row) {
    const Digest key = digest_of(row.cells.at(join_.key));
    if (places_.contains(key)) return;
    io::Json cells = io::Json::array();
    for (const std::string& column : join_.columns) cells.push_back(row.cells.at(column));
    std::string bytes;
    io::Json::to_cbor(cells, bytes);
    places_.emplace(key, rows_.put(bytes));
  }

  const Join& join_;
  io::Shelf rows_;
  std::unordered_map<Digest, uint64_t, DigestHash> places_;  ///< of the key's row
};

[[noreturn]] void refuse_missing(const Layout& layout, const FileIndex& files,
                                 const std::string& table) {
  std::string places;
  for (const fs::path& root : files.roots())
    places += fmt::format("{}'{}'", places.empty() ? "" : " and ", root.string());
  throw Error(Exit::no_input,
              fmt::format("no table '{}' or '{}.gz' below {} (hint: its layout is in '{}')", table,
                          table, places, layout.file));
}

std::optional<size_t> first_there(const FileIndex& files, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (const auto found = files.find_table(name)) return found;
  }
  return std::nullopt;
}

class RowReader {
 public:
  RowReader(const Layout& layout, const FileIndex& files, const fs::path& scratch,
            const RowTaker& take)
      : layout_(layout), files_(files), take_(take) {
    for (const Join& join : layout.joins) {
      const auto file = first_there(files, join.files);
      if (file)
        joins_.emplace_back(join, files.path(*file), files.name(*file), scratch);
      else if (!join.optional)
        refuse_missing(layout, files, join.files.front());
    }
  }

  void read(const RowSource& source, const fs::path& path, RowOrigin origin) {
    origin.split = source.split;
    if (source.form == RowSource::Form::cells)
      read_cells(path, origin);
    else
      read_entries(source, path, origin);
  }
  void read_texts(const RowSource& source) {
    std::set<size_t> read;  // one file may match several patterns
    for (const std::string& pattern : source.files) {
      for (const size_t file : files_.matching(pattern)) {
        if (!read.insert(file).second) continue;
        const fs::path name = files_.name(file);
        TableRow row{0, {{"path", name.string()}, {"stem", name.stem().string()}}};
        give(row, {name.string(), name.parent_path().string(), source.split, file});
        ++texts_;
      }
    }
  }
  [[nodiscard]] int64_t texts() const { return texts_; }

 private:
  void give(TableRow& row, const RowOrigin& origin) const {
    for (const JoinTable& join : joins_) join.fill(row);
    take_(row, origin);
  }
  void read_cells(const fs::path& path, const RowOrigin& origin) const {
    visit_table(
        path,
        {.header = [&](const auto& columns) { check_columns(layout_, origin.table, columns); },
         .row =
             [&](const TableRow& row) {
               TableRow joined = row;
               give(joined, origin);
             }});
  }
  /// Columns of JSON are known when all entries are: they are read twice.
  void read_entries(const RowSource& source, const fs::path& path, const RowOrigin& origin) const {
    const std::string text = io::read_unpacked(path);
    const bool is_split = source.form == RowSource::Form::splits;
    std::set<std::string> columns;
    visit_json(text, is_split, origin.table, [&](const TableRow& row) {
      for (const auto& [column, cell] : row.cells) columns.insert(column);
    });
    check_columns(layout_, origin.table, {columns.begin(), columns.end()});
    visit_json(text, is_split, origin.table, [&](const TableRow& row) {
      TableRow joined = row;
      RowOrigin place = origin;
      if (is_split) place.split = row.cells.at("split");
      give(joined, place);
    });
  }

  const Layout& layout_;
  const FileIndex& files_;
  const RowTaker& take_;
  std::vector<JoinTable> joins_;
  int64_t texts_ = 0;
};

/// How a table that is named outright is read: as the layout's table of that name, else as its
/// first one, but for the split, which the name would have told.
RowSource source_of(const Layout& layout, const fs::path& table) {
  const std::string name = io::without_gz(table).filename().string();
  const auto has_name = [&](const RowSource& source) {
    return std::any_of(source.files.begin(), source.files.end(),
                       [&](const std::string& file) { return fs::path(file).filename() == name; });
  };
  const auto named = std::find_if(layout.tables.begin(), layout.tables.end(), has_name);
  RowSource source = named == layout.tables.end() ? layout.tables.front() : *named;
  if (named == layout.tables.end()) source.split.reset();
  if (source.form == RowSource::Form::texts)
    throw Error(Exit::usage, fmt::format("'{}': this dataset has no table (hint: name the folder "
                                         "of its reports)",
                                         table.string()));
  const bool is_json = fs::path(name).extension() == ".json";
  if (!is_json) source.form = RowSource::Form::cells;
  if (is_json && source.form == RowSource::Form::cells) source.form = RowSource::Form::entries;
  return source;
}

}  // namespace

void visit_json(std::string_view text, bool is_split, const std::string& file,
                const std::function<void(const TableRow& row)>& take) {
  const int depth = is_split ? 2 : 1;  // of the objects that are rows
  std::vector<std::string> keys(static_cast<size_t>(depth) + 1);
  int64_t count = 0;
  // Each object is taken as soon as it is whole, and thrown away.
  const auto on_event = [&](int at, SortedJson::parse_event_t event, SortedJson& value) {
    if (event == SortedJson::parse_event_t::key && at <= depth)
      keys[static_cast<size_t>(at)] = value.get<std::string>();
    if (event != SortedJson::parse_event_t::object_end || at != depth) return true;
    TableRow row{++count, {}};
    for (const auto& [key, cell] : value.items()) row.cells[key] = text_of(cell);
    const std::string& id = keys[static_cast<size_t>(depth)];
    if (!id.empty()) row.cells.try_emplace("id", id);
    if (is_split) row.cells["split"] = keys[1];
    keys[static_cast<size_t>(depth)].clear();
    take(row);
    return false;
  };
  try {
    const SortedJson rest = SortedJson::parse(without_nan(text), on_event);
    if (rest.is_object() || rest.is_array() || rest.is_discarded()) return;
  } catch (const SortedJson::parse_error& e) {
    // Its message would quote the file, which may hold what must not be logged.
    throw Error(Exit::data, fmt::format("'{}': not JSON, or cut short, at byte {}", file, e.byte));
  }
  throw Error(Exit::data, fmt::format("'{}': expected a JSON object of entries", file));
}

void visit_rows(const Layout& layout, const FileIndex& files, const fs::path& table,
                const fs::path& scratch, const RowTaker& take) {
  RowReader reader(layout, files, scratch, take);
  if (!table.empty())
    return reader.read(source_of(layout, table), table, {table.filename().string(), "", {}, {}});
  bool any = false;
  for (const RowSource& source : layout.tables) {
    if (source.form == RowSource::Form::texts) {
      reader.read_texts(source);
      any |= reader.texts() > 0;
      continue;
    }
    const auto file = first_there(files, source.files);
    if (!file && !source.optional) refuse_missing(layout, files, source.files.front());
    if (!file) continue;
    any = true;
    const std::string name = files.name(*file);
    reader.read(source, files.path(*file), {name, fs::path(name).parent_path().string(), {}, {}});
  }
  if (!any) refuse_missing(layout, files, layout.tables.front().files.front());
}

}  // namespace unirg::data
