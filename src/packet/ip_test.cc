#include "packet/ip.h"

#include <gtest/gtest.h>

#include <cstring>

#include "tests/support/packet_maker.h"

namespace uct::core::test {
namespace {

constexpr std::uint8_t kUdp = 17, kFragment = 44, kAuthentication = 51, kNoNext = 59;
constexpr std::uint8_t kTcp = 6;

using Fields = std::initializer_list<std::uint16_t>;

Bytes datagram() { return ipv4(kUdp, udp(Family::ipv4, 16)); }
Bytes datagram6() { return ipv6(kUdp, udp(Family::ipv6, 16)); }

void expect_invalid(Reason reason, const Bytes& bytes) {
  const ParsedPacket packet = parsed(bytes);
  EXPECT_EQ(packet.fate, Fate::invalid);
  EXPECT_EQ(packet.reason, reason) << name(packet.reason);
}

/// An options-like extension of `size` bytes in front of `rest`.
Bytes extension(std::uint8_t next, std::size_t size, const Bytes& rest) {
  return Bytes().u8(next).u8(size / 8 - 1).zeros(size - 2).append(rest);
}

Bytes fragment_header(std::uint8_t next, std::uint16_t field, const Bytes& rest) {
  return Bytes().u8(next).u8(0).u16(field).u32(0xabcdef01).append(rest);
}

}  // namespace

TEST(Ipv4Header, FillsThePacket) {
  const ParsedPacket packet = parsed(datagram());
  EXPECT_EQ(packet.fate, Fate::track);
  EXPECT_EQ(packet.protocol, kUdp);
  EXPECT_EQ(packet.ip_size, 44U);
  EXPECT_EQ(packet.transport_offset, 20U);
  EXPECT_EQ(packet.transport_size, 24U);
  EXPECT_EQ(std::memcmp(packet.source, host(Family::ipv4, 1).bytes.data(), 16), 0);
  EXPECT_EQ(std::memcmp(packet.destination, host(Family::ipv4, 2).bytes.data(), 16), 0);
}

TEST(Ipv4Header, LengthBelowTwentyOrBeyondThePacketIsInvalid) {
  for (unsigned words = 0; words < 5; ++words) {
    Bytes packet = datagram();
    packet.set_u8(0, 0x40 | words);
    expect_invalid(Reason::ipv4_header_length, packet);
  }
  Bytes packet = ipv4(kUdp, Bytes().zeros(8));
  packet.set_u8(0, 0x4f);
  expect_invalid(Reason::ipv4_header_length, packet);
}

TEST(Ipv4Header, OptionsAreSteppedOver) {
  for (std::size_t size = 4; size <= 40; size += 4) {
    const ParsedPacket packet = parsed(ipv4(kUdp, udp(Family::ipv4, 3), 0, Bytes().pattern(size)));
    EXPECT_EQ(packet.fate, Fate::track);
    EXPECT_EQ(packet.transport_offset, 20 + size);
    EXPECT_EQ(packet.transport_size, 11U);
  }
}

TEST(Ipv4Header, TotalLengthBelowTheHeaderOrBeyondThePacketIsInvalid) {
  for (const unsigned total : {0U, 19U, 45U, 0xffffU}) {
    Bytes packet = datagram();
    packet.set_u16(2, total);
    expect_invalid(Reason::ipv4_total_length, fixed_ipv4(packet));
  }
}

TEST(Ipv4Header, PaddingBehindTheTotalLengthIsNotThePackets) {
  const ParsedPacket packet = parsed(datagram().zeros(18));
  EXPECT_EQ(packet.fate, Fate::track);
  EXPECT_EQ(packet.ip_size, 44U);
}

TEST(Ipv4Header, ChecksumIsVerifiedUnlessTheCallerDid) {
  Bytes bytes = datagram();
  bytes.set_u16(10, 0x1234);
  expect_invalid(Reason::ipv4_checksum, bytes);
  Packet packet = packet_of(bytes);
  packet.ip_checksum = ChecksumStatus::good;
  EXPECT_EQ(parsed(packet).fate, Fate::track);
  const Bytes right = datagram();
  packet = packet_of(right);
  packet.ip_checksum = ChecksumStatus::bad;
  EXPECT_EQ(parsed(packet).reason, Reason::ipv4_checksum);
}

TEST(CutCapture, IsToldFromALyingLength) {
  const Bytes whole = datagram();
  for (std::size_t size = 20; size < whole.size(); ++size) {
    const Bytes cut = whole.slice(0, size);
    Packet packet = packet_of(cut);
    packet.wire_size = static_cast<std::uint32_t>(whole.size());
    EXPECT_EQ(parsed(packet).reason, Reason::capture_cut) << size;
    packet.wire_size = static_cast<std::uint32_t>(whole.size()) - 1;
    EXPECT_EQ(parsed(packet).reason, Reason::ipv4_total_length) << size;
    packet.wire_size = 0;
    EXPECT_EQ(parsed(packet).reason, Reason::ipv4_total_length) << size;
  }
}

TEST(CutCapture, OfIpv6IsToldFromALyingLength) {
  const Bytes whole = datagram6();
  for (std::size_t size = 40; size < whole.size(); ++size) {
    const Bytes cut = whole.slice(0, size);
    Packet packet = packet_of(cut);
    packet.wire_size = static_cast<std::uint32_t>(whole.size());
    EXPECT_EQ(parsed(packet).reason, Reason::capture_cut) << size;
    packet.wire_size = 0;
    EXPECT_EQ(parsed(packet).reason, Reason::ipv6_payload_length) << size;
  }
}

TEST(Ipv4Fragment, FirstHasPortsAndNoChecksumToVerify) {
  Bytes transport = udp(Family::ipv4, 16);
  transport.set_u16(4, 2000);
  const ParsedPacket packet = parsed(ipv4(kUdp, transport, 0x2000));
  EXPECT_EQ(packet.fate, Fate::track) << name(packet.reason);
  EXPECT_EQ(packet.part, FragmentPart::first);
  EXPECT_EQ(packet.destination_port, 53);
  EXPECT_EQ(packet.fragment_id, 0x77U);
}

TEST(Ipv4Fragment, LaterOnesHaveNoPorts) {
  for (const std::uint16_t field : Fields{0x2001, 0x0001, 0x1000}) {
    const ParsedPacket packet = parsed(ipv4(kUdp, Bytes().pattern(16), field));
    EXPECT_EQ(packet.fate, Fate::fragment);
    EXPECT_EQ(packet.part, FragmentPart::later);
    EXPECT_EQ(packet.fragment_id, 0x77U);
  }
}

TEST(Ipv4Fragment, TellsWhereItLiesInItsDatagram) {
  Bytes transport = udp(Family::ipv4, 16);
  transport.set_u16(4, 2000);
  const ParsedPacket first = parsed(ipv4(kUdp, transport, 0x2000));
  EXPECT_EQ(first.fragment_offset, 0U);
  EXPECT_EQ(first.fragment_size, 24U);
  EXPECT_TRUE(first.more_fragments);
  const ParsedPacket last = parsed(ipv4(kUdp, Bytes().pattern(13), 0x0102));
  EXPECT_EQ(last.fragment_offset, 0x102U * 8);
  EXPECT_EQ(last.fragment_size, 13U);
  EXPECT_FALSE(last.more_fragments);
}

TEST(Ipv4Fragment, AFirstThatIsInvalidIsStillAFirst) {
  const ParsedPacket packet = parsed(ipv4(kTcp, Bytes().pattern(16), 0x2000));
  EXPECT_EQ(packet.reason, Reason::tcp_header_cut);
  EXPECT_EQ(packet.part, FragmentPart::first);
  EXPECT_EQ(packet.fragment_size, 16U);
  EXPECT_EQ(parsed(ipv4(kUdp, Bytes().pattern(15), 0x2000)).part, FragmentPart::whole);
}

TEST(Ipv4Fragment, DontFragmentAndTheReservedBitMakeNone) {
  for (const std::uint16_t field : Fields{0x4000, 0x8000, 0xc000}) {
    const ParsedPacket packet = parsed(ipv4(kUdp, udp(Family::ipv4, 16), field));
    EXPECT_EQ(packet.part, FragmentPart::whole);
    EXPECT_EQ(packet.fate, Fate::track);
  }
}

TEST(Ipv4Fragment, MustFitADatagram) {
  expect_invalid(Reason::fragment_malformed, ipv4(kUdp, Bytes().pattern(15), 0x2000));
  expect_invalid(Reason::fragment_malformed, ipv4(kUdp, Bytes().pattern(15), 0x2004));
  expect_invalid(Reason::fragment_malformed, ipv4(kUdp, Bytes(), 0x0001));
  expect_invalid(Reason::fragment_malformed, ipv4(kUdp, Bytes().pattern(16), 0x1fff));
  EXPECT_EQ(parsed(ipv4(kUdp, Bytes().pattern(7), 0x1fff)).fate, Fate::fragment);  // to 65535
}

TEST(Ipv6Header, FillsThePacket) {
  const ParsedPacket packet = parsed(datagram6());
  EXPECT_EQ(packet.fate, Fate::track);
  EXPECT_EQ(packet.family, Family::ipv6);
  EXPECT_EQ(packet.ip_size, 64U);
  EXPECT_EQ(packet.transport_offset, 40U);
  EXPECT_EQ(packet.transport_size, 24U);
  EXPECT_EQ(std::memcmp(packet.source, host(Family::ipv6, 1).bytes.data(), 16), 0);
  EXPECT_EQ(std::memcmp(packet.destination, host(Family::ipv6, 2).bytes.data(), 16), 0);
}

TEST(Ipv6Extensions, OfAllKindsAreSteppedOver) {
  const Bytes transport = udp(Family::ipv6, 4);
  for (const std::uint8_t type : {std::uint8_t{0}, std::uint8_t{43}, std::uint8_t{60}}) {
    for (const std::size_t size : {8U, 16U, 2048U}) {
      const ParsedPacket packet = parsed(ipv6(type, extension(kUdp, size, transport)));
      EXPECT_EQ(packet.fate, Fate::track) << unsigned{type};
      EXPECT_EQ(packet.transport_offset, 40 + size);
      EXPECT_EQ(packet.protocol, kUdp);
    }
  }
  Bytes authentication;
  authentication.u8(kUdp).u8(4).zeros(22).append(transport);
  EXPECT_EQ(parsed(ipv6(kAuthentication, authentication)).transport_offset, 64U);
}

TEST(Ipv6Extensions, EndingBeyondThePacketAreInvalid) {
  const Bytes transport = udp(Family::ipv6, 4);
  Bytes rest = extension(kUdp, 8, transport);
  rest.set_u8(1, 2);
  expect_invalid(Reason::ipv6_extension_header, ipv6(0, rest));
  expect_invalid(Reason::ipv6_extension_header, ipv6(60, Bytes().zeros(7)));
  expect_invalid(Reason::ipv6_extension_header, ipv6(60, Bytes()));
  expect_invalid(Reason::ipv6_extension_header, ipv6(kFragment, Bytes().zeros(7)));
}

TEST(Ipv6Extensions, ElevenAreFollowedAndTwelveAreNot) {
  Bytes rest = udp(Family::ipv6, 4);
  std::uint8_t next = kUdp;
  for (int count = 1; count <= 12; ++count) {
    rest = extension(next, 8, rest);
    next = 60;
    const ParsedPacket packet = parsed(ipv6(60, rest));
    EXPECT_EQ(packet.reason, count < 12 ? Reason::none : Reason::ipv6_extension_header) << count;
  }
}

TEST(Ipv6Extensions, NoNextHeaderIsInvalid) {
  expect_invalid(Reason::ipv6_no_next_header, ipv6(kNoNext, Bytes()));
  expect_invalid(Reason::ipv6_no_next_header, ipv6(kNoNext, Bytes().pattern(20)));
  expect_invalid(Reason::ipv6_no_next_header, ipv6(0, extension(kNoNext, 8, Bytes())));
}

TEST(Ipv6Fragment, AtomicCountsAsWhole) {
  const ParsedPacket packet =
      parsed(ipv6(kFragment, fragment_header(kUdp, 0, udp(Family::ipv6, 5))));
  EXPECT_EQ(packet.fate, Fate::track);
  EXPECT_EQ(packet.part, FragmentPart::whole);
  EXPECT_EQ(packet.transport_offset, 48U);
  Bytes wrong = udp(Family::ipv6, 5);
  wrong.set_u8(10, 0xff);
  expect_invalid(Reason::udp_checksum, ipv6(kFragment, fragment_header(kUdp, 0, wrong)));
}

TEST(Ipv6Fragment, FirstAndLaterOnesAreToldApart) {
  const ParsedPacket first =
      parsed(ipv6(kFragment, fragment_header(kUdp, 1, udp(Family::ipv6, 8))));
  EXPECT_EQ(first.fate, Fate::track);
  EXPECT_EQ(first.part, FragmentPart::first);
  EXPECT_EQ(first.fragment_id, 0xabcdef01U);
  for (const std::uint16_t field : Fields{8, 9}) {
    const ParsedPacket later =
        parsed(ipv6(kFragment, fragment_header(kUdp, field, Bytes().pattern(16))));
    EXPECT_EQ(later.fate, Fate::fragment);
    EXPECT_EQ(later.fragment_id, 0xabcdef01U);
  }
}

TEST(Ipv6Fragment, ExtensionHeadersBehindItAreOfTheDatagram) {
  const Bytes rest = extension(kUdp, 16, udp(Family::ipv6, 8));
  const ParsedPacket first = parsed(ipv6(kFragment, fragment_header(60, 1, rest)));
  EXPECT_EQ(first.part, FragmentPart::first);
  EXPECT_EQ(first.fragment_size, 32U);
  EXPECT_EQ(first.transport_size, 16U);
  EXPECT_EQ(first.protocol, kUdp);
  const ParsedPacket last = parsed(ipv6(kFragment, fragment_header(60, 32, Bytes().pattern(9))));
  EXPECT_EQ(last.fragment_offset, 32U);
  EXPECT_EQ(last.fragment_size, 9U);
  EXPECT_FALSE(last.more_fragments);
}

TEST(Ipv6Fragment, WhatFollowsALaterOneIsPayload) {
  // It names an extension header, which was in the first fragment.
  const Bytes rest = fragment_header(60, 8, Bytes().u32(0xffffffff).u32(0xffffffff));
  EXPECT_EQ(parsed(ipv6(kFragment, rest)).fate, Fate::fragment);
  const Bytes none = fragment_header(kNoNext, 8, Bytes().zeros(8));
  EXPECT_EQ(parsed(ipv6(kFragment, none)).fate, Fate::fragment);
}

TEST(Ipv6Fragment, MustFitADatagram) {
  const auto with = [](std::uint16_t field, std::size_t size) {
    return ipv6(kFragment, fragment_header(kUdp, field, Bytes().pattern(size)));
  };
  expect_invalid(Reason::fragment_malformed, with(1, 15));
  expect_invalid(Reason::fragment_malformed, with(9, 12));
  expect_invalid(Reason::fragment_malformed, with(8, 0));
  expect_invalid(Reason::fragment_malformed, with(0xfff8, 16));
  EXPECT_EQ(parsed(with(0xfff8, 7)).fate, Fate::fragment);
}

}  // namespace uct::core::test
