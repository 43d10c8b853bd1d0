#include "answers.h"

#include <gtest/gtest.h>

#include "tests/support/addresses.h"

namespace uct::gateway {
namespace {

using uct::test::address;

constexpr unsigned kUdp = static_cast<unsigned>(Protocol::udp);
constexpr unsigned kIcmp = static_cast<unsigned>(Protocol::icmp);

/// A frame of a packet with `payload` bytes after its IP header, each the low byte of its place.
Frame frame_of(Family family, unsigned protocol, std::size_t payload) {
  const std::size_t ip_size = family == Family::ipv4 ? kIpv4Size : kIpv6Size;
  Frame frame;
  frame.room.fill(std::byte{0});
  frame.size = kEthernetSize + ip_size + payload;
  const Bytes packet = frame.packet();
  for (std::size_t i = 0; i < payload; ++i) put8(packet, ip_size + i, static_cast<unsigned>(i));
  if (family == Family::ipv4) {
    put8(packet, 0, 0x45);
    put16(packet, 2, static_cast<unsigned>(packet.size()));
    put8(packet, 8, 64);
    put8(packet, 9, protocol);
    put_address(packet, 12, address("10.0.0.2"));
    put_address(packet, 16, address("192.0.2.1"));
    put16(packet, 10, internet_checksum(packet.first(kIpv4Size)));
  } else {
    put8(packet, 0, 0x60);
    put16(packet, 4, static_cast<unsigned>(payload));
    put8(packet, 6, protocol);
    put8(packet, 7, 64);
    put_address(packet, 8, address("fd00::2"));
    put_address(packet, 24, address("2001:db8::1"));
  }
  return frame;
}

IpHeader header_of(const Frame& frame) {
  const auto header = read_ip(frame.packet());
  EXPECT_TRUE(header);
  return header.value_or(IpHeader{});
}

TEST(GatewayWire, OneHopLessLeavesTheChecksumRight) {
  Frame frame = frame_of(Family::ipv4, kUdp, 8);
  for (int hops = 0; hops < 63; ++hops) {
    take_hop(frame.packet(), Family::ipv4);
    EXPECT_EQ(internet_checksum(frame.packet().first(kIpv4Size)), 0U) << hops;
  }
  EXPECT_EQ(header_of(frame).hop_limit, 1U);
}

TEST(GatewayWire, ShowsThePortsOfAFirstFragmentOverIpv6) {
  Frame frame = frame_of(Family::ipv6, kIpv6FragmentHeader, 24);
  const Bytes fragment = frame.packet().subspan(kIpv6Size);
  put8(fragment, 0, kUdp);
  put16(fragment, 2, 1);  // at the beginning, and more follow
  put16(fragment, 10, 53);
  EXPECT_EQ(header_of(frame).destination_port, 53U);
  put16(fragment, 2, 8 << 3);
  EXPECT_TRUE(header_of(frame).later_fragment);
  EXPECT_EQ(header_of(frame).destination_port, 0U);
}

TEST(GatewayWire, APacketThatIsLongerThanItsFrameIsNone) {
  Frame frame = frame_of(Family::ipv4, kUdp, 8);
  --frame.size;
  EXPECT_FALSE(read_ip(frame.packet()));
}

TEST(GatewayError, TellsTheMtuAndQuotesThePacket) {
  const Frame frame = frame_of(Family::ipv4, kUdp, 1400);
  const auto error =
      error_about(frame, header_of(frame), RouterError::too_big, 1300, address("10.0.0.1"));
  ASSERT_TRUE(error);
  const ConstBytes packet = error->packet();
  EXPECT_EQ(packet.size(), 576U);
  EXPECT_EQ(header_of(*error).destination, address("10.0.0.2"));
  EXPECT_EQ(get16(packet, 20), 0x0304U);
  EXPECT_EQ(get16(packet, 26), 1300U);
  EXPECT_EQ(internet_checksum(packet.first(20)), 0U);
  EXPECT_EQ(internet_checksum(packet.subspan(20)), 0U);
  const ConstBytes quote = packet.subspan(28);
  EXPECT_TRUE(std::equal(quote.begin(), quote.end(), frame.packet().begin()));
}

TEST(GatewayError, OverIpv6HasTheChecksumOfItsAddresses) {
  const Frame frame = frame_of(Family::ipv6, kUdp, 100);
  const auto error =
      error_about(frame, header_of(frame), RouterError::time_exceeded, 0, address("fd00::1"));
  ASSERT_TRUE(error);
  const IpHeader header = header_of(*error);
  const ConstBytes message = error->packet().subspan(kIpv6Size);
  EXPECT_EQ(header.icmp_type, 3U);
  EXPECT_EQ(internet_checksum(message, pseudo_header(header.source, header.destination,
                                                     message.size(), header.protocol)),
            0U);
}

TEST(GatewayError, IsNotSentAboutAnErrorOrALaterFragment) {
  Frame frame = frame_of(Family::ipv4, kIcmp, 8);
  const auto error = [&] {
    return error_about(frame, header_of(frame), RouterError::time_exceeded, 0, address("10.0.0.1"));
  };
  put8(frame.packet(), 20, 8);  // a query
  EXPECT_TRUE(error());
  put8(frame.packet(), 20, 3);  // unreachable
  EXPECT_FALSE(error());
  put8(frame.packet(), 20, 8);
  put16(frame.packet(), 6, 5);
  EXPECT_FALSE(error());
}

TEST(GatewayFragments, CarryAllBytesOnceInPiecesThatFit) {
  const Frame whole = frame_of(Family::ipv4, kUdp, 1480);
  const auto fragments = fragments_of(whole, header_of(whole), 700);
  ASSERT_EQ(fragments.size(), 3U);
  std::size_t next = 0;
  for (const Frame& fragment : fragments) {
    const ConstBytes packet = fragment.packet();
    EXPECT_LE(packet.size(), 700U);
    EXPECT_EQ(internet_checksum(packet.first(kIpv4Size)), 0U);
    EXPECT_EQ((get16(packet, 6) & kIpv4OffsetMask) * 8, next);
    const ConstBytes piece = packet.subspan(kIpv4Size);
    EXPECT_TRUE(std::equal(piece.begin(), piece.end(), whole.packet().begin() + 20 + next));
    next += piece.size();
    EXPECT_EQ((get16(packet, 6) & kIpv4MoreFragments) != 0, next < 1480);
  }
  EXPECT_EQ(next, 1480U);
}

TEST(GatewayFragments, OfAFragmentGoOnWhereItBegan) {
  Frame frame = frame_of(Family::ipv4, kUdp, 1480);
  put16(frame.packet(), 6, kIpv4MoreFragments | 100);
  const auto fragments = fragments_of(frame, header_of(frame), 1450);
  ASSERT_EQ(fragments.size(), 2U);
  EXPECT_EQ(get16(fragments[0].packet(), 6), kIpv4MoreFragments | 100);
  EXPECT_EQ(get16(fragments[1].packet(), 6), kIpv4MoreFragments | (100 + 1424 / 8));
}

TEST(GatewayNeighbour, AsksByArpAndIsAnswered) {
  Frame asked;
  asked.room.fill(std::byte{0});
  asked.size = kEthernetSize + 28;
  put16(asked.bytes(), 12, kEtherTypeArp);
  put16(asked.packet(), 6, 1);
  put_address(asked.packet(), 14, address("10.0.0.2"));
  put_address(asked.packet(), 24, address("10.0.0.1"));
  EXPECT_EQ(wanted_neighbour(asked), address("10.0.0.1"));
  const Mac mac = {std::byte{2}, std::byte{3}};
  const Frame answer = neighbour_answer(asked, address("10.0.0.1"), mac);
  EXPECT_EQ(get16(answer.packet(), 6), 2U);
  EXPECT_EQ(get_address(answer.packet(), 14, Family::ipv4), address("10.0.0.1"));
  EXPECT_EQ(get_address(answer.packet(), 24, Family::ipv4), address("10.0.0.2"));
  EXPECT_FALSE(wanted_neighbour(answer));
}

}  // namespace
}  // namespace uct::gateway
