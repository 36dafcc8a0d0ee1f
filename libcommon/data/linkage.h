// What needs all studies at once: priors and encounter numbers, and splits by patient. Pure
// records. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "data/records.h"

namespace unirg::data {

/// Numbers each patient's studies by (date, study id), undated ones last, and links each dated one
/// to the last of an earlier day. Among undated studies the number `extra.order`, where their
/// source gives one, stands for the day.
void link_priors(std::vector<Study>& studies);

/// Splits with their shares, in order; shares are normalised.
using SplitShares = std::vector<std::pair<std::string, double>>;

/// Gives every study without a split one: `heldout_site` to all studies of a patient who was seen
/// at a held-out site, else by a stable hash of dataset, patient and seed, so that a patient's
/// studies stay together and do not move when others are added. \throws Error(Exit::data) naming a
/// study whose patient would stand in two splits: a table's own split column may part a patient, or
/// differ from a held-out site's
void assign_splits(std::vector<Study>& studies, const SplitShares& shares,
                   const std::vector<std::string>& heldout_sites, uint64_t seed);

/// Moves as many studies as each split asks for out of `train`, whole patients in the order of a
/// hash of dataset, patient and seed; one whose studies are more than are still wanted is passed
/// over. \throws Error(Exit::data) if `train` cannot give exactly as many
void hold_out(std::vector<Study>& studies,
              const std::vector<std::pair<std::string, int64_t>>& wanted, uint64_t seed);

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
