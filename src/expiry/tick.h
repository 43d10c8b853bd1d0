/// The expiry room's time: milliseconds modulo 2^32, in a type that nothing becomes by accident.
///
/// Included by whoever keeps deadlines in connection records; stands between Timestamp (public, 64
/// bits of nanoseconds) and the timer wheel. Two ticks can be put in order only while they lie less
/// than 2^31 ms (24.8 days) apart. Timeouts are at most kMaxTimeout (20 days), which leaves 4.8
/// days for a sweep to be late before a deadline could look like the past.
/// Threads   values only; safe everywhere.
#pragma once

#include <chrono>
#include <cstdint>

#include <uct/time.h>
#include <uct/timeout_policy.h>

namespace uct::core {

/// A point in time, in whole milliseconds, modulo 2^32. An enum class, so that neither a timeout
/// nor a connection number is taken for one (promise E9).
enum class Tick : std::uint32_t {};

/// What two ticks that are compared may lie apart, exclusive.
inline constexpr std::uint32_t kTickHorizon = 0x8000'0000;
static_assert(kMaxTimeout.count() < kTickHorizon, "deadlines must stay comparable with now");

/// Gives     the milliseconds from `from` on to `to`, modulo 2^32.
constexpr std::uint32_t distance(Tick from, Tick to) {
  return static_cast<std::uint32_t>(to) - static_cast<std::uint32_t>(from);
}

/// Gives     true when `a` lies before `b`.
constexpr bool earlier(Tick a, Tick b) { return distance(b, a) >= kTickHorizon; }

/// Gives     the point `length_ms` after `t`.
constexpr Tick add(Tick t, std::uint32_t length_ms) {
  return Tick{static_cast<std::uint32_t>(t) + length_ms};
}

/// Gives     the point one timeout after `t`.
///
/// Requires  kMinTimeout <= timeout <= kMaxTimeout.
constexpr Tick add(Tick t, Duration timeout) {
  return add(t, static_cast<std::uint32_t>(timeout.count()));
}

/// Gives     the millisecond that `time` lies in, rounded down also before the zero point.
constexpr Tick tick_of(Timestamp time) {
  const auto whole = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch());
  return Tick{static_cast<std::uint32_t>(static_cast<std::uint64_t>(whole.count()))};
}

/// Gives     the beginning of the millisecond `t` that lies nearest to `now`.
constexpr Timestamp timestamp_of(Tick t, Timestamp now) {
  const auto whole = std::chrono::floor<std::chrono::milliseconds>(now.time_since_epoch());
  const auto offset = static_cast<std::int32_t>(distance(tick_of(now), t));
  return Timestamp(whole + std::chrono::milliseconds(offset));
}

}  // namespace uct::core
