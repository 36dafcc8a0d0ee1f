// A JSON line as study, generation or reward: refused with a reason, or read, written and read
// again as the same. SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "data/records.h"

namespace {

using unirg::io::Json;

template <typename Parse>
void round_trip(const Json& object, Parse parse) {
  const auto record = parse(object);
  if (!record) {
    UNIRG_ASSERT(!record.error().reason.empty(), "a refusal has a reason");
    return;
  }
  const Json written = unirg::data::to_json(*record);
  const auto again = parse(written);
  UNIRG_ASSERT(again.has_value(), "what was written can be read");
  UNIRG_ASSERT(unirg::data::to_json(*again) == written, "and says the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Json object = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return 0;
  round_trip(object, unirg::data::study_from_json);
  round_trip(object, unirg::data::generation_from_json);
  round_trip(object, unirg::data::reward_from_json);
  return 0;
}
