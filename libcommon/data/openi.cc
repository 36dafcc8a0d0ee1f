// SPDX-License-Identifier: Apache-2.0
#include "data/openi.h"

#include <fmt/format.h>

#include <pugixml.hpp>
#include <set>
#include <vector>

#include "base/hash.h"
#include "io/atomic_file.h"
#include "text/bpe_bytes.h"
#include "text/chat.h"

namespace unirg::data {
namespace {

using namespace std::string_view_literals;

/// Elements that do not end a word, as in "H<sub>2</sub>O".
bool is_inline(const pugi::xml_node& node) {
  static const std::set<std::string_view> names{"b", "em", "i", "strong", "sub", "sup", "u"};
  return names.contains(node.name());
}

/// Text of an element and those in it, runs of white space as one blank.
class TextOf : public pugi::xml_tree_walker {
 public:
  static std::string node(pugi::xml_node node) {
    TextOf walker;
    node.traverse(walker);
    return text::collapse_space(walker.text_);
  }
  bool for_each(pugi::xml_node& node) override {
    const pugi::xml_node before = node.previous_sibling();
    const bool is_element = node.type() == pugi::node_element;
    const bool ends_word =
        is_element ? !is_inline(node) : before.type() == pugi::node_element && !is_inline(before);
    if (ends_word) text_ += ' ';
    if (is_text(node)) text_ += node.value();
    return true;
  }

 private:
  static bool is_text(const pugi::xml_node& node) {
    return node.type() == pugi::node_pcdata || node.type() == pugi::node_cdata;
  }
  std::string text_;
};

/// Elements of a kind in document order, those inside another of the kind left out: a hostile
/// report may nest thousands, and the text of each holds that of all in it.
template <typename Predicate>
std::vector<pugi::xml_node> outermost(const pugi::xml_document& document, Predicate is_kind) {
  std::vector<pugi::xml_node> found;
  pugi::xml_node node = document.first_child();
  while (node) {
    const bool is_found = is_kind(node);
    if (is_found) found.push_back(node);
    if (!is_found && node.first_child()) {
      node = node.first_child();
      continue;
    }
    while (node && !node.next_sibling()) node = node.parent();
    node = node.next_sibling();
  }
  return found;
}

/// Text of all elements with the label.
std::optional<std::string> section(const pugi::xml_document& document, std::string_view label) {
  const auto has_label = [label](const pugi::xml_node& node) {
    return node.name() == "AbstractText"sv && node.attribute("Label").value() == label;
  };
  std::string text;
  for (const auto& node : outermost(document, has_label)) text += ' ' + TextOf::node(node);
  text = text::collapse_space(text);
  return text.empty() ? std::nullopt : std::optional(text);
}

bool is_mesh_term(const pugi::xml_node& node) {
  return node.name() == "major"sv && node.parent().name() == "MeSH"sv;
}

/// False if there is no picture of that name.
bool add_picture(const std::filesystem::path& images, const std::string& name,
                 std::vector<SourcePicture>& pictures) {
  if (name.empty() || name.find('/') != std::string::npos || !text::is_utf8(name)) return false;
  for (const char* extension : {".png", ".jpg"}) {
    const std::filesystem::path picture = images / (name + extension);
    std::error_code ignored;  // of a name that no file can have
    if (!std::filesystem::exists(picture, ignored)) continue;
    pictures.push_back({name + extension, picture, "", false});
    return true;
  }
  return false;
}

}  // namespace

Result<OpeniReport> read_openi(const std::filesystem::path& root, const std::filesystem::path& file,
                               const std::filesystem::path& images) {
  const std::string bytes = io::read_file(root / file);
  pugi::xml_document document;
  const pugi::xml_parse_result parsed =
      document.load_buffer(bytes.data(), bytes.size(), pugi::parse_default | pugi::parse_ws_pcdata);
  if (!parsed)
    return bad_record(fmt::format("not XML: {} at byte {}", parsed.description(), parsed.offset));
  OpeniReport report;
  Draft& draft = report.draft;
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
  for (const auto& node : outermost(document, is_mesh_term)) {
    std::string term = TextOf::node(node);
    if (term.empty()) continue;
    if (!text::is_utf8(term)) return bad_record("a MeSH term is not UTF-8 (hint: iconv -t utf-8)");
    mesh.push_back(std::move(term));
  }
  study.extra["mesh"] = std::move(mesh);
  study.source_path = file.string();
  study.source_sha256 = sha256_hex(bytes);
  draft.place = {file.string(), 0};
  if (images.empty()) return report;
  std::set<std::string> named;  // a report may name a picture twice
  for (const auto& node : document.select_nodes("//parentImage")) {
    const std::string name = node.node().attribute("id").value();
    if (named.insert(name).second && !add_picture(images, name, draft.pictures))
      report.missing.push_back(name);
  }
  return report;
}

}  // namespace unirg::data
