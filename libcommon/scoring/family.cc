// SPDX-License-Identifier: Apache-2.0
#include "scoring/family.h"

#include <algorithm>

#include "base/hash.h"

namespace unirg::scoring {

void name_references(MetricInfo& metric, std::string_view part, std::vector<std::string> texts) {
  const size_t at = metric.signature.find(part);
  if (at == std::string::npos) return;
  std::sort(texts.begin(), texts.end());
  std::string all;
  for (const std::string& text : texts) all += sha256_hex(text);
  const std::string_view key = part.substr(0, part.find(':') + 1);
  metric.signature.replace(at, part.size(),
                           std::string(key) + "references@" + sha256_hex(all).substr(0, 12));
}

}  // namespace unirg::scoring
