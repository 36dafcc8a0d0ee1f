// SPDX-License-Identifier: Apache-2.0
#include "text/token_template.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace unirg::text {
namespace {

TemplateItem text(int sequence, int64_t type_id) { return {sequence, {}, type_id}; }
TemplateItem special(int64_t id, int64_t type_id) { return {-1, {id}, type_id}; }

/// Member `key` of BertProcessing and RobertaProcessing: [token, id].
int64_t pair_id(const Node& node, const char* key) {
  const std::vector<Node> pair = node.at(key).items();
  if (pair.size() != 2) node.refuse(fmt::format("key '{}' is not [token, id]", key));
  return pair[1].token_id();
}

Templates bert_templates(int64_t cls, int64_t sep) {
  return {{special(cls, 0), text(0, 0), special(sep, 0)},
          {special(cls, 0), text(0, 0), special(sep, 0), text(1, 1), special(sep, 1)}};
}

Templates roberta_templates(int64_t cls, int64_t sep) {
  return {
      {special(cls, 0), text(0, 0), special(sep, 0)},
      {special(cls, 0), text(0, 0), special(sep, 0), special(sep, 0), text(1, 0), special(sep, 0)}};
}

int64_t type_of(const Node& item) {
  const auto type = item.find("type_id");
  return type ? type->integer() : 0;
}

TemplateItem parse_item(const Node& node, const std::optional<Node>& specials) {
  if (const auto sequence = node.find("Sequence")) {
    const std::string name = sequence->string("id");
    if (name != "A" && name != "B") sequence->refuse("a sequence is 'A' or 'B'");
    return text(name == "A" ? 0 : 1, type_of(*sequence));
  }
  const Node token = node.at("SpecialToken");
  const std::string name = token.string("id");
  const auto known = specials ? specials->find(name.c_str()) : std::nullopt;
  if (!known) token.refuse(fmt::format("'{}' is not among the special tokens", name));
  TemplateItem out;
  out.type_id = type_of(token);
  for (const Node& id : known->at("ids").items()) out.ids.push_back(id.token_id());
  return out;
}

std::vector<TemplateItem> parse_template(const Node& node, const char* key) {
  const auto specials = node.find("special_tokens");
  std::vector<TemplateItem> out;
  for (const Node& item : node.at(key).items()) out.push_back(parse_item(item, specials));
  if (out.size() > kMostSteps) node.refuse("the template is too long");
  return out;
}

void parse_into(const Node& node, int depth, std::optional<Templates>& out) {
  if (depth > kDeepestSequence) node.refuse("sequences are nested too deeply");
  const std::string type = node.type();
  if (type == "ByteLevel") return;  // mends offsets only
  if (type == "Sequence") {
    for (const Node& item : node.at("processors").items()) parse_into(item, depth + 1, out);
    return;
  }
  if (out) node.refuse("two templates are not supported");
  if (type == "BertProcessing") {
    out = bert_templates(pair_id(node, "cls"), pair_id(node, "sep"));
  } else if (type == "RobertaProcessing") {
    out = roberta_templates(pair_id(node, "cls"), pair_id(node, "sep"));
  } else if (type == "TemplateProcessing") {
    out = Templates{parse_template(node, "single"), parse_template(node, "pair")};
  } else {
    node.refuse(fmt::format("post-processor '{}' is not supported", type));
  }
}

void append(Encoding& out, const Encoding& part, int64_t type_id) {
  out.ids.insert(out.ids.end(), part.ids.begin(), part.ids.end());
  out.words.insert(out.words.end(), part.words.begin(), part.words.end());
  out.type_ids.resize(out.ids.size(), type_id);
}

void shorten(Encoding& part, int64_t length) {
  const auto keep = std::min(part.ids.size(), static_cast<size_t>(length));
  part.ids.resize(keep);
  part.words.resize(keep);
}

/// The library's LongestFirst.
void truncate(std::vector<Encoding>& parts, int64_t room) {
  if (parts.size() == 1) return shorten(parts[0], room);
  auto a = static_cast<int64_t>(parts[0].ids.size());
  auto b = static_cast<int64_t>(parts[1].ids.size());
  if (a + b <= room) return;
  const bool swapped = a > b;
  if (swapped) std::swap(a, b);
  b = a > room ? a : std::max(a, room - a);
  if (a + b > room) {
    a = room / 2;
    b = a + room % 2;
  }
  if (swapped) std::swap(a, b);
  shorten(parts[0], a);
  shorten(parts[1], b);
}

}  // namespace

Templates parse_templates(const Node& node) {
  std::optional<Templates> out;
  parse_into(node, 0, out);
  return out.value_or(Templates());
}

Encoding fill_template(const Templates& templates, std::vector<Encoding> parts,
                       const EncodeOptions& options) {
  const std::vector<TemplateItem>& items = parts.size() == 1 ? templates.single : templates.pair;
  if (options.max_length > 0) {
    int64_t added = 0;
    for (const TemplateItem& item : items) added += static_cast<int64_t>(item.ids.size());
    const int64_t room = options.max_length - (options.add_special_tokens ? added : 0);
    truncate(parts, std::max<int64_t>(0, room));
  }
  Encoding out;
  for (const TemplateItem& item : items) {
    if (item.sequence >= 0) {
      if (static_cast<size_t>(item.sequence) < parts.size())
        append(out, parts[static_cast<size_t>(item.sequence)], item.type_id);
    } else if (options.add_special_tokens) {
      append(out, {item.ids, {}, std::vector<int64_t>(item.ids.size(), -1)}, item.type_id);
    }
  }
  return out;
}

}  // namespace unirg::text
