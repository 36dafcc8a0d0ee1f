// SPDX-License-Identifier: Apache-2.0
#include "distributed/world.h"

#include <fmt/format.h>
#include <mpi.h>

#include <chrono>
#include <climits>
#include <cstdint>
#include <memory>
#include <thread>
#include <utility>

#include "base/error.h"

namespace unirg::distributed {
namespace {

constexpr size_t kMostBytes = size_t{1} << 30;

/// \throws Error(Exit::unavailable) with MPI's own words
void check(int code) {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  MPI_Error_string(code, text, &length);
  throw Error(Exit::unavailable,
              fmt::format("ranks cannot reach each other: {} (hint: was one of them lost? The same "
                          "command goes on from the last save)",
                          text));
}

int count_of(size_t bytes) {
  UNIRG_ASSERT(bytes <= kMostBytes, "a message of more than 1 GiB");
  return static_cast<int>(bytes);
}

}  // namespace

/// What is on its way. Several MPI calls of one wait.
struct World::Requests {
  std::vector<MPI_Request> all;
  MPI_Request* more() { return &all.emplace_back(MPI_REQUEST_NULL); }
};

/// MPI's own waits spin.
void World::wait(Requests& requests) const {
  constexpr int kEager = 200;  // looks before the first sleep
  for (int looks = 0;; ++looks) {
    int done = 0;
    check(MPI_Testall(count_of(requests.all.size()), requests.all.data(), &done,
                      MPI_STATUSES_IGNORE));
    if (done != 0) return;
    if (given_up_) throw Error(Exit::unavailable, "an exchange between ranks was given up");
    if (looks < kEager)
      std::this_thread::yield();
    else
      std::this_thread::sleep_for(std::chrono::microseconds(looks < 100 * kEager ? 50 : 1000));
  }
}

World::World() = default;
World::~World() = default;

void World::start(const Environment& environment) {
  if (!is_one_of_several(environment)) return;
  UNIRG_ASSERT(!started_, "a world starts once");
  int level = MPI_THREAD_SINGLE;
  check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &level));
  started_ = true;
  check(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN));
  check(MPI_Comm_rank(MPI_COMM_WORLD, &rank_));
  check(MPI_Comm_size(MPI_COMM_WORLD, &size_));
  if (level < MPI_THREAD_SERIALIZED)
    throw Error(Exit::unavailable, "this MPI lets only one thread call it");
}

void World::use(at::Device device) {
  if (alone() || device.is_cpu() || gpu_) return;
  const std::string id = gather(first() ? GpuLink::new_id() : "").front();
  gpu_ = std::make_unique<GpuLink>(id, rank_, size_, device, given_up_);
}

void World::barrier() {
  if (alone()) return;
  Requests requests;
  check(MPI_Ibarrier(MPI_COMM_WORLD, requests.more()));
  wait(requests);
}

bool World::any(bool mine) {
  if (alone()) return mine;
  int all = mine ? 1 : 0;
  Requests requests;
  check(MPI_Iallreduce(MPI_IN_PLACE, &all, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD, requests.more()));
  wait(requests);
  return all != 0;
}

double World::largest(double mine) {
  if (alone()) return mine;
  Requests requests;
  check(
      MPI_Iallreduce(MPI_IN_PLACE, &mine, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD, requests.more()));
  wait(requests);
  return mine;
}

std::vector<std::string> World::gather(const std::string& mine) {
  if (alone()) return {mine};
  const auto ranks = static_cast<size_t>(size_);
  const int64_t size = count_of(mine.size());
  std::vector<int64_t> sizes(ranks);
  Requests first;
  check(MPI_Iallgather(&size, 1, MPI_INT64_T, sizes.data(), 1, MPI_INT64_T, MPI_COMM_WORLD,
                       first.more()));
  wait(first);
  std::vector<int> counts(ranks), places(ranks);
  size_t total = 0;
  for (size_t r = 0; r < ranks; ++r) {
    counts[r] = static_cast<int>(sizes[r]);
    places[r] = count_of(total);
    total += static_cast<size_t>(sizes[r]);
  }
  std::string all(static_cast<size_t>(count_of(total)), '\0');
  Requests second;
  check(MPI_Iallgatherv(mine.data(), counts[static_cast<size_t>(rank_)], MPI_BYTE, all.data(),
                        counts.data(), places.data(), MPI_BYTE, MPI_COMM_WORLD, second.more()));
  wait(second);
  std::vector<std::string> texts;
  for (size_t r = 0; r < ranks; ++r)
    texts.push_back(all.substr(static_cast<size_t>(places[r]), static_cast<size_t>(counts[r])));
  return texts;
}

void World::broadcast(const at::Tensor& bytes, int root) {
  if (alone()) return;
  if (!bytes.is_cpu()) {
    UNIRG_ASSERT(gpu_ != nullptr, "a GPU that is in use");
    return gpu_->broadcast(bytes, root);
  }
  Requests requests;
  check(MPI_Ibcast(bytes.data_ptr(), count_of(bytes.nbytes()), MPI_BYTE, root, MPI_COMM_WORLD,
                   requests.more()));
  wait(requests);
}

void World::exchange(const std::vector<Message>& sends, const std::vector<Message>& receives) {
  if (sends.empty() && receives.empty()) return;
  if (!(sends.empty() ? receives : sends).front().bytes.is_cpu()) {
    UNIRG_ASSERT(gpu_ != nullptr, "a GPU that is in use");
    return gpu_->exchange(sends, receives);
  }
  // MPI holds pointers into these. Where the wait is given up they are left to it: the process is
  // about to end, and memory that was freed would be written to until then.
  struct Held {
    std::vector<Message> sends, receives;
    Requests requests;
  };
  auto held = std::make_unique<Held>(Held{sends, receives, {}});
  try {
    for (const Message& m : held->receives)
      check(MPI_Irecv(m.bytes.data_ptr(), count_of(m.bytes.nbytes()), MPI_BYTE, m.rank, 0,
                      MPI_COMM_WORLD, held->requests.more()));
    for (const Message& m : held->sends)
      check(MPI_Isend(m.bytes.data_ptr(), count_of(m.bytes.nbytes()), MPI_BYTE, m.rank, 0,
                      MPI_COMM_WORLD, held->requests.more()));
    wait(held->requests);
  } catch (...) {
    static_cast<void>(held.release());
    throw;
  }
}

int World::leave(int status) {
  gpu_.reset();
  if (!started_) return status;
  if (status == static_cast<int>(Exit::ok) || status == static_cast<int>(Exit::interrupted))
    MPI_Finalize();
  else
    MPI_Abort(MPI_COMM_WORLD, status);
  return status;
}

}  // namespace unirg::distributed
