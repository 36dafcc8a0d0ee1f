// SPDX-License-Identifier: Apache-2.0
#include "data/ct_series.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"

namespace unirg::data {
namespace {

constexpr double kSameOrientation = 0.01;

struct Preset {
  const char* name;
  double center, width;  // Hounsfield units
};
constexpr std::array<Preset, 3> kPresets{
    {{"lung", -600, 1500}, {"mediastinum", 50, 350}, {"bone", 400, 1800}}};

/// One of the values between backslashes.
bool has_value(std::string_view values, std::string_view wanted) {
  for (size_t at = 0; at <= values.size();) {
    const size_t end = std::min(values.find('\\', at), values.size());
    if (values.substr(at, end - at) == wanted) return true;
    at = end + 1;
  }
  return false;
}

std::optional<double> place_of(const image::DicomMetadata& header) {
  if (!header.image_position || !header.image_orientation) return std::nullopt;
  const auto& o = *header.image_orientation;
  const auto& p = *header.image_position;
  const std::array<double, 3> normal{o[1] * o[5] - o[2] * o[4], o[2] * o[3] - o[0] * o[5],
                                     o[0] * o[4] - o[1] * o[3]};
  return normal[0] * p[0] + normal[1] * p[1] + normal[2] * p[2];
}

bool same_orientation(const image::DicomMetadata& a, const image::DicomMetadata& b) {
  return std::equal(a.image_orientation->begin(), a.image_orientation->end(),
                    b.image_orientation->begin(),
                    [](double x, double y) { return std::abs(x - y) <= kSameOrientation; });
}

CtStack choose(const std::vector<image::DicomMetadata>& headers, std::vector<size_t> files,
               const CtOptions& options, std::vector<size_t>& left_out) {
  std::stable_sort(files.begin(), files.end(), [&](size_t a, size_t b) {
    return place_of(headers[a]).value_or(0) < place_of(headers[b]).value_or(0);
  });
  std::vector<double> places;
  places.reserve(files.size());
  for (const size_t file : files) places.push_back(place_of(headers[file]).value_or(0));
  std::vector<size_t> numbers(files.size());
  std::iota(numbers.begin(), numbers.end(), size_t{0});
  if (options.rule != CtRule::all) numbers = key_slices(places, options.slices);
  CtStack stack;
  stack.slices = std::ssize(files);
  size_t next = 0;
  for (size_t i = 0; i < files.size(); ++i) {
    if (next == numbers.size() || numbers[next] != i) {
      left_out.push_back(files[i]);
      continue;
    }
    stack.chosen.push_back(files[i]);
    stack.position.push_back(place_of(headers[files[i]]));
    ++next;
  }
  return stack;
}

}  // namespace

const std::vector<std::string>& ct_window_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all{"file"};
    for (const Preset& preset : kPresets) all.emplace_back(preset.name);
    return all;
  }();
  return names;
}

std::optional<image::VoiWindow> ct_window(std::string_view name) {
  for (const Preset& preset : kPresets) {
    if (name == preset.name)
      return image::VoiWindow{preset.center, preset.width, image::VoiFunction::linear};
  }
  return std::nullopt;
}

CtPlan plan_ct(const std::vector<image::DicomMetadata>& headers, const CtOptions& options) {
  CtPlan plan;
  std::vector<std::vector<size_t>> series;  // without localizers
  std::vector<std::vector<size_t>> stacks;
  for (size_t i = 0; i < headers.size(); ++i) {
    if (has_value(headers[i].image_type, "LOCALIZER")) {
      plan.localizers.push_back(i);
      continue;
    }
    const auto own = std::find_if(series.begin(), series.end(), [&](const auto& files) {
      return headers[files.front()].series_instance_uid == headers[i].series_instance_uid;
    });
    if (own == series.end())
      series.push_back({i});
    else
      own->push_back(i);
  }
  for (const auto& files : series) {
    const size_t first_stack = stacks.size();
    for (const size_t file : files) {
      if (files.size() > 1 && !place_of(headers[file])) {
        plan.unplaced.push_back(file);
        continue;
      }
      const auto own =
          std::find_if(stacks.begin() + static_cast<std::ptrdiff_t>(first_stack), stacks.end(),
                       [&](const auto& stack) {
                         return same_orientation(headers[stack.front()], headers[file]);
                       });
      if (own == stacks.end())
        stacks.push_back({file});
      else
        own->push_back(file);
    }
  }
  std::sort(stacks.begin(), stacks.end(),
            [](const auto& a, const auto& b) { return a.front() < b.front(); });
  for (auto& files : stacks)
    plan.stacks.push_back(choose(headers, std::move(files), options, plan.left_out));
  std::sort(plan.left_out.begin(), plan.left_out.end());
  std::sort(plan.unplaced.begin(), plan.unplaced.end());
  return plan;
}

std::vector<size_t> key_slices(const std::vector<double>& positions, int64_t count) {
  const auto n = static_cast<int64_t>(positions.size());
  std::vector<size_t> numbers;
  if (n <= count) {
    numbers.resize(positions.size());
    std::iota(numbers.begin(), numbers.end(), size_t{0});
    return numbers;
  }
  const double low = positions.front();
  const double part = (positions.back() - low) / static_cast<double>(count);
  int64_t first = 0;
  for (int64_t k = 0; k < count; ++k) {
    const double wanted = low + (static_cast<double>(k) + 0.5) * part;
    const int64_t last = n - (count - k);  // as many stay as are still wanted
    int64_t best = first;
    for (int64_t i = first + 1; i <= last; ++i) {
      if (std::abs(positions[static_cast<size_t>(i)] - wanted) <
          std::abs(positions[static_cast<size_t>(best)] - wanted))
        best = i;
    }
    numbers.push_back(static_cast<size_t>(best));
    first = best + 1;
  }
  return numbers;
}

int64_t montage_columns(int64_t count) {
  int64_t columns = 1;
  while (columns * columns < count) ++columns;
  return columns;
}

image::Image8 montage(const std::vector<image::Image8>& pictures, int64_t columns) {
  UNIRG_ASSERT(!pictures.empty() && columns > 0, "a montage has pictures");
  int64_t width = 0;
  int64_t height = 0;
  for (const image::Image8& picture : pictures) {
    UNIRG_ASSERT(picture.channels == 1, "pictures of a montage are grey");
    width = std::max(width, picture.width);
    height = std::max(height, picture.height);
  }
  const int64_t rows = (std::ssize(pictures) + columns - 1) / columns;
  image::Image8 out{columns * width, rows * height, 1, {}};
  out.pixels.resize(static_cast<size_t>(out.width * out.height));
  for (int64_t k = 0; k < std::ssize(pictures); ++k) {
    const image::Image8& picture = pictures[static_cast<size_t>(k)];
    const int64_t left = k % columns * width + (width - picture.width) / 2;
    const int64_t top = k / columns * height + (height - picture.height) / 2;
    for (int64_t y = 0; y < picture.height; ++y)
      std::copy_n(picture.pixels.begin() + y * picture.width, picture.width,
                  out.pixels.begin() + (top + y) * out.width + left);
  }
  return out;
}

}  // namespace unirg::data
