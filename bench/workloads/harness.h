/// Threads that start together, clocks, and the median of several runs.
///
/// Relies on target.h; used by every workload.
/// Threads   as said at each function.
#pragma once

#include <time.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "bench/workloads/target.h"

namespace uct::bench {

/// Nanoseconds of the steady clock: what passes, not what the thread was given.
inline double clock_ns() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<double>(std::chrono::nanoseconds(now).count());
}

/// Nanoseconds that the calling thread was given a processor: faults and spinning count, what other
/// programs take does not. Costs a system call, so that only long sections are timed by it.
inline double thread_ns() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

/// What a thread's section took, in nanoseconds.
struct Elapsed {
  double thread = 0;  ///< of the thread's own time
  double wall = 0;
};

/// The caller's time on the way through a run: starts far from zero and is moved by the driver, so
/// that runs repeat exactly.
inline constexpr Timestamp kStart{std::chrono::seconds(1'000'000)};

inline double median(std::vector<double> values) {
  if (values.empty()) return 0;
  const std::size_t middle = values.size() / 2;
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(middle),
                   values.end());
  return values[middle];
}

/// Runs body(thread) on `threads` threads that begin together.
///
/// Gives     what each took.
template <typename Body>
std::vector<Elapsed> run_threads(unsigned threads, Body&& body) {
  std::atomic<unsigned> ready{0};
  std::vector<Elapsed> elapsed(threads);
  const auto one = [&](unsigned thread) {
    ready.fetch_add(1);
    while (ready.load() < threads) {
    }
    const Elapsed start{thread_ns(), clock_ns()};
    body(thread);
    elapsed[thread] = {thread_ns() - start.thread, clock_ns() - start.wall};
  };
  std::vector<std::thread> others;
  for (unsigned thread = 1; thread < threads; ++thread) others.emplace_back(one, thread);
  one(0);
  for (std::thread& other : others) other.join();
  return elapsed;
}

/// Answers nothing and costs a call: what the driver's loop takes by itself.
class NullTarget final : public Target {
 public:
  void process(std::span<Packet> burst, const Request&, Timestamp,
               std::span<Verdict> verdicts) override {
    // The bytes and verdicts count as used, so that building them is not optimised away.
    asm volatile("" : : "g"(burst.data()), "g"(verdicts.data()) : "memory");
  }
  std::uint64_t sweep(Timestamp) override { return 0; }
  std::uint64_t connection_count() const override { return 0; }
  unsigned home(const Packet&, unsigned) const override { return 0; }
};

/// Collects timed sections of a workload with threads, and gives their medians: the cost of a unit
/// in thread time, the rate of all threads together in wall time.
class Timings {
 public:
  /// `units` were done by each thread in `elapsed` ns.
  void add(const std::vector<Elapsed>& elapsed, double units) {
    add(elapsed, std::vector<double>(elapsed.size(), units));
  }

  /// Each thread did its `units` in its `elapsed` ns. One that had nothing to do does not count.
  void add(const std::vector<Elapsed>& elapsed, const std::vector<double>& units) {
    double sum = 0;
    double busy = 0;
    double done = 0;
    double longest = 0;
    for (std::size_t thread = 0; thread < elapsed.size(); ++thread) {
      if (units[thread] == 0) continue;
      sum += elapsed[thread].thread / units[thread];
      busy += 1;
      done += units[thread];
      longest = std::max(longest, elapsed[thread].wall);
    }
    if (busy == 0) return;
    per_unit_.push_back(sum / busy);
    per_second_.push_back(done / longest * 1e9);
  }
  double ns_per_unit() const { return median(per_unit_); }
  double per_second() const { return median(per_second_); }

 private:
  std::vector<double> per_unit_;
  std::vector<double> per_second_;
};

}  // namespace uct::bench
