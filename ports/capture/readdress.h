/// Moves an Ethernet frame to other addresses, so that a capture repeats as new connections.
///
/// Included by tools/loop_capture.cc.
/// Threads   pure; the frame belongs to the caller.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace uct::capture {

/// Shifts the addresses of the frame's IPv4 or IPv6 packet, and of a packet that an ICMP error
/// quotes, and keeps right (or wrong) every checksum that was (RFC 1624).
///
/// The low 24 bits of an IPv4 address and the low 32 of an IPv6 one go up by round * 4099: a prime
/// just above the size of a /20, so that hosts of one round seldom meet those of another, and odd,
/// so that 2^24 rounds differ. Both ends move alike: conversations stay whole. Addresses that mean
/// something by themselves (0/8, 127/8, multicast, broadcast, ::, ::1) stay.
///
/// Gives     false, with the frame unchanged, when it holds neither. Addresses inside tunnels and
///           payloads stay as they are.
bool readdress(std::span<std::byte> frame, std::uint32_t round);

}  // namespace uct::capture
