/// Headers as they lie in a frame: what a router reads of them, and the Internet checksum.
///
/// The test gateway has readers of its own, simple ones, so that what it says of a packet does not
/// come from the code that it tests. Included by all files beside it.
/// Relies on uct/key.h.
/// Threads   pure functions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <uct/key.h>

namespace uct::gateway {

using Bytes = std::span<std::byte>;
using ConstBytes = std::span<const std::byte>;
using Mac = std::array<std::byte, 6>;

inline constexpr std::size_t kEthernetSize = 14;
inline constexpr std::size_t kIpv4Size = 20;
inline constexpr std::size_t kIpv6Size = 40;
inline constexpr unsigned kEtherTypeIpv4 = 0x0800;
inline constexpr unsigned kEtherTypeArp = 0x0806;
inline constexpr unsigned kEtherTypeIpv6 = 0x86dd;
inline constexpr unsigned kIpv6FragmentHeader = 44;
inline constexpr unsigned kIpv4DontFragment = 0x4000;
inline constexpr unsigned kIpv4MoreFragments = 0x2000;
inline constexpr unsigned kIpv4OffsetMask = 0x1fff;  // in units of 8 bytes

/// One frame and the room for it.
struct Frame {
  std::array<std::byte, 2048> room;  // the MTU of an Ethernet device is 1500 bytes
  std::size_t size = 0;

  Bytes bytes() { return Bytes(room).first(size); }
  ConstBytes bytes() const { return ConstBytes(room).first(size); }
  Bytes packet() { return bytes().subspan(kEthernetSize); }
  ConstBytes packet() const { return bytes().subspan(kEthernetSize); }
};

unsigned get8(ConstBytes bytes, std::size_t at);
unsigned get16(ConstBytes bytes, std::size_t at);
void put8(Bytes bytes, std::size_t at, unsigned value);
void put16(Bytes bytes, std::size_t at, unsigned value);
void put32(Bytes bytes, std::size_t at, std::uint32_t value);
void copy(ConstBytes from, Bytes to, std::size_t at);

/// An address of `family` that stands at `at`.
Address get_address(ConstBytes bytes, std::size_t at, Family family);
void put_address(Bytes bytes, std::size_t at, const Address& address);

/// What a router and its rules look at.
struct IpHeader {
  Family family = Family::ipv4;
  std::size_t total_size = 0;   ///< of the packet, this header included
  std::size_t header_size = 0;  ///< of IPv4 with its options; of IPv6 without extensions
  std::size_t transport = 0;    ///< where the upper layer begins, from the start of this header
  unsigned hop_limit = 0;
  unsigned protocol = 0;  ///< of the upper layer
  Address source;
  Address destination;
  bool later_fragment = false;
  bool dont_fragment = false;
  std::uint16_t source_port = 0;  ///< 0 where the packet shows no ports
  std::uint16_t destination_port = 0;
  unsigned icmp_type = 0;
};

/// Gives     nothing when the bytes hold no whole IP packet.
std::optional<IpHeader> read_ip(ConstBytes packet);

/// Gives     one hop less, with an IPv4 checksum changed by just that (RFC 1624), so that what was
///           wrong stays wrong.
void take_hop(Bytes packet, Family family);

/// Gives     the checksum that belongs over `bytes`, whose own checksum field is zero. `start` is
///           the sum of a pseudo header.
unsigned internet_checksum(ConstBytes bytes, std::uint32_t start = 0);

/// Gives     the sum of the pseudo header of RFC 8200 section 8.1.
std::uint32_t pseudo_header(const Address& source, const Address& destination, std::size_t size,
                            unsigned protocol);

}  // namespace uct::gateway
