/// Bursts whose process() calls are timed one by one, beside something else that goes on.
///
/// The clock is the steady one: a reading takes about 20 ns on a processor whose time-stamp counter
/// the system trusts, and one of the two is within what is recorded. A burst of 32 takes a
/// microsecond or more.
///
/// Relies on connections.h and latency_histogram.h; used by sweep and grow.
/// Threads   one TimedBursts and one Picks a thread. A SharedClock is moved by one thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/workloads/connections.h"
#include "bench/workloads/harness.h"
#include "bench/workloads/latency_histogram.h"

namespace uct::bench {

/// The caller's time where several threads need the same: earlier times than another thread's would
/// be counted as a clock that goes backwards.
class SharedClock {
 public:
  Timestamp now() const { return timestamp_from_ns(ns_.load(std::memory_order_relaxed)); }

  /// Threads   one at a time.
  void advance(std::chrono::nanoseconds by) {
    ns_.store(ns_.load(std::memory_order_relaxed) + by.count(), std::memory_order_relaxed);
  }

 private:
  std::atomic<std::int64_t> ns_{kStart.time_since_epoch().count()};
};

/// How far a thread moves the clock with each burst: 32 packets a microsecond are 32 Mpps.
inline constexpr std::chrono::microseconds kBurstTime{1};

/// Acknowledgements of established connections, from either side, over and over.
class Picks {
 public:
  /// Picks are read in order and take 4 bytes each: few enough to leave the caches to the tracker.
  static constexpr std::uint64_t kCount = 1 << 18;

  Picks(const Steering& steering, unsigned thread) {
    if (!steering.connections(thread).empty()) picks_ = steering.picks(thread, kCount, 1);
  }

  /// Gives     true when the target steers no connection to this thread.
  bool is_empty() const { return picks_.empty(); }

  /// Requires  !is_empty()
  void put_next(Burst& burst, std::size_t place) {
    const std::uint32_t connection = picks_[at_];
    const bool client = (at_ * 0x9e3779b97f4a7c15U >> 63) != 0;
    burst.put(place, connection, {.from = client ? Side::client : Side::server});
    at_ = (at_ + 1) % kCount;
  }

 private:
  std::vector<std::uint32_t> picks_;
  std::uint64_t at_ = 0;
};

class TimedBursts {
 public:
  TimedBursts(Target& target, TrafficShape shape) : target_(target), burst_(shape) {}

  Burst& burst() { return burst_; }

  /// Hands in the first `count` packets of the burst and records how long the call took.
  std::span<const Verdict> process(std::size_t count, const Request& request, Timestamp now) {
    const double start = clock_ns();
    target_.process(burst_.packets(count), request, now, verdicts_);
    latencies_.record(static_cast<std::uint64_t>(clock_ns() - start));
    return std::span(verdicts_).first(count);
  }

  /// Fills a burst with picks and hands it in. Takes note when a connection is not established.
  void send_established(Picks& picks, std::size_t count, Timestamp now) {
    for (std::size_t i = 0; i < count; ++i) picks.put_next(burst_, i);
    check_established(process(count, {}, now));
  }

  void check_established(std::span<const Verdict> verdicts) {
    for (const Verdict& verdict : verdicts) {
      lost_ += has(verdict.state, StateFlags::established) ? 0 : 1;
    }
  }

  std::uint64_t lost() const { return lost_; }  ///< packets answered otherwise than `est`
  const LatencyHistogram& latencies() const { return latencies_; }

  /// Gives     what was recorded, and begins anew.
  LatencyHistogram take_latencies() { return std::exchange(latencies_, LatencyHistogram{}); }

 private:
  Target& target_;
  Burst burst_;
  std::array<Verdict, kBurst> verdicts_;
  LatencyHistogram latencies_;
  std::uint64_t lost_ = 0;
};

/// Fills the result's percentiles.
void report_latencies(const LatencyHistogram& latencies, Result& result);

/// Adds the same as extra figures whose names begin with `prefix`.
void report_latencies(const LatencyHistogram& latencies, std::string_view prefix, Result& result);

}  // namespace uct::bench
