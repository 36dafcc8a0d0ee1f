// SPDX-License-Identifier: Apache-2.0
#include "text/boilerplate.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>
#include <unordered_set>

#include "text/sentences.h"
#include "text/words.h"

namespace unirg::text {
namespace {

bool is_number(std::string_view word) {
  return std::all_of(word.begin(), word.end(), [](char c) { return is_digit(c) || c == '.'; });
}

/// max(2, ceil(share * patients)); a product that is a whole number but for the last bit counts as
/// it: .07 * 100 is 7.
int64_t needed_patients(double share, int64_t patients) {
  const double product = share * static_cast<double>(patients);
  return std::max<int64_t>(2, static_cast<int64_t>(std::ceil(product - 1e-9 * product)));
}

}  // namespace

std::vector<SentenceForm> sentence_forms(std::string_view report) {
  std::vector<SentenceForm> forms;
  for (const Span& sentence : split_sentences(report)) {
    SentenceForm form;
    for (const Word& word : split_words(report, sentence)) {
      if (word.kind != WordKind::word) continue;
      const std::string_view text = report.substr(word.span.begin, word.span.end - word.span.begin);
      if (form.words++ > 0) form.text += ' ';
      if (is_number(text)) {
        form.text += '#';
      } else {
        std::transform(text.begin(), text.end(), std::back_inserter(form.text), lower);
      }
    }
    if (form.words > 0) forms.push_back(std::move(form));
  }
  return forms;
}

void BoilerplateCounts::add(const std::string& site_name, const std::string& patient,
                            std::string_view report) {
  std::vector<SentenceForm> forms = sentence_forms(report);
  if (forms.empty()) return;
  Site& site = sites_[site_name];
  const uint32_t person =
      site.patients.emplace(patient, static_cast<uint32_t>(site.patients.size())).first->second;
  for (SentenceForm& form : forms) {
    const auto [it, is_new] =
        site.forms.emplace(std::move(form.text), static_cast<uint32_t>(site.words.size()));
    if (is_new) site.words.push_back(form.words);
    site.seen.emplace_back(it->second, person);
    site.sentences.push_back(it->second);
  }
  site.ends.push_back(site.sentences.size());
  if (site.first.nearest(report, near_duplicate_))
    ++site.near_duplicates;
  else
    site.first.add(report);
}

std::vector<int64_t> BoilerplateCounts::patients_of_forms(const Site& site) {
  auto seen = site.seen;
  std::sort(seen.begin(), seen.end());
  seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
  std::vector<int64_t> patients(site.words.size());
  for (const auto& [form, person] : seen) ++patients[form];
  return patients;
}

std::map<std::string, Boilerplate> BoilerplateCounts::measure(double share, size_t examples) const {
  std::map<std::string, Boilerplate> all;
  std::map<std::string, std::vector<bool>> templates;      // of a site, by form
  std::unordered_map<std::string_view, int64_t> sites_of;  // of a template's text
  for (const auto& [name, site] : sites_) {
    Boilerplate& out = all[name];
    out.reports = static_cast<int64_t>(site.ends.size());
    out.patients = static_cast<int64_t>(site.patients.size());
    out.sentences = static_cast<int64_t>(site.sentences.size());
    out.needed = needed_patients(share, out.patients);
    out.near_duplicates = site.near_duplicates;
    const std::vector<int64_t> patients = patients_of_forms(site);
    std::vector<bool>& is_template = templates[name];
    is_template.resize(patients.size());
    for (const auto& [text, form] : site.forms) {
      if (patients[form] < out.needed) continue;
      is_template[form] = true;
      ++sites_of[text];
      out.most.emplace_back(text, patients[form]);
    }
    out.templates = static_cast<int64_t>(out.most.size());
    std::sort(out.most.begin(), out.most.end(), [](const auto& a, const auto& b) {
      return std::tie(b.second, a.first) < std::tie(a.second, b.first);
    });
    out.most.resize(std::min(out.most.size(), examples));
  }
  for (const auto& [name, site] : sites_) {
    Boilerplate& out = all[name];
    const std::vector<bool>& is_template = templates[name];
    std::vector<bool> is_own(is_template.size());
    for (const auto& [text, form] : site.forms)
      is_own[form] = is_template[form] && sites_of.at(text) == 1;
    size_t begin = 0;
    for (const size_t end : site.ends) {
      bool whole = true;
      for (; begin < end; ++begin) {
        const uint32_t form = site.sentences[begin];
        const int64_t words = site.words[form];
        out.words += words;
        whole = whole && is_template[form];
        out.template_sentences += is_template[form] ? 1 : 0;
        out.template_words += is_template[form] ? words : 0;
        out.own_words += is_own[form] ? words : 0;
      }
      out.template_reports += whole ? 1 : 0;
    }
  }
  return all;
}

}  // namespace unirg::text
