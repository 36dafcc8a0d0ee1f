// SPDX-License-Identifier: Apache-2.0
#include "text/sections.h"

#include <algorithm>
#include <array>
#include <vector>

#include "text/chat.h"
#include "text/words.h"

namespace unirg::text {
namespace {

enum class Section { none, indication, technique, comparison, findings, impression, other };

struct HeadingName {
  std::string_view words;
  Section section;
};

constexpr std::array kHeadings{HeadingName{"clinical indication", Section::indication},
                               HeadingName{"clinical information", Section::indication},
                               HeadingName{"clinical history", Section::indication},
                               HeadingName{"clinical data", Section::indication},
                               HeadingName{"clinical statement", Section::indication},
                               HeadingName{"patient history", Section::indication},
                               HeadingName{"medical history", Section::indication},
                               HeadingName{"medical condition", Section::indication},
                               HeadingName{"reason for the examination", Section::indication},
                               HeadingName{"reason for this examination", Section::indication},
                               HeadingName{"reason for examination", Section::indication},
                               HeadingName{"reason for the exam", Section::indication},
                               HeadingName{"reason for exam", Section::indication},
                               HeadingName{"reason for study", Section::indication},
                               HeadingName{"indications", Section::indication},
                               HeadingName{"indication", Section::indication},
                               HeadingName{"history", Section::indication},
                               HeadingName{"technique", Section::technique},
                               HeadingName{"procedure", Section::technique},
                               HeadingName{"procedure comments", Section::technique},
                               HeadingName{"views", Section::technique},
                               HeadingName{"comparison studies", Section::comparison},
                               HeadingName{"comparison study", Section::comparison},
                               HeadingName{"comparison exams", Section::comparison},
                               HeadingName{"comparisons", Section::comparison},
                               HeadingName{"comparison", Section::comparison},
                               HeadingName{"findings and impression", Section::findings},
                               HeadingName{"findings", Section::findings},
                               HeadingName{"finding", Section::findings},
                               HeadingName{"observations", Section::findings},
                               HeadingName{"observation", Section::findings},
                               HeadingName{"report", Section::findings},
                               HeadingName{"final impression", Section::impression},
                               HeadingName{"impressions", Section::impression},
                               HeadingName{"impression", Section::impression},
                               HeadingName{"conclusions", Section::impression},
                               HeadingName{"conclusion", Section::impression},
                               HeadingName{"summary", Section::impression},
                               HeadingName{"opinion", Section::impression},
                               HeadingName{"interpretation", Section::impression},
                               HeadingName{"recommendations", Section::impression},
                               HeadingName{"recommendation", Section::impression},
                               HeadingName{"final report", Section::other},
                               HeadingName{"examination", Section::other},
                               HeadingName{"exam", Section::other},
                               HeadingName{"study", Section::other},
                               HeadingName{"type of examination", Section::other},
                               HeadingName{"wet read", Section::other},
                               HeadingName{"notification", Section::other},
                               HeadingName{"addendum", Section::other},
                               HeadingName{"dictated by", Section::other},
                               HeadingName{"electronically signed by", Section::other}};

struct Heading {
  Section section = Section::none;
  size_t begin = 0;  ///< of the heading
  size_t end = 0;    ///< one past its ':'
};

bool is_line_begin(std::string_view text, size_t at) {
  while (at > 0) {
    const char c = text[at - 1];
    if (c == '\n') return true;
    if (!is_space(c) && c != '*' && c != '#' && c != '-') return false;
    --at;
  }
  return true;
}

/// Whether the words before `at` are finished: a sentence end or nothing.
bool follows_sentence(std::string_view text, size_t at) {
  while (at > 0 && is_space(text[at - 1])) --at;
  return at == 0 || text[at - 1] == '.' || text[at - 1] == '!' || text[at - 1] == '?';
}

bool ends_line(std::string_view text, size_t at) {
  while (at < text.size() && (text[at] == ' ' || text[at] == '\t' || text[at] == '\r')) ++at;
  return at == text.size() || text[at] == '\n';
}

/// The end of `name` in text at `at`, blanks in runs allowed; npos if it is not there.
size_t match_name(std::string_view text, size_t at, std::string_view name) {
  for (const char c : name) {
    if (c == ' ') {
      if (at >= text.size() || text[at] != ' ') return std::string_view::npos;
      while (at < text.size() && text[at] == ' ') ++at;
    } else {
      if (at >= text.size() || lower(text[at]) != c) return std::string_view::npos;
      ++at;
    }
  }
  return at;
}

std::optional<Heading> heading_at(std::string_view text, size_t at) {
  if (!is_letter(text[at]) || (at > 0 && is_letter(text[at - 1]))) return std::nullopt;
  for (const HeadingName& name : kHeadings) {
    size_t end = match_name(text, at, name.words);
    if (end == std::string_view::npos || (end < text.size() && is_letter(text[end]))) continue;
    const auto letters = text.substr(at, end - at);
    const bool capitals =
        std::none_of(letters.begin(), letters.end(), [](char c) { return c >= 'a' && c <= 'z'; });
    const bool opens_line = is_line_begin(text, at);
    while (end < text.size() && (text[end] == ' ' || text[end] == '*')) ++end;
    if (end < text.size() && text[end] == ':') {
      if (!opens_line && !capitals && !follows_sentence(text, at)) return std::nullopt;
      return Heading{name.section, at, end + 1};
    }
    if (opens_line && capitals && ends_line(text, end)) return Heading{name.section, at, end};
  }
  return std::nullopt;
}

std::vector<Heading> find_headings(std::string_view text) {
  std::vector<Heading> headings;
  for (size_t at = 0; at < text.size(); ++at) {
    const auto heading = heading_at(text, at);
    if (!heading) continue;
    headings.push_back(*heading);
    at = heading->end - 1;
  }
  return headings;
}

/// Non-empty paragraphs: parted by a line without anything but white space.
std::vector<std::string_view> paragraphs(std::string_view text) {
  std::vector<std::string_view> all;
  size_t begin = 0;
  const auto close = [&](size_t end) {
    if (end <= begin) return;  // a further empty line
    const auto part = text.substr(begin, end - begin);
    if (std::any_of(part.begin(), part.end(), [](char c) { return is_letter(c); }))
      all.push_back(part);
  };
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\n') continue;
    size_t next = at + 1;
    while (next < text.size() && is_space(text[next]) && text[next] != '\n') ++next;
    if (next >= text.size() || text[next] != '\n') continue;
    close(at);
    begin = next + 1;
    at = next - 1;
  }
  close(text.size());
  return all;
}

void append(std::optional<std::string>& section, std::string_view text) {
  std::string clean = collapse_space(text);
  if (clean.empty()) return;
  section = section ? *section + " " + clean : std::move(clean);
}

std::optional<std::string>* place(Sections& sections, Section section) {
  switch (section) {
    case Section::indication:
      return &sections.indication;
    case Section::technique:
      return &sections.technique;
    case Section::comparison:
      return &sections.comparison;
    case Section::findings:
      return &sections.findings;
    case Section::impression:
      return &sections.impression;
    case Section::none:
    case Section::other:
      return nullptr;
  }
  return nullptr;
}

/// Paragraphs under indication, technique or comparison behind the first one belong to nobody:
/// those sections are one paragraph long.
bool is_short(Section section) {
  return section == Section::indication || section == Section::technique ||
         section == Section::comparison || section == Section::other;
}

}  // namespace

Sections split_sections(std::string_view report) {
  const std::vector<Heading> headings = find_headings(report);
  const bool has_body = std::any_of(headings.begin(), headings.end(), [](const Heading& h) {
    return h.section == Section::findings;
  });
  const bool has_impression = std::any_of(headings.begin(), headings.end(), [](const Heading& h) {
    return h.section == Section::impression;
  });
  Sections sections;
  const size_t first = headings.empty() ? report.size() : headings.front().begin;
  std::vector<std::string_view> loose = paragraphs(report.substr(0, first));
  std::vector<std::string_view> behind;
  for (size_t i = 0; i < headings.size(); ++i) {
    const size_t end = i + 1 < headings.size() ? headings[i + 1].begin : report.size();
    const std::string_view body = report.substr(headings[i].end, end - headings[i].end);
    std::optional<std::string>* target = place(sections, headings[i].section);
    if (has_body || !is_short(headings[i].section)) {
      if (target) append(*target, body);
      continue;
    }
    const auto parts = paragraphs(body);
    if (target && !parts.empty()) append(*target, parts.front());
    for (size_t p = 1; p < parts.size(); ++p) behind.push_back(parts[p]);
  }
  if (has_body) return sections;
  if (has_impression) {
    for (const std::string_view part : behind.empty() ? loose : behind)
      append(sections.findings, part);
  } else if (!behind.empty() || !loose.empty()) {
    append(sections.findings, behind.empty() ? loose.back() : behind.back());
  }
  return sections;
}

}  // namespace unirg::text
