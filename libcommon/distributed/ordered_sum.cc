// SPDX-License-Identifier: Apache-2.0
#include "distributed/ordered_sum.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/error.h"

namespace unirg::distributed {
namespace {

/// In a message every piece begins where any element type may.
constexpr size_t kAlignment = 8;

size_t padded(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

size_t bytes_of(const Piece& piece, size_t item) {
  return padded(static_cast<size_t>(piece.count) * item);
}

std::span<std::byte> bytes_in(const Piece& piece, const at::Tensor& tensor) {
  const size_t item = tensor.element_size();
  return {static_cast<std::byte*>(tensor.data_ptr()) + static_cast<size_t>(piece.begin) * item,
          static_cast<size_t>(piece.count) * item};
}

std::vector<Bucket> buckets_of(const std::vector<at::Tensor>& tensors,
                               const std::vector<int>& owners, int owner, int64_t bucket_bytes) {
  UNIRG_ASSERT(tensors.size() == owners.size(), "an owner a tensor");
  std::vector<int64_t> values, item_bytes;
  for (const at::Tensor& tensor : tensors) {
    UNIRG_ASSERT(!tensor.defined() || (tensor.is_cpu() && tensor.is_contiguous()),
                 "ranks exchange contiguous tensors of the CPU");
    values.push_back(tensor.defined() ? tensor.numel() : 0);
    item_bytes.push_back(tensor.defined() ? static_cast<int64_t>(tensor.element_size()) : 1);
  }
  return cut_buckets(values, item_bytes, owners, owner, bucket_bytes);
}

std::vector<std::byte> packed(const Bucket& bucket, const std::vector<at::Tensor>& tensors) {
  size_t size = 0;
  for (const Piece& piece : bucket) size += bytes_of(piece, tensors[piece.tensor].element_size());
  std::vector<std::byte> bytes(size);
  std::byte* to = bytes.data();
  for (const Piece& piece : bucket) {
    const std::span<std::byte> from = bytes_in(piece, tensors[piece.tensor]);
    std::memcpy(to, from.data(), from.size());
    to += padded(from.size());
  }
  return bytes;
}

void unpack(const std::vector<std::byte>& bytes, const Bucket& bucket,
            const std::vector<at::Tensor>& tensors) {
  const std::byte* from = bytes.data();
  for (const Piece& piece : bucket) {
    const std::span<std::byte> to = bytes_in(piece, tensors[piece.tensor]);
    std::memcpy(to.data(), from, to.size());
    from += padded(to.size());
  }
}

/// A bucket's pieces of the tensors that a rank's unit touched.
Bucket touched_pieces(const Bucket& bucket, const std::string& touched) {
  Bucket pieces;
  std::copy_if(bucket.begin(), bucket.end(), std::back_inserter(pieces),
               [&](const Piece& piece) { return touched[piece.tensor] == '1'; });
  return pieces;
}

}  // namespace

OrderedSum::OrderedSum(World& world, const std::vector<at::Tensor>& like,
                       const std::vector<int>& owners, int64_t bucket_bytes, bool already_summed)
    : world_(world), sums_(like.size()), filled_(like.size(), 0) {
  UNIRG_ASSERT(like.size() == owners.size(), "an owner a tensor");
  std::vector<int64_t> values, item_bytes;
  for (const at::Tensor& tensor : like) {
    const at::ScalarType type = tensor.scalar_type();
    const at::ScalarType sum = type == at::kBFloat16 ? at::kFloat : type;
    kinds_.push_back({tensor.sizes().vec(), already_summed ? sum : type, sum});
    values.push_back(tensor.numel());
    item_bytes.push_back(static_cast<int64_t>(at::elementSize(kinds_.back().unit)));
  }
  for (int owner = 0; owner < world.size(); ++owner) {
    buckets_.push_back(cut_buckets(values, item_bytes, owners, owner, bucket_bytes));
    most_buckets_ = std::max(most_buckets_, buckets_.back().size());
  }
  thread_ = std::jthread([this] { work(); });
}

OrderedSum::~OrderedSum() {
  const std::lock_guard lock(mutex_);
  if (busy_) world_.give_up();
  ended_ = true;
  changed_.notify_all();
}

void OrderedSum::add(std::vector<at::Tensor> unit) {
  UNIRG_ASSERT(unit.size() == kinds_.size(), "a tensor each");
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !busy_; });
  if (failure_) std::rethrow_exception(failure_);
  next_ = std::move(unit);
  busy_ = true;
  changed_.notify_all();
}

std::vector<at::Tensor> OrderedSum::finish() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !busy_; });
  if (failure_) std::rethrow_exception(failure_);
  return std::move(sums_);
}

/// The thread: all of the world's calls between the first add() and finish() are made here.
void OrderedSum::work() {
  at::set_num_threads(1);  // of OpenMP, thread by thread
  const at::NoGradGuard no_grad;
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return ended_ || next_.has_value(); });
    if (ended_) return;
    std::vector<at::Tensor> unit = std::move(*next_);
    next_.reset();
    lock.unlock();
    std::exception_ptr failure;
    try {
      take(std::move(unit));
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    failure_ = failure;
    busy_ = false;
    changed_.notify_all();
  }
}

void OrderedSum::take(std::vector<at::Tensor> unit) {
  std::string touches(unit.size(), '0');
  for (size_t k = 0; k < unit.size(); ++k) {
    if (!unit[k].defined()) continue;
    UNIRG_ASSERT(unit[k].is_cpu() && unit[k].scalar_type() == kinds_[k].unit &&
                     unit[k].sizes() == kinds_[k].shape,
                 "a unit's tensor is like the one announced");
    unit[k] = unit[k].contiguous();
    touches[k] = '1';
  }
  const std::vector<std::string> touched = world_.gather(touches);
  for (size_t b = 0; b < most_buckets_; ++b) pass_bucket(b, unit, touched);
}

/// The b-th bucket of every owner, from all ranks at once.
void OrderedSum::pass_bucket(size_t b, const std::vector<at::Tensor>& unit,
                             const std::vector<std::string>& touched) {
  const int me = world_.rank();
  std::vector<Message> sends, received;
  for (int rank = 0; rank < world_.size(); ++rank) {
    const auto& theirs = buckets_[static_cast<size_t>(rank)];
    const auto& mine = buckets_[static_cast<size_t>(me)];
    if (rank == me) continue;
    if (b < theirs.size()) {
      const Bucket pieces = touched_pieces(theirs[b], touched[static_cast<size_t>(me)]);
      if (!pieces.empty()) sends.push_back({rank, packed(pieces, unit)});
    }
    if (b < mine.size()) {
      const Bucket pieces = touched_pieces(mine[b], touched[static_cast<size_t>(rank)]);
      size_t bytes = 0;
      for (const Piece& piece : pieces)
        bytes += bytes_of(piece, at::elementSize(kinds_[piece.tensor].unit));
      if (bytes > 0) received.push_back({rank, std::vector<std::byte>(bytes)});
    }
  }
  world_.exchange(std::move(sends), received);
  if (b < buckets_[static_cast<size_t>(me)].size())
    add_bucket(buckets_[static_cast<size_t>(me)][b], unit, touched, received);
}

/// In the order of ranks.
void OrderedSum::add_bucket(const Bucket& bucket, const std::vector<at::Tensor>& unit,
                            const std::vector<std::string>& touched,
                            std::vector<Message>& received) {
  auto message = received.begin();
  for (int rank = 0; rank < world_.size(); ++rank) {
    const bool here = rank == world_.rank();
    const Bucket pieces = touched_pieces(bucket, touched[static_cast<size_t>(rank)]);
    std::byte* from = here || pieces.empty() ? nullptr : message++->bytes.data();
    for (const Piece& piece : pieces) {
      if (here) {
        add_piece(piece, unit[piece.tensor].view(-1).narrow(0, piece.begin, piece.count));
      } else {
        const at::ScalarType type = kinds_[piece.tensor].unit;
        add_piece(piece, at::from_blob(from, {piece.count}, type));
        from += bytes_of(piece, at::elementSize(type));
      }
    }
  }
}

/// The first values of a piece are copied: added to zero, -0 would become 0.
void OrderedSum::add_piece(const Piece& piece, const at::Tensor& values) {
  at::Tensor& sum = sums_[piece.tensor];
  if (!sum.defined()) {
    sum = at::empty(kinds_[piece.tensor].shape, kinds_[piece.tensor].sum);
  }
  const at::Tensor part = sum.view(-1).narrow(0, piece.begin, piece.count);
  // Pieces of a tensor come in order, each from all ranks: what lies behind `filled_` is new.
  int64_t& filled = filled_[piece.tensor];
  if (piece.begin >= filled) {
    part.copy_(values);
    filled = piece.begin + piece.count;
  } else {
    part.add_(values);
  }
}

void share(World& world, const std::vector<at::Tensor>& tensors, const std::vector<int>& owners,
           int64_t bucket_bytes) {
  if (world.alone()) return;
  for (int owner = 0; owner < world.size(); ++owner) {
    for (const Bucket& bucket : buckets_of(tensors, owners, owner, bucket_bytes)) {
      if (bucket.size() == 1) {  // as it lies
        const Piece& piece = bucket.front();
        world.broadcast(bytes_in(piece, tensors[piece.tensor]), owner);
        continue;
      }
      std::vector<std::byte> bytes = packed(bucket, tensors);  // elsewhere for its size
      world.broadcast(bytes, owner);
      if (owner != world.rank()) unpack(bytes, bucket, tensors);
    }
  }
}

void collect(World& world, const std::vector<at::Tensor>& tensors, const std::vector<int>& owners,
             int64_t bucket_bytes) {
  for (int owner = 1; owner < world.size(); ++owner) {
    if (!world.first() && owner != world.rank()) continue;
    for (const Bucket& bucket : buckets_of(tensors, owners, owner, bucket_bytes)) {
      std::vector<Message> received;
      if (!world.first()) {
        world.exchange({{0, packed(bucket, tensors)}}, received);
        continue;
      }
      received.push_back({owner, packed(bucket, tensors)});  // for its size
      world.exchange({}, received);
      unpack(received.front().bytes, bucket, tensors);
    }
  }
}

}  // namespace unirg::distributed
