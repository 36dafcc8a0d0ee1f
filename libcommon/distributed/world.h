// The ranks of a run and what they can say to each other. All of MPI is behind this header, and
// NCCL behind gpu_link.h. Every call is collective unless it says otherwise: all ranks make the
// same calls in the same order, one thread at a time. Waiting ranks sleep in between, they do not
// spin: ranks share cores with each other and with the threads that compute.
//
// Tensors of the CPU go by MPI, those of a GPU by NCCL, each rank having a GPU of its own.
//
// A lost rank: mpirun (or srun, told by PMIx) ends all others and says which it was and by which
// signal; a call that fails otherwise throws. An error of one rank: its main calls leave() with the
// status, which ends all. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "distributed/gpu_link.h"
#include "distributed/launch.h"
#include "distributed/message.h"

namespace unirg::distributed {

class World {
 public:
  /// Of one rank, until start().
  World();
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  /// Joins the others if there are any; otherwise MPI is not touched. At most once a process.
  /// \throws Error(Exit::config) as is_one_of_several(), Error(Exit::unavailable) if MPI fails
  void start(const Environment& environment);
  /// Tensors of that device can be exchanged from now on; those of the CPU always can.
  /// \throws Error(Exit::unavailable) for a GPU in a build without NCCL, and where NCCL fails, e.g.
  /// because two ranks have the same GPU
  void use(at::Device device);

  [[nodiscard]] int rank() const { return rank_; }
  [[nodiscard]] int size() const { return size_; }
  [[nodiscard]] bool alone() const { return size_ == 1; }
  /// The rank that writes logs and files.
  [[nodiscard]] bool first() const { return rank_ == 0; }

  void barrier();
  [[nodiscard]] bool any(bool mine);
  /// The largest of all ranks' numbers, none of them NaN.
  [[nodiscard]] double largest(double mine);
  /// Everyone's text or bytes, by rank, at every rank.
  [[nodiscard]] std::vector<std::string> gather(const std::string& mine);
  /// In place. \param bytes contiguous, at most 1 GiB; of one size and kind of device at all ranks
  void broadcast(const at::Tensor& bytes, int root);
  /// Between pairs: not collective, but each message has its receiver waiting, on the CPU with its
  /// size or more, on a GPU with its size; at most 1 GiB. \param receives filled in; ranks other
  /// than this one, each at most once
  void exchange(const std::vector<Message>& sends, const std::vector<Message>& receives);

  /// Called by another thread: the call that waits, and every later one, throws.
  void give_up() noexcept { given_up_ = true; }

  /// The last thing main does. All ranks with 0 or 75 (stopped, all of them) end MPI in order; a
  /// rank with another status ends every rank, and mpirun with that status. \returns the status
  int leave(int status);

 private:
  struct Requests;
  void wait(Requests& requests) const;

  bool started_ = false;
  int rank_ = 0, size_ = 1;
  std::atomic<bool> given_up_ = false;
  std::unique_ptr<GpuLink> gpu_;
};

}  // namespace unirg::distributed
