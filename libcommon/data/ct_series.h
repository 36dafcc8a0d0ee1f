// CT series: which slices of a study are shown, and a montage of them. Plain functions of what
// headers say. Depends on image.h, dicom.h. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "image/dicom.h"
#include "image/image.h"

namespace unirg::data {

enum class CtRule { key_slices, montage, all };

struct CtOptions {
  CtRule rule = CtRule::key_slices;
  int64_t slices = 9;  ///< of a stack, for key_slices and montage; 1 or more
};

/// Names of windows in Hounsfield units, "file" first: the file's own.
const std::vector<std::string>& ct_window_names();
/// Centre and width: lung -600, 1500; mediastinum 50, 350; bone 400, 1800. nullopt for "file".
/// \see Radiopaedia, Windowing (CT): chest, lungs and mediastinum; spine, bone
std::optional<image::VoiWindow> ct_window(std::string_view name);

/// Files of one series with one orientation.
struct CtStack {
  std::vector<size_t> chosen;                   ///< by rising position, equals by number
  std::vector<std::optional<double>> position;  ///< of each, millimetres along the normal
  int64_t slices = 0;                           ///< in the stack
};

/// Files are numbers in the list of headers.
struct CtPlan {
  std::vector<CtStack> stacks;     ///< in the order of their first files
  std::vector<size_t> localizers;  ///< Image Type LOCALIZER, C.8.2.1.1.1: no slice of anything
  std::vector<size_t> left_out;    ///< by the rule
  std::vector<size_t> unplaced;    ///< of several of a series those without position or orientation
};

/// Slices stand by their place along the normal, row direction x column direction of Image
/// Orientation (Patient) times Image Position (Patient) (PS3.3 C.7.6.2.1.1), not by name or number.
/// A series with several orientations (0.01 apart in a component) is several stacks.
CtPlan plan_ct(const std::vector<image::DicomMetadata>& headers, const CtOptions& options);

/// `count` numbers of `positions`, which rise: for each middle of `count` equal parts of their
/// range, in order, the nearest (the first of equals) that leaves enough for those after. All if
/// there are no more.
std::vector<size_t> key_slices(const std::vector<double>& positions, int64_t count);

/// Columns of a montage of so many pictures: the least square that holds them.
int64_t montage_columns(int64_t count);
/// Grey pictures row by row in cells as wide and high as the largest, each in the middle of its
/// cell, on black. \throws std::logic_error without a picture or if one is not grey
image::Image8 montage(const std::vector<image::Image8>& pictures, int64_t columns);

}  // namespace unirg::data
