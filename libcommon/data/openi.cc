// SPDX-License-Identifier: Apache-2.0
#include "data/openi.h"

#include <fmt/format.h>

#include <algorithm>
#include <pugixml.hpp>

#include "base/hash.h"
#include "io/atomic_file.h"
#include "text/bpe_bytes.h"
#include "text/chat.h"

namespace unirg::data {
namespace {

std::optional<std::string> section(const pugi::xml_document& document, const char* label) {
  for (const auto& node : document.select_nodes("//AbstractText")) {
    if (std::string_view(node.node().attribute("Label").value()) != label) continue;
    std::string text = text::collapse_space(node.node().text().get());
    if (!text.empty()) return text;
  }
  return std::nullopt;
}

}  // namespace

Result<Draft> read_openi(const std::filesystem::path& root, const std::filesystem::path& file,
                         const std::filesystem::path& images) {
  const std::string bytes = io::read_file(root / file);
  pugi::xml_document document;
  const pugi::xml_parse_result parsed = document.load_buffer(bytes.data(), bytes.size());
  if (!parsed)
    return bad_record(fmt::format("not XML: {} at byte {}", parsed.description(), parsed.offset));
  Draft draft;
  Study& study = draft.study;
  study.study_id = document.select_node("//uId").node().attribute("id").value();
  if (study.study_id.empty()) return bad_record("no <uId id=...>: not an Open-i report");
  study.patient_id = study.study_id;
  if (!text::is_utf8(study.study_id)) return bad_record("its id is not UTF-8");
  study.indication = section(document, "INDICATION");
  study.comparison = section(document, "COMPARISON");
  study.findings = section(document, "FINDINGS");
  study.impression = section(document, "IMPRESSION");
  for (const auto& field : {study.indication, study.comparison, study.findings, study.impression}) {
    if (field && !text::is_utf8(*field))
      return bad_record("its text is not UTF-8 (hint: iconv -t utf-8)");
  }
  Json mesh = Json::array();
  for (const auto& node : document.select_nodes("//MeSH/major")) {
    std::string term = text::collapse_space(node.node().text().get());
    if (!text::is_utf8(term)) return bad_record("a MeSH term is not UTF-8 (hint: iconv -t utf-8)");
    mesh.push_back(std::move(term));
  }
  study.extra["mesh"] = std::move(mesh);
  study.source_path = file.string();
  study.source_sha256 = sha256_hex(bytes);
  draft.place = {file.string(), 0};
  if (images.empty()) return draft;
  for (const auto& node : document.select_nodes("//parentImage")) {
    const std::string name = node.node().attribute("id").value();
    for (const char* extension : {".png", ".jpg"}) {
      const std::filesystem::path picture = images / (name + extension);
      if (name.empty() || name.find('/') != std::string::npos || !std::filesystem::exists(picture))
        continue;
      const bool is_new = std::none_of(draft.pictures.begin(), draft.pictures.end(),
                                       [&](const SourcePicture& p) { return p.path == picture; });
      if (is_new) draft.pictures.push_back({name + extension, picture, "", false});
    }
  }
  return draft;
}

}  // namespace unirg::data
