#include "tests/support/tuple_packet.h"

#include <algorithm>
#include <utility>

namespace uct::test {

namespace {

bool is_v6(const Tuple& tuple) { return tuple.source.family == Family::ipv6; }

void append_ip(TuplePacket& packet, const Tuple& ends, std::uint32_t payload) {
  const auto protocol = static_cast<std::uint32_t>(ends.protocol);
  if (is_v6(ends)) {
    packet.u32(0x60000000);
    packet.u16(payload);
    packet.u8(protocol);
    packet.u8(64);
  } else {
    packet.u16(0x4500);
    packet.u16(20 + payload);
    packet.u32(0x00004000);  // not to be fragmented
    packet.u8(64);
    packet.u8(protocol);
    packet.u16(0);
  }
  packet.append(ends.source);
  packet.append(ends.destination);
}

void append_transport(TuplePacket& packet, const Tuple& tuple, const TcpSegment& segment,
                      std::uint32_t payload) {
  constexpr std::uint32_t kChecksum = 0xbeef;  // any but 0: it is not looked at
  if (has_icmp_id(tuple.protocol)) {
    packet.u8(tuple.icmp_type);
    packet.u8(tuple.icmp_code);
    packet.u16(kChecksum);
    packet.u16(tuple.icmp_id);
    packet.u16(1);
    return;
  }
  if (!has_ports(tuple.protocol)) return packet.u32(0), packet.u32(0);
  packet.u16(tuple.source_port);
  packet.u16(tuple.destination_port);
  if (tuple.protocol == Protocol::tcp) {
    packet.u32(segment.seq);
    packet.u32(segment.ack);
    packet.u8(0x50);
    packet.u8(segment.flags);
    packet.u16(65535);
    packet.u16(kChecksum);
    packet.u16(0);
    return;
  }
  packet.u16(8 + payload);
  packet.u16(kChecksum);
}

}  // namespace

Packet TuplePacket::packet() const {
  Packet view;
  view.data = const_cast<std::byte*>(bytes_.data());  // nothing is translated where it is used
  view.size = size_;
  view.link = LinkType::raw_ip;
  view.ip_checksum = ChecksumStatus::good;
  view.transport_checksum = ChecksumStatus::good;
  return view;
}

void TuplePacket::append(const Address& address) {
  const std::size_t length = address.family == Family::ipv6 ? 16 : 4;
  for (std::size_t i = 0; i < length; ++i) u8(address.bytes[i]);
}

void TuplePacket::append(const TuplePacket& other) {
  for (std::uint32_t i = 0; i < other.size_; ++i) {
    u8(std::to_integer<std::uint32_t>(other.bytes_[i]));
  }
}

TuplePacket make_packet(const Tuple& tuple, std::uint32_t payload, const TcpSegment& segment) {
  const std::uint32_t header = tuple.protocol == Protocol::tcp ? 20 : 8;
  TuplePacket packet;
  append_ip(packet, tuple, header + payload);
  append_transport(packet, tuple, segment, payload);
  for (std::uint32_t i = 0; i < payload; ++i) packet.u8(i);
  return packet;
}

TuplePacket make_error(const Address& router, const Tuple& quoted, const TcpSegment& segment) {
  const TuplePacket inner = make_packet(quoted, 0, segment);
  Tuple outer;
  outer.source = router;
  outer.destination = quoted.source;
  outer.protocol = is_v6(quoted) ? Protocol::icmpv6 : Protocol::icmp;
  outer.icmp_type = is_v6(quoted) ? 1 : 3;  // destination unreachable
  TuplePacket packet;
  append_ip(packet, outer, 8 + inner.size());
  append_transport(packet, outer, {}, 0);
  packet.append(inner);
  return packet;
}

Tuple reversed(const Tuple& tuple) {
  Tuple reverse = tuple;
  std::swap(reverse.source, reverse.destination);
  std::swap(reverse.source_port, reverse.destination_port);
  if (!has_icmp_id(tuple.protocol)) return reverse;
  switch (tuple.icmp_type) {
    case 8:
      reverse.icmp_type = 0;
      break;
    case 0:
      reverse.icmp_type = 8;
      break;
    case 128:
      reverse.icmp_type = 129;
      break;
    case 129:
      reverse.icmp_type = 128;
      break;
    default:
      break;
  }
  return reverse;
}

Address numbered_address(Family family, std::uint32_t number) {
  Address address;
  address.family = family;
  const bool v6 = family == Family::ipv6;
  if (v6) {
    address.bytes = {0x20, 0x01, 0x0d, 0xb8};
  } else {
    address.bytes[0] = 10;
  }
  for (std::size_t i = 0; i < 3; ++i) {
    address.bytes[(v6 ? 13 : 1) + i] = static_cast<std::uint8_t>(number >> (16 - 8 * i));
  }
  return address;
}

Tuple numbered_udp(std::uint32_t number, bool mixed) {
  const Family family = mixed && number % 2 == 1 ? Family::ipv6 : Family::ipv4;
  Tuple tuple;
  tuple.source = numbered_address(family, number);
  tuple.destination = numbered_address(family, 0xff0000);
  tuple.protocol = Protocol::udp;
  tuple.source_port = static_cast<std::uint16_t>(1024 + number % 60000);
  tuple.destination_port = 53;
  return tuple;
}

Verdict send(Tracker& tracker, const TuplePacket& packet, const Request& request, Timestamp now) {
  Packet view = packet.packet();
  Verdict verdict;
  tracker.process({&view, 1}, request, now, {&verdict, 1});
  return verdict;
}

Timestamp at_ms(std::int64_t ms) { return Timestamp(Duration(ms)); }

std::vector<ConnectionInfo> dump_all(const Tracker& tracker, Timestamp now, std::size_t piece) {
  std::vector<ConnectionInfo> all;
  std::vector<ConnectionInfo> some(piece);
  for (DumpCursor cursor; !cursor.done();) {
    const std::size_t count = tracker.dump(cursor, some, now);
    all.insert(all.end(), some.begin(), some.begin() + static_cast<std::ptrdiff_t>(count));
  }
  return all;
}

}  // namespace uct::test
