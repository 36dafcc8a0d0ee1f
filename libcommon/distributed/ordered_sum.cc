// SPDX-License-Identifier: Apache-2.0
#include "distributed/ordered_sum.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
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

at::Tensor bytes_in(const Piece& piece, const at::Tensor& tensor) {
  return tensor.view(-1).narrow(0, piece.begin, piece.count).view(at::kByte);
}

at::Tensor bytes_at(const at::Tensor& bytes, size_t begin, size_t size) {
  return bytes.narrow(0, static_cast<int64_t>(begin), static_cast<int64_t>(size));
}

std::vector<Bucket> buckets_of(const std::vector<at::Tensor>& tensors,
                               const std::vector<int>& owners, int owner, int64_t bucket_bytes) {
  UNIRG_ASSERT(tensors.size() == owners.size(), "an owner a tensor");
  std::vector<int64_t> values, item_bytes;
  for (const at::Tensor& tensor : tensors) {
    UNIRG_ASSERT(!tensor.defined() || tensor.is_contiguous(), "ranks exchange contiguous tensors");
    values.push_back(tensor.defined() ? tensor.numel() : 0);
    item_bytes.push_back(tensor.defined() ? static_cast<int64_t>(tensor.element_size()) : 1);
  }
  return cut_buckets(values, item_bytes, owners, owner, bucket_bytes);
}

at::Tensor packed(const Bucket& bucket, const std::vector<at::Tensor>& tensors) {
  size_t size = 0;
  for (const Piece& piece : bucket) size += bytes_of(piece, tensors[piece.tensor].element_size());
  at::Tensor bytes =
      at::empty({static_cast<int64_t>(size)},
                at::device(tensors[bucket.front().tensor].device()).dtype(at::kByte));
  size_t to = 0;
  for (const Piece& piece : bucket) {
    const at::Tensor from = bytes_in(piece, tensors[piece.tensor]);
    bytes_at(bytes, to, from.nbytes()).copy_(from);
    to += padded(from.nbytes());
  }
  return bytes;
}

void unpack(const at::Tensor& bytes, const Bucket& bucket, const std::vector<at::Tensor>& tensors) {
  size_t from = 0;
  for (const Piece& piece : bucket) {
    at::Tensor to = bytes_in(piece, tensors[piece.tensor]);
    to.copy_(bytes_at(bytes, from, to.nbytes()));
    from += padded(to.nbytes());
  }
}

}  // namespace

OrderedSum::OrderedSum(World& world, const std::vector<at::Tensor>& like,
                       const std::vector<int>& owners, const SumOptions& options)
    : world_(world),
      device_(like.empty() ? at::Device(at::kCPU) : like.front().device()),
      sums_(like.size()),
      filled_(like.size(), 0) {
  UNIRG_ASSERT(like.size() == owners.size(), "an owner a tensor");
  std::vector<int64_t> values, item_bytes;
  for (const at::Tensor& tensor : like) {
    const at::ScalarType type = tensor.scalar_type();
    const at::ScalarType sum = type == at::kBFloat16 ? at::kFloat : type;
    kinds_.push_back({tensor.sizes().vec(), options.already_summed ? sum : type, sum});
    values.push_back(tensor.numel());
    item_bytes.push_back(static_cast<int64_t>(at::elementSize(kinds_.back().unit)));
  }
  for (int owner = 0; owner < world.size(); ++owner) {
    buckets_.push_back(
        cut_buckets(values, item_bytes, owners, owner, options.bucket_bytes, options.order));
    most_buckets_ = std::max(most_buckets_, buckets_.back().size());
  }
  thread_ = std::jthread([this] { work(); });
}

OrderedSum::~OrderedSum() {
  const std::lock_guard lock(mutex_);
  if (!finished_) world_.give_up();
  ended_ = true;
  changed_.notify_all();
}

/// Under the lock.
void OrderedSum::take(Unit& unit, size_t k, const at::Tensor& value) const {
  UNIRG_ASSERT(k < kinds_.size(), "a tensor that was announced");
  unit.values.resize(kinds_.size());
  if (!value.defined() || unit.values[k].defined()) return;
  UNIRG_ASSERT(value.device() == device_ && value.scalar_type() == kinds_[k].unit &&
                   value.sizes() == kinds_[k].shape,
               "a unit's tensor is like the one announced");
  unit.values[k] = value.contiguous();
}

void OrderedSum::put(int64_t unit, size_t k, const at::Tensor& value) {
  const std::lock_guard lock(mutex_);
  UNIRG_ASSERT(unit >= added_, "a unit that was not added yet");
  take(units_[unit], k, value);
  changed_.notify_all();
}

void OrderedSum::add(const std::vector<at::Tensor>& unit) {
  UNIRG_ASSERT(unit.size() == kinds_.size(), "a tensor each");
  std::unique_lock lock(mutex_);
  if (failure_) std::rethrow_exception(failure_);
  Unit& mine = units_[added_];
  for (size_t k = 0; k < unit.size(); ++k) take(mine, k, unit[k]);
  mine.complete = true;
  const int64_t before = added_++;
  changed_.notify_all();
  changed_.wait(lock, [&] { return failure_ || done_ >= before; });
  if (failure_) std::rethrow_exception(failure_);
}

std::vector<at::Tensor> OrderedSum::finish() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return failure_ || done_ == added_; });
  if (failure_) std::rethrow_exception(failure_);
  finished_ = true;
  return std::move(sums_);
}

OrderedSum::Traffic OrderedSum::traffic() const {
  const std::lock_guard lock(mutex_);
  return traffic_;
}

/// The thread: all of the world's calls until finish() are made here.
void OrderedSum::work() {
  at::set_num_threads(1);  // of OpenMP, thread by thread
  const at::NoGradGuard no_grad;
  try {
    while (pass_unit()) {
    }
  } catch (...) {
    const std::lock_guard lock(mutex_);
    failure_ = std::current_exception();
    changed_.notify_all();
  }
}

/// \returns false once this ends
bool OrderedSum::pass_unit() {
  for (size_t b = 0; b < most_buckets_; ++b) {
    const std::optional<Unit> unit = next_unit(b);
    if (!unit) return false;
    pass_bucket(b, *unit);
  }
  if (!next_unit(most_buckets_)) return false;  // all may be there before it is said that it is all
  const std::lock_guard lock(mutex_);
  units_.erase(done_++);
  changed_.notify_all();
  return true;
}

/// Every owner's tensors of that bucket.
bool OrderedSum::holds(const Unit& unit, size_t b) const {
  if (unit.complete) return true;
  if (b >= most_buckets_) return false;
  return std::all_of(buckets_.begin(), buckets_.end(), [&](const std::vector<Bucket>& owner) {
    return b >= owner.size() || std::all_of(owner[b].begin(), owner[b].end(), [&](const Piece& p) {
             return unit.values[p.tensor].defined();
           });
  });
}

/// The unit whose turn it is, once that bucket can leave; nullopt once this ends.
std::optional<OrderedSum::Unit> OrderedSum::next_unit(size_t b) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] {
    const auto unit = units_.find(done_);
    return ended_ || (unit != units_.end() && holds(unit->second, b));
  });
  if (ended_) return std::nullopt;
  return units_.at(done_);
}

/// The b-th bucket of every owner, from all ranks at once.
void OrderedSum::pass_bucket(size_t b, const Unit& unit) {
  const auto& mine = buckets_[static_cast<size_t>(world_.rank())];
  std::vector<Message> sends, received;
  for (int rank = 0; rank < world_.size(); ++rank) {
    if (rank == world_.rank()) continue;
    const auto& theirs = buckets_[static_cast<size_t>(rank)];
    if (b < theirs.size()) sends.push_back({rank, message(theirs[b], unit)});
    if (b < mine.size()) received.push_back({rank, new_bytes(message_bytes(mine[b]))});
  }
  world_.exchange(sends, received);
  if (b < mine.size()) add_bucket(mine[b], unit, received);
}

/// Of the longest: a byte a piece, which says whether the unit touches its tensor, and the pieces.
size_t OrderedSum::message_bytes(const Bucket& bucket) const {
  size_t size = padded(bucket.size());
  for (const Piece& piece : bucket)
    size += bytes_of(piece, at::elementSize(kinds_[piece.tensor].unit));
  return size;
}

at::Tensor OrderedSum::new_bytes(size_t size) const {
  return at::empty({static_cast<int64_t>(size)}, at::device(device_).dtype(at::kByte));
}

/// Pieces that are not touched are left out: on the CPU the message is shorter, while a GPU's has
/// the size that its receiver waits with.
at::Tensor OrderedSum::message(const Bucket& bucket, const Unit& unit) {
  at::Tensor bytes = new_bytes(message_bytes(bucket));
  at::Tensor touched = at::zeros({static_cast<int64_t>(padded(bucket.size()))}, at::kByte);
  size_t to = touched.nbytes();
  for (size_t i = 0; i < bucket.size(); ++i) {
    const at::Tensor& value = unit.values[bucket[i].tensor];
    if (!value.defined()) continue;
    touched.data_ptr<uint8_t>()[i] = 1;
    const at::Tensor from = bytes_in(bucket[i], value);
    bytes_at(bytes, to, from.nbytes()).copy_(from);
    to += padded(from.nbytes());
  }
  bytes_at(bytes, 0, touched.nbytes()).copy_(touched);
  if (device_.is_cpu()) bytes = bytes_at(bytes, 0, to);
  const auto size = static_cast<int64_t>(bytes.nbytes());
  const std::lock_guard lock(mutex_);
  traffic_.bytes += size;
  if (!unit.complete) traffic_.early_bytes += size;
  return bytes;
}

void OrderedSum::add_own(const Bucket& bucket, const Unit& unit) {
  for (const Piece& piece : bucket) {
    const at::Tensor& value = unit.values[piece.tensor];
    if (value.defined()) add_piece(piece, value.view(-1).narrow(0, piece.begin, piece.count));
  }
}

void OrderedSum::add_received(const Bucket& bucket, const at::Tensor& bytes) {
  const at::Tensor touched = bytes_at(bytes, 0, padded(bucket.size())).cpu();
  size_t from = touched.nbytes();
  for (size_t i = 0; i < bucket.size(); ++i) {
    if (touched.data_ptr<uint8_t>()[i] == 0) continue;
    const at::ScalarType type = kinds_[bucket[i].tensor].unit;
    const size_t size = static_cast<size_t>(bucket[i].count) * at::elementSize(type);
    add_piece(bucket[i], bytes_at(bytes, from, size).view(type));
    from += padded(size);
  }
}

/// In the order of ranks.
void OrderedSum::add_bucket(const Bucket& bucket, const Unit& unit,
                            const std::vector<Message>& received) {
  auto message = received.begin();
  for (int rank = 0; rank < world_.size(); ++rank) {
    if (rank == world_.rank())
      add_own(bucket, unit);
    else
      add_received(bucket, message++->bytes);
  }
}

/// The first values of a piece are copied: added to zero, -0 would become 0.
void OrderedSum::add_piece(const Piece& piece, const at::Tensor& values) {
  at::Tensor& sum = sums_[piece.tensor];
  if (!sum.defined()) {
    sum =
        at::empty(kinds_[piece.tensor].shape, at::device(device_).dtype(kinds_[piece.tensor].sum));
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
  const at::NoGradGuard no_grad;
  for (int owner = 0; owner < world.size(); ++owner) {
    for (const Bucket& bucket : buckets_of(tensors, owners, owner, bucket_bytes)) {
      if (bucket.size() == 1) {  // as it lies
        const Piece& piece = bucket.front();
        world.broadcast(bytes_in(piece, tensors[piece.tensor]), owner);
        continue;
      }
      const at::Tensor bytes = packed(bucket, tensors);  // elsewhere for its size
      world.broadcast(bytes, owner);
      if (owner != world.rank()) unpack(bytes, bucket, tensors);
    }
  }
}

void collect(World& world, const std::vector<at::Tensor>& tensors, const std::vector<int>& owners,
             int64_t bucket_bytes) {
  const at::NoGradGuard no_grad;
  for (int owner = 1; owner < world.size(); ++owner) {
    if (!world.first() && owner != world.rank()) continue;
    for (const Bucket& bucket : buckets_of(tensors, owners, owner, bucket_bytes)) {
      if (!world.first()) {
        world.exchange({{0, packed(bucket, tensors)}}, {});
        continue;
      }
      const std::vector<Message> received{{owner, packed(bucket, tensors)}};  // for its size
      world.exchange({}, received);
      unpack(received.front().bytes, bucket, tensors);
    }
  }
}

}  // namespace unirg::distributed
