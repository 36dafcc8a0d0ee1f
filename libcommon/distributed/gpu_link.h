// Bytes between the GPUs of ranks. All of NCCL is behind this header; world.h is who calls it. What
// is exchanged is queued on the stream that is current in the calling thread, behind what computes
// it, and has arrived when a call returns.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "distributed/message.h"

namespace unirg::distributed {

class GpuLink {
 public:
  /// What all ranks' links are made with; made by one of them.
  /// \throws Error(Exit::unavailable) in a build without NCCL, or where NCCL fails
  static std::string new_id();

  /// Collective. \param id of new_id() \param given_up set by another thread: the call that waits,
  /// and every later one, throws \throws as new_id()
  GpuLink(const std::string& id, int rank, int size, at::Device device,
          const std::atomic<bool>& given_up);
  ~GpuLink();
  GpuLink(const GpuLink&) = delete;
  GpuLink& operator=(const GpuLink&) = delete;

  /// As World::broadcast() and World::exchange(), of tensors on this rank's GPU.
  void broadcast(const at::Tensor& bytes, int root);
  void exchange(const std::vector<Message>& sends, const std::vector<Message>& receives);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace unirg::distributed
