// What needs all studies at once: priors and encounter numbers, and splits by patient. Depends on
// records.h. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/digest.h"
#include "data/name_table.h"
#include "data/records.h"

namespace unirg::data {

/// Splits with their shares, in order; shares are normalised.
using SplitShares = std::vector<std::pair<std::string, double>>;

struct LinkOptions {
  SplitShares shares;
  std::vector<std::string> heldout_sites = {};
  std::vector<std::pair<std::string, int64_t>> hold_out = {};  ///< split and studies
  uint64_t seed = 0;
};

/// What links and splits studies that lie elsewhere, some 60 bytes of each in memory.
///
/// Priors: each patient's studies are numbered by (date, study id), undated ones last, and each
/// dated one is linked to the last of an earlier day whose key image is no lateral or oblique view,
/// which would tell little to compare with. Studies whose images stand in
/// another order (mammograms, in_source_order()) are asked nothing. Among undated studies the
/// number `extra.order`, where their source gives one, stands for the day.
///
/// Splits: every study without one gets `heldout_site` if its patient was seen at a held-out site,
/// else the split of its patient's other studies, else one by a stable hash of dataset, patient and
/// seed, so that a patient's studies stay together and do not move when others are added.
///
/// Held out: as many studies as each split asks for move out of `train`, whole patients in the
/// order of a hash of dataset, patient and seed; one whose studies are more than are still wanted
/// is passed over.
class StudyLinks {
 public:
  /// Study number i as it was added: asked for where texts must be compared or named.
  using ReadStudy = std::function<Study(size_t i)>;

  explicit StudyLinks(LinkOptions options) : options_(std::move(options)) {}
  void add(const Study& study);
  /// Once, when all are added. \throws Error(Exit::data) naming a study whose patient would stand
  /// in two splits (a table's own split column may part a patient, or differ from a held-out
  /// site's); or if `train` cannot give exactly as many as are to be held out
  void link(const ReadStudy& read);

  [[nodiscard]] const std::string& split(size_t study) const {
    return splits_.name(links_[study].split);
  }
  /// Gives study number i its encounter, prior and split. From any number of threads.
  void apply(size_t i, Study& study, const ReadStudy& read) const;

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  enum class Time : uint8_t { dated, ordered, unknown };
  struct Link {
    Digest patient;     ///< of dataset and id
    int64_t time;       ///< date as YYYYMMDD, or order; 0 if unknown
    double split_draw;  ///< in [0, 1)
    uint32_t split;     ///< number in splits_
    uint32_t encounter = 1;
    uint32_t prior = kNone;
    Time kind;
    bool may_be_prior = true;
  };
  using Order = std::vector<uint32_t>;

  [[nodiscard]] bool is_earlier(const Link& a, const Link& b) const;
  [[nodiscard]] Order by_patient() const;
  void sort_ties(Order& order, const ReadStudy& read) const;
  void link_priors(const Order& order);
  void assign_splits(const Order& order, const ReadStudy& read);
  void hold_out(const ReadStudy& read);
  [[nodiscard]] uint32_t split_by_draw(double draw);
  template <typename Take>
  void each_patient(const Order& order, Take take) const;

  LinkOptions options_;
  NameTable splits_;
  std::deque<Link> links_;
  std::deque<double> hold_out_draws_;  ///< where any are to be held out
};

/// True for views a report is written from: AP, PA and their spelled-out forms.
bool is_frontal(const std::string& view);
/// True for modalities whose images stay in the order in which the source has them: tiles of a
/// slide (SM), slices (CT), and what is photographed of an eye (FFA, OP, OPT).
bool in_source_order(const std::string& modality);
/// Puts the key image first: a frontal view, else one whose view is unknown, else any; then the
/// larger area, then the id.
void order_images(std::vector<StudyImage>& images);
/// Mammograms: R CC, L CC, R MLO, L MLO, then other views, equals as they come. Sides are
/// extra.laterality.
void order_mammograms(std::vector<StudyImage>& images);
/// By what the modality asks for: as they come, as mammograms (MG), or the key image first.
void order_images(std::vector<StudyImage>& images, const std::string& modality);

}  // namespace unirg::data
