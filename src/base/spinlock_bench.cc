/// What a lock costs: free, beside a mutex, and handed between two threads.
///
/// Question   nanoseconds to take and give back a lock that is free; the same with a second thread
///            that does it too.
/// Setup      one counter under the lock, so that its line moves with it.
/// Cheating   would be to lock nothing: the counter's line is half of what a handover costs.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <mutex>

#include "base/spinlock.h"

namespace uct::core {
namespace {

template <typename Lock>
struct alignas(64) Guarded {
  Lock lock;
  std::uint64_t counter = 0;
};

template <typename Lock>
Guarded<Lock>& shared() {
  static Guarded<Lock> guarded;
  return guarded;
}

template <typename Lock>
void TakeAndGive(benchmark::State& state) UCT_NO_THREAD_SAFETY_ANALYSIS {
  Guarded<Lock>& guarded = shared<Lock>();
  for (auto _ : state) {
    guarded.lock.lock();
    benchmark::DoNotOptimize(++guarded.counter);
    guarded.lock.unlock();
  }
}

BENCHMARK(TakeAndGive<Spinlock>)->Threads(1)->Threads(2);
BENCHMARK(TakeAndGive<std::mutex>)->Threads(1)->Threads(2);

}  // namespace
}  // namespace uct::core
