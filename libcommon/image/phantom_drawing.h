// Procedural chest radiographs: anatomy, findings of known place and strength, and the look of an
// imaging site. They stand in for real radiographs in tests and in the demonstration pipeline.
// Depends on base.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace unirg::image {

/// Sides of the patient: right lies left in the image.
enum PhantomSide : int { kRight = 0, kLeft = 1 };
/// Lobes that consolidations and nodules lie in.
enum PhantomLobe : int { kRightUpper = 0, kRightLower = 1, kLeftUpper = 2, kLeftLower = 3 };

/// One finding at one place.
struct PhantomMark {
  int grade = 0;  ///< 0 absent; 1..3 mild/moderate/severe or small/moderate/large; 1 where ungraded
  double amplitude =
      1;  ///< factor on the contrast, > 0; 1 is plainly visible, .2 about lost in the noise
  bool operator==(const PhantomMark&) const = default;
};

/// All that is drawn on top of the anatomy (the heart's size is
/// PhantomAnatomy::cardiothoracic_ratio).
struct PhantomMarks {
  PhantomMark edema;
  std::array<PhantomMark, 4> consolidation;  ///< by PhantomLobe, ungraded
  std::array<PhantomMark, 4> nodule;         ///< by PhantomLobe, ungraded
  std::array<PhantomMark, 2> atelectasis;    ///< by PhantomSide, ungraded
  std::array<PhantomMark, 2> effusion;       ///< by PhantomSide
  std::array<PhantomMark, 2> pneumothorax;   ///< by PhantomSide
  std::array<PhantomMark, 2> fracture;       ///< by PhantomSide, ungraded
  PhantomMark pacemaker, line, tube;         ///< ungraded
  bool operator==(const PhantomMarks&) const = default;

  /// Calls visit(mark) for every mark, always in the order above.
  template <typename Marks, typename Visit>
  static void for_each(Marks& marks, Visit&& visit) {
    visit(marks.edema);
    for (auto& mark : marks.consolidation) visit(mark);
    for (auto& mark : marks.nodule) visit(mark);
    for (auto& mark : marks.atelectasis) visit(mark);
    for (auto& mark : marks.effusion) visit(mark);
    for (auto& mark : marks.pneumothorax) visit(mark);
    for (auto& mark : marks.fracture) visit(mark);
    visit(marks.pacemaker);
    visit(marks.line);
    visit(marks.tube);
  }
};

/// Body of the patient and pose of one exposure. Lengths are fractions of the image's side.
struct PhantomAnatomy {
  double scale = 1;  ///< of the whole body about the image centre
  std::array<double, 2>
      dome_offset{};                  ///< of the diaphragm domes, by PhantomSide, downward positive
  std::array<double, 2> shift{};      ///< of the body in x and y
  double cardiothoracic_ratio = .45;  ///< heart width over thoracic width
  bool operator==(const PhantomAnatomy&) const = default;
};

/// How a site's machine renders: clip(image, 0, 1.2)^gamma * gain + bias, blurred, with noise and a
/// black border. Lengths in pixels are for a side of 128 and grow with the side.
struct PhantomLook {
  double gain = 1;
  double bias = 0;
  double gamma = 1;
  double noise = .03;   ///< standard deviation of the noise of one pixel
  double blur_px = .5;  ///< standard deviation
  double border_px = 0;
};

/// Everything that determines one picture but its random details.
struct PhantomScene {
  PhantomAnatomy anatomy;
  PhantomMarks findings;
  PhantomMarks decoys;  ///< drawn like findings, told to nobody
  PhantomLook look;
};

/// Grey image, side * side floats in [0, 1], row by row; bright is dense.
struct PhantomImage {
  int64_t side = 0;
  std::vector<float> pixels;
};

/// Names the random streams of a picture: (seed, purpose, patient or study).
struct PhantomSubject {
  uint64_t seed = 0;
  std::string patient_id;  ///< vessels, exact places and sizes of findings come from it, so that a
                           ///< follow-up shows the same nodule at the same place
  std::string study_id;    ///< strength within a grade, exposure and noise
};

/// Draws a frontal chest radiograph. Same arguments, same pixels; adding a finding changes no
/// random detail of the rest. \param side  pixels, >= 16; the picture is a function of pixel
/// centres, so it looks the same at
///              any side
PhantomImage draw_phantom(const PhantomScene& scene, int64_t side, const PhantomSubject& subject);

/// Stored values of an image of `bits` bits (8..16): round(pixel * (2^bits - 1)), inverted for
/// MONOCHROME1 (DICOM PS3.3 C.7.6.3.1.2: the minimum is white).
std::vector<uint16_t> stored_values(const PhantomImage& image, int bits, bool monochrome1);

}  // namespace unirg::image
