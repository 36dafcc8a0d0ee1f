// SPDX-License-Identifier: Apache-2.0
#include "model/device.h"

#include <ATen/Context.h>
#include <fmt/format.h>

#include <charconv>
#include <mutex>

#include "base/error.h"

namespace unirg::model {
namespace {

/// LibTorch's defaults let cuDNN's convolutions round their inputs to TF32 (10 bits), and let
/// attention add up its gradients in the order in which blocks of threads come by: another run
/// would give other bits. CUBLAS_WORKSPACE_CONFIG, which older releases ask for beside this, is
/// left alone: products already have a workspace a thread and stream, and where the variable is set
/// LibTorch reads it anew for every product, which takes longer than a small product itself.
void make_exact() {
  at::Context& context = at::globalContext();
  context.setAllowTF32CuBLAS(false);
  context.setAllowTF32CuDNN(false);
  context.setDeterministicCuDNN(true);
  context.setDeterministicAlgorithms(true, /*warn_only=*/false);
  // Else every new tensor would be filled before use.
  context.setDeterministicFillUninitializedMemory(false);
}

at::Device gpu(int64_t index) {
  static std::once_flag once;
  std::call_once(once, make_exact);
  return {at::kCUDA, static_cast<at::DeviceIndex>(index)};
}

/// N of "cuda:N", 0 of "cuda"; -1 for another name.
int64_t gpu_index(const std::string& name) {
  constexpr std::string_view kName = "cuda";
  constexpr size_t kDigits = 3;
  if (name == kName) return 0;
  const size_t begin = kName.size() + 1;
  if (!name.starts_with("cuda:") || name.size() == begin || name.size() > begin + kDigits)
    return -1;
  int64_t index = -1;
  const auto [end, error] = std::from_chars(name.data() + begin, name.data() + name.size(), index);
  return error == std::errc() && end == name.data() + name.size() ? index : -1;
}

}  // namespace

at::Device parse_device(const std::string& device) {
  if (device == "cpu") return at::kCPU;
  if (device == "auto") return at::hasCUDA() ? gpu(0) : at::Device(at::kCPU);
  const int64_t index = gpu_index(device);
  if (index < 0)
    throw Error(Exit::usage,
                fmt::format("unknown device '{}' (hint: auto, cpu, cuda or cuda:N)", device));
  const auto devices = static_cast<int64_t>(at::getNumGPUs());
  if (index >= devices)
    throw Error(Exit::unavailable,
                fmt::format("device '{}' is not available: {} CUDA devices (hint: {})", device,
                            devices, devices == 0 ? "--device cpu" : "they are numbered from 0"));
  return gpu(index);
}

}  // namespace unirg::model
