/// The first packets of numbered connections: a SYN or a datagram each, which nobody answers.
///
/// Relies on traffic.h and target.h; used by sweep, memory and flood to fill a table.
/// Threads   those of the target.
#pragma once

#include <chrono>
#include <cstdint>

#include "bench/workloads/target.h"
#include "bench/workloads/traffic.h"

namespace uct::bench {

/// No connection of which one packet was seen lives as long as this by the default policy.
inline constexpr std::chrono::seconds kUnansweredGone{61};

inline constexpr Segment kFirstSegment{Side::client, kSyn, 0, 0, 0};

inline bool is_admitted(const Verdict& verdict) {
  return verdict.state == (StateFlags::new_ | StateFlags::tracked) &&
         verdict.reason == Reason::none;
}

/// Commits the first packets of connections [first, last) in bursts, evenly over the time from
/// `start` to `start + spread`.
///
/// Gives     how many were not admitted.
std::uint64_t send_first_packets(Target& target, TrafficShape shape, std::uint64_t first,
                                 std::uint64_t last, Timestamp start,
                                 std::chrono::nanoseconds spread = {});

}  // namespace uct::bench
