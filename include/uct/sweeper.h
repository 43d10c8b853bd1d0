/// A thread that sweeps a tracker in the background.
///
/// For embedders without a loop of their own; the library `uct::sweeper` is the only part of uct
/// that starts a thread and asks a clock.
#pragma once

#include <functional>
#include <memory>

#include <uct/tracker.h>

namespace uct {

struct SweeperConfig {
  /// The least time between two rounds when nothing is overdue: work is batched (promise E4).
  Duration ahead_interval{1000};
  /// The least time between two rounds when one ended at its budget with work left.
  Duration behind_interval{50};
  /// How long one round may take, and how much it may do.
  Duration round_time{20};
  SweepBudget budget{.timers = 1'000'000, .timers_per_lock = 64};
  /// What time it is on the tracker's time line; called on the sweeper's thread. The default is
  /// steady_now().
  std::function<Timestamp()> now;
};

/// Gives     the machine's monotonic clock as a Timestamp, for trackers of live traffic.
Timestamp steady_now();

class Sweeper {
 public:
  /// Starts the thread.
  ///
  /// Requires  `tracker` outlives the sweeper.
  Sweeper(Tracker& tracker, SweeperConfig config = {});

  /// Wakes the thread at once, however long it meant to sleep, and waits for it to end (promise
  /// E6).
  ~Sweeper();
  Sweeper(const Sweeper&) = delete;
  Sweeper& operator=(const Sweeper&) = delete;

  /// Begins a round now. Call it after a timeout was made shorter than any was before: the sweeper
  /// may be asleep for as long as the shortest timeout that it knew.
  void wake();

  /// What the sweeper did since it started.
  struct Report {
    std::uint64_t rounds = 0;
    std::uint64_t removed = 0;
    std::uint64_t bound_hits = 0;  ///< rounds that ended with work left
    Duration longest_round{0};
  };
  Report report() const;

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace uct
