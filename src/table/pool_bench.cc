/// What a place for a record costs.
///
/// Question   nanoseconds to take and free a number with its record.
/// Setup      a pool with 1,000 records taken; the latest is freed and taken again.
/// Cheating   would be to leave the record itself untouched.
#include <benchmark/benchmark.h>

#include "table/pool.h"

namespace uct::core {
namespace {

template <typename Key>
void TakeAndFree(benchmark::State& state) {
  RecordPool<Key> pool;
  pool.reserve(100'000);
  for (int i = 0; i < 1000; ++i) benchmark::DoNotOptimize(pool.take());
  for (auto _ : state) {
    const std::uint32_t number = pool.take();
    benchmark::DoNotOptimize(pool.record(number));
    pool.free(number);
  }
}

BENCHMARK(TakeAndFree<KeyV4>);
BENCHMARK(TakeAndFree<KeyV6>);

}  // namespace
}  // namespace uct::core
