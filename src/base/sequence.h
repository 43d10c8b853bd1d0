/// Arithmetic on TCP sequence numbers, which wrap at 2^32 (RFC 9293 section 3.4).
///
/// Included by proto. Two numbers compare rightly while they are less than 2^31 apart.
/// Threads   pure functions.
#pragma once

#include <cstdint>

namespace uct::core {

using Sequence = std::uint32_t;

/// Gives     how far `a` is ahead of `b`; negative when it is behind.
constexpr std::int32_t sequence_distance(Sequence a, Sequence b) {
  return static_cast<std::int32_t>(a - b);
}

constexpr bool sequence_before(Sequence a, Sequence b) { return sequence_distance(a, b) < 0; }
constexpr bool sequence_after(Sequence a, Sequence b) { return sequence_distance(a, b) > 0; }
constexpr Sequence sequence_max(Sequence a, Sequence b) { return sequence_after(a, b) ? a : b; }

}  // namespace uct::core
