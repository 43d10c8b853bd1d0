#include "tests/support/checked_packet.h"

namespace uct::test {

namespace {

using scenario::add_to_sum;
using scenario::Bytes;
using scenario::finish_sum;

constexpr std::uint8_t kInit = 1, kInitAck = 2;

Bytes make_tcp(const Tuple& tuple, const Content& content) {
  Bytes bytes;
  bytes.u16(tuple.source_port).u16(tuple.destination_port).u32(content.seq).u32(content.ack);
  bytes.u8(0x50).u8(content.tcp_flags).u16(8192).u32(0).pattern(content.payload);
  return bytes;
}

/// UDP, and UDP-Lite that covers all of the datagram.
Bytes make_datagram(const Tuple& tuple, const Content& content) {
  Bytes bytes;
  bytes.u16(tuple.source_port).u16(tuple.destination_port);
  bytes.u16(8U + content.payload).u16(0).pattern(content.payload);
  return bytes;
}

Bytes make_sctp(const Tuple& tuple, const Content& content) {
  Bytes bytes;
  bytes.u16(tuple.source_port).u16(tuple.destination_port).u32(content.sctp_tag).u32(0);
  const bool announces = content.sctp_chunk == kInit || content.sctp_chunk == kInitAck;
  bytes.u8(content.sctp_chunk).u8(0).u16(announces ? 20 : 4);
  if (announces) bytes.u32(content.sctp_announced).u32(8192).u32(0x00010001).u32(1);
  bytes.set_u32(8, __builtin_bswap32(scenario::crc32c(bytes)));
  return bytes;
}

Bytes make_query(const Tuple& tuple, const Content& content) {
  Bytes bytes;
  bytes.u8(tuple.icmp_type).u8(tuple.icmp_code).u16(0).u16(tuple.icmp_id).u16(1);
  return bytes.pattern(content.payload);
}

/// Sets the Internet checksum at `at`.
void set_checksum(Bytes& transport, const Tuple& tuple, std::size_t at) {
  const std::uint32_t pseudo =
      tuple.protocol == Protocol::icmp
          ? 0
          : scenario::pseudo_header_sum(tuple.source, tuple.destination,
                                        static_cast<std::uint8_t>(tuple.protocol),
                                        transport.size());
  std::uint16_t sum = finish_sum(add_to_sum(pseudo, transport, 0, transport.size()));
  const bool zero_means_none =
      tuple.protocol == Protocol::udp || tuple.protocol == Protocol::udplite;
  if (sum == 0 && zero_means_none) sum = 0xffff;
  transport.set_u16(at, sum);
}

bool may_lack_checksum(const Tuple& tuple) {
  return tuple.protocol == Protocol::udp && tuple.source.family == Family::ipv4;
}

Bytes make_transport(const Tuple& tuple, const Content& content) {
  Bytes bytes;
  switch (tuple.protocol) {
    case Protocol::tcp:
      bytes = make_tcp(tuple, content);
      set_checksum(bytes, tuple, 16);
      return bytes;
    case Protocol::udp:
    case Protocol::udplite:
      bytes = make_datagram(tuple, content);
      if (!may_lack_checksum(tuple) || !content.without_checksum) set_checksum(bytes, tuple, 6);
      return bytes;
    case Protocol::icmp:
    case Protocol::icmpv6:
      bytes = make_query(tuple, content);
      set_checksum(bytes, tuple, 2);
      return bytes;
    case Protocol::sctp:
      return make_sctp(tuple, content);
    default:
      return bytes.pattern(8U + content.payload);
  }
}

Bytes make_ip(const Address& source, const Address& destination, Protocol protocol,
              const Bytes& transport) {
  const auto number = static_cast<std::uint8_t>(protocol);
  Bytes bytes;
  if (source.family == Family::ipv6) {
    bytes.u32(0x60000000).u16(transport.size()).u8(number).u8(64);
    return bytes.append(source).append(destination).append(transport);
  }
  bytes.u16(0x4500).u16(20 + transport.size()).u32(0x00074000).u8(64).u8(number).u16(0);
  bytes.append(source).append(destination);
  bytes.set_u16(10, finish_sum(add_to_sum(0, bytes, 0, 20)));
  return bytes.append(transport);
}

}  // namespace

Bytes make_checked(const Tuple& tuple, const Content& content) {
  return make_ip(tuple.source, tuple.destination, tuple.protocol, make_transport(tuple, content));
}

Bytes make_checked_error(const Address& source, const Address& destination, const Bytes& quoted) {
  Tuple outer;
  outer.source = source;
  outer.destination = destination;
  const bool v6 = source.family == Family::ipv6;
  outer.protocol = v6 ? Protocol::icmpv6 : Protocol::icmp;
  Bytes bytes;
  bytes.u8(v6 ? 1 : 3).u8(0).u16(0).u32(0).append(quoted);
  set_checksum(bytes, outer, 2);
  return make_ip(source, destination, outer.protocol, bytes);
}

}  // namespace uct::test
