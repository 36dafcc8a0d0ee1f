// The data card of study records: how many of what, for people (Markdown) and programs (JSON,
// schema unirg.data-card/1, documented in man/unirg-records.5). Depends on records.h, text.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "data/records.h"
#include "text/boilerplate.h"

namespace unirg::data {

/// {count, min, q1, median, q3, max, mean}; null without a value. Quantiles are nearest ranks: of n
/// values in order the one at ceil(p n), so that each is a value that was there.
Json distribution(std::vector<double> values);

struct CardOptions {
  double template_share = 0.01;  ///< of a site's patients, see text/boilerplate.h
  double near_duplicate = 0.8;   ///< least Jaccard index of near-duplicate reports
  size_t examples = 5;           ///< templates of a site that are named
};

/// Takes studies one at a time, so that a file of any length can be counted.
class DataCard {
 public:
  explicit DataCard(const CardOptions& options)
      : options_(options), boilerplate_(options.near_duplicate) {}

  void add(const Study& study);
  /// A line of rejected.jsonl.
  void add_rejected(std::string_view reason);
  /// The card of what was added. Objects of counts have their keys in the order of bytes.
  [[nodiscard]] Json json() const;

 private:
  /// Studies, patients and images of one group.
  struct Group {
    int64_t studies = 0;
    int64_t images = 0;
    std::unordered_set<uint32_t> patients;
    std::map<std::string, int64_t> splits;  ///< studies of each
  };
  using Groups = std::map<std::string, Group>;
  using Counts = std::map<std::string, int64_t>;

  void add_text(const Study& study, const std::string& site, const std::string& patient);
  void add_labels(const Study& study);
  void add_images(const Study& study);
  static Json group_json(const Groups& groups, bool with_splits);
  [[nodiscard]] Json labels_json() const;
  [[nodiscard]] Json tiles_json() const;
  [[nodiscard]] Json ct_json() const;
  [[nodiscard]] Json breast_json() const;
  [[nodiscard]] Json patients_json() const;
  [[nodiscard]] Json boilerplate_json() const;

  CardOptions options_;
  int64_t studies_ = 0, images_ = 0, dated_ = 0, with_prior_ = 0;
  std::string first_date_, last_date_;
  std::unordered_map<std::string, uint32_t> patients_;  ///< number of each
  std::vector<int64_t> studies_of_patient_;
  Groups splits_, datasets_, sites_;
  Counts views_, modalities_, sexes_, races_;
  int64_t tiles_ = 0;  ///< images that are tiles of slides
  int64_t slides_ = 0;
  Counts tile_mpp_;
  int64_t slices_ = 0, montages_ = 0;  ///< images that are slices of CT, or several
  Counts windows_, lateralities_, birads_, densities_;
  std::map<int64_t, int64_t> images_per_study_;
  std::vector<double> ages_;
  std::map<std::string, std::vector<double>> words_;  ///< of each section, and of "report"
  int64_t labelled_ = 0;
  /// Of a condition: positive, negative, uncertain, not mentioned.
  std::vector<std::pair<std::string, std::array<int64_t, 4>>> conditions_;
  std::optional<Counts> rejected_;
  text::BoilerplateCounts boilerplate_;
};

/// The card as Markdown tables.
std::string card_markdown(const Json& card);

}  // namespace unirg::data
