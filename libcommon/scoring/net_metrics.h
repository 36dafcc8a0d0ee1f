// The list of metrics that need networks, for net_family.cc. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "scoring/net_family.h"

namespace unirg::scoring {

/// In table order.
enum class NetMetric {
  bertscore_f,
  bertscore_p,
  bertscore_r,
  sembscore,
  chexbert_f1_14,
  chexbert_f1_5,
  radgraph,
  simple,
  partial,
  complete,
  simple_0_1_18,
  partial_0_1_18,
  complete_0_1_18,
  radcliq_v0,
  radcliq_v1,
  ratescore,
};

/// weights_digest() of what is loaded; "" of the rest.
struct NetDigests {
  std::string bertscore, chexbert, radgraph, rate_recognizer, rate_encoder;
  std::string radcliq_bertscore, radcliq_radgraph;
};

struct NetMetricInfo {
  NetMetric metric = NetMetric::bertscore_f;
  MetricInfo info;
};
std::vector<NetMetricInfo> known_net_metrics(const NetOptions& options, const NetDigests& digests);

}  // namespace unirg::scoring
