// Question  What does it cost to open a connection?
// Setup     An empty target with room for `connections`. Each is opened by one packet (a SYN over
//           IPv4 unless told otherwise) in bursts of 32, and time goes on by 1 us a burst. Threads
//           open connections of their own, as the target would steer them. The target is made anew
//           for each run, and all that comes of its growing is in the figure: the table's, and the
//           system's work for pages touched for the first time.
// Cheating would be  to make the table large beforehand or touch its memory, to open connections
//           that were there before, or to let some be refused: in the end all must be counted.
#include <algorithm>

#include "bench/workloads/connections.h"
#include "bench/workloads/first_packets.h"
#include "bench/workloads/fresh_target.h"
#include "bench/workloads/timed_bursts.h"
#include "bench/workloads/workload.h"

namespace uct::bench {

namespace {

/// Opens connections.
///
/// Gives     how many were refused.
std::uint64_t open_all(Target& target, TrafficShape shape,
                       std::span<const std::uint32_t> connections) {
  Burst burst(shape);
  std::array<Verdict, kBurst> verdicts;
  const Request request{.commit = true};
  Timestamp now = kStart;
  std::uint64_t refused = 0;
  for (std::size_t at = 0; at < connections.size(); at += kBurst) {
    const std::size_t count = std::min(kBurst, connections.size() - at);
    for (std::size_t i = 0; i < count; ++i) burst.put(i, connections[at + i], kFirstSegment);
    target.process(burst.packets(count), request, now, verdicts);
    for (std::size_t i = 0; i < count; ++i) refused += is_admitted(verdicts[i]) ? 0 : 1;
    now += kBurstTime;
  }
  return refused;
}

}  // namespace

Result run_setup(const Options& options) {
  const FreshRuns runs = run_on_fresh_targets(
      options,
      [&](Target& target, unsigned, std::span<const std::uint32_t> connections) {
        return open_all(target, shape_of(options), connections);
      },
      [&](const Target& target) { return target.connection_count() == options.connections; });
  Result result;
  result.wrong = runs.wrong;
  result.ns_per_connection = runs.target.ns_per_unit();
  result.driver_ns_per_connection = runs.driver.ns_per_unit();
  result.connections_per_second = runs.target.per_second();
  return result;
}

}  // namespace uct::bench
