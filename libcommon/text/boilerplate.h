// How much of the reports of a site is template: sentences that many of its patients' reports share
// word for word, and reports that nearly repeat an earlier one. Exact counts of what is given,
// nothing random. Depends on near_duplicates.h, sentences.h, words.h.
//
// The measure. The form of a sentence (split_sentences) is its words (split_words) in lower case,
// with a space between them, each number, a word of digits and points alone, as "#". A sentence
// without words is none. Of the P patients with a report at a site, N(f) have one with form f.
//
//   f is a template of the site    <=>  N(f) >= max(2, ceil(share * P))
//   template share                 =    words of the sentences that are templates / words of all
//   own share                      =    the same for templates that are none at any other site
//   template reports               =    reports all of whose sentences are templates / reports
//   near-duplicates                =    reports like one before them / reports, where a report is
//                                       like an earlier one of the site that is itself like none
//                                       before it, if the Jaccard index of their word 5-grams is at
//                                       least a threshold (near_duplicates.h)
//
// Patients are counted, not reports: who is seen often is likely to have one sentence often. The
// threshold is a share, so that sites of different sizes can be compared; below 2 / share patients
// it is two patients, and a small site has more templates. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "text/near_duplicates.h"

namespace unirg::text {

struct SentenceForm {
  std::string text;  ///< "the tip is # cm above the carina"
  uint32_t words = 0;
};
/// The forms of a report's sentences, in order.
std::vector<SentenceForm> sentence_forms(std::string_view report);

/// Counts at one site; every share above is a quotient of two of them.
struct Boilerplate {
  int64_t reports = 0;   ///< with at least one sentence
  int64_t patients = 0;  ///< who have them
  int64_t sentences = 0;
  int64_t words = 0;      ///< of all sentences
  int64_t needed = 0;     ///< patients that make a form a template: max(2, ceil(share * patients))
  int64_t templates = 0;  ///< different forms that are templates
  int64_t template_sentences = 0;
  int64_t template_words = 0;
  int64_t own_words = 0;         ///< in templates that are none at any other site
  int64_t template_reports = 0;  ///< all of whose sentences are templates
  int64_t near_duplicates = 0;   ///< reports like one before them
  /// Templates and their patients, most patients first, of equals by form.
  std::vector<std::pair<std::string, int64_t>> most = {};
};

/// Reports of several sites while they come in.
class BoilerplateCounts {
 public:
  /// \param near_duplicate least Jaccard index, 0.6 to 1
  explicit BoilerplateCounts(double near_duplicate) : near_duplicate_(near_duplicate) {}
  /// Reports without a sentence are left out.
  void add(const std::string& site, const std::string& patient, std::string_view report);
  /// By site. \param share of a site's patients that makes a template, above 0, at most 1
  /// \param examples how many templates are named
  [[nodiscard]] std::map<std::string, Boilerplate> measure(double share, size_t examples) const;

 private:
  struct Site {
    std::unordered_map<std::string, uint32_t> forms;  ///< number of each
    std::vector<uint32_t> words;                      ///< of each form
    std::unordered_map<std::string, uint32_t> patients;
    std::vector<std::pair<uint32_t, uint32_t>> seen;  ///< form and patient
    std::vector<uint32_t> sentences;                  ///< forms of all reports, one after another
    std::vector<size_t> ends;                         ///< of each report's sentences
    NearDuplicates first;                             ///< reports that are like none before
    int64_t near_duplicates = 0;
  };
  /// Patients of each form.
  static std::vector<int64_t> patients_of_forms(const Site& site);

  double near_duplicate_;
  std::map<std::string, Site> sites_;
};

}  // namespace unirg::text
