#include "conn/key.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/bytes.h"

namespace uct::core {

namespace {

/// A query and its reply (RFC 792, RFC 950, RFC 4443, RFC 4620).
struct IcmpPair {
  Kind kind;
  std::uint8_t query;
  std::uint8_t reply;
};

constexpr IcmpPair kIcmpPairs[] = {
    {Kind::icmp, 8, 0},        // echo
    {Kind::icmp, 13, 14},      // timestamp
    {Kind::icmp, 15, 16},      // information
    {Kind::icmp, 17, 18},      // address mask
    {Kind::icmpv6, 128, 129},  // echo
    {Kind::icmpv6, 139, 140},  // node information
};

/// Fills the ports of an ICMP key. Gives which end sent the packet.
template <typename Key>
unsigned fill_icmp(const ParsedPacket& packet, Key& key) {
  const auto type = static_cast<std::uint8_t>(packet.destination_port >> 8);
  const std::uint8_t query = icmp_query_type(packet.kind, type);
  key.port[0] = packet.source_port;
  key.port[1] = query;
  return type == query ? 0 : 1;
}

template <typename Key>
unsigned lower_end(const ParsedPacket& packet) {
  const int order = std::memcmp(packet.source, packet.destination, Key::kAddressWords * 4);
  if (order != 0) return order < 0 ? 0 : 1;
  return 0;
}

template <std::size_t kWords>
Address make_address(const std::array<std::uint32_t, kWords>& words, Family family) {
  Address address;
  address.family = family;
  std::memcpy(address.bytes.data(), words.data(), sizeof(words));
  return address;
}

}  // namespace

bool is_icmp_query(Kind kind, std::uint8_t type) {
  return std::any_of(std::begin(kIcmpPairs), std::end(kIcmpPairs),
                     [&](const IcmpPair& pair) { return pair.kind == kind && pair.query == type; });
}

std::uint8_t icmp_reply_type(Kind kind, std::uint8_t query_type) {
  for (const IcmpPair& pair : kIcmpPairs) {
    if (pair.kind == kind && pair.query == query_type) return pair.reply;
  }
  return query_type;
}

std::uint8_t icmp_query_type(Kind kind, std::uint8_t type) {
  for (const IcmpPair& pair : kIcmpPairs) {
    if (pair.kind == kind && pair.reply == type) return pair.query;
  }
  return type;
}

Protocol protocol_of(Kind kind, std::uint16_t other_protocol) {
  switch (kind) {
    case Kind::tcp:
      return Protocol::tcp;
    case Kind::udp:
      return Protocol::udp;
    case Kind::udplite:
      return Protocol::udplite;
    case Kind::sctp:
      return Protocol::sctp;
    case Kind::dccp:
      return Protocol::dccp;
    case Kind::icmp:
      return Protocol::icmp;
    case Kind::icmpv6:
      return Protocol::icmpv6;
    case Kind::other:
    case Kind::none:
      break;
  }
  return static_cast<Protocol>(other_protocol);
}

template <typename Key>
unsigned make_key(const ParsedPacket& packet, Zone zone, Key& key) {
  const bool by_id = packet.kind == Kind::icmp || packet.kind == Kind::icmpv6;
  if (!by_id && packet.kind != Kind::other) {
    typename Key::Address source;
    typename Key::Address destination;
    std::memcpy(source.data(), packet.source, sizeof(source));
    std::memcpy(destination.data(), packet.destination, sizeof(destination));
    return make_ported_key(source, destination,
                           {big_endian(packet.source_port), big_endian(packet.destination_port)},
                           zone, packet.kind, key);
  }
  key.zone = zone;
  key.kind = packet.kind;
  key.generation = 0;
  unsigned from = 0;
  if (by_id) {
    from = fill_icmp(packet, key);
  } else {
    from = lower_end<Key>(packet);
    key.port[0] = packet.protocol;
    key.port[1] = 0;
  }
  std::memcpy(key.address[from].data(), packet.source, sizeof(key.address[0]));
  std::memcpy(key.address[1 - from].data(), packet.destination, sizeof(key.address[0]));
  return from;
}

template unsigned make_key<KeyV4>(const ParsedPacket&, Zone, KeyV4&);
template unsigned make_key<KeyV6>(const ParsedPacket&, Zone, KeyV6&);

template <typename Key>
Tuple make_tuple(const Key& key, unsigned from) {
  Tuple tuple;
  tuple.source = make_address(key.address[from], Key::kFamily);
  tuple.destination = make_address(key.address[1 - from], Key::kFamily);
  tuple.protocol = protocol_of(key.kind, key.port[0]);
  if (has_icmp_id(tuple.protocol) && key.kind != Kind::other) {
    const auto query = static_cast<std::uint8_t>(key.port[1]);
    tuple.icmp_id = key.port[0];
    tuple.icmp_type = from == 0 ? query : icmp_reply_type(key.kind, query);
  } else if (key.kind != Kind::other) {
    tuple.source_port = big_endian(key.port[from]);
    tuple.destination_port = big_endian(key.port[1 - from]);
  }
  return tuple;
}

template Tuple make_tuple<KeyV4>(const KeyV4&, unsigned);
template Tuple make_tuple<KeyV6>(const KeyV6&, unsigned);

ParsedPacket packet_of(const Tuple& tuple) {
  ParsedPacket packet;
  packet.fate = Fate::track;
  packet.kind = kind_of(tuple.protocol, tuple.source.family);
  packet.family = tuple.source.family;
  packet.protocol = static_cast<std::uint8_t>(tuple.protocol);
  std::memcpy(packet.source, tuple.source.bytes.data(), 16);
  std::memcpy(packet.destination, tuple.destination.bytes.data(), 16);
  packet.source_port = tuple.source_port;
  packet.destination_port = tuple.destination_port;
  if (packet.kind == Kind::icmp || packet.kind == Kind::icmpv6) {
    packet.source_port = tuple.icmp_id;
    packet.destination_port = static_cast<std::uint16_t>(tuple.icmp_type << 8 | tuple.icmp_code);
  }
  return packet;
}

}  // namespace uct::core
