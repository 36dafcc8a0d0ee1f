// Drives a fuzz target without libFuzzer: every file of the folders named, then fixed mutations of
// each - bits flipped, bytes replaced, pieces cut or doubled. Fails if there is no file. Depends on
// base/rng.h. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/rng.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

constexpr uint64_t kMutations = 300;  // of each file

void run(const std::string& bytes) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
}

std::string mutate(std::string bytes, unirg::Rng rng) {
  for (uint64_t change = 0; change <= rng.below(4) && !bytes.empty(); ++change) {
    const auto at = static_cast<size_t>(rng.below(bytes.size()));
    const auto length = static_cast<size_t>(rng.below(std::min<size_t>(64, bytes.size() - at)) + 1);
    switch (rng.below(5)) {
      case 0:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << rng.below(8)));
        break;
      case 1:
        bytes[at] = static_cast<char>(rng.below(256));
        break;
      case 2:
        bytes.erase(at, length);
        break;
      case 3:
        bytes.insert(at, bytes.substr(at, length));
        break;
      default:
        bytes.resize(at);
    }
  }
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::filesystem::path> files;
  for (int i = 1; i < argc; ++i) {
    for (const auto& entry : std::filesystem::directory_iterator(argv[i]))
      files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  uint64_t runs = 0;
  for (const auto& file : files) {
    std::ifstream in(file, std::ios::binary);
    const std::string bytes(std::istreambuf_iterator<char>(in), {});
    run(bytes);
    for (uint64_t i = 0; i < kMutations; ++i)
      run(mutate(bytes, {0, "fuzz-replay", file.filename().string(), i}));
    runs += kMutations + 1;
  }
  std::printf("%zu files, %llu runs\n", files.size(), static_cast<unsigned long long>(runs));
  return files.empty() ? 66 : 0;
}
