// Who is imaged in the phantom and what is wrong with them: patients, studies, follow-ups,
// unreported decoys. Pure arithmetic on named random streams, so a study does not depend on how
// many others are made. Depends on image/phantom_drawing.h, text/labeler.h (names of the
// conditions) and base/rng.h.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "image/phantom_drawing.h"
#include "text/labeler.h"

namespace unirg::data {

using Shares = std::vector<std::pair<std::string, double>>;  ///< name and non-negative weight

struct PhantomConfig {
  int64_t seed = 0;
  // Studies in each set; patients never cross sets. The held-out site's studies are all of site D.
  int64_t train = 3200;
  int64_t validate = 300;
  int64_t test = 450;
  int64_t heldout = 400;
  int64_t side = 128;  ///< pixels

  // How far the reference knows more than the picture shows.
  double conspicuity_min = .25;    ///< contrast of a reported finding: uniform factor from here ...
  double conspicuity_max = 1.0;    ///< ... to here
  double decoy_probability = .45;  ///< studies with unreported findings
  double decoy_min = .15;          ///< their contrast
  double decoy_max = .6;
  bool ctr_gap = false;  ///< else the cardiothoracic ratios of neighbouring grades overlap

  double follow_up = .25;  ///< share of studies that are a patient's second, of two at most
  int64_t encounters = 2;  ///< studies of a patient at most; a later one is as likely as a second
  double monochrome1 = .2;
  double cr = .35;  ///< modality CR, the rest DX
  Shares bits = {{"8", .1}, {"10", .2}, {"12", .5}, {"16", .2}};
  Shares transfer_syntaxes = {
      {"explicit-le", .3}, {"jpeg-lossless", .25}, {"jpeg-ls", .2}, {"rle", .15}, {"deflated", .1}};

  bool varied_negatives = false;  ///< draws any house's way to say a negative; else its own one way
  int64_t phrasings = 6;          ///< at most so many ways to say a positive (there are 10)
};

/// \throws Error(Exit::config) naming the value that is out of range or unknown
void check_config(const PhantomConfig& config);

/// Against the patient's prior study.
enum class PhantomChange { none, fresh, worse, better, same };
/// "", "new", "worse", "better", "same"
std::string_view change_name(PhantomChange change);

/// What the report tells. Amplitudes of the marks are those of the drawing.
struct PhantomFindings {
  int cardiomegaly = 0;  ///< 0..3
  image::PhantomMarks marks;
};

/// Changes of the findings for which the report tells one; none in a first study and where absent.
struct PhantomChanges {
  PhantomChange edema = PhantomChange::none;
  std::array<PhantomChange, 4> consolidation{};
  std::array<PhantomChange, 2> effusion{};
  std::array<PhantomChange, 2> pneumothorax{};
};

struct PhantomStudy {
  std::string study_id;    ///< "A-000123-1": site, patient number, encounter
  std::string patient_id;  ///< "A-000123"
  std::string split;       ///< "train", "validate", "test", "heldout_site"
  char site = 'A';         ///< A, B, C; D is held out
  int encounter = 1;
  std::string date;  ///< "YYYY-MM-DD"
  int age = 0;       ///< years
  std::string sex;   ///< "F", "M"
  std::string race;
  std::string view;        ///< "AP", "PA"
  std::string modality;    ///< "DX", "CR"
  std::string indication;  ///< e.g. "chest pain"
  PhantomFindings findings;
  PhantomChanges changes;
  image::PhantomScene scene;  ///< scene.findings are findings.marks
  bool monochrome1 = false;
  int bits = 12;
  std::string transfer_syntax;  ///< a name of PhantomConfig::transfer_syntaxes
};

/// The one or two studies of patient number `index` (0-based) of a split, first one first.
std::vector<PhantomStudy> plan_patient(const PhantomConfig& config, std::string_view split,
                                       int64_t index);

/// All studies: train, validate, test, heldout_site; patient by patient, exactly the configured
/// numbers (the last patient of a set may lose the second study).
std::vector<PhantomStudy> plan_phantom(const PhantomConfig& config);

/// Side of the body in words: "right", "left".
std::string_view side_name(int side);
/// "right upper lobe", ...
std::string_view lobe_name(int lobe);
/// 1 "mild", 2 "moderate", 3 "severe"
std::string_view severity_name(int grade);
/// 1 "small", 2 "moderate", 3 "large"
std::string_view size_name(int grade);

/// The drawn truth in the order of text::kConditions: 1 drawn, 0 not, nullopt for what the phantom
/// never draws (and for Lung Opacity and Pneumonia, which are readings of a consolidation). Decoys
/// do not count. No Finding is 1 without any finding but devices.
text::Labels condition_labels(const PhantomFindings& findings);

}  // namespace unirg::data
