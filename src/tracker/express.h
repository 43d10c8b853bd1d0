/// The express lane: the commonest packets of all, read and keyed in one straight line.
///
/// It takes TCP in Ethernet, over IPv4 without options or fragments or IPv6 without extensions,
/// whose checksums are known to be good. ACKs and data of plainly established connections go
/// through to its end; the others leave it before, with what was read of them. Everything else goes
/// the long way through packet/parse.h and conn/key.h, which stay the plain version:
/// express_test.cc compares the two.
///
/// Relies on packet and conn; used by pipeline.cc (the lane's beginning) and decide.cc (its end).
/// Threads   pure functions.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <uct/packet.h>
#include <uct/zone.h>

#include "base/bytes.h"
#include "conn/key.h"
#include "packet/tcp_header.h"
#include "proto/tcp_established.h"

namespace uct::core {

/// What is kept of a packet in the lane, besides the words of its key.
struct ExpressItem {
  tcp::PlainSegment segment;
  std::uint32_t payload_size;
  std::uint32_t ip_size;
  std::uint8_t from;  ///< the end that sent it
  std::uint8_t flags;
};

namespace express {

inline constexpr bool kLittle = std::endian::native == std::endian::little;
inline constexpr std::uint32_t kEthernetHeader = 14;
inline constexpr std::uint32_t kTcpHeader = 20;

template <typename T>
inline T load(const std::byte* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof(value));
  return value;
}

/// Gives     whether link type and both checksums are what the lane takes, by one comparison of
///           three neighbouring bytes.
inline bool is_trusted_ethernet(const Packet& packet) {
  static_assert(offsetof(Packet, ip_checksum) == offsetof(Packet, link) + 1);
  static_assert(offsetof(Packet, transport_checksum) == offsetof(Packet, link) + 2);
  constexpr auto kGood = static_cast<std::uint32_t>(ChecksumStatus::good);
  constexpr auto kEthernet = static_cast<std::uint32_t>(LinkType::ethernet);
  constexpr std::uint32_t kWanted =
      kLittle ? kEthernet | kGood << 8 | kGood << 16 : kEthernet << 24 | kGood << 16 | kGood << 8;
  constexpr std::uint32_t kMask = kLittle ? 0x00ffffff : 0xffffff00;
  std::uint32_t all;
  std::memcpy(&all, &packet.link, sizeof(all));
  return (all & kMask) == kWanted;
}

/// Reads the TCP header behind an IP header of kIpHeader bytes.
///
/// Gives     false when the packet is not the lane's.
template <std::uint32_t kIpHeader>
inline bool read_tcp(const Packet& packet, std::uint32_t ip_size, ExpressItem& item) {
  const std::byte* tcp = packet.data + kEthernetHeader + kIpHeader;
  const std::uint32_t header_size = (load_u8(tcp + 12) >> 4) * 4U;
  const std::uint32_t payload_size = ip_size - kIpHeader - header_size;
  const std::uint8_t flags = load_u8(tcp + 13);
  if (ip_size > packet.size - kEthernetHeader || header_size < kTcpHeader ||
      static_cast<std::int32_t>(payload_size) < 0 || !tcp_flags_are_sane(flags)) {
    return false;
  }
  const std::uint64_t numbers = load<std::uint64_t>(tcp + 4);
  const std::uint64_t seq_ack = kLittle ? __builtin_bswap64(numbers) : numbers;
  item.segment.end = static_cast<std::uint32_t>(seq_ack >> 32) + payload_size;
  item.segment.ack = static_cast<std::uint32_t>(seq_ack);
  item.segment.window = load_be16(tcp + 14);
  item.payload_size = payload_size;
  item.ip_size = ip_size;
  item.flags = flags;
  return true;
}

}  // namespace express

/// Tries to take a packet into the lane as one of IPv4; `tail` is last_word() of its zone and TCP.
/// Ports of 0 are looked for by those who leave the lane: no connection has one.
///
/// Gives     false when it is not the lane's; `words` and `item` are then anything.
inline bool enter_express_v4(const Packet& packet, std::uint64_t tail, ExpressItem& item,
                             std::uint64_t (&words)[KeyV4::kWords]) {
  constexpr std::uint32_t kIpHeader = 20;
  if (packet.size < express::kEthernetHeader + kIpHeader + express::kTcpHeader) return false;
  const std::byte* ip = packet.data + express::kEthernetHeader;
  // EtherType and version 4 with five words of header; no fragment; TCP. The numbers are read as
  // they stand in memory, and compared with constants that were put there likewise.
  constexpr bool kLittle = express::kLittle;
  constexpr std::uint32_t kTypeAndVersion = kLittle ? 0x00ffffff : 0xffffff00;
  constexpr std::uint32_t kPlainIpv4 = kLittle ? 0x00450008 : 0x08004500;
  constexpr std::uint32_t kFragmentAndProtocol = kLittle ? 0xff00ff3f : 0x3fff00ff;
  constexpr std::uint32_t kTcpUnfragmented = kLittle ? 0x06000000 : 0x00000006;
  const auto type_and_version = express::load<std::uint32_t>(ip - 2);
  const auto fragment_and_protocol = express::load<std::uint32_t>(ip + 6);
  if ((type_and_version & kTypeAndVersion) != kPlainIpv4 ||
      (fragment_and_protocol & kFragmentAndProtocol) != kTcpUnfragmented ||
      !express::read_tcp<kIpHeader>(packet, load_be16(ip + 2), item)) {
    return false;
  }
  item.from = static_cast<std::uint8_t>(
      make_ported_words(express::load<std::uint64_t>(ip + 12),
                        express::load<std::uint32_t>(ip + kIpHeader), tail, words));
  return true;
}

/// Likewise as one of IPv6.
inline bool enter_express_v6(const Packet& packet, Zone zone, ExpressItem& item,
                             std::uint64_t (&words)[KeyV6::kWords]) {
  constexpr std::uint32_t kIpHeader = 40;
  if (packet.size < express::kEthernetHeader + kIpHeader + express::kTcpHeader) return false;
  const std::byte* ip = packet.data + express::kEthernetHeader;
  if (load_be16(ip - 2) != 0x86dd || (load_u8(ip) & 0xf0) != 0x60 || load_u8(ip + 6) != 6 ||
      !express::read_tcp<kIpHeader>(packet, kIpHeader + load_be16(ip + 4), item)) {
    return false;
  }
  const Ports ports{express::load<std::uint16_t>(ip + kIpHeader),
                    express::load<std::uint16_t>(ip + kIpHeader + 2)};
  KeyV6 key;
  const unsigned from =
      make_ported_key(express::load<KeyV6::Address>(ip + 8), express::load<KeyV6::Address>(ip + 24),
                      ports, zone, Kind::tcp, key);
  item.from = static_cast<std::uint8_t>(from);
  key_words(key, words);
  return true;
}

/// Gives     whether a packet in the lane is an ACK or data, and nothing else.
inline bool is_plain_ack(const ExpressItem& item) {
  constexpr std::uint8_t kDecides =
      tcp_flag::kFin | tcp_flag::kSyn | tcp_flag::kRst | tcp_flag::kAck;
  return (item.flags & kDecides) == tcp_flag::kAck;
}

/// Fills what the long way knows of a packet that leaves the lane, but for its addresses: its key
/// is made already.
///
/// Gives     Reason::port_zero when one of its ports is reserved (RFC 6335 section 6).
Reason leave_express(const Packet& packet, Family family, const ExpressItem& item,
                     ParsedPacket& out);

}  // namespace uct::core
