/// What a router says itself: answers of ARP and neighbour discovery, ICMP errors, fragments.
///
/// Relies on wire.h; used by the gateway.
/// Threads   pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "wire.h"

namespace uct::gateway {

/// Gives     the address that an ARP request or a neighbour solicitation asks for.
std::optional<Address> wanted_neighbour(const Frame& frame);

/// Gives     the answer to a frame for which wanted_neighbour() gave `address`: `mac` has it.
Frame neighbour_answer(const Frame& asked, const Address& address, const Mac& mac);

/// The errors that a router sends.
enum class RouterError { time_exceeded, too_big };

/// Gives     the error about the packet in `frame` to its sender, from the router at `self`;
///           nothing when there must be none (RFC 1812 section 4.3.2.7, RFC 4443 section 2.4 e).
/// Requires  `header` is what read_ip() gave of the frame's packet.
std::optional<Frame> error_about(const Frame& frame, const IpHeader& header, RouterError error,
                                 std::size_t mtu, const Address& self);

/// Cuts an IPv4 packet, or a fragment of one, into fragments of at most `mtu` bytes.
///
/// Requires  `header` is what read_ip() gave of the frame's packet.
/// Gives     nothing for a packet with options: some belong into every fragment, some do not.
std::vector<Frame> fragments_of(const Frame& frame, const IpHeader& header, std::size_t mtu);

}  // namespace uct::gateway
