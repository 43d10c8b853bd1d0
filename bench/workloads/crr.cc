// Question  What does a short connection cost: opened, asked once, answered once, and closed?
// Setup     `connections` TCP connections over IPv4 of 8 packets each: SYN, SYN-ACK, ACK, a request
//           of 64 bytes, a reply of 64 bytes, FIN by the client, FIN by the server, ACK. A burst
//           has the same packet of 32 connections, and 8 bursts are those connections' whole life.
//           Time goes on by 32 us with each 32 connections, and every 50 ms of it the driver sweeps
//           once, as someone must; that is in the figures. The target is made anew for each run.
//           Threads have connections of their own, as the target would steer them; one of them
//           sweeps for all, but exclusive trackers are swept by their own. UDP, which closes
//           nothing, is not looked at, nor is `packets`. What is closed stays for 30 s of that
//           time, in which a thread opens 30 million others: to remove it is what the workload
//           `sweep` measures.
// Cheating would be  to leave out the sweeps or the table's growth, to send what a window or a
//           state would refuse, or to take connections up again that were there before.
#include <algorithm>

#include "bench/workloads/connections.h"
#include "bench/workloads/fresh_target.h"
#include "bench/workloads/workload.h"

namespace uct::bench {

namespace {

constexpr std::array<Segment, 8> kLife = {{
    {Side::client, kSyn, 0, 0, 0},
    {Side::server, kSyn | kAck, 0, 1, 0},
    {Side::client, kAck, 1, 1, 0},
    {Side::client, kPsh | kAck, 1, 1, 64},
    {Side::server, kPsh | kAck, 1, 65, 64},
    {Side::client, kFin | kAck, 65, 65, 0},
    {Side::server, kFin | kAck, 65, 66, 0},
    {Side::client, kAck, 66, 66, 0},
}};

constexpr std::chrono::microseconds kGroupTime{32};
constexpr std::chrono::milliseconds kSweepEvery{50};

/// Opens, uses and closes connections.
///
/// Gives     how many packets were not answered as they should be.
std::uint64_t live_all(Target& target, TrafficShape shape,
                       std::span<const std::uint32_t> connections, bool sweeps) {
  Burst burst(shape);
  std::array<Verdict, kBurst> verdicts;
  const Request request{.commit = true};
  Timestamp now = kStart;
  Timestamp next_sweep = now + kSweepEvery;
  std::uint64_t odd = 0;
  for (std::size_t at = 0; at < connections.size(); at += kBurst) {
    const std::size_t count = std::min(kBurst, connections.size() - at);
    for (const Segment& segment : kLife) {
      for (std::size_t i = 0; i < count; ++i) burst.put(i, connections[at + i], segment);
      target.process(burst.packets(count), request, now, verdicts);
      const StateFlags wanted = segment.flags == kSyn ? kNewState : established_state(segment.from);
      for (std::size_t i = 0; i < count; ++i) odd += verdicts[i].state == wanted ? 0 : 1;
    }
    now += kGroupTime;
    if (sweeps && now >= next_sweep) {
      target.sweep(now);
      next_sweep += kSweepEvery;
    }
  }
  return odd;
}

}  // namespace

Result run_crr(const Options& asked) {
  Options options = asked;
  options.udp = false;
  const FreshRuns runs = run_on_fresh_targets(
      options,
      [&](Target& target, unsigned thread, std::span<const std::uint32_t> connections) {
        return live_all(target, shape_of(options), connections, thread == 0 || options.exclusive);
      },
      [](const Target&) { return true; });
  Result result;
  result.wrong = runs.wrong;
  result.ns_per_connection = runs.target.ns_per_unit();
  result.driver_ns_per_connection = runs.driver.ns_per_unit();
  result.ns_per_packet = runs.target.ns_per_unit() / kLife.size();
  result.driver_ns_per_packet = runs.driver.ns_per_unit() / kLife.size();
  result.mpps_total = runs.target.per_second() * kLife.size() / 1e6;
  result.connections_per_second = runs.target.per_second();
  return result;
}

}  // namespace uct::bench
