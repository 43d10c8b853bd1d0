#include "packet/link.h"

#include <gtest/gtest.h>

#include "tests/support/packet_maker.h"

namespace uct::core::test {
namespace {

Bytes datagram(Family family) { return ip(family, 17, udp(family, 4)); }

Bytes ethernet(const Bytes& tags_and_rest) { return Bytes().zeros(12).append(tags_and_rest); }

void expect_at(std::uint32_t network_offset, const Bytes& frame, LinkType link, Family family) {
  const ParsedPacket packet = parsed(frame, link);
  EXPECT_EQ(packet.fate, Fate::track) << name(packet.reason);
  EXPECT_EQ(packet.family, family);
  EXPECT_EQ(packet.transport_offset, network_offset + (family == Family::ipv4 ? 20U : 40U));
}

void expect_untracked(Reason reason, const Bytes& frame, LinkType link) {
  const ParsedPacket packet = parsed(frame, link);
  EXPECT_EQ(packet.fate, Fate::untracked);
  EXPECT_EQ(packet.reason, reason) << name(packet.reason);
}

std::uint16_t ether_type(Family family) { return family == Family::ipv4 ? 0x0800 : 0x86dd; }

}  // namespace

TEST(Ethernet, CarriesBothFamilies) {
  for (const Family family : kFamilies) {
    const Bytes frame = ethernet(Bytes().u16(ether_type(family)).append(datagram(family)));
    expect_at(14, frame, LinkType::ethernet, family);
  }
}

TEST(Ethernet, UpToEightTagsOfAnyKindAreSteppedOver) {
  constexpr std::uint16_t kKinds[] = {0x88a8, 0x8100, 0x9100};
  Bytes tags;
  for (std::uint32_t count = 1; count <= kMaxVlanTags; ++count) {
    tags.u16(kKinds[count % 3]).u16(count);
    Bytes rest = tags;
    rest.u16(0x0800).append(datagram(Family::ipv4));
    expect_at(14 + 4 * count, ethernet(rest), LinkType::ethernet, Family::ipv4);
  }
}

TEST(Ethernet, NineTagsAreUntracked) {
  Bytes rest;
  for (int i = 0; i < 9; ++i) rest.u16(0x8100).u16(1);
  rest.u16(0x0800).append(datagram(Family::ipv4));
  expect_untracked(Reason::not_ip, ethernet(rest), LinkType::ethernet);
}

TEST(Ethernet, OtherTypesLengthsAndCutHeadersAreUntracked) {
  expect_untracked(Reason::not_ip, ethernet(Bytes().u16(0x0806).zeros(28)), LinkType::ethernet);
  expect_untracked(Reason::not_ip, ethernet(Bytes().u16(100).zeros(28)), LinkType::ethernet);
  expect_untracked(Reason::not_ip, Bytes().zeros(13), LinkType::ethernet);
  expect_untracked(Reason::not_ip, ethernet(Bytes().u16(0x8100).zeros(3)), LinkType::ethernet);
  expect_untracked(Reason::not_ip, Bytes(), LinkType::ethernet);
}

/// Rule L1.
TEST(Ethernet, VersionMustBeTheOneTheTypeAnnounces) {
  const Bytes four_as_six = ethernet(Bytes().u16(0x86dd).append(datagram(Family::ipv4)).zeros(40));
  const Bytes six_as_four = ethernet(Bytes().u16(0x0800).append(datagram(Family::ipv6)));
  for (const Bytes& frame : {four_as_six, six_as_four}) {
    const ParsedPacket packet = parsed(frame, LinkType::ethernet);
    EXPECT_EQ(packet.fate, Fate::invalid);
    EXPECT_EQ(packet.reason, Reason::ip_version_mismatch) << name(packet.reason);
  }
}

TEST(Ethernet, EndingWithinTheIpHeaderIsCut) {
  const Bytes frame = ethernet(Bytes().u16(0x0800).zeros(19));
  EXPECT_EQ(reason_of(frame, LinkType::ethernet), Reason::frame_cut);
  EXPECT_EQ(reason_of(ethernet(Bytes().u16(0x86dd)), LinkType::ethernet), Reason::frame_cut);
}

TEST(CookedV1, TypeStandsInFrontOfThePacket) {
  for (const Family family : kFamilies) {
    const Bytes frame = Bytes().zeros(14).u16(ether_type(family)).append(datagram(family));
    expect_at(16, frame, LinkType::linux_cooked_v1, family);
  }
  expect_untracked(Reason::not_ip, Bytes().zeros(15), LinkType::linux_cooked_v1);
}

TEST(CookedV1, TagsAreSteppedOver) {
  Bytes frame;
  frame.zeros(14).u16(0x8100).u16(5).u16(0x0800).append(datagram(Family::ipv4));
  expect_at(20, frame, LinkType::linux_cooked_v1, Family::ipv4);
}

TEST(CookedV2, TypeIsTheFirstField) {
  for (const Family family : kFamilies) {
    const Bytes frame = Bytes().u16(ether_type(family)).zeros(18).append(datagram(family));
    expect_at(20, frame, LinkType::linux_cooked_v2, family);
  }
  expect_untracked(Reason::not_ip, Bytes().u16(0x0800).zeros(17), LinkType::linux_cooked_v2);
}

TEST(NullFraming, FamiliesOfAllSystemsInBothByteOrders) {
  for (const std::uint32_t value : {10U, 24U, 28U, 30U}) {
    for (const std::uint32_t word : {value, __builtin_bswap32(value)}) {
      const Bytes frame = Bytes().u32(word).append(datagram(Family::ipv6));
      expect_at(4, frame, LinkType::null_host, Family::ipv6);
    }
  }
  for (const std::uint32_t word : {2U, __builtin_bswap32(2U)}) {
    const Bytes frame = Bytes().u32(word).append(datagram(Family::ipv4));
    expect_at(4, frame, LinkType::null_host, Family::ipv4);
  }
  expect_untracked(Reason::not_ip, Bytes().u32(7).zeros(40), LinkType::null_host);
  expect_untracked(Reason::not_ip, Bytes().zeros(3), LinkType::null_host);
}

TEST(RawIp, VersionDecides) {
  for (const Family family : kFamilies) {
    expect_at(0, datagram(family), LinkType::raw_ip, family);
  }
  for (unsigned version = 0; version < 16; ++version) {
    if (version == 4 || version == 6) continue;
    Bytes packet = datagram(Family::ipv4);
    packet.set_u8(0, version << 4 | 5);
    expect_untracked(Reason::not_ip, packet, LinkType::raw_ip);
  }
  expect_untracked(Reason::not_ip, Bytes(), LinkType::raw_ip);
}

TEST(RawIp, NamedFamilyMustMatch) {
  expect_at(0, datagram(Family::ipv4), LinkType::ipv4, Family::ipv4);
  expect_at(0, datagram(Family::ipv6), LinkType::ipv6, Family::ipv6);
  EXPECT_EQ(reason_of(datagram(Family::ipv6), LinkType::ipv4), Reason::ip_version_mismatch);
  EXPECT_EQ(reason_of(datagram(Family::ipv4).zeros(40), LinkType::ipv6),
            Reason::ip_version_mismatch);
}

TEST(UnsupportedLink, IsUntracked) {
  expect_untracked(Reason::link_unsupported, datagram(Family::ipv4), LinkType::unsupported);
}

}  // namespace uct::core::test
