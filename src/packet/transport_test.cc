#include <gtest/gtest.h>

#include "tests/support/packet_maker.h"

namespace uct::core::test {
namespace {

void expect_invalid(Reason reason, const Bytes& bytes) {
  const ParsedPacket packet = parsed(bytes);
  EXPECT_EQ(packet.fate, Fate::invalid);
  EXPECT_EQ(packet.reason, reason) << name(packet.reason);
}

void expect_tracked(Kind kind, const Bytes& bytes) {
  const ParsedPacket packet = parsed(bytes);
  EXPECT_EQ(packet.fate, Fate::track) << name(packet.reason);
  EXPECT_EQ(packet.kind, kind);
}

/// Flags that some sender makes, after rules T3 and T4: written as sentences, not as the parser's
/// switch.
bool some_sender_makes(unsigned flags) {
  const bool fin = (flags & 1) != 0, syn = (flags & 2) != 0, rst = (flags & 4) != 0;
  const bool ack = (flags & 16) != 0, urgent = (flags & 32) != 0;
  if (!fin && !syn && !rst && !ack) return false;  // null, or PSH and URG alone
  if (syn && (fin || rst)) return false;           // begins and ends at once
  if (rst && fin) return false;                    // ends in two ways
  if (fin && !ack) return false;                   // nothing to end, or a Christmas tree
  if (urgent && rst) return false;                 // nothing is urgent in what is thrown away
  if (urgent && syn && ack) return false;
  return true;
}

std::uint8_t scale_of(const Bytes& options, std::uint8_t flags = 0x02) {
  const ParsedPacket packet = parsed(ip(Family::ipv4, 6, tcp(Family::ipv4, flags, options)));
  EXPECT_EQ(packet.fate, Fate::track);
  return packet.window_scale;
}

Bytes data_chunk(std::size_t size, std::size_t said) {
  return Bytes().u8(0).u8(3).u16(said).zeros(size - 4);
}

}  // namespace

TEST(TcpHeader, FillsThePacket) {
  for (const Family family : kFamilies) {
    const ParsedPacket packet = parsed(ip(family, 6, tcp(family, 0x18, {}, 100)));
    EXPECT_EQ(packet.kind, Kind::tcp);
    EXPECT_EQ(packet.source_port, 1000);
    EXPECT_EQ(packet.destination_port, 80);
    EXPECT_EQ(packet.seq, 0x01020304U);
    EXPECT_EQ(packet.ack, 0x05060708U);
    EXPECT_EQ(packet.window, 4096);
    EXPECT_EQ(packet.tcp_flags, 0x18);
    EXPECT_EQ(packet.payload_size, 100U);
    EXPECT_EQ(packet.window_scale, kNoWindowScale);
  }
}

TEST(TcpHeader, All256FlagCombinations) {
  for (unsigned flags = 0; flags < 256; ++flags) {
    const Bytes bytes = ip(Family::ipv4, 6, tcp(Family::ipv4, static_cast<std::uint8_t>(flags)));
    const Reason expected = some_sender_makes(flags) ? Reason::none : Reason::tcp_flags;
    EXPECT_EQ(reason_of(bytes), expected) << "flags " << flags;
  }
}

TEST(TcpHeader, DataOffsetMustLieBetweenTwentyAndTheSegment) {
  for (unsigned words = 0; words < 16; ++words) {
    Bytes segment = tcp(Family::ipv4, 0x10, {}, 20);
    segment.set_u8(12, words << 4);
    const Bytes bytes = ip(Family::ipv4, 6, checked(segment, Family::ipv4, 6, 16));
    const bool fits = words >= 5 && words <= 10;
    EXPECT_EQ(reason_of(bytes), fits ? Reason::none : Reason::tcp_header_length) << words;
    if (!fits) continue;
    EXPECT_EQ(parsed(bytes).payload_size, 40 - words * 4) << words;
  }
}

TEST(TcpHeader, FewerThanTwentyBytesAreCut) {
  for (std::size_t size = 0; size < 20; ++size) {
    expect_invalid(Reason::tcp_header_cut, ipv4(6, tcp(Family::ipv4, 2).slice(0, size)));
  }
}

TEST(TcpHeader, PortsOfZeroAreInvalid) {
  for (const std::size_t at : {0U, 2U}) {
    Bytes segment = tcp(Family::ipv6, 2);
    segment.set_u16(at, 0);
    expect_invalid(Reason::port_zero, ipv6(6, checked(segment, Family::ipv6, 6, 16)));
  }
}

TEST(TcpHeader, ChecksumIsVerifiedUnlessTheCallerDid) {
  for (const Family family : kFamilies) {
    Bytes segment = tcp(family, 2);
    segment.set_u16(16, 0xdead);
    const Bytes bytes = ip(family, 6, segment);
    expect_invalid(Reason::tcp_checksum, bytes);
    Packet packet = packet_of(bytes);
    packet.transport_checksum = ChecksumStatus::good;
    EXPECT_EQ(parsed(packet).fate, Fate::track);
    const Bytes right = ip(family, 6, tcp(family, 2));
    packet = packet_of(right);
    packet.transport_checksum = ChecksumStatus::bad;
    EXPECT_EQ(parsed(packet).reason, Reason::transport_checksum);
  }
}

TEST(TcpOptions, WindowScaleIsFoundBehindOthers) {
  EXPECT_EQ(scale_of(Bytes().u8(3).u8(3).u8(7).u8(0)), 7);
  EXPECT_EQ(scale_of(Bytes().u8(1).u8(3).u8(3).u8(0)), 0);
  EXPECT_EQ(
      scale_of(
          Bytes().u8(2).u8(4).u16(1460).u8(4).u8(2).u8(8).u8(10).zeros(8).u8(1).u8(3).u8(3).u8(14)),
      14);
  EXPECT_EQ(scale_of(Bytes().u8(3).u8(3).u8(200).u8(1)), 200) << "as sent";
}

TEST(TcpOptions, OnlyASynIsAsked) {
  const Bytes option = Bytes().u8(3).u8(3).u8(7).u8(0);
  EXPECT_EQ(scale_of(option, 0x12), 7);
  EXPECT_EQ(scale_of(option, 0x10), kNoWindowScale);
}

TEST(TcpOptions, NonsenseEndsTheSearch) {
  EXPECT_EQ(scale_of({}), kNoWindowScale);
  EXPECT_EQ(scale_of(Bytes().u8(0).u8(3).u8(3).u8(7)), kNoWindowScale) << "behind the end";
  EXPECT_EQ(scale_of(Bytes().u8(1).u8(1).u8(1).u8(3)), kNoWindowScale) << "no length";
  EXPECT_EQ(scale_of(Bytes().u8(9).u8(0).u8(3).u8(3).u8(3).u8(7).u16(0)), kNoWindowScale);
  EXPECT_EQ(scale_of(Bytes().u8(9).u8(1).u8(3).u8(3).u8(7).u8(0).u16(0)), kNoWindowScale);
  EXPECT_EQ(scale_of(Bytes().u8(9).u8(9).u8(3).u8(3)), kNoWindowScale) << "beyond the header";
  EXPECT_EQ(scale_of(Bytes().u8(3).u8(4).u8(7).u8(7)), kNoWindowScale) << "of another length";
  EXPECT_EQ(scale_of(Bytes().u8(1).u8(1).u8(3).u8(3)), kNoWindowScale) << "cut";
}

TEST(UdpHeader, LengthMustLieBetweenEightAndThePacket) {
  for (const unsigned length : {0U, 7U, 25U, 0xffffU}) {
    Bytes bytes = udp(Family::ipv4, 16);
    bytes.set_u16(4, length);
    expect_invalid(Reason::udp_length, ipv4(17, checked(bytes, Family::ipv4, 17, 6)));
  }
  expect_tracked(Kind::udp, ipv4(17, udp(Family::ipv4, 0)));
  for (std::size_t size = 0; size < 8; ++size) {
    expect_invalid(Reason::udp_header_cut, ipv4(17, Bytes().zeros(size)));
  }
}

/// Rule U1.
TEST(UdpHeader, DestinationPortOfZeroIsInvalidAndSourcePortIsNot) {
  for (const Family family : kFamilies) {
    Bytes bytes = udp(family, 4);
    bytes.set_u16(2, 0);
    expect_invalid(Reason::port_zero, ip(family, 17, checked(bytes, family, 17, 6)));
    bytes = udp(family, 4);
    bytes.set_u16(0, 0);
    expect_tracked(Kind::udp, ip(family, 17, checked(bytes, family, 17, 6)));
  }
}

TEST(UdpHeader, NoChecksumIsAllowedInIpv4Only) {
  Bytes bytes = udp(Family::ipv4, 4);
  bytes.set_u16(6, 0);
  expect_tracked(Kind::udp, ipv4(17, bytes));
  const Bytes v6 = ipv6(17, bytes);
  expect_invalid(Reason::udp_checksum_missing, v6);
  EXPECT_EQ(parsed(packet_of(v6), {.udp6_zero_checksum = true}).fate, Fate::track);
}

TEST(UdpHeader, ShorterThanTheIpPayloadIsSummedEitherWay) {
  const Bytes own = udp(Family::ipv4, 8);
  const Bytes behind = Bytes().u8(1).u8(2).u8(3);
  expect_tracked(Kind::udp, ipv4(17, Bytes(own).append(behind)));
  const Bytes all = checked(Bytes(own).append(behind), Family::ipv4, 17, 6);
  expect_tracked(Kind::udp, ipv4(17, all));
  Bytes neither = all;
  neither.set_u8(9, 0xee);
  expect_invalid(Reason::udp_checksum, ipv4(17, neither));
}

TEST(UdpLiteHeader, CoverageIsZeroOrEightToThePacket) {
  constexpr std::size_t kPayload = 12;
  for (const Family family : kFamilies) {
    for (unsigned coverage = 0; coverage <= 22; ++coverage) {
      const bool fits = coverage == 0 || (coverage >= 8 && coverage <= 8 + kPayload);
      Bytes bytes = udplite(family, kPayload, fits ? coverage : 8);
      bytes.set_u16(4, coverage);
      EXPECT_EQ(reason_of(ip(family, 136, bytes)), fits ? Reason::none : Reason::udplite_coverage)
          << coverage;
    }
  }
}

TEST(UdpLiteHeader, BytesBehindTheCoverageMayChange) {
  Bytes bytes = udplite(Family::ipv6, 12, 10);
  bytes.set_u8(10, 0xff);
  expect_tracked(Kind::udplite, ipv6(136, bytes));
  bytes.set_u8(9, 0xff);
  expect_invalid(Reason::udplite_checksum, ipv6(136, bytes));
}

TEST(UdpLiteHeader, ThereIsAlwaysAChecksum) {
  Bytes bytes = udplite(Family::ipv4, 12, 0);
  bytes.set_u16(6, 0);
  expect_invalid(Reason::udplite_checksum, ipv4(136, bytes));
  expect_invalid(Reason::udp_header_cut, ipv4(136, Bytes().zeros(7)));
  Bytes zero = udplite(Family::ipv4, 12, 0);
  zero.set_u16(2, 0);
  expect_invalid(Reason::port_zero, ipv4(136, checked(zero, Family::ipv4, 136, 6)));
}

/// Rule S1.
TEST(SctpHeader, ChecksumIsTheCrc32c) {
  for (const Family family : kFamilies) {
    Bytes bytes = sctp(data_chunk(16, 16));
    expect_tracked(Kind::sctp, ip(family, 132, bytes));
    bytes.set_u8(11, bytes.at(11) ^ 1U);
    expect_invalid(Reason::sctp_checksum, ip(family, 132, bytes));
  }
  expect_invalid(Reason::sctp_header_cut, ipv4(132, Bytes().zeros(11)));
}

TEST(SctpHeader, ChunksMustEndWhereThePacketEnds) {
  const auto reason = [](const Bytes& chunks) { return reason_of(ipv4(132, sctp(chunks))); };
  EXPECT_EQ(reason(data_chunk(16, 16).append(data_chunk(4, 4))), Reason::none);
  EXPECT_EQ(reason(data_chunk(16, 13)), Reason::none) << "padded";
  EXPECT_EQ(reason(data_chunk(13, 13)), Reason::none) << "the last needs no padding";
  EXPECT_EQ(reason(Bytes()), Reason::sctp_chunk) << "none";
  EXPECT_EQ(reason(data_chunk(16, 17)), Reason::sctp_chunk) << "beyond";
  EXPECT_EQ(reason(data_chunk(16, 3)), Reason::sctp_chunk) << "below its header";
  EXPECT_EQ(reason(data_chunk(16, 0)), Reason::sctp_chunk) << "endless";
  EXPECT_EQ(reason(data_chunk(16, 12).slice(0, 15)), Reason::sctp_chunk) << "a cut chunk header";
}

TEST(SctpHeader, PortsOfZeroAreInvalid) {
  for (const std::size_t at : {0U, 2U}) {
    Bytes bytes = sctp(data_chunk(4, 4));
    bytes.set_u16(at, 0);
    bytes.set_u32(8, 0);
    bytes.set_u32(8, __builtin_bswap32(scenario::crc32c(bytes)));
    expect_invalid(Reason::port_zero, ipv4(132, bytes));
  }
}

TEST(DccpHeader, OffsetMustLieBetweenTwelveAndThePacket) {
  for (unsigned words = 0; words < 256; ++words) {
    Bytes bytes = dccp(Family::ipv4, 3, 0, 24);
    bytes.set_u8(4, words);
    const bool fits = words >= 3 && words <= 9;
    EXPECT_EQ(reason_of(ipv4(33, checked(bytes, Family::ipv4, 33, 6))),
              fits ? Reason::none : Reason::dccp_header_cut)
        << words;
  }
  expect_invalid(Reason::dccp_header_cut, ipv4(33, Bytes().zeros(11)));
}

TEST(DccpHeader, CoverageCountsWordsOfTheDataFromOne) {
  for (const Family family : kFamilies) {
    for (std::uint8_t coverage = 0; coverage <= 3; ++coverage) {
      expect_tracked(Kind::dccp, ip(family, 33, dccp(family, 4, coverage, 8)));
    }
    Bytes beyond = dccp(family, 4, 3, 8);
    beyond.set_u8(5, 4);
    expect_invalid(Reason::dccp_checksum, ip(family, 33, checked(beyond, family, 33, 6)));
  }
  Bytes bytes = dccp(Family::ipv4, 4, 2, 8);
  bytes.set_u8(20, 0xff);  // the second word of data is not covered
  expect_tracked(Kind::dccp, ipv4(33, bytes));
  bytes.set_u8(19, 0xff);
  expect_invalid(Reason::dccp_checksum, ipv4(33, bytes));
}

TEST(OtherProtocols, HaveNeitherPortsNorAHeaderToCheck) {
  for (const unsigned protocol : {0U, 2U, 47U, 50U, 51U, 58U, 115U, 255U}) {
    const ParsedPacket packet =
        parsed(ipv4(static_cast<std::uint8_t>(protocol), Bytes().pattern(3)));
    EXPECT_EQ(packet.fate, Fate::track) << protocol;
    EXPECT_EQ(packet.kind, Kind::other) << protocol;
    EXPECT_EQ(packet.protocol, protocol);
    EXPECT_EQ(packet.source_port, 0);
    EXPECT_EQ(packet.destination_port, 0);
  }
  expect_tracked(Kind::other, ipv6(1, Bytes()));
}

}  // namespace uct::core::test
