/// Addresses and tuples: who talks to whom, in one direction.
///
/// A Tuple is the readable form of a connection's key, used in dumps, events and filters. The
/// packed form that the table hashes is private to src/conn.
/// Threads   values only; safe everywhere.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <uct/zone.h>

namespace uct {

/// Which of the two IP versions an address or a connection is of. The values are the version
/// numbers.
enum class Family : std::uint8_t { ipv4 = 4, ipv6 = 6 };

/// IANA protocol numbers that the library knows by name.
enum class Protocol : std::uint8_t {
  icmp = 1,
  igmp = 2,
  tcp = 6,
  udp = 17,
  dccp = 33,
  gre = 47,
  esp = 50,
  ah = 51,
  icmpv6 = 58,
  no_next_header = 59,
  sctp = 132,
  udplite = 136,
};

/// Gives     the name used in text output ("tcp", "icmpv6", ...), or the number in decimal.
std::string to_string(Protocol protocol);

/// An IPv4 or IPv6 address.
struct Address {
  std::array<std::uint8_t, 16> bytes{};  ///< network order; an IPv4 address fills the first four
  Family family = Family::ipv4;

  auto operator<=>(const Address&) const = default;
};

/// Gives     dotted decimal, or the RFC 5952 form of an IPv6 address.
std::string to_string(const Address& address);

/// Reads what to_string writes and every other spelling of RFC 4291 section 2.2.
/// Gives     false and leaves `address` alone when `text` is not an address.
bool parse_address(std::string_view text, Address& address);

/// The direction of a packet within its connection.
enum class Direction : std::uint8_t {
  original,  ///< from the host that sent the first packet
  reply,     ///< from the other host
};

constexpr Direction opposite(Direction direction) {
  return direction == Direction::original ? Direction::reply : Direction::original;
}

/// Source and destination of one direction of a connection.
struct Tuple {
  Address source;
  Address destination;
  Protocol protocol = Protocol::tcp;
  std::uint16_t source_port = 0;       ///< TCP, UDP, UDP-Lite, SCTP, DCCP; 0 elsewhere
  std::uint16_t destination_port = 0;  ///< likewise
  std::uint16_t icmp_id = 0;           ///< ICMP and ICMPv6 queries; 0 elsewhere
  std::uint8_t icmp_type = 0;
  std::uint8_t icmp_code = 0;

  auto operator<=>(const Tuple&) const = default;
};

/// Gives     true when tuples of this protocol carry ports.
constexpr bool has_ports(Protocol protocol) {
  return protocol == Protocol::tcp || protocol == Protocol::udp || protocol == Protocol::udplite ||
         protocol == Protocol::sctp || protocol == Protocol::dccp;
}

/// Gives     true when tuples of this protocol carry an ICMP id, type and code.
constexpr bool has_icmp_id(Protocol protocol) {
  return protocol == Protocol::icmp || protocol == Protocol::icmpv6;
}

}  // namespace uct
