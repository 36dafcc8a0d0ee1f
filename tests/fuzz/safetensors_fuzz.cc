// safetensors files, damaged or not: tensors inside the file, or an error with exit status 65.
// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <fstream>

#include "base/error.h"
#include "base/hash.h"
#include "io/safetensors.h"
#include "temp_folder.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const unirg::testing::TempFolder folder;
  const auto path = folder.path() / "input.safetensors";
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  try {
    const unirg::io::SafetensorsFile file(path);
    for (const auto& [name, tensor] : file.tensors())
      (void)unirg::sha256_hex(tensor.bytes);  // every byte is there
  } catch (const unirg::Error& error) {
    UNIRG_ASSERT(error.exit() == unirg::Exit::data, "a damaged file is bad data");
  }
  return 0;
}
