/// What the index costs: a look into a bucket, a look-up with and without success, an
/// entry, a removal.
///
/// Question   nanoseconds for each, the scalar twin of the vector probe beside it.
/// Setup      hashes from a generator, as a keyed hash would give; an index of 10 k entries in the
///            caches and one of 1 M that is not, growth included.
/// Cheating   would be an index made large beforehand, or looked up in the order of entry.
#include <benchmark/benchmark.h>

#include <random>
#include <vector>

#include "table/index.h"

namespace uct::core {
namespace {

std::uint64_t hash_of(std::uint32_t number) {
  std::uint64_t x = (number + 1) * 0x9e3779b97f4a7c15U;
  x = (x ^ x >> 32) * 0xd6e8feb86659fd93U;
  return x ^ x >> 32;
}

std::vector<Bucket> random_buckets() {
  std::mt19937 random(1);
  std::vector<Bucket> buckets(64);
  for (Bucket& bucket : buckets) {
    bucket.link = 0;
    for (unsigned slot = 0; slot < 6; ++slot) {
      bucket.append(static_cast<std::uint16_t>(random()), static_cast<std::uint32_t>(slot));
    }
  }
  return buckets;
}

template <auto kProbe>
void Probe(benchmark::State& state) {
  const std::vector<Bucket> buckets = random_buckets();
  unsigned turn = 0;
  for (auto _ : state) {
    for (const Bucket& bucket : buckets) {
      benchmark::DoNotOptimize(kProbe(bucket, bucket.tags[turn++ * 7 % 6]));
    }
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * buckets.size()));
}

void fill(Index& index, std::uint32_t count) {
  for (std::uint32_t number = 0; number < count; ++number) {
    index.insert(hash_of(number), number, hash_of);
  }
}

void InsertWithGrowth(benchmark::State& state) {
  const auto count = static_cast<std::uint32_t>(state.range(0));
  for (auto _ : state) {
    Index index;
    index.reserve(count);
    fill(index, count);
    benchmark::DoNotOptimize(index.entries());
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * state.range(0));
}

void Find(benchmark::State& state) {
  const auto count = static_cast<std::uint32_t>(state.range(0));
  Index index;
  index.reserve(count);
  fill(index, count);
  std::uint32_t at = 0;
  for (auto _ : state) {
    at = (at * 1'664'525U + 1'013'904'223U);
    const std::uint32_t number = static_cast<std::uint32_t>(std::uint64_t{at} * count >> 32);
    benchmark::DoNotOptimize(
        index.find(hash_of(number), [&](std::uint32_t found) { return found == number; }));
  }
}

/// A look-up of what is not there, as each packet that opens a connection makes one.
void FindMissing(benchmark::State& state) {
  const auto count = static_cast<std::uint32_t>(state.range(0));
  Index index;
  index.reserve(count);
  fill(index, count);
  std::uint32_t at = 0;
  for (auto _ : state) {
    at = (at * 1'664'525U + 1'013'904'223U);
    benchmark::DoNotOptimize(
        index.find(hash_of(at | 0x8000'0000U), [](std::uint32_t) { return false; }));
  }
}

void EraseAndInsert(benchmark::State& state) {
  const auto count = static_cast<std::uint32_t>(state.range(0));
  Index index;
  index.reserve(count);
  fill(index, count);
  std::uint32_t at = 0;
  for (auto _ : state) {
    at = (at * 1'664'525U + 1'013'904'223U);
    const std::uint32_t number = static_cast<std::uint32_t>(std::uint64_t{at} * count >> 32);
    index.erase(hash_of(number), number);
    index.insert(hash_of(number), number, hash_of);
  }
}

BENCHMARK(Probe<guess_slot>);
BENCHMARK(Probe<guess_slot_scalar>);
BENCHMARK(Probe<find_slot>);
BENCHMARK(Probe<find_slot_scalar>);
BENCHMARK(InsertWithGrowth)->Arg(10'000)->Arg(1'000'000);
BENCHMARK(Find)->Arg(10'000)->Arg(1'000'000);
BENCHMARK(FindMissing)->Arg(10'000)->Arg(1'000'000);
BENCHMARK(EraseAndInsert)->Arg(10'000)->Arg(1'000'000);

}  // namespace
}  // namespace uct::core
