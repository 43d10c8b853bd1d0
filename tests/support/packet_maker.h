/// Packets for unit tests, made byte by byte with checksums that are right.
///
/// Included by the tests of src/packet. The sums are those of scenario_bytes.h, written apart from
/// the library's own. Hosts are numbers: 10.0.0.n and fc00::n; packets go from host 1 to host 2.
#pragma once

#include <uct/packet.h>

#include "packet/parse.h"
#include "tests/support/scenario_bytes.h"

namespace uct::core::test {

using scenario::Bytes;

inline Address host(Family family, std::uint8_t number) {
  Address address;
  address.family = family;
  if (family == Family::ipv4) {
    address.bytes = {10, 0, 0, number};
  } else {
    address.bytes[0] = 0xfc;
    address.bytes[15] = number;
  }
  return address;
}

/// Sets the checksum at `at` of a transport from host 1 to 2; the first `covered` bytes count.
inline Bytes checked(Bytes transport, Family family, std::uint8_t protocol, std::size_t at,
                     std::size_t covered) {
  transport.set_u16(at, 0);
  const std::uint32_t pseudo = scenario::pseudo_header_sum(host(family, 1), host(family, 2),
                                                           protocol, transport.size());
  transport.set_u16(at, scenario::finish_sum(
                            scenario::add_to_sum(pseudo, transport, 0, covered)));
  return transport;
}
inline Bytes checked(const Bytes& transport, Family family, std::uint8_t protocol,
                     std::size_t at) {
  return checked(transport, family, protocol, at, transport.size());
}

inline Bytes tcp(Family family, std::uint8_t flags, const Bytes& options = {},
                 std::size_t payload = 0) {
  Bytes bytes;
  bytes.u16(1000).u16(80).u32(0x01020304).u32(0x05060708);
  bytes.u8((20 + options.size()) / 4 << 4).u8(flags).u16(4096).u32(0);
  bytes.append(options).pattern(payload);
  return checked(bytes, family, 6, 16);
}

inline Bytes udp(Family family, std::size_t payload) {
  Bytes bytes;
  bytes.u16(1000).u16(53).u16(8 + payload).u16(0).pattern(payload);
  return checked(bytes, family, 17, 6);
}

/// Requires  coverage 0 or 8 to the datagram's size.
inline Bytes udplite(Family family, std::size_t payload, std::size_t coverage) {
  Bytes bytes;
  bytes.u16(1000).u16(53).u16(coverage).u16(0).pattern(payload);
  return checked(bytes, family, 136, 6, coverage == 0 ? bytes.size() : coverage);
}

inline Bytes dccp(Family family, std::uint8_t header_words, std::uint8_t coverage,
                  std::size_t payload) {
  Bytes bytes;
  bytes.u16(1000).u16(53).u8(header_words).u8(coverage).u16(0).u32(7);
  if (header_words > 3) bytes.zeros((header_words - 3U) * 4U);
  bytes.pattern(payload);
  const std::size_t covered =
      coverage == 0 ? bytes.size() : header_words * 4U + (coverage - 1U) * 4U;
  return checked(bytes, family, 33, 6, covered);
}

inline Bytes sctp(const Bytes& chunks) {
  Bytes bytes;
  bytes.u16(1000).u16(36412).u32(0x11223344).u32(0).append(chunks);
  bytes.set_u32(8, __builtin_bswap32(scenario::crc32c(bytes)));
  return bytes;
}

inline Bytes icmp(std::uint8_t type, std::uint8_t code, const Bytes& body) {
  Bytes bytes;
  bytes.u8(type).u8(code).u16(0).append(body);
  bytes.set_u16(2, scenario::finish_sum(scenario::add_to_sum(0, bytes, 0, bytes.size())));
  return bytes;
}

inline Bytes icmpv6(std::uint8_t type, std::uint8_t code, const Bytes& body) {
  Bytes bytes;
  bytes.u8(type).u8(code).u16(0).append(body);
  return checked(bytes, Family::ipv6, 58, 2);
}

inline Bytes echo_body(std::uint16_t id) { return Bytes().u16(id).u16(1).pattern(8); }

/// Gives     the packet with its header's checksum right again.
inline Bytes fixed_ipv4(Bytes packet, std::size_t header_size = 20) {
  packet.set_u16(10, 0);
  packet.set_u16(10, scenario::finish_sum(scenario::add_to_sum(0, packet, 0, header_size)));
  return packet;
}

/// `field` is flags and fragment offset; `options` of a multiple of four bytes.
inline Bytes ipv4(std::uint8_t protocol, const Bytes& transport, std::uint16_t field = 0,
                  const Bytes& options = {}) {
  Bytes bytes;
  const std::size_t header = 20 + options.size();
  bytes.u8(0x40 | header / 4).u8(0).u16(header + transport.size()).u16(0x77).u16(field);
  bytes.u8(64).u8(protocol).u16(0).append(host(Family::ipv4, 1)).append(host(Family::ipv4, 2));
  bytes.append(options);
  return fixed_ipv4(bytes, header).append(transport);
}

/// `next` names what follows the fixed header: an extension in `rest`, or the transport.
inline Bytes ipv6(std::uint8_t next, const Bytes& rest) {
  Bytes bytes;
  bytes.u32(0x60000000).u16(rest.size()).u8(next).u8(64);
  return bytes.append(host(Family::ipv6, 1)).append(host(Family::ipv6, 2)).append(rest);
}

inline Bytes ip(Family family, std::uint8_t protocol, const Bytes& transport) {
  return family == Family::ipv4 ? ipv4(protocol, transport) : ipv6(protocol, transport);
}

inline Packet packet_of(const Bytes& bytes, LinkType link = LinkType::raw_ip) {
  Packet packet;
  // Written by nobody, as nothing is translated where it is used.
  packet.data = const_cast<std::byte*>(reinterpret_cast<const std::byte*>(bytes.data()));
  packet.size = static_cast<std::uint32_t>(bytes.size());
  packet.link = link;
  return packet;
}

inline ParsedPacket parsed(const Packet& packet, const ParseOptions& options = {}) {
  ParsedPacket result;
  parse(packet, options, result);
  return result;
}
inline ParsedPacket parsed(const Bytes& bytes, LinkType link = LinkType::raw_ip) {
  return parsed(packet_of(bytes, link));
}
inline Reason reason_of(const Bytes& bytes, LinkType link = LinkType::raw_ip) {
  return parsed(bytes, link).reason;
}

inline constexpr Family kFamilies[] = {Family::ipv4, Family::ipv6};

}  // namespace uct::core::test
