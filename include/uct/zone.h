/// Zones: numbers that separate address spaces which overlap.
///
/// A connection belongs to the zone of the packet that opened it; the same addresses and ports in
/// another zone are another connection.
/// Threads   values only; safe everywhere.
#pragma once

#include <cstdint>

namespace uct {

/// 16 bits, as in Open vSwitch and Linux; every value is usable, 0 is the default.
using Zone = std::uint16_t;

/// The number of zones that exist: all values of Zone.
inline constexpr std::uint32_t kZoneCount = 65536;

}  // namespace uct
