/// Time as the library sees it: points handed in by the caller, and lengths in milliseconds.
///
/// Included by every public header that speaks of time. The core asks no clock: each call that
/// needs the present takes it as a Timestamp, so that a capture replays exactly and tests own the
/// clock.
/// Threads   values only; safe everywhere.
#pragma once

#include <chrono>
#include <cstdint>

namespace uct {

/// Names the time line of a tracker. It has no now(): callers bring the time (a monotonic clock for
/// live traffic, the packets' own times for a capture). The zero point is theirs to choose.
struct TrackerClock {
  using rep = std::int64_t;
  using period = std::nano;
  using duration = std::chrono::nanoseconds;
  using time_point = std::chrono::time_point<TrackerClock>;
  static constexpr bool is_steady = false;
};

/// A point in time, in nanoseconds since the caller's zero point. Expiry works in whole
/// milliseconds: the tracker rounds a point down to its millisecond.
using Timestamp = TrackerClock::time_point;

/// A length of time, in milliseconds.
using Duration = std::chrono::milliseconds;

/// Gives     the point `nanoseconds` after the caller's zero point.
constexpr Timestamp timestamp_from_ns(std::int64_t nanoseconds) {
  return Timestamp(std::chrono::nanoseconds(nanoseconds));
}

}  // namespace uct
