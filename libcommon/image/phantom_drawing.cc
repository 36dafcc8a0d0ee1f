// Numbers and order of drawing: the project's phantom recipe (section 2 of its design notes).
// Every centre and endpoint goes through Body::at, so that patients differ in size and place; of
// the radii, those multiplied by `scale` grow too.
// SPDX-License-Identifier: Apache-2.0
#include "image/phantom_drawing.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/rng.h"
#include "image/phantom_canvas.h"

namespace unirg::image {
namespace {

using phantom::ellipse;
using phantom::Field;
using phantom::Point;
using phantom::sigmoid;
using phantom::spot;
using phantom::Stamp;
using phantom::stroke;

constexpr std::array<int, 2> kSides{kRight, kLeft};
constexpr double kLungX = .20, kLungY = .47, kLungRx = .165, kLungRy = .335, kLungSoft = .012;

/// -1 towards the image's left, where the patient's right lies.
double sign_of(int side) { return side == kRight ? -1.0 : 1.0; }
int side_of_lobe(int lobe) { return lobe < kLeftUpper ? kRight : kLeft; }
bool is_upper(int lobe) { return lobe == kRightUpper || lobe == kLeftUpper; }

/// Where the patient's findings and vessels lie; drawn in a fixed order, whether used or not.
struct Places {
  struct Vessel {
    double angle, length;
  };
  struct Patch {
    double dx, dy, width, ratio;
  };
  struct Nodule {
    double dx, dy, radius;
  };
  struct Streak {
    double dx, dy, slope;
  };
  std::array<std::array<Vessel, 5>, 2> vessels;
  std::array<Patch, 4> patches;
  std::array<Nodule, 4> nodules;
  std::array<std::array<Streak, 2>, 2> streaks;
  std::array<int, 2> broken_rib;
};

Places draw_places(Rng& rng) {
  Places places{};
  for (auto& side : places.vessels) {
    for (auto& vessel : side) {
      vessel.angle = rng.uniform(-1.1, 1.1);
      vessel.length = rng.uniform(.08, .15);
    }
  }
  for (auto& patch : places.patches) {
    patch.dx = rng.uniform(-.03, .03);
    patch.dy = rng.uniform(-.03, .03);
    patch.width = rng.uniform(.050, .080);
    patch.ratio = rng.uniform(.8, 1.2);
  }
  for (auto& nodule : places.nodules) {
    nodule.dx = rng.uniform(-.05, .05);
    nodule.dy = rng.uniform(-.05, .05);
    nodule.radius = rng.uniform(.018, .026);
  }
  for (auto& side : places.streaks) {
    for (auto& streak : side) {
      streak.dx = rng.uniform(0, .03);
      streak.dy = rng.uniform(-.01, .01);
      streak.slope = rng.uniform(-.025, .015);
    }
  }
  for (int& rib : places.broken_rib) rib = 3 + static_cast<int>(rng.below(3));
  return places;
}

/// Where in the range of its grade each finding lies, 0..1; drawn whether used or not.
struct Strengths {
  double edema = 0;
  std::array<double, 4> consolidation{}, nodule{};
  std::array<double, 2> effusion{}, pneumothorax{};
};

Strengths draw_strengths(Rng& rng) {
  Strengths strengths;
  strengths.edema = rng.uniform();
  for (double& strength : strengths.consolidation) strength = rng.uniform();
  for (double& strength : strengths.nodule) strength = rng.uniform();
  for (double& strength : strengths.effusion) strength = rng.uniform();
  for (double& strength : strengths.pneumothorax) strength = rng.uniform();
  return strengths;
}

double between(double low, double high, double part) { return low + (high - low) * part; }

/// The body at its place in the picture, with the masks that findings are drawn through.
struct Body {
  int64_t side;
  PhantomAnatomy anatomy;
  std::array<Field, 2> lung_ellipse;  ///< without the diaphragm
  std::array<Field, 2> lung;          ///< above the diaphragm
  Field lungs;                        ///< both

  [[nodiscard]] double scale() const { return anatomy.scale; }
  [[nodiscard]] double x(double u) const { return .5 + anatomy.shift[0] + (u - .5) * scale(); }
  [[nodiscard]] double y(double v) const { return .5 + anatomy.shift[1] + (v - .5) * scale(); }
  [[nodiscard]] Point at(double u, double v) const { return {x(u), y(v)}; }
  [[nodiscard]] double dome(int s) const {
    const double nominal = s == kRight ? .735 : .755;
    return y(nominal + anatomy.dome_offset[static_cast<size_t>(s)]);
  }
  [[nodiscard]] Field lung_shape(int s) const {
    return phantom::fill(side, ellipse(side, at(.5 + kLungX * sign_of(s), kLungY),
                                       kLungRx * scale(), kLungRy * scale(), kLungSoft));
  }
};

float pixel_center(int64_t i, int64_t side) {
  return (static_cast<float>(i) + .5F) / static_cast<float>(side);
}

/// field *= f(x, y) at pixel centres, where it is not zero already.
template <typename Function>
void multiply(Field& field, Function&& f) {
  for (int64_t y = 0; y < field.side; ++y) {
    const float v = pixel_center(y, field.side);
    float* row = field.row(y);
    for (int64_t x = 0; x < field.side; ++x) {
      if (row[x] != 0.0F) row[x] *= f(pixel_center(x, field.side), v);
    }
  }
}

void add_field(Field& image, const Field& field, double amount) {
  const auto factor = static_cast<float>(amount);
  for (size_t i = 0; i < image.values.size(); ++i) image.values[i] += factor * field.values[i];
}

Body make_body(const PhantomAnatomy& anatomy, int64_t side) {
  Body body{side, anatomy, {Field(0), Field(0)}, {Field(0), Field(0)}, Field(0)};
  for (const int s : kSides) {
    const auto i = static_cast<size_t>(s);
    body.lung_ellipse[i] = body.lung_shape(s);
    body.lung[i] = body.lung_ellipse[i];
    const auto dome = static_cast<float>(body.dome(s));
    const auto center = static_cast<float>(body.x(.5 + .18 * sign_of(s)));
    multiply(body.lung[i], [&](float x, float y) {
      return sigmoid((dome + .9F * (x - center) * (x - center) - y) / .010F);
    });
  }
  body.lungs = phantom::larger(body.lung[0], body.lung[1]);
  return body;
}

/// Rib k of one side: a thin arc, brightest on its line.
void draw_rib(Field& image, const Body& body, const Field& chest, int s, int k) {
  const double middle = body.x(.5);
  const double base = body.y(.20 + .068 * k);
  constexpr double kWidth = .007;
  constexpr double kReach = 4.292 * kWidth;
  const auto n = static_cast<double>(body.side);
  for (int64_t x = 0; x < body.side; ++x) {
    const double u = sign_of(s) * (pixel_center(x, body.side) - middle);
    if (u <= .04 || u >= .40 * body.scale()) continue;
    const double arc = base + 1.1 * (u - .16) * (u - .16) - .02 + .10 * u;
    const auto top = std::max<int64_t>(static_cast<int64_t>(std::ceil((arc - kReach) * n - .5)), 0);
    const auto bottom =
        std::min<int64_t>(static_cast<int64_t>(std::floor((arc + kReach) * n - .5)), body.side - 1);
    for (int64_t y = top; y <= bottom; ++y) {
      const double z = (pixel_center(y, body.side) - arc) / kWidth;
      image.row(y)[x] += .055F * std::exp(static_cast<float>(-.5 * z * z)) * chest.row(y)[x];
    }
  }
}

void draw_heart(Field& image, const Body& body) {
  const double ratio = body.anatomy.cardiothoracic_ratio;
  const double width = .66 * ratio * body.scale();
  Field reach =
      body.lungs;  // the heart shows where lung surrounds it; elsewhere soft tissue hides its edge
  for (float& value : reach.values) value = std::max(value, .15F);
  phantom::add(image,
               ellipse(body.side, body.at(.5 + .16 * width, .635), width / 2,
                       .125 * (.75 + .5 * ratio) * body.scale(), .012),
               .27, &reach);
}

void draw_anatomy(Field& image, const Body& body, const Places& places) {
  const int64_t n = body.side;
  const double sc = body.scale();
  phantom::add(image, ellipse(n, body.at(.5, .62), .47 * sc, .62 * sc, .02), .52);
  phantom::add(image, ellipse(n, body.at(.5, .02), .12 * sc, .20 * sc, .02), .16);
  add_field(image, body.lungs, -.36);

  const Field trunk = phantom::fill(n, ellipse(n, body.at(.5, .55), .5, .6, .05));
  Stamp spine = spot(n, {body.x(.5), .5}, .045, 1e3);  // a vertical band
  phantom::add(image, spine, .16, &trunk);
  draw_heart(image, body);

  const Field chest = phantom::fill(n, ellipse(n, body.at(.5, .5), .43 * sc, .45 * sc, .02));
  for (const int s : kSides) {
    const double sign = sign_of(s);
    for (int k = 0; k < 8; ++k) draw_rib(image, body, chest, s, k);
    phantom::add(image,
                 stroke(n, body.at(.5 + .04 * sign, .185), body.at(.5 + .33 * sign, .135), .010),
                 .08);
    const Field& lung = body.lung[static_cast<size_t>(s)];
    const double hilum = .5 + .10 * sign;
    phantom::add(image, spot(n, body.at(hilum, .47), .035, .055), .10, &lung);
    for (const Places::Vessel& vessel : places.vessels[static_cast<size_t>(s)]) {
      const Point end = body.at(hilum + sign * vessel.length * std::cos(vessel.angle),
                                .47 + vessel.length * std::sin(vessel.angle));
      phantom::add(image, stroke(n, body.at(hilum, .47), end, .006), .05, &lung);
    }
  }
}

template <size_t N>
double graded(const std::array<double, N>& by_grade, int grade) {
  return by_grade[static_cast<size_t>(std::clamp(grade, 1, static_cast<int>(N)) - 1)];
}

void draw_edema(Field& image, const Body& body, const PhantomMark& mark, double strength,
                Rng& noise) {
  const double q =
      graded<3>({.07, .12, .18}, mark.grade) * between(.85, 1.15, strength) * mark.amplitude;
  for (const int s : kSides) {
    const Field& lung = body.lung[static_cast<size_t>(s)];
    phantom::add(image, spot(body.side, body.at(.5 + .13 * sign_of(s), .50), .09, .14), 1.2 * q,
                 &lung);
    add_field(image, lung, .25 * q);
  }
  const double per_px = static_cast<double>(body.side) / 128.0;
  Field grain = phantom::normal_field(body.side, noise);
  phantom::blur(grain, per_px);
  // Blurring by s pixels divides the noise by s: per_px keeps it alike at any side.
  for (size_t i = 0; i < image.values.size(); ++i) {
    image.values[i] +=
        static_cast<float>(.55 * q * per_px) * grain.values[i] * body.lungs.values[i];
  }
}

void draw_consolidation(Field& image, const Body& body, const Places::Patch& patch, int lobe,
                        double amount) {
  const int s = side_of_lobe(lobe);
  Field mask = body.lung[static_cast<size_t>(s)];
  for (float& value : mask.values) value = std::max(value, .1F);
  const double dy = is_upper(lobe) ? -.16 : .10;
  phantom::add(image,
               spot(body.side, body.at(.5 + sign_of(s) * (.19 + patch.dx), .46 + dy + patch.dy),
                    patch.width, patch.width * patch.ratio),
               amount, &mask);
}

void draw_nodule(Field& image, const Body& body, const Places::Nodule& nodule, int lobe,
                 double amount) {
  const int s = side_of_lobe(lobe);
  const double dy = is_upper(lobe) ? -.16 : .10;
  phantom::add(
      image,
      ellipse(body.side, body.at(.5 + sign_of(s) * (.19 + nodule.dx), .45 + dy + nodule.dy),
              nodule.radius, nodule.radius, .008),
      amount, &body.lung[static_cast<size_t>(s)]);
}

void draw_atelectasis(Field& image, const Body& body, const std::array<Places::Streak, 2>& streaks,
                      int s, double amplitude) {
  const double sign = sign_of(s);
  for (size_t t = 0; t < streaks.size(); ++t) {
    const double x0 = .5 + sign * (.13 + streaks[t].dx);
    const double y0 = .655 + .035 * static_cast<double>(t) + streaks[t].dy;
    phantom::add(
        image,
        stroke(body.side, body.at(x0, y0), body.at(x0 + sign * .14, y0 + streaks[t].slope), .009),
        .20 * amplitude, &body.lung[static_cast<size_t>(s)]);
  }
}

void draw_effusion(Field& image, const Body& body, const PhantomMark& mark, int s,
                   double strength) {
  const double low = graded<3>({.05, .12, .22}, mark.grade);
  const double high = graded<3>({.09, .18, .32}, mark.grade);
  const double h = between(low, high, strength);
  const auto level = static_cast<float>(body.dome(s) - h * body.scale() + .05);
  const auto rise =
      static_cast<float>(.33 * (h + .12) / .2);  // fluid climbs towards the chest wall
  const auto middle = static_cast<float>(body.x(.5));
  const auto sign = static_cast<float>(sign_of(s));
  const auto i = static_cast<size_t>(s);
  Field fluid = body.lung[i];
  multiply(fluid, [&](float x, float y) {
    const float u = sign * (x - middle);
    return sigmoid((y - (level - rise * std::max(u - .12F, 0.0F))) / .010F);
  });
  for (size_t p = 0; p < fluid.values.size(); ++p) {
    image.values[p] +=
        static_cast<float>(.33 * mark.amplitude) * fluid.values[p] * body.lung_ellipse[i].values[p];
  }
}

void draw_pneumothorax(Field& image, const Body& body, const PhantomMark& mark, int s,
                       double strength) {
  const double q = graded<3>({.06, .10, .15}, mark.grade) * between(.9, 1.1, strength);
  const Field inner = phantom::fill(
      body.side, ellipse(body.side, body.at(.5 + sign_of(s) * (.20 - .6 * q), .47 + .9 * q),
                         (.165 - .5 * q) * body.scale(), (.335 - .6 * q) * body.scale(), .008));
  const auto air_end = static_cast<float>(body.y(.60));
  const auto line_end = static_cast<float>(body.y(.58));
  const auto amplitude = static_cast<float>(mark.amplitude);
  const Field& lung = body.lung[static_cast<size_t>(s)];
  for (int64_t y = 0; y < body.side; ++y) {
    const float v = pixel_center(y, body.side);
    const float air_here = sigmoid((air_end - v) / .03F);
    const float line_here = sigmoid((line_end - v) / .03F);
    float* out = image.row(y);
    for (int64_t x = 0; x < body.side; ++x) {
      const float outside = (1.0F - inner.row(y)[x]) * lung.row(y)[x];
      out[x] += amplitude * outside * (.64F * inner.row(y)[x] * line_here - .17F * air_here);
    }
  }
}

void draw_fracture(Field& image, const Body& body, int rib, int s, double amplitude) {
  const Point c = body.at(.5 + .30 * sign_of(s), .20 + .068 * rib + .032);
  const int64_t n = body.side;
  phantom::add(image, spot(n, c, .014, .014), -.22 * amplitude);
  phantom::add(image, stroke(n, {c.x - .05, c.y - .012}, {c.x - .012, c.y - .028}, .009),
               .25 * amplitude);
  phantom::add(image, stroke(n, {c.x + .012, c.y + .028}, {c.x + .05, c.y + .018}, .009),
               .25 * amplitude);
}

void draw_devices(Field& image, const Body& body, const PhantomMarks& marks) {
  const int64_t n = body.side;
  const auto wire = [&](Point a, Point b, double w, double amount) {
    phantom::add(image, stroke(n, body.at(a.x, a.y), body.at(b.x, b.y), w), amount);
  };
  if (marks.pacemaker.grade > 0) {
    const double a = marks.pacemaker.amplitude;
    phantom::add(image, ellipse(n, body.at(.80, .245), .050, .040, .006), .45 * a);
    wire({.77, .25}, {.53, .36}, .006, .33 * a);
    wire({.53, .36}, {.56, .66}, .006, .33 * a);
  }
  if (marks.line.grade > 0) {
    wire({.40, .05}, {.455, .22}, .006, .33 * marks.line.amplitude);
    wire({.455, .22}, {.46, .46}, .006, .33 * marks.line.amplitude);
  }
  if (marks.tube.grade > 0) wire({.5, 0}, {.5, .30}, .010, .36 * marks.tube.amplitude);
}

void draw_marks(Field& image, const Body& body, const Places& places, const PhantomMarks& marks,
                const Strengths& strengths, Rng& grain) {
  if (marks.edema.grade > 0) draw_edema(image, body, marks.edema, strengths.edema, grain);
  for (int lobe = 0; lobe < 4; ++lobe) {
    const auto i = static_cast<size_t>(lobe);
    if (marks.consolidation[i].grade > 0) {
      const double amount =
          between(.17, .30, strengths.consolidation[i]) * marks.consolidation[i].amplitude;
      draw_consolidation(image, body, places.patches[i], lobe, amount);
    }
    if (marks.nodule[i].grade > 0) {
      const double amount = between(.30, .42, strengths.nodule[i]) * marks.nodule[i].amplitude;
      draw_nodule(image, body, places.nodules[i], lobe, amount);
    }
  }
  for (const int s : kSides) {
    const auto i = static_cast<size_t>(s);
    if (marks.atelectasis[i].grade > 0) {
      draw_atelectasis(image, body, places.streaks[i], s, marks.atelectasis[i].amplitude);
    }
    if (marks.effusion[i].grade > 0)
      draw_effusion(image, body, marks.effusion[i], s, strengths.effusion[i]);
    if (marks.pneumothorax[i].grade > 0) {
      draw_pneumothorax(image, body, marks.pneumothorax[i], s, strengths.pneumothorax[i]);
    }
    if (marks.fracture[i].grade > 0) {
      draw_fracture(image, body, places.broken_rib[i], s, marks.fracture[i].amplitude);
    }
  }
  draw_devices(image, body, marks);
}

/// clip(x, 0, 1.2)^gamma through a table of 2,048 steps, straight between them.
void apply_curve(Field& image, double gamma, double gain, double bias) {
  constexpr int kSteps = 2048;
  constexpr float kTop = 1.2F;
  std::array<float, kSteps + 2> curve{};
  for (int i = 0; i <= kSteps + 1; ++i) {
    const double x = std::min<double>(static_cast<double>(i) * kTop / kSteps, kTop);
    curve[static_cast<size_t>(i)] = static_cast<float>(std::pow(x, gamma) * gain + bias);
  }
  for (float& value : image.values) {
    const float t = std::clamp(value, 0.0F, kTop) * (kSteps / kTop);
    const auto i = static_cast<size_t>(t);
    const float part = t - static_cast<float>(i);
    value = curve[i] + part * (curve[i + 1] - curve[i]);
  }
}

void apply_look(Field& image, const PhantomLook& look, Rng& noise) {
  const int64_t n = image.side;
  const double per_px = static_cast<double>(n) / 128.0;
  const double gain = look.gain * (1 + noise.normal(0, .05));
  const double bias = look.bias + noise.normal(0, .015);
  apply_curve(image, look.gamma, gain, bias);
  Field clouds = phantom::normal_field(n, noise);
  phantom::blur(clouds, 6 * per_px);
  add_field(image, clouds, .18 * per_px);  // as in draw_edema
  phantom::blur(image, look.blur_px * per_px);
  add_field(image, phantom::normal_field(n, noise), look.noise);

  const auto border = static_cast<int64_t>(std::lround(look.border_px * per_px));
  for (int64_t y = 0; y < n; ++y) {
    float* row = image.row(y);
    for (int64_t x = 0; x < n; ++x) {
      const bool outside = std::min({x, y, n - 1 - x, n - 1 - y}) < border;
      row[x] = outside ? 0.0F : std::clamp(row[x], 0.0F, 1.0F);
    }
  }
}

}  // namespace

PhantomImage draw_phantom(const PhantomScene& scene, int64_t side, const PhantomSubject& subject) {
  UNIRG_ASSERT(side >= 16, "phantom side under 16");
  Rng place(subject.seed, "phantom-place", subject.patient_id);
  Rng strength(subject.seed, "phantom-strength", subject.study_id);
  Rng grain(subject.seed, "phantom-grain", subject.study_id);
  Rng noise(subject.seed, "phantom-noise", subject.study_id);
  const Places places = draw_places(place);
  const Body body = make_body(scene.anatomy, side);
  Field image(side, .06F);
  draw_anatomy(image, body, places);
  draw_marks(image, body, places, scene.findings, draw_strengths(strength), grain);
  draw_marks(image, body, places, scene.decoys, draw_strengths(strength), grain);
  apply_look(image, scene.look, noise);
  return {side, std::move(image.values)};
}

std::vector<uint16_t> stored_values(const PhantomImage& image, int bits, bool monochrome1) {
  UNIRG_ASSERT(bits >= 8 && bits <= 16, "phantom bits outside 8..16");
  const int top = (1 << bits) - 1;
  std::vector<uint16_t> stored(image.pixels.size());
  for (size_t i = 0; i < stored.size(); ++i) {
    const auto value = static_cast<int>(std::lround(image.pixels[i] * static_cast<float>(top)));
    stored[i] = static_cast<uint16_t>(monochrome1 ? top - value : value);
  }
  return stored;
}

}  // namespace unirg::image
