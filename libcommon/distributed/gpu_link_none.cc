// GpuLink in builds without NCCL. SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "distributed/gpu_link.h"

namespace unirg::distributed {

struct GpuLink::Impl {};

std::string GpuLink::new_id() {
  throw Error(Exit::unavailable,
              "ranks on GPUs need NCCL, which this build does not have (hint: the preset 'cuda' "
              "with NCCL_ROOT, or --device cpu, or one process)");
}

GpuLink::GpuLink(const std::string& /*id*/, int /*rank*/, int /*size*/, at::Device /*device*/,
                 const std::atomic<bool>& /*given_up*/) {
  new_id();
}

GpuLink::~GpuLink() = default;

void GpuLink::broadcast(const at::Tensor& /*bytes*/, int /*root*/) { new_id(); }

void GpuLink::exchange(const std::vector<Message>& /*sends*/,
                       const std::vector<Message>& /*receives*/) {
  new_id();
}

}  // namespace unirg::distributed
