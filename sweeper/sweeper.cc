#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>

#include <uct/sweeper.h>

namespace uct {

namespace {

using SteadyClock = std::chrono::steady_clock;

Duration elapsed_since(SteadyClock::time_point start) {
  return std::chrono::duration_cast<Duration>(SteadyClock::now() - start);
}

}  // namespace

Timestamp steady_now() {
  return timestamp_from_ns(
      std::chrono::duration_cast<std::chrono::nanoseconds>(SteadyClock::now().time_since_epoch())
          .count());
}

struct Sweeper::Implementation {
  Implementation(Tracker& swept, SweeperConfig settings)
      : tracker(swept), config(std::move(settings)) {
    if (!config.now) config.now = steady_now;
    thread = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }

  void run(const std::stop_token& stop);
  SweepResult round(const std::stop_token& stop);
  Duration pause(const SweepResult& result) const;

  Tracker& tracker;
  SweeperConfig config;
  mutable std::mutex mutex;
  std::condition_variable_any changed;
  bool woken = false;   ///< guarded by mutex
  Report report;        ///< guarded by mutex
  std::jthread thread;  ///< last, so that it ends before what it uses
};

/// One round: bounded in timers by the budget and in time by the clock, which is asked each time
/// the tracker lets go of a lock.
SweepResult Sweeper::Implementation::round(const std::stop_token& stop) {
  struct Bound {
    SteadyClock::time_point end;
    const std::stop_token& stop;
  } bound{SteadyClock::now() + config.round_time, stop};
  SweepBudget budget = config.budget;
  budget.context = &bound;
  budget.keep_going = [](void* context) {
    const auto& limits = *static_cast<const Bound*>(context);
    return !limits.stop.stop_requested() && SteadyClock::now() < limits.end;
  };
  const SteadyClock::time_point start = SteadyClock::now();
  const SweepResult result = tracker.sweep(config.now(), budget);
  const std::lock_guard guard(mutex);
  ++report.rounds;
  report.removed += result.removed;
  if (!result.finished) ++report.bound_hits;
  report.longest_round = std::max(report.longest_round, elapsed_since(start));
  return result;
}

/// How long to sleep: until something can expire, but not so long that a connection opened
/// meanwhile with the shortest timeout would be late, and not so short that work is not batched.
Duration Sweeper::Implementation::pause(const SweepResult& result) const {
  if (!result.finished) return config.behind_interval;
  const Duration shortest = std::max(tracker.shortest_timeout(), config.ahead_interval);
  if (result.next == Timestamp::max()) return shortest;
  // Rounded up: waking within the millisecond before a deadline would find nothing.
  const auto until = std::chrono::ceil<Duration>(result.next - config.now());
  return std::clamp(until, config.ahead_interval, shortest);
}

void Sweeper::Implementation::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const Duration wait = pause(round(stop));
    std::unique_lock lock(mutex);
    changed.wait_for(lock, stop, wait, [this] { return woken; });
    woken = false;
  }
}

Sweeper::Sweeper(Tracker& tracker, SweeperConfig config)
    : implementation_(std::make_unique<Implementation>(tracker, std::move(config))) {}

Sweeper::~Sweeper() = default;

void Sweeper::wake() {
  {
    const std::lock_guard guard(implementation_->mutex);
    implementation_->woken = true;
  }
  implementation_->changed.notify_one();
}

Sweeper::Report Sweeper::report() const {
  const std::lock_guard guard(implementation_->mutex);
  return implementation_->report;
}

}  // namespace uct
