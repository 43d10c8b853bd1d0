// The short way for plain TCP, held against the layers, and what review found beside it.
#include "packet/plain_tcp.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

#include "tests/support/packet_maker.h"

namespace uct::core::test {
namespace {

Bytes frame_of(const Bytes& packet) { return Bytes().zeros(12).u16(0x0800).append(packet); }

Packet trusted(const Bytes& frame) {
  Packet packet = packet_of(frame, LinkType::ethernet);
  packet.ip_checksum = packet.transport_checksum = ChecksumStatus::good;
  return packet;
}

void expect_same(const ParsedPacket& a, const ParsedPacket& b) {
  ASSERT_EQ(a.fate, b.fate);
  ASSERT_EQ(a.reason, b.reason);
  if (a.fate != Fate::track || a.kind != Kind::tcp) return;
  ASSERT_EQ(a.tcp_flags, b.tcp_flags);
  ASSERT_EQ(a.window_scale, b.window_scale);
  ASSERT_EQ(a.window, b.window);
  ASSERT_EQ(a.seq, b.seq);
  ASSERT_EQ(a.ack, b.ack);
  ASSERT_EQ(a.payload_size, b.payload_size);
  ASSERT_EQ(std::memcmp(a.source, b.source, sizeof(a.source)), 0);
  ASSERT_EQ(std::memcmp(a.destination, b.destination, sizeof(a.destination)), 0);
  ASSERT_EQ(a.source_port, b.source_port);
  ASSERT_EQ(a.destination_port, b.destination_port);
  ASSERT_EQ(a.part, b.part);
  ASSERT_EQ(a.ip_size, b.ip_size);
  ASSERT_EQ(a.transport_offset, b.transport_offset);
  ASSERT_EQ(a.transport_size, b.transport_size);
}

}  // namespace

TEST(PlainTcp, TakesAnAcknowledgementAndLeavesASyn) {
  ParsedPacket out;
  const Bytes ack = frame_of(ipv4(6, tcp(Family::ipv4, 0x10, {}, 5)));
  EXPECT_TRUE(parse_plain_tcp(trusted(ack), out));
  EXPECT_EQ(out.payload_size, 5U);
  const Bytes syn = frame_of(ipv4(6, tcp(Family::ipv4, 0x02)));
  EXPECT_FALSE(parse_plain_tcp(trusted(syn), out));
}

TEST(PlainTcp, GivesWhatTheLayersGive) {
  std::mt19937 random(20);
  for (int run = 0; run < 200'000; ++run) {
    Bytes frame = frame_of(
        ipv4(6, tcp(Family::ipv4, static_cast<std::uint8_t>(random()), {}, random() % 20)));
    for (auto edits = random() % 3; edits > 0; --edits) {
      frame.set_u8(12 + random() % (frame.size() - 12), random());
    }
    const Bytes cut = frame.slice(0, random() % 3 == 0 ? random() % frame.size() : frame.size());
    ParsedPacket there;
    parse_layers(trusted(cut), {}, there);
    ASSERT_NO_FATAL_FAILURE(expect_same(parsed(trusted(cut)), there)) << run;
  }
}

TEST(Ipv6Header, HasNoChecksumThatCouldBeBad) {
  const Bytes bytes = ipv6(17, udp(Family::ipv6, 4));
  Packet packet = packet_of(bytes);
  packet.ip_checksum = ChecksumStatus::bad;
  EXPECT_EQ(parsed(packet).fate, Fate::track);
}

TEST(TcpHeader, WindowScaleOf255IsNotTakenForNone) {
  const Bytes options = Bytes().u8(3).u8(3).u8(255).u8(0);
  const ParsedPacket packet = parsed(ip(Family::ipv4, 6, tcp(Family::ipv4, 0x02, options)));
  EXPECT_NE(packet.window_scale, kNoWindowScale);
}

}  // namespace uct::core::test
