// SPDX-License-Identifier: Apache-2.0
#include "data/linkage.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <numeric>
#include <optional>
#include <set>
#include <span>
#include <tuple>

#include "base/error.h"
#include "base/rng.h"

namespace unirg::data {
namespace {

std::string patient_key(const Study& study) { return study.dataset + "\n" + study.patient_id; }

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

/// 0 frontal, 1 unknown, 2 anything else.
int view_rank(const StudyImage& image) {
  return is_frontal(image.view) ? 0 : image.view.empty() ? 1 : 2;
}

std::optional<int64_t> order_of(const Study& study) {
  const auto order = study.extra.find("order");
  if (order == study.extra.end() || !order->is_number_integer()) return std::nullopt;
  return order->get<int64_t>();
}

/// "2020-02-29" -> 20200229: days sort as their dates do.
int64_t day_of(const std::string& date) {
  int64_t day = 0;
  for (const char c : date) {
    if (c != '-') day = day * 10 + (c - '0');
  }
  return day;
}

/// Views that are known not to be frontal, by the names of DICOM, MIMIC-CXR and PadChest.
bool is_from_the_side(const std::string& view) {
  static const std::set<std::string> names{"LL", "RL", "LAO", "RAO", "LPO", "RPO", "SWIMMERS"};
  const std::string name = upper(view);
  return names.contains(name) || name.find("LAT") != std::string::npos ||
         name.find("OBL") != std::string::npos;
}

/// A model is shown the key image of a prior.
bool may_be_prior(const Study& study) {
  const std::string modality = study.modality.value_or("");
  return study.images.empty() || modality == "MG" || in_source_order(modality) ||
         !is_from_the_side(study.images.front().view);
}

}  // namespace

void StudyLinks::add(const Study& study) {
  const std::string key = patient_key(study);
  const bool held_out = std::find(options_.heldout_sites.begin(), options_.heldout_sites.end(),
                                  study.site) != options_.heldout_sites.end();
  Link link{};
  link.patient = digest_of(key);
  link.split = splits_.number(study.split.empty() && held_out ? "heldout_site" : study.split);
  link.split_draw = uniform_at(options_.seed, "split", key, 0, 0);
  link.encounter = 1;
  link.prior = kNone;
  const auto order = order_of(study);
  link.kind = study.date ? Time::dated : order ? Time::ordered : Time::unknown;
  link.time = study.date ? day_of(*study.date) : order.value_or(0);
  link.may_be_prior = may_be_prior(study);
  links_.push_back(link);
  if (!options_.hold_out.empty())
    hold_out_draws_.push_back(uniform_at(options_.seed, "hold-out", key, 0, 0));
}

void StudyLinks::link(const ReadStudy& read) {
  UNIRG_ASSERT(links_.size() < kNone, "more studies than have numbers");
  Order order = by_patient();
  sort_ties(order, read);
  link_priors(order);
  assign_splits(order, read);
  hold_out(read);
}

void StudyLinks::apply(size_t i, Study& study, const ReadStudy& read) const {
  const Link& link = links_[i];
  study.split = splits_.name(link.split);
  study.encounter = link.encounter;
  if (link.prior != kNone) study.prior = read(link.prior).study_id;
}

/// Studies by patient, each patient's by time, those of one time as they were added.
StudyLinks::Order StudyLinks::by_patient() const {
  Order order(links_.size());
  std::iota(order.begin(), order.end(), 0U);
  const auto key = [&](uint32_t i) {
    const Link& link = links_[i];
    return std::tuple(link.patient, link.kind != Time::dated, link.time, i);
  };
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return key(a) < key(b); });
  return order;
}

/// Studies of one patient and time, by their ids.
void StudyLinks::sort_ties(Order& order, const ReadStudy& read) const {
  const auto tied = [&](uint32_t a, uint32_t b) {
    const Link& x = links_[a];
    const Link& y = links_[b];
    return x.patient == y.patient && x.time == y.time &&
           (x.kind == Time::dated) == (y.kind == Time::dated);
  };
  for (size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    for (end = begin + 1; end < order.size() && tied(order[begin], order[end]);) ++end;
    if (end - begin == 1) continue;
    std::vector<std::pair<std::string, uint32_t>> ids;
    for (size_t k = begin; k < end; ++k) ids.emplace_back(read(order[k]).study_id, order[k]);
    std::sort(ids.begin(), ids.end());
    for (size_t k = begin; k < end; ++k) order[k] = ids[k - begin].second;
  }
}

/// Whether it is known that `a` was made before `b`: of two on one day nobody knows which was
/// first.
bool StudyLinks::is_earlier(const Link& a, const Link& b) const {
  return a.kind == b.kind && a.kind != Time::unknown && a.time < b.time;
}

/// Gives the studies of each patient, as they stand in the order.
template <typename Take>
void StudyLinks::each_patient(const Order& order, Take take) const {
  for (size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    const Digest& patient = links_[order[begin]].patient;
    for (end = begin + 1; end < order.size() && links_[order[end]].patient == patient;) ++end;
    take(std::span(order).subspan(begin, end - begin));
  }
}

void StudyLinks::link_priors(const Order& order) {
  each_patient(order, [&](std::span<const uint32_t> own) {
    uint32_t earlier = kNone;  // the last possible prior of an earlier day
    uint32_t last = kNone;     // the last possible prior
    for (size_t i = 0; i < own.size(); ++i) {
      Link& link = links_[own[i]];
      link.encounter = static_cast<uint32_t>(i) + 1;
      if (i > 0 && is_earlier(links_[own[i - 1]], link)) earlier = last;
      if (earlier != kNone && is_earlier(links_[earlier], link)) link.prior = earlier;
      if (link.may_be_prior) last = own[i];
    }
  });
}

uint32_t StudyLinks::split_by_draw(double draw) {
  double total = 0;
  for (const auto& [name, share] : options_.shares) total += share;
  double u = draw * total;
  for (const auto& [name, share] : options_.shares) {
    if (u < share) return splits_.number(name);
    u -= share;
  }
  return splits_.number(options_.shares.back().first);
}

void StudyLinks::assign_splits(const Order& order, const ReadStudy& read) {
  const uint32_t none = splits_.number("");
  std::pair<uint32_t, uint32_t> parted{kNone,
                                       kNone};  // the first study that parts a patient, split
  each_patient(order, [&](std::span<const uint32_t> own) {
    std::vector<uint32_t> told;  // those with a split, as they were added
    std::copy_if(own.begin(), own.end(), std::back_inserter(told),
                 [&](uint32_t i) { return links_[i].split != none; });
    std::sort(told.begin(), told.end());
    const uint32_t split =
        told.empty() ? split_by_draw(links_[own[0]].split_draw) : links_[told[0]].split;
    for (const uint32_t i : told) {
      if (links_[i].split != split) parted = std::min(parted, {i, split});
    }
    for (const uint32_t i : own) {
      if (links_[i].split == none) links_[i].split = split;
    }
  });
  if (parted.first == kNone) return;
  throw Error(Exit::data, fmt::format("patient of study '{}' stands in splits '{}' and '{}' "
                                      "(hint: a patient's studies belong to one split)",
                                      read(parted.first).study_id, splits_.name(parted.second),
                                      splits_.name(links_[parted.first].split)));
}

void StudyLinks::hold_out(const ReadStudy& read) {
  if (options_.hold_out.empty()) return;
  const uint32_t train = splits_.number("train");
  Order order;
  for (uint32_t i = 0; i < links_.size(); ++i) {
    if (links_[i].split == train) order.push_back(i);
  }
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    if (hold_out_draws_[a] != hold_out_draws_[b]) return hold_out_draws_[a] < hold_out_draws_[b];
    if (links_[a].patient == links_[b].patient) return a < b;
    return patient_key(read(a)) < patient_key(read(b));
  });
  for (const auto& [name, count] : options_.hold_out) {
    const uint32_t split = splits_.number(name);
    int64_t left = count;
    each_patient(order, [&](std::span<const uint32_t> own) {
      if (links_[own[0]].split != train || std::ssize(own) > left) return;
      left -= std::ssize(own);
      for (const uint32_t i : own) links_[i].split = split;
    });
    if (left > 0) {
      throw Error(Exit::data, fmt::format("cannot hold out {} studies as '{}': whole patients of "
                                          "'train' give {}",
                                          count, name, count - left));
    }
  }
}

bool is_frontal(const std::string& view) {
  static const std::vector<std::string> names{"AP",
                                              "PA",
                                              "FRONTAL",
                                              "POSTERO-ANTERIOR",
                                              "ANTERO-POSTERIOR",
                                              "POSTEROANTERIOR",
                                              "ANTEROPOSTERIOR",
                                              "AP SUPINE",
                                              "AP ERECT",
                                              "AP UPRIGHT",
                                              "PA UPRIGHT",
                                              "ANTERIOR-POSTERIOR",
                                              "POSTERIOR-ANTERIOR"};
  return std::find(names.begin(), names.end(), upper(view)) != names.end();
}

bool in_source_order(const std::string& modality) {
  return modality == "SM" || modality == "CT" || modality == "FFA" || modality == "OP" ||
         modality == "OPT";
}

void order_images(std::vector<StudyImage>& images) {
  std::sort(images.begin(), images.end(), [](const StudyImage& a, const StudyImage& b) {
    return std::tuple(view_rank(a), -a.width * a.height, a.id) <
           std::tuple(view_rank(b), -b.width * b.height, b.id);
  });
}

void order_mammograms(std::vector<StudyImage>& images) {
  const auto rank = [](const StudyImage& image) {
    const std::string view = upper(image.view);
    const auto side = image.extra.find("laterality");
    const std::string name =
        side != image.extra.end() && side->is_string() ? side->get<std::string>() : "";
    return std::pair(view == "CC"    ? 0
                     : view == "MLO" ? 1
                                     : 2,
                     name == "R"   ? 0
                     : name == "L" ? 1
                                   : 2);
  };
  std::stable_sort(images.begin(), images.end(),
                   [&](const StudyImage& a, const StudyImage& b) { return rank(a) < rank(b); });
}

void order_images(std::vector<StudyImage>& images, const std::string& modality) {
  if (modality == "MG") return order_mammograms(images);
  if (!in_source_order(modality)) order_images(images);
}

}  // namespace unirg::data
