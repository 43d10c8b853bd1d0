#include "tests/support/fuzz_traffic.h"

namespace uct::fuzz {

namespace {

constexpr std::uint8_t kTcp = 6, kUdp = 17, kDccp = 33, kSctp = 132, kUdpLite = 136;
constexpr std::uint8_t kFin = 0x01, kSyn = 0x02, kRst = 0x04, kAck = 0x10;

void put16(Wire& wire, unsigned value) {
  wire.push_back(static_cast<std::uint8_t>(value >> 8));
  wire.push_back(static_cast<std::uint8_t>(value));
}
void put32(Wire& wire, std::uint32_t value) {
  put16(wire, value >> 16);
  put16(wire, value & 0xffff);
}
void put_zeros(Wire& wire, std::size_t count) { wire.resize(wire.size() + count); }

void put_address(Wire& wire, bool v6, std::uint8_t host) {
  if (v6) {
    wire.push_back(0xfc);
    put_zeros(wire, 14);
  } else {
    wire.insert(wire.end(), {10, 0, 0});
  }
  wire.push_back(host);
}

/// Flow 3 is a host that talks to itself from one port (rule U3).
std::uint8_t host(std::size_t flow, unsigned side) {
  if (flow == 3) return 9;
  return static_cast<std::uint8_t>(side == 0 ? 1 + flow : 4);
}
unsigned port(std::size_t flow, unsigned side) { return flow == 3 || side == 1 ? 80 : 40'000; }

void put_ports(Wire& wire, std::size_t flow, unsigned direction) {
  put16(wire, port(flow, direction));
  put16(wire, port(flow, 1 - direction));
}

std::uint32_t tag_of(std::size_t flow, unsigned side) {
  return 0x1000U + static_cast<std::uint32_t>(flow * 2 + side);
}

void put_chunk(Wire& wire, std::uint8_t type, std::uint8_t flags, std::uint32_t tag) {
  const bool announces = type == 1 || type == 2;
  wire.push_back(type);
  wire.push_back(flags);
  put16(wire, announces ? 20 : 4);
  if (!announces) return;
  put32(wire, tag);
  put_zeros(wire, 12);
}

}  // namespace

Packet Frame::packet() {
  Packet packet;
  packet.data = reinterpret_cast<std::byte*>(bytes.data());
  packet.size = static_cast<std::uint32_t>(bytes.size());
  packet.link = link;
  packet.ip_checksum = packet.transport_checksum = checksum;
  return packet;
}

Traffic::Way Traffic::way(Feed& feed) {
  const unsigned byte = feed.u8();
  return {byte & 3, byte >> 2 & 1, (byte & 8) != 0};
}

Frame Traffic::wrap(const Way& way, std::uint8_t protocol, const Wire& transport,
                    std::uint16_t fragment_field) {
  Frame frame;
  Wire& wire = frame.bytes;
  const auto size = static_cast<unsigned>(transport.size());
  frame.is_fragment = fragment_field != 0;
  if (way.v6) {
    put32(wire, 0x6000'0000);
    put16(wire, size + (frame.is_fragment ? 8 : 0));
    wire.insert(wire.end(), {frame.is_fragment ? std::uint8_t{44} : protocol, 64});
  } else {
    put16(wire, 0x4500);
    put16(wire, 20 + size);
    put16(wire, 7);
    put16(wire, fragment_field);
    wire.insert(wire.end(), {64, protocol, 0, 0});
  }
  put_address(wire, way.v6, host(way.flow, way.direction));
  put_address(wire, way.v6, host(way.flow, 1 - way.direction));
  if (way.v6 && frame.is_fragment) {
    put16(wire, unsigned{protocol} << 8);
    put16(wire, (fragment_field & 0x1fffU) << 3 | fragment_field >> 13);
    put32(wire, 7);
  }
  wire.insert(wire.end(), transport.begin(), transport.end());
  last_ = wire;
  last_v6_ = way.v6;
  return frame;
}

Frame Traffic::tcp(Feed& feed) {
  struct Shape {
    std::uint8_t flags;
    std::uint8_t payload;
    bool scaled;
  };
  constexpr Shape kShapes[] = {
      {kSyn, 0, false},        {kSyn | kAck, 0, false}, {kAck, 0, false},
      {kAck, 10, false},       {kFin | kAck, 0, false}, {kRst, 0, false},
      {kRst | kAck, 0, false}, {kSyn, 0, true},         {kSyn | kAck, 0, true},
      {kFin | kAck, 5, false}, {kAck, 1, false},        {kSyn, 20, false}};
  constexpr std::uint32_t kOff[8] = {0, 0, 0, 0xffff'ffff, 1, 70'000, 0U - 70'000U, 0x8000'0000};
  constexpr unsigned kWindows[4] = {8192, 65'535, 0, 1};
  const Way w = way(feed);
  const Shape shape = feed.pick(kShapes);
  const unsigned twist = feed.u8();
  Flow& flow = flows_[w.flow];
  const std::uint32_t seq = flow.next[w.direction] + kOff[twist & 7];
  const bool has_ack = (shape.flags & kAck) != 0;
  Wire wire;
  put_ports(wire, w.flow, w.direction);
  put32(wire, seq);
  put32(wire, has_ack ? flow.next[1 - w.direction] + kOff[twist >> 3 & 7] : 0);
  wire.push_back(shape.scaled ? 0x60 : 0x50);
  wire.push_back(shape.flags);
  put16(wire, kWindows[twist >> 6]);
  put32(wire, 0);
  if (shape.scaled) put32(wire, 0x0103'0300U | (twist >> 6) * 5U);
  put_zeros(wire, shape.payload);
  if ((twist & 7) < 3 && (shape.flags & kRst) == 0) {
    flow.next[w.direction] =
        seq + shape.payload + ((shape.flags & (kSyn | kFin)) != 0 ? 1U : 0U);
  }
  return wrap(w, kTcp, wire);
}

Frame Traffic::sctp(Feed& feed) {
  constexpr std::uint8_t kTypes[16] = {1, 2, 10, 11, 0, 3, 4, 5, 7, 8, 14, 6, 9, 12, 64, 1};
  const Way w = way(feed);
  const unsigned shape = feed.u8();
  const unsigned twist = feed.u8();
  const std::uint8_t type = kTypes[shape & 15];
  const std::uint32_t right = tag_of(w.flow, 1 - w.direction);
  const std::uint32_t tags[4] = {right, type == 1 ? 0 : right, tag_of(w.flow, w.direction), 0};
  const auto flags = static_cast<std::uint8_t>(twist >> 2 & 1);
  Wire wire;
  put_ports(wire, w.flow, w.direction);
  put32(wire, type == 1 && (twist & 3) == 0 ? 0 : tags[twist & 3]);
  put32(wire, 0);
  const std::uint32_t announced = tag_of(w.flow, w.direction) + ((twist & 0x80) != 0 ? 100U : 0U);
  put_chunk(wire, type, flags, announced);
  if ((twist & 8) != 0) put_chunk(wire, kTypes[twist >> 4 & 15], 0, announced);
  return wrap(w, kSctp, wire);
}

Frame Traffic::ported(Feed& feed) {
  constexpr std::uint8_t kProtocols[4] = {kUdp, kUdp, kUdpLite, kDccp};
  const Way w = way(feed);
  const std::uint8_t protocol = feed.pick(kProtocols);
  Wire wire;
  put_ports(wire, w.flow, w.direction);
  if (protocol == kDccp) {
    put32(wire, 0x0400'0001);
    put_zeros(wire, 8);
  } else {
    put16(wire, 12);
    put16(wire, 1);
    put_zeros(wire, 4);
  }
  return wrap(w, protocol, wire);
}

Frame Traffic::icmp_query(Feed& feed) {
  constexpr std::uint8_t kTypes4[4] = {8, 0, 13, 14};
  constexpr std::uint8_t kTypes6[4] = {128, 129, 139, 140};
  const Way w = way(feed);
  const unsigned shape = feed.u8();
  Wire wire{w.v6 ? kTypes6[shape & 3] : kTypes4[shape & 3], 0, 0, 1, 0,
            static_cast<std::uint8_t>(shape >> 2 & 1)};
  put16(wire, 1);
  return wrap(w, w.v6 ? 58 : 1, wire);
}

Frame Traffic::icmp_error(Feed& feed) {
  const Way w = way(feed);
  const unsigned shape = feed.u8();
  const std::size_t header = last_v6_ ? 40 : 20;
  if (last_.size() < header) return icmp_query(feed);
  Wire quoted = last_;
  if ((shape & 7) == 1) quoted.resize(header + 8 < quoted.size() ? header + 8 : quoted.size());
  Wire wire{static_cast<std::uint8_t>(last_v6_ ? 1 + (shape >> 3 & 3) : 3 + (shape >> 3 & 1) * 8),
            0, 0, 0, 0, 0, 0, 0};
  wire.insert(wire.end(), quoted.begin(), quoted.end());
  Way there = w;
  there.v6 = last_v6_;
  Frame frame = wrap(there, last_v6_ ? 58 : 1, wire);
  // To the sender of what is quoted, as rule E3 asks.
  const std::size_t address = last_v6_ ? 16 : 4;
  for (std::size_t i = 0; i < address; ++i) {
    const std::size_t source = header - 2 * address + i;
    frame.bytes[source + address] = quoted[source];
  }
  last_ = quoted;
  return frame;
}

Frame Traffic::fragment(Feed& feed) {
  // Sixteen bytes from 0, 16, 32 or 65,528 on, or from 8 on, which overlaps the first two.
  constexpr std::uint16_t kFields[] = {0x2000, 2, 0x2002, 0x1fff, 0x2000, 4, 0x2004, 0x2001};
  const Way w = way(feed);
  const std::uint16_t field = feed.pick(kFields);
  Wire wire;
  put_ports(wire, w.flow, w.direction);
  put16(wire, 32);
  put16(wire, 1);
  put_zeros(wire, 8);
  return wrap(w, kUdp, wire, field);
}

Frame Traffic::other(Feed& feed) {
  const Way w = way(feed);
  const std::uint8_t protocol = feed.u8();
  Wire wire;
  for (std::size_t left = feed.u8() % 32; left > 0; --left) wire.push_back(feed.u8());
  return wrap(w, protocol, wire);
}

Frame Traffic::raw(Feed& feed) {
  constexpr ChecksumStatus kStatus[4] = {ChecksumStatus::good, ChecksumStatus::good,
                                         ChecksumStatus::unknown, ChecksumStatus::bad};
  Frame frame;
  frame.is_fragment = true;  // it may be
  frame.link = static_cast<LinkType>(feed.u8() % 8);
  frame.checksum = feed.pick(kStatus);
  for (std::size_t left = feed.u8(); left > 0; --left) frame.bytes.push_back(feed.u8());
  return frame;
}

}  // namespace uct::fuzz
