// GpuLink in builds with NCCL. SPDX-License-Identifier: Apache-2.0
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <cuda_runtime.h>
#include <fmt/format.h>
#include <nccl.h>

#include <chrono>
#include <cstring>
#include <thread>

#include "base/error.h"
#include "distributed/gpu_link.h"

namespace unirg::distributed {
namespace {

/// \throws Error(Exit::unavailable) with NCCL's own words
void check(ncclResult_t result) {
  if (result == ncclSuccess || result == ncclInProgress) return;
  throw Error(Exit::unavailable,
              fmt::format("ranks cannot reach each other's GPUs: {} (hint: a GPU for each rank of "
                          "a node; NCCL_DEBUG=INFO tells more)",
                          ncclGetErrorString(result)));
}

void check(cudaError_t result) {
  if (result == cudaSuccess) return;
  throw Error(Exit::unavailable, fmt::format("CUDA between ranks: {}", cudaGetErrorString(result)));
}

}  // namespace

struct GpuLink::Impl {
  at::Device device;
  const std::atomic<bool>& given_up;
  ncclComm_t comm = nullptr;
  cudaEvent_t done = nullptr;

  /// Until what is queued on `stream` has happened. The calling thread sleeps in between.
  void wait(cudaStream_t stream) {
    check(cudaEventRecord(done, stream));
    for (;;) {
      const cudaError_t state = cudaEventQuery(done);
      if (state == cudaSuccess) return;
      if (state != cudaErrorNotReady) check(state);
      ncclResult_t problem = ncclSuccess;
      check(ncclCommGetAsyncError(comm, &problem));
      check(problem);
      if (given_up) throw Error(Exit::unavailable, "an exchange between ranks was given up");
      std::this_thread::sleep_for(std::chrono::microseconds(20));
    }
  }
};

std::string GpuLink::new_id() {
  ncclUniqueId id;
  check(ncclGetUniqueId(&id));
  return {id.internal, sizeof id.internal};
}

GpuLink::GpuLink(const std::string& id, int rank, int size, at::Device device,
                 const std::atomic<bool>& given_up)
    : impl_(std::make_unique<Impl>(Impl{device, given_up})) {
  const c10::cuda::CUDAGuard guard(device);
  ncclUniqueId unique;
  UNIRG_ASSERT(id.size() == sizeof unique.internal, "an id of new_id()");
  std::memcpy(unique.internal, id.data(), id.size());
  check(cudaEventCreateWithFlags(&impl_->done, cudaEventDisableTiming));
  check(ncclCommInitRank(&impl_->comm, size, unique, rank));
}

/// An exchange that was given up would be waited for.
GpuLink::~GpuLink() {
  if (impl_->comm != nullptr) {
    if (impl_->given_up)
      ncclCommAbort(impl_->comm);
    else
      ncclCommDestroy(impl_->comm);
  }
  if (impl_->done != nullptr) cudaEventDestroy(impl_->done);
}

void GpuLink::broadcast(const at::Tensor& bytes, int root) {
  const c10::cuda::CUDAGuard guard(impl_->device);
  const cudaStream_t stream = c10::cuda::getCurrentCUDAStream(impl_->device.index());
  check(ncclBroadcast(bytes.data_ptr(), bytes.data_ptr(), bytes.nbytes(), ncclUint8, root,
                      impl_->comm, stream));
  impl_->wait(stream);
}

void GpuLink::exchange(const std::vector<Message>& sends, const std::vector<Message>& receives) {
  const c10::cuda::CUDAGuard guard(impl_->device);
  const cudaStream_t stream = c10::cuda::getCurrentCUDAStream(impl_->device.index());
  check(ncclGroupStart());
  for (const Message& m : receives)
    check(ncclRecv(m.bytes.data_ptr(), m.bytes.nbytes(), ncclUint8, m.rank, impl_->comm, stream));
  for (const Message& m : sends)
    check(ncclSend(m.bytes.data_ptr(), m.bytes.nbytes(), ncclUint8, m.rank, impl_->comm, stream));
  check(ncclGroupEnd());
  impl_->wait(stream);
}

}  // namespace unirg::distributed
