// Sums of lists of tensors over units of work that ranks computed, each unit in its turn, whichever
// rank it came from: unit 0 of rank 0, of rank 1, ..., then unit 1 of rank 0, and so on. Each sum
// is made by one rank, the tensor's owner (a reduce-scatter); share() then gives it to all
// (together an all-reduce).
//
// What is bitwise: with units dealt out in turn (unit u of the step is unit u / size of rank
// u % size), the sum has the bits of the one that a single process makes from the first unit to the
// last, at any number of ranks and any size of buckets. A tensor that a unit did not touch is left
// out, not added as zero. What is not: adding up a rank's units before giving them here is another
// order of additions, and equal up to float32 rounding only.
//
// Why no MPI_Iallreduce: its order of additions is the library's, and with it the bits. What is
// exchanged is as much (each value goes to its owner once a unit), and overlaps as well: a bucket
// leaves as soon as its last tensor is put(), while the unit's backward pass goes on, in a thread
// of its own; what is left when a unit ends leaves while the next is computed. On a GPU this
// thread's copies, sums and messages stand in the same stream as the backward pass: each waits for
// what was queued before it, no kernels run side by side. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "distributed/shares.h"
#include "distributed/world.h"

namespace unirg::distributed {

struct SumOptions {
  int64_t bucket_bytes = 0;
  /// Units are sums themselves: bfloat16 comes as float32, which it is summed in.
  bool already_summed = false;
  /// The tensors' numbers in the order in which they are expected: buckets are filled in it. Empty:
  /// as they come in the list. The same at all ranks.
  std::vector<size_t> order = {};
};

class OrderedSum {
 public:
  /// \param like their shapes and device are those of what is added, and their types too, but for
  /// `already_summed`; of one device, which the world uses \param owners the rank that sums each
  OrderedSum(World& world, const std::vector<at::Tensor>& like, const std::vector<int>& owners,
             const SumOptions& options);
  /// Without finish(): the exchange in hand is given up, and the world is of no more use.
  ~OrderedSum();
  OrderedSum(const OrderedSum&) = delete;
  OrderedSum& operator=(const OrderedSum&) = delete;

  /// Tensor k of this rank's unit `unit` (0, 1, ...), which add() will give too: it may leave now.
  /// Any thread. What it holds must not change any more.
  void put(int64_t unit, size_t k, const at::Tensor& value);

  /// The next unit of this rank; every rank gives equally many. Returns once the unit before has
  /// been exchanged. \param unit one tensor each of `like`, undefined where it has none; all are
  /// undefined where a rank has no unit left
  void add(const std::vector<at::Tensor>& unit);

  /// \returns the sums of the tensors that this rank owns, contiguous; undefined are those of
  /// others, and those that no unit touched
  std::vector<at::Tensor> finish();

  /// What this rank has given to others, and how much of it before the unit was complete.
  struct Traffic {
    int64_t bytes = 0, early_bytes = 0;
  };
  [[nodiscard]] Traffic traffic() const;

 private:
  /// This rank's, as far as it is there.
  struct Unit {
    std::vector<at::Tensor> values;
    bool complete = false;
  };
  struct Kind {
    std::vector<int64_t> shape;
    at::ScalarType unit, sum;
  };
  void take(Unit& unit, size_t k, const at::Tensor& value) const;
  void work();
  [[nodiscard]] bool pass_unit();
  [[nodiscard]] bool holds(const Unit& unit, size_t bucket) const;
  [[nodiscard]] std::optional<Unit> next_unit(size_t bucket);
  void pass_bucket(size_t bucket, const Unit& unit);
  [[nodiscard]] size_t message_bytes(const Bucket& bucket) const;
  [[nodiscard]] at::Tensor new_bytes(size_t size) const;
  [[nodiscard]] at::Tensor message(const Bucket& bucket, const Unit& unit);
  void add_own(const Bucket& bucket, const Unit& unit);
  void add_received(const Bucket& bucket, const at::Tensor& bytes);
  void add_bucket(const Bucket& bucket, const Unit& unit, const std::vector<Message>& received);
  void add_piece(const Piece& piece, const at::Tensor& values);

  World& world_;
  at::Device device_;
  std::vector<Kind> kinds_;
  std::vector<std::vector<Bucket>> buckets_;  ///< by owner
  size_t most_buckets_ = 0;                   ///< of any owner
  std::vector<at::Tensor> sums_;
  std::vector<int64_t> filled_;  ///< elements of each sum that hold values

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<int64_t, Unit> units_;  ///< that have begun to arrive and are not exchanged
  int64_t added_ = 0, done_ = 0;   ///< units
  Traffic traffic_;
  bool finished_ = false, ended_ = false;
  std::exception_ptr failure_;
  std::jthread thread_;  ///< last: it uses all of the above
};

/// Gives every tensor, in place, from its owner to all ranks. All ranks know its shape and type.
/// \param tensors contiguous, of one device, which the world uses
void share(World& world, const std::vector<at::Tensor>& tensors, const std::vector<int>& owners,
           int64_t bucket_bytes);

/// Gives every tensor, in place, from its owner to rank 0. \param tensors contiguous, on the CPU;
/// at rank 0 all of them, elsewhere those that the rank owns (others may be undefined)
void collect(World& world, const std::vector<at::Tensor>& tensors, const std::vector<int>& owners,
             int64_t bucket_bytes);

}  // namespace unirg::distributed
