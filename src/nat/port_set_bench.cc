/// What it costs to take a port and to give one back, by how full the set is.
///
/// Question   nanoseconds for a take and a free together; are they the same up to the last port?
/// Setup      the 64,512 ports from 1024 on, filled at random to a share in 10,000; then each turn
///            takes a port and frees the one that was taken the longest time ago, so that the
///            free ports stay scattered as in traffic. ManySets goes around 256 sets, as a pool of
///            a /24 does, so that what a set needs is not all in the first cache. Pool is a /24
///            half full with the hold-down in between. DrawsThenWalk is what NATs often do: 16
///            random draws, then a walk from the last.
/// Cheating   would be freeing the port just taken, whose lines and branches are known, or a set
///            whose free ports lie side by side. TakeEven and TakeInRange do free what they took,
///            so that the fill stays: compare them with each other only.
#include <benchmark/benchmark.h>

#include <vector>

#include "nat/pool.h"
#include "nat/port_set.h"

namespace uct::core {
namespace {

constexpr PortRange kPorts{1024, 65535};

/// A counter through a mixer: cheap beside what is measured, and no pattern that a predictor
/// learns.
struct Draws {
  std::uint64_t state = 1;
  std::uint64_t next() {
    std::uint64_t x = state += 0x9e3779b97f4a7c15U;
    x = (x ^ x >> 32) * 0xd6e8feb86659fd93U;
    return x ^ x >> 32;
  }
};

/// A set that is full to the share, and the taken ports in the order of their taking.
struct Filled {
  explicit Filled(std::int64_t per_10000, std::uint64_t seed = 1) : set(kPorts), draws{seed} {
    const auto count = kPorts.count() * static_cast<std::uint64_t>(per_10000) / 10'000;
    taken.reserve(count);
    for (std::uint64_t i = 0; i < count; ++i) taken.push_back(*set.take(draws.next()));
  }

  /// Takes a port and frees the oldest.
  void turn() {
    const std::uint16_t port = *set.take(draws.next());
    set.free(taken[oldest]);
    taken[oldest] = port;
    if (++oldest == taken.size()) oldest = 0;
  }

  PortSet set;
  Draws draws;
  std::vector<std::uint16_t> taken;
  std::size_t oldest = 0;
};

void TakeAndFree(benchmark::State& state) {
  Filled filled(state.range(0));
  for (auto _ : state) filled.turn();
}

void TakeAndFreeManySets(benchmark::State& state) {
  std::vector<Filled> sets;
  for (std::uint64_t seed = 1; seed <= 256; ++seed) sets.emplace_back(state.range(0), seed);
  std::size_t at = 0;
  for (auto _ : state) {
    sets[at].turn();
    at = (at + 101) % sets.size();
  }
}

void DrawOnly(benchmark::State& state) {
  Draws draws;
  for (auto _ : state) benchmark::DoNotOptimize(draws.next());
}

void TakeEvenAndFree(benchmark::State& state) {
  Filled filled(state.range(0));
  for (auto _ : state) {
    const auto port = filled.set.take_even(filled.draws.next());
    benchmark::DoNotOptimize(port);
    if (port) filled.set.free(*port);
  }
}

void TakeInRangeAndFree(benchmark::State& state) {
  Filled filled(state.range(0));
  const PortFilter filter{{20'001, 40'000}, Parity::any};
  for (auto _ : state) {
    const auto port = filled.set.take_in(filter, filled.draws.next());
    benchmark::DoNotOptimize(port);
    if (port) filled.set.free(*port);
  }
}

/// The rival: a bitmap, draws and a walk.
void DrawsThenWalkAndFree(benchmark::State& state) {
  Filled filled(state.range(0));
  std::vector<bool> taken(65536, true);
  for (std::uint32_t port = kPorts.first; port <= kPorts.last; ++port) {
    taken[port] = filled.set.is_taken(static_cast<std::uint16_t>(port));
  }
  const auto draw = [&] { return kPorts.first + bounded(filled.draws.next(), kPorts.count()); };
  for (auto _ : state) {
    std::uint32_t port = draw();
    for (int draws = 1; taken[port] && draws < 16; ++draws) port = draw();
    while (taken[port]) port = port == kPorts.last ? kPorts.first : port + 1;
    taken[port] = true;
    std::uint16_t& oldest = filled.taken[filled.oldest];
    taken[oldest] = false;
    oldest = static_cast<std::uint16_t>(port);
    if (++filled.oldest == filled.taken.size()) filled.oldest = 0;
  }
}

/// With an address by hash, the port, the queue of those that rest and the one that is due.
void PoolTakeAndFree(benchmark::State& state) {
  PoolConfig config;
  config.addresses = {prefix_range({{203, 0, 113, 0}, Family::ipv4}, 24)};
  PoolError error = PoolError::none;
  const auto pool = Pool::make(config, error);
  Draws draws;
  std::vector<PortGrant> grants(256 * 32'256);
  std::uint64_t now_ms = 0;
  const auto take = [&] {
    const auto number = static_cast<std::uint32_t>(draws.next());
    PortRequest request;
    request.subscriber.bytes = {10, static_cast<std::uint8_t>(number),
                                static_cast<std::uint8_t>(number >> 8), 1};
    return pool->take(request, now_ms, draws.next());
  };
  for (PortGrant& grant : grants) grant = take();
  std::size_t oldest = 0;
  for (auto _ : state) {
    // A thousand a millisecond: 120,000 rest when the queue is long enough.
    if (oldest % 1000 == 0) ++now_ms;
    PortGrant& grant = grants[oldest];
    if (grant) pool->free(grant.address, Protocol::tcp, grant.port, now_ms);
    grant = take();
    if (++oldest == grants.size()) oldest = 0;
  }
}

void MakeSet(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(PortSet(kPorts));
}

#define UCT_AT_EVERY_FILL Arg(100)->Arg(1000)->Arg(5000)->Arg(9000)->Arg(9900)->Arg(9999)
BENCHMARK(TakeAndFree)->UCT_AT_EVERY_FILL;
BENCHMARK(TakeAndFreeManySets)->UCT_AT_EVERY_FILL;
BENCHMARK(TakeEvenAndFree)->UCT_AT_EVERY_FILL;
BENCHMARK(TakeInRangeAndFree)->UCT_AT_EVERY_FILL;
BENCHMARK(DrawsThenWalkAndFree)->UCT_AT_EVERY_FILL;
#undef UCT_AT_EVERY_FILL
BENCHMARK(PoolTakeAndFree);
BENCHMARK(DrawOnly);
BENCHMARK(MakeSet);

}  // namespace
}  // namespace uct::core
