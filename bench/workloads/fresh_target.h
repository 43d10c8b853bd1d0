/// Workloads whose connections begin and end within a run: each run has a target made anew.
///
/// Relies on connections.h and harness.h; used by setup and crr.
/// Threads   run_on_fresh_targets starts its own and waits for them.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "bench/workloads/connections.h"
#include "bench/workloads/harness.h"
#include "bench/workloads/target.h"

namespace uct::bench {

/// What the runs took, a connection being the unit.
struct FreshRuns {
  Timings target;
  Timings driver;     ///< the same packets, answered by nobody
  std::string wrong;  ///< why the figures are not to be believed; empty is good
};

/// Times work(target, thread, connections), which gives how many packets were answered otherwise
/// than they should be; `good(target)` is asked in the end.
template <typename Work, typename Good>
FreshRuns run_on_fresh_targets(const Options& options, Work&& work, Good&& good) {
  FreshRuns runs;
  NullTarget nothing;
  for (unsigned run = 0; run < options.runs; ++run) {
    const auto made = make_target(options, options.connections);
    if (!made) {
      runs.wrong = "no memory for the target";
      return runs;
    }
    const auto shares = split_connections(*made, options, 0, options.connections);
    std::vector<double> sizes;
    for (const auto& share : shares) sizes.push_back(static_cast<double>(share.size()));
    const auto play = [&](Target& target, Timings& timings) {
      std::atomic<std::uint64_t> odd{0};
      const auto elapsed = run_threads(options.threads, [&](unsigned thread) {
        odd += work(target, thread, std::span<const std::uint32_t>(shares[thread]));
      });
      timings.add(elapsed, sizes);
      return odd.load();
    };
    play(nothing, runs.driver);
    if (play(*made, runs.target) != 0) runs.wrong = "packets were not answered as they should be";
    if (!good(*made)) runs.wrong = "connections were refused";
  }
  return runs;
}

}  // namespace uct::bench
