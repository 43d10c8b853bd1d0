/// What expiry costs: the timer wheel against the list-per-timeout algorithm of 2016.
///
/// Question   nanoseconds per connection armed, refreshed by a packet, visited live, expired;
///            per sweep with nothing to do. At 1 k connections (in cache) and 1 M (64 MB).
/// Setup      records of one cache line, numbers in use order for arming and in random order for
///            packets and ends, timeouts of 30, 45 and 60 s. Packets come with their record
///            prefetched, as the table's lookup does.
/// Cheating   would be to leave the connection record out: every visit reads and writes it.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <numeric>
#include <optional>
#include <random>
#include <vector>

#include "bench/peers/timeout_lists.h"
#include "expiry/timer_wheel.h"

namespace uct::core {
namespace {

constexpr std::uint32_t kAll = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint32_t kTimeouts[] = {30'000, 45'000, 60'000};
constexpr std::uint32_t kArmingMs = 10'000;  // connections are opened evenly over ten seconds

struct alignas(64) Record {
  Tick deadline{};
  std::uint32_t packets = 0;
};

template <typename Queue>
class Workload {
 public:
  explicit Workload(std::uint32_t count) : records_(count), order_(count) {
    queue_.reserve(count, now_);
    std::iota(order_.begin(), order_.end(), 0U);
    std::shuffle(order_.begin(), order_.end(), std::mt19937(1));
  }

  void open_all() {
    const Tick start = now_;
    const auto count = static_cast<std::uint32_t>(records_.size());
    for (std::uint32_t number = 0; number < count; ++number) {
      now_ = add(start, static_cast<std::uint32_t>(std::uint64_t{number} * kArmingMs / count));
      const Tick deadline = add(now_, kTimeouts[number % 3]);
      records_[number].deadline = deadline;
      queue_.arm(number, now_, deadline);
    }
    now_ = add(start, kArmingMs);
  }

  /// A packet of each connection in random order; kTell: the queue is told, as it must be.
  template <bool kTell>
  void packet_of_all() {
    constexpr std::size_t kAhead = 16;
    for (std::size_t i = 0; i < order_.size(); ++i) {
      __builtin_prefetch(&records_[order_[std::min(i + kAhead, order_.size() - 1)]], 1);
      Record& record = records_[order_[i]];
      const Tick old_deadline = record.deadline;
      record.deadline = add(now_, kTimeouts[order_[i] % 3]);
      ++record.packets;
      if constexpr (kTell) queue_.refresh(order_[i], now_, old_deadline, record.deadline);
    }
  }

  void close_all() {
    for (const std::uint32_t number : order_) queue_.disarm(number);
  }

  /// Lets `length_ms` pass with a sweep each `interval_ms`. Gives the number of visits.
  std::uint64_t sweep_for(std::uint32_t length_ms, std::uint32_t interval_ms) {
    std::uint64_t visited = 0;
    for (std::uint32_t passed = 0; passed < length_ms; passed += interval_ms) {
      now_ = add(now_, interval_ms);
      visited += queue_.sweep(now_, kAll, *this).visited;
    }
    return visited;
  }

  // ExpiryVisitor
  void prefetch(std::uint32_t number) { __builtin_prefetch(&records_[number], 1); }
  std::optional<Tick> visit(std::uint32_t number) {
    Record& record = records_[number];
    ++record.packets;
    if (earlier(now_, record.deadline)) return record.deadline;
    return std::nullopt;
  }

  Queue& queue() { return queue_; }
  void advance(std::uint32_t length_ms) { now_ = add(now_, length_ms); }

 private:
  Queue queue_;
  Tick now_{1'000'000};
  std::vector<Record> records_;
  std::vector<std::uint32_t> order_;
};

void per_connection(benchmark::State& state) {
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * state.range(0));
}

std::uint32_t count_of(const benchmark::State& state) {
  return static_cast<std::uint32_t>(state.range(0));
}

template <typename Queue>
void Arm(benchmark::State& state) {
  Workload<Queue> work(count_of(state));
  work.open_all();  // touches the memory once
  work.close_all();
  for (auto _ : state) {
    work.open_all();
    state.PauseTiming();
    work.close_all();
    state.ResumeTiming();
  }
  per_connection(state);
}

template <typename Queue>
void ArmAndDisarm(benchmark::State& state) {
  Workload<Queue> work(count_of(state));
  for (auto _ : state) {
    work.open_all();
    work.close_all();
  }
  per_connection(state);
}

template <typename Queue, bool kTell>
void Packet(benchmark::State& state) {
  Workload<Queue> work(count_of(state));
  work.open_all();
  for (auto _ : state) {
    work.advance(1);
    work.template packet_of_all<kTell>();
  }
  per_connection(state);
}

/// Every connection expires; a sweep each `range(1)` ms.
template <typename Queue>
void Expire(benchmark::State& state) {
  Workload<Queue> work(count_of(state));
  for (auto _ : state) {
    state.PauseTiming();
    work.open_all();
    state.ResumeTiming();
    benchmark::DoNotOptimize(work.sweep_for(60'000, static_cast<std::uint32_t>(state.range(1))));
    if (work.queue().size() != 0) state.SkipWithError("connections are left");
  }
  per_connection(state);
}

/// Every connection had a packet since it was armed: its timer is due, and it lives.
template <typename Queue>
void VisitLive(benchmark::State& state) {
  Workload<Queue> work(count_of(state));
  std::uint64_t visited = 0;
  for (auto _ : state) {
    state.PauseTiming();
    work.close_all();
    work.open_all();
    work.sweep_for(19'000, 1'000);  // the first is due 1 s from here
    work.template packet_of_all<true>();
    state.ResumeTiming();
    visited += work.sweep_for(29'000, 1'000);  // up to 29 s on, when none has expired
  }
  state.counters["visited"] =
      static_cast<double>(visited) / static_cast<double>(state.iterations());
  state.SetItemsProcessed(static_cast<std::int64_t>(visited));
}

/// Everything lives and nothing is due: one sweep each millisecond.
template <typename Queue>
void SweepIdle(benchmark::State& state) {
  Workload<Queue> work(count_of(state));
  work.open_all();
  std::uint32_t passed = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(work.sweep_for(1, 1));
    if (++passed < 15'000) continue;
    state.PauseTiming();
    work.close_all();
    work.open_all();
    passed = 0;
    state.ResumeTiming();
  }
}

constexpr std::int64_t kSmall = 1'000;
constexpr std::int64_t kLarge = 1'000'000;
using Lists = peers::TimeoutLists;

BENCHMARK(Arm<TimerWheel>)->Arg(kSmall)->Arg(kLarge);
BENCHMARK(Arm<Lists>)->Arg(kSmall)->Arg(kLarge);
BENCHMARK(ArmAndDisarm<TimerWheel>)->Arg(kSmall)->Arg(kLarge);
BENCHMARK(ArmAndDisarm<Lists>)->Arg(kSmall)->Arg(kLarge);
BENCHMARK(Packet<TimerWheel, false>)->Arg(kSmall)->Arg(kLarge);
BENCHMARK(Packet<TimerWheel, true>)->Arg(kSmall)->Arg(kLarge);
BENCHMARK(Packet<Lists, true>)->Arg(kSmall)->Arg(kLarge);
BENCHMARK(Expire<TimerWheel>)->ArgsProduct({{kSmall, kLarge}, {1, 1'000}});
BENCHMARK(Expire<Lists>)->ArgsProduct({{kSmall, kLarge}, {1, 1'000}});
BENCHMARK(VisitLive<TimerWheel>)->Arg(kSmall)->Arg(kLarge);
BENCHMARK(SweepIdle<TimerWheel>)->Arg(kSmall)->Arg(kLarge);
BENCHMARK(SweepIdle<Lists>)->Arg(kSmall)->Arg(kLarge);

}  // namespace
}  // namespace uct::core
