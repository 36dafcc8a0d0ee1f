// config.json of any architecture, and adapter_config.json, damaged or not: a configuration whose
// tensors can be listed, or an error with exit status 65. SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "io/atomic_file.h"
#include "model/adapter.h"
#include "model/checkpoint_tensors.h"
#include "model/encoder.h"
#include "temp_folder.h"

namespace {

/// Runs `part`; of errors only those that blame the data are right.
template <typename Part>
void allow_bad_data(Part part) {
  try {
    part();
  } catch (const unirg::Error& error) {
    UNIRG_ASSERT(error.exit() == unirg::Exit::data, "a damaged file is bad data");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace unirg;
  static const testing::TempFolder folder;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto object = io::Json::parse(bytes, nullptr, /*allow_exceptions=*/false);
  allow_bad_data([&] {
    const auto config = model::config_from_json(object, "config.json");
    UNIRG_ASSERT(model::count_values(model::expected_parameters(config)) > 0, "no tensor");
    (void)model::to_json(config).dump();
  });
  allow_bad_data([&] {
    const auto config = model::encoder_config_from_json(object, "config.json");
    UNIRG_ASSERT(model::count_values(model::encoder_shapes(config)) > 0, "no tensor");
  });
  allow_bad_data([&] {
    io::write_file(folder.path() / "adapter_config.json", std::string(bytes));
    (void)model::load_adapter_config(folder.path()).scale();
  });
  return 0;
}
