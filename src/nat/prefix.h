/// Addresses that keep their host's part under another prefix: NETMAP, and NPTv6 of RFC 6296.
///
/// Relies on uct/nat.h; used by nat/choice.h.
/// Threads   pure functions.
#pragma once

#include <cstdint>
#include <optional>

#include <uct/nat.h>

namespace uct::core {

/// Gives     how many first bits all addresses of a range share, if the range is all that have
///           them.
std::optional<unsigned> prefix_bits(const NatRange& range);

/// Gives `address`, as it stands in memory, the first bits of the range.
///
/// Requires  prefix_bits(range)
void set_prefix(const NatRange& range, std::uint32_t (&address)[4]);

/// Likewise, and changes one word more so that the sum of the address's 16-bit words, and with it
/// every checksum over the address, stays (RFC 6296 section 3).
///
/// Requires  prefix_bits(range) <= 64, of IPv6
/// Gives     false, the address untouched, when no word can take the difference: all that could
///           are 0xffff (section 3.5).
bool set_prefix_neutrally(const NatRange& range, std::uint32_t (&address)[4]);

}  // namespace uct::core
