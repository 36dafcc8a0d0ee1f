// SPDX-License-Identifier: Apache-2.0
#include "data/exclusion.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "data/dataset_files.h"
#include "data/dataset_layout.h"
#include "data/dataset_rows.h"
#include "data/table.h"
#include "io/gzip.h"
#include "io/jsonl.h"
#include "text/chat.h"

namespace unirg::data {
namespace fs = std::filesystem;
namespace {

std::string cell(const TableRow& row, const std::string& column) {
  const auto it = row.cells.find(column);
  return it == row.cells.end() ? "" : text::collapse_space(it->second);
}

std::string report_of(const TableRow& row) {
  for (const auto& [findings, impression] :
       {std::pair("findings", "impression"), std::pair("section_findings", "section_impression")}) {
    std::string text = text::collapse_space(cell(row, findings) + " " + cell(row, impression));
    if (!text.empty()) return text;
  }
  for (const char* column : {"report", "text"}) {
    if (std::string text = cell(row, column); !text.empty()) return text;
  }
  return "";
}

void add_paths(const std::string& cell, Exclusion& exclusion) {
  for (const std::string& path : list_items(cell)) {
    const std::vector<std::string> tails = picture_tails(path);
    // The longest that the list gives: of two parts alone, "study1/view1" is anybody's.
    if (!tails.empty()) exclusion.picture_paths.insert(tails.back());
  }
}

/// Pictures of a study record.
void add_images(const std::string& images, Exclusion& exclusion) {
  const auto list = io::Json::parse(images, nullptr, false);
  if (!list.is_array()) return;
  for (const auto& image : list) {
    for (const char* field : {"sha256", "pixels_sha256"}) {
      if (image.is_object() && image.contains(field) && image[field].is_string())
        exclusion.digests.insert(image[field].get<std::string>());
    }
  }
}

void add_row(const TableRow& row, const std::string& id_column, Exclusion& exclusion) {
  const std::string id = cell(row, id_column);
  if (id.empty()) return;
  exclusion.ids.insert(id);
  for (const char* column : {"key_image_path", "image_path"})
    add_paths(cell(row, column), exclusion);
  add_images(cell(row, "images"), exclusion);
  if (std::string text = report_of(row); !text.empty())
    exclusion.reports.push_back({id, std::move(text)});
}

void add_lines(const std::string& text, Exclusion& exclusion) {
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string id = text::collapse_space(text.substr(begin, end - begin));
    if (!id.empty() && !id.starts_with('#')) exclusion.ids.insert(id);
    begin = end + 1;
  }
}

}  // namespace

std::vector<std::string> picture_tails(std::string_view path) {
  std::string whole = normal_path(path);
  if (has_picture_extension(whole)) whole.resize(whole.rfind('.'));
  std::vector<std::string> tails;
  size_t at = whole.rfind('/');
  for (int parts = 2; parts <= 3 && at != std::string::npos; ++parts) {
    at = at == 0 ? std::string::npos : whole.rfind('/', at - 1);
    tails.push_back(at == std::string::npos ? whole : whole.substr(at + 1));
  }
  return tails;
}

bool Exclusion::has(const std::string& study_id,
                    const std::vector<std::string>& picture_sources) const {
  if (ids.contains(study_id)) return true;
  return std::any_of(picture_sources.begin(), picture_sources.end(), [&](const std::string& path) {
    const std::vector<std::string> tails = picture_tails(path);
    return std::any_of(tails.begin(), tails.end(),
                       [&](const std::string& tail) { return picture_paths.contains(tail); });
  });
}

void read_exclusion(const fs::path& file, Exclusion& exclusion) {
  const size_t before = exclusion.ids.size();
  const std::string kind = io::without_gz(file).extension().string();
  if (kind == ".json") {
    visit_json(io::read_unpacked(file), false, file.string(),
               [&](const TableRow& row) { add_row(row, "id", exclusion); });
  } else if (kind == ".csv" || kind == ".tsv" || kind == ".jsonl") {
    visit_table(file, {.header = [](const std::vector<std::string>&) {},
                       .row = [&](const TableRow& row) { add_row(row, "study_id", exclusion); }});
  } else {
    add_lines(io::read_unpacked(file), exclusion);
  }
  if (exclusion.ids.size() == before) {
    throw Error(Exit::data, fmt::format("'{}' names no study (hint: column study_id, ReXrank's "
                                        "JSON, or an id a line)",
                                        file.string()));
  }
}

}  // namespace unirg::data
