// SPDX-License-Identifier: Apache-2.0
#include "metrics/ratescore.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace unirg::metrics {
namespace {

constexpr std::array<std::string_view, kRateTypes> kNames = {"ABNORMALITY", "ANATOMY", "DISEASE",
                                                             "NON-ABNORMALITY", "NON-DISEASE"};

constexpr RateMatrix kLong = {{{{0.4276119164393705, 0.6240929990607657, 0.0034478181112993847,
                                 0.5431049700217344, 0.27005425386213877},
                                {0.7487824274337533, 0.2856134859160784, 0.4592143222158069,
                                 0.02097055139911715, 0.00013736314126696204},
                                {0.8396510075734789, 0.9950209388542061, 0.8460555030578727,
                                 0.9820689020512646, 0.3789136708096537},
                                {0.16546764653692908, 0.018670610691852826, 0.719397354576018,
                                 0.0009357166071730684, 0.0927333564267591},
                                {0.7759420231214385, 0.1839139293714062, 0.10073046076318157,
                                 0.03860183811876373, 0.34065681486566446}}},
                              0.8716553966489615};
constexpr RateMatrix kShort = {{{{0.4070293318365468, 0.6952639610605605, 0.28342529466226446,
                                  0.9479148658006686, 0.23875064111146294},
                                 {0.5829759950441763, 0.7709590751917746, 0.0006059634829551632,
                                  0.794672584951181, 0.27982942400798977},
                                 {0.8840397619834857, 0.9637659445696822, 0.19018958438059513,
                                  0.6962283914800402, 0.943727057946997},
                                 {0.1712744286898638, 0.4485149671497294, 0.00045065329822896076,
                                  0.0007887930317199857, 0.8555432840895761},
                                 {0.9555801066212176, 0.13122106162635216, 0.6072996585919443,
                                  0.05650711141169969, 0.3214769399791204}}},
                               0.3611577852354489};

bool is_negated(RateType type) {
  return type == RateType::non_abnormality || type == RateType::non_disease;
}

/// One says that something is there, the other that something is not.
bool across_negation(RateType a, RateType b) {
  if (a == RateType::anatomy || b == RateType::anatomy) return false;
  return is_negated(a) != is_negated(b);
}

size_t index(RateType type) { return static_cast<size_t>(type); }

/// Rows divided by their length, as torch's normalize does it (float32, at least 1e-12).
std::vector<float> unit_rows(const RateEntities& entities) {
  const size_t width = entities.vectors.size() / entities.types.size();
  std::vector<float> out = entities.vectors;
  for (size_t row = 0; row < entities.types.size(); ++row) {
    float* x = out.data() + row * width;
    double squares = 0;
    for (size_t i = 0; i < width; ++i) squares += static_cast<double>(x[i]) * x[i];
    const float length = std::max(static_cast<float>(std::sqrt(squares)), 1e-12F);
    for (size_t i = 0; i < width; ++i) x[i] /= length;
  }
  return out;
}

struct Best {
  float cosine = 0;
  size_t key = 0;
};

/// The best of n as torch.topk(k=1) picks it. Ties are real (one name found twice, present and
/// absent), and torch breaks them by the order that its selection leaves, so this selects alike.
Best best_of(std::vector<Best>& all) {
  const auto before = [](const Best& a, const Best& b) { return a.cosine > b.cosine; };
  if (all.size() >= 64) {
    std::partial_sort(all.begin(), all.begin() + 1, all.end(), before);
  } else {
    std::nth_element(all.begin(), all.begin(), all.end(), before);
  }
  return all.front();
}

Best best_match(const float* query, const std::vector<float>& keys, size_t width) {
  std::vector<Best> all;
  for (size_t k = 0; k * width < keys.size(); ++k) {
    double sum = 0;
    for (size_t i = 0; i < width; ++i) sum += static_cast<double>(query[i]) * keys[k * width + i];
    all.push_back({static_cast<float>(sum), k});
  }
  return best_of(all);
}

}  // namespace

std::optional<RateType> rate_type(std::string_view name) {
  const auto* it = std::find(kNames.begin(), kNames.end(), name);
  if (it == kNames.end()) return std::nullopt;
  return static_cast<RateType>(it - kNames.begin());
}

std::string_view rate_type_name(RateType type) { return kNames[index(type)]; }

std::vector<RateSpan> rate_spans(const std::vector<std::string>& labels,
                                 const std::vector<bool>& is_special) {
  UNIRG_ASSERT(labels.size() == is_special.size(), "a label for each piece");
  std::vector<RateSpan> spans;
  std::optional<size_t> start;
  bool ended = false;  // the source's `end is not None`
  std::string type;
  for (size_t i = 0; i + 1 < labels.size(); ++i) {
    if (is_special[i] || labels[i] == "O") continue;
    const char now = labels[i].front();
    const char next = labels[i + 1].front();
    const std::string own = labels[i].substr(2);
    if (now == 'B' && next == 'I') {
      start = i;
      type = own;
    } else if (now == 'B') {
      spans.push_back({i, i, own});
      ended = next == 'B';
      start = next == 'B' ? std::optional(i) : std::nullopt;
      type = next == 'B' ? own : "";
    } else if (next != 'I') {
      if (start) spans.push_back({*start, i, type});
      ended = next == 'B';
      start = next == 'B' ? std::optional(i) : std::nullopt;
      type = next == 'B' ? own : "";
    }
  }
  // The piece before the closing special token is the last that can belong to it.
  if (start && !ended && labels.size() >= 2) spans.push_back({*start, labels.size() - 2, type});
  return spans;
}

std::optional<RateMatrix> rate_matrix(std::string_view name) {
  if (name == "long") return kLong;
  if (name == "short") return kShort;
  return std::nullopt;
}

double rate_match(const RateEntities& queries, const RateEntities& keys, const RateMatrix& matrix) {
  const size_t width = queries.vectors.size() / queries.types.size();
  UNIRG_ASSERT(keys.vectors.size() == keys.types.size() * width, "vectors of one width");
  const std::vector<float> q = unit_rows(queries);
  const std::vector<float> k = unit_rows(keys);
  double weighted = 0;
  double weights = 0;
  for (size_t i = 0; i < queries.types.size(); ++i) {
    const Best best = best_match(q.data() + i * width, k, width);
    const RateType from = queries.types[i];
    const RateType to = keys.types[best.key];
    const double weight = matrix.affinity[index(from)][index(to)];
    weighted += static_cast<double>(best.cosine) * weight *
                (across_negation(from, to) ? matrix.negation : 1.0);
    weights += weight;
  }
  return weights != 0 ? weighted / weights : 0;
}

double ratescore(const RateEntities& hypothesis, const RateEntities& reference,
                 const RateMatrix& matrix) {
  if (hypothesis.types.empty() || reference.types.empty()) return 0.5;
  const double a = rate_match(reference, hypothesis, matrix);
  const double b = rate_match(hypothesis, reference, matrix);
  return a + b == 0 ? 0 : 2 * a * b / (a + b);
}

}  // namespace unirg::metrics
