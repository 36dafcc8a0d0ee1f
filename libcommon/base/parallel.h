// Ordered parallel work: whole units go to threads, results come back in input order, at most a
// small window of them unfinished. Output is therefore the same for any thread count. Waiting
// threads block, they do not spin. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <vector>

namespace unirg {

/// As many threads as the system gives, at least one: fewer make the same results, later.
/// \throws std::system_error if not even one can be started
template <typename Worker>
void start_threads(std::vector<std::jthread>& pool, int threads, const Worker& worker) {
  try {
    for (int t = 0; t < threads; ++t) pool.emplace_back(worker);
  } catch (const std::system_error&) {
    if (pool.empty()) throw;
  }
}

/// Calls `work(i)` for i = 0..count-1 on `threads` threads and `consume(i, result)` on the calling
/// thread in order of i. `consume` returns false to stop early (units already begun are finished
/// and dropped). The first exception in order of i, from work or consume, is rethrown here after
/// all threads have ended. \param threads >= 1; with 1 everything runs on the calling thread.
template <typename Work, typename Consume>
void ordered_parallel(int threads, int64_t count, Work&& work, Consume&& consume) {
  using T = decltype(work(int64_t{0}));
  if (threads <= 1 || count <= 1) {
    for (int64_t i = 0; i < count; ++i) {
      if (!consume(i, work(i))) return;
    }
    return;
  }
  struct Slot {
    std::optional<T> value;
    std::exception_ptr error;
  };
  std::mutex mutex;
  std::condition_variable changed;
  std::map<int64_t, Slot> done;
  int64_t next = 0;
  int64_t consumed = 0;
  bool stop = false;
  const int64_t window = int64_t{4} * threads;

  const auto worker = [&] {
    std::unique_lock lock(mutex);
    for (;;) {
      changed.wait(lock, [&] { return stop || next >= count || next < consumed + window; });
      if (stop || next >= count) return;
      const int64_t i = next++;
      lock.unlock();
      Slot slot;
      try {
        slot.value.emplace(work(i));
      } catch (...) {
        slot.error = std::current_exception();
      }
      lock.lock();
      done.emplace(i, std::move(slot));
      changed.notify_all();
    }
  };
  std::exception_ptr failure;
  {
    std::vector<std::jthread> pool;
    start_threads(pool, threads, worker);
    std::unique_lock lock(mutex);
    while (consumed < count) {
      changed.wait(lock, [&] { return done.contains(consumed); });
      Slot slot = std::move(done.extract(consumed).mapped());
      lock.unlock();
      bool go_on = false;
      try {
        if (slot.error) std::rethrow_exception(slot.error);
        go_on = consume(consumed, std::move(*slot.value));
      } catch (...) {
        failure = std::current_exception();
      }
      lock.lock();
      ++consumed;
      changed.notify_all();
      if (!go_on) break;
    }
    stop = true;
    changed.notify_all();
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace unirg
