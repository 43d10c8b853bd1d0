// Question  What does it cost to open a connection?
// Setup     An empty target with room for `connections`. Each is opened by one packet (a SYN over
//           IPv4 unless told otherwise) in bursts of 32, and time goes on by 1 us a burst. Threads
//           open connections of their own, as the target would steer them. The target is made anew
//           for each run, and all that comes of its growing is in the figure: the table's, and the
//           system's work for pages touched for the first time.
// Cheating would be  to make the table large beforehand or touch its memory, to open connections
//           that were there before, or to let some be refused: in the end all must be counted.
#include <algorithm>
#include <atomic>

#include "bench/workloads/connections.h"
#include "bench/workloads/first_packets.h"
#include "bench/workloads/harness.h"
#include "bench/workloads/timed_bursts.h"
#include "bench/workloads/workload.h"

namespace uct::bench {

namespace {

using Shares = std::vector<std::vector<std::uint32_t>>;

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

std::uint64_t run_all(Target& target, const Options& options, const Shares& shares,
                      Timings& timings) {
  std::atomic<std::uint64_t> refused{0};
  const auto elapsed = run_threads(options.threads, [&](unsigned thread) {
    refused += open_all(target, shape_of(options), shares[thread]);
  });
  std::vector<double> opened;
  for (const auto& share : shares) opened.push_back(static_cast<double>(share.size()));
  timings.add(elapsed, opened);
  return refused;
}

}  // namespace

Result run_setup(const Options& options) {
  Result result;
  NullTarget nothing;
  Timings timings;
  Timings driver;
  for (unsigned run = 0; run < options.runs; ++run) {
    const auto target = make_target(options, options.connections);
    if (!target) {
      result.wrong = "no memory for the target";
      return result;
    }
    const Shares shares = split_connections(*target, options, 0, options.connections);
    run_all(nothing, options, shares, driver);
    const std::uint64_t refused = run_all(*target, options, shares, timings);
    if (refused != 0 || target->connection_count() != options.connections) {
      result.wrong = "connections were refused";
    }
  }
  result.ns_per_connection = timings.ns_per_unit();
  result.driver_ns_per_connection = driver.ns_per_unit();
  result.connections_per_second = timings.per_second();
  return result;
}

}  // namespace uct::bench
