/// What a keyed hash costs, one key after another and eight side by side.
///
/// Question   nanoseconds a key of two words (IPv4) and of five (IPv6), scalar and in lanes.
/// Setup      64 keys in the first-level cache; each hash is used.
/// Cheating   would be to hash the same key again and again, whose chain the processor overlaps.
#include <benchmark/benchmark.h>

#include <random>

#include "base/siphash.h"

namespace uct::core {
namespace {

constexpr HashKey kSecret = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
constexpr std::size_t kGroups = 8;

template <std::size_t kWords>
struct Keys {
  Keys() {
    std::mt19937_64 random(1);
    for (auto& group : groups) {
      for (auto& key : group) {
        for (std::uint64_t& word : key) word = random();
      }
    }
  }
  HashKeys<kWords> groups[kGroups];
};

template <std::size_t kWords>
void HashScalar(benchmark::State& state) {
  const Keys<kWords> keys;
  for (auto _ : state) {
    std::uint64_t all = 0;
    for (const auto& group : keys.groups) {
      for (const auto& key : group) all ^= siphash13(key, kSecret);
    }
    benchmark::DoNotOptimize(all);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * kGroups * kHashLanes));
}

template <std::size_t kWords>
void HashLanes(benchmark::State& state) {
  const Keys<kWords> keys;
  for (auto _ : state) {
    for (const auto& group : keys.groups) {
      std::uint64_t hashes[kHashLanes];
      hash_lanes(group, kSecret, hashes);
      benchmark::DoNotOptimize(hashes);
    }
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * kGroups * kHashLanes));
}

BENCHMARK(HashScalar<2>);
BENCHMARK(HashLanes<2>);
BENCHMARK(HashScalar<5>);
BENCHMARK(HashLanes<5>);

}  // namespace
}  // namespace uct::core
