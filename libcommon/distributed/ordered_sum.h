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
// An exchange goes on in a thread of its own while the next unit is computed.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "distributed/shares.h"
#include "distributed/world.h"

namespace unirg::distributed {

class OrderedSum {
 public:
  /// \param like their shapes are those of what is added, and their types too, unless
  /// `already_summed`: then bfloat16 comes as float32, which it is summed in
  /// \param owners the rank that sums each tensor
  OrderedSum(World& world, const std::vector<at::Tensor>& like, const std::vector<int>& owners,
             int64_t bucket_bytes, bool already_summed = false);
  /// Without finish(): the exchange in hand is given up, and the world is of no more use.
  ~OrderedSum();
  OrderedSum(const OrderedSum&) = delete;
  OrderedSum& operator=(const OrderedSum&) = delete;

  /// The next unit of this rank; every rank gives equally many. Returns once the unit before has
  /// been exchanged. \param unit one tensor each of `like`, undefined where it has none; all are
  /// undefined where a rank has no unit left
  void add(std::vector<at::Tensor> unit);

  /// \returns the sums of the tensors that this rank owns, contiguous; undefined are those of
  /// others, and those that no unit touched
  std::vector<at::Tensor> finish();

 private:
  void work();
  void take(std::vector<at::Tensor> unit);
  void pass_bucket(size_t bucket, const std::vector<at::Tensor>& unit,
                   const std::vector<std::string>& touched);
  void add_bucket(const Bucket& bucket, const std::vector<at::Tensor>& unit,
                  const std::vector<std::string>& touched, std::vector<Message>& received);
  void add_piece(const Piece& piece, const at::Tensor& values);

  struct Kind {
    std::vector<int64_t> shape;
    at::ScalarType unit, sum;
  };
  World& world_;
  std::vector<Kind> kinds_;
  std::vector<std::vector<Bucket>> buckets_;  ///< by owner
  size_t most_buckets_ = 0;                   ///< of any owner
  std::vector<at::Tensor> sums_;
  std::vector<int64_t> filled_;  ///< elements of each sum that hold values

  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<std::vector<at::Tensor>> next_;  ///< for the thread to take
  bool busy_ = false;
  bool ended_ = false;
  std::exception_ptr failure_;
  std::jthread thread_;  ///< last: it uses all of the above
};

/// Gives every tensor, in place, from its owner to all ranks. All ranks know its shape and type.
/// \param tensors contiguous, on the CPU
void share(World& world, const std::vector<at::Tensor>& tensors, const std::vector<int>& owners,
           int64_t bucket_bytes);

/// Gives every tensor, in place, from its owner to rank 0. \param tensors contiguous, on the CPU;
/// at rank 0 all of them, elsewhere those that the rank owns (others may be undefined)
void collect(World& world, const std::vector<at::Tensor>& tensors, const std::vector<int>& owners,
             int64_t bucket_bytes);

}  // namespace unirg::distributed
