#include <gtest/gtest.h>

#include <cstring>

#include "tests/support/packet_maker.h"

namespace uct::core::test {
namespace {

/// A packet from host 2 to 3, so that an error to host 2 quotes what host 2 sent.
Bytes sent(Family family, std::uint8_t protocol, const Bytes& transport) {
  Bytes bytes = ip(family, protocol, transport);
  const std::size_t source = family == Family::ipv4 ? 12 : 8;
  bytes.set(source, host(family, 2));
  bytes.set(source + (family == Family::ipv4 ? 4 : 16), host(family, 3));
  return bytes;
}

/// The error about it, from host 1 to 2.
Bytes error(Family family, const Bytes& quote) {
  const Bytes body = Bytes().u32(0).append(quote);
  return family == Family::ipv4 ? ipv4(1, icmp(3, 1, body)) : ipv6(58, icmpv6(1, 4, body));
}

std::size_t header_size(Family family) { return family == Family::ipv4 ? 20 : 40; }
Bytes message(std::uint8_t type, std::uint8_t code) {
  return ipv4(1, icmp(type, code, echo_body(9)));
}
Bytes message6(std::uint8_t type, std::uint8_t code) {
  return ipv6(58, icmpv6(type, code, echo_body(9)));
}

bool is_one_of(unsigned type, std::initializer_list<unsigned> types) {
  for (const unsigned t : types) {
    if (t == type) return true;
  }
  return false;
}

}  // namespace

TEST(IcmpQuery, HasIdAndType) {
  const ParsedPacket packet = parsed(message(8, 0));
  EXPECT_EQ(packet.fate, Fate::track);
  EXPECT_EQ(packet.kind, Kind::icmp);
  EXPECT_EQ(packet.source_port, 9);
  EXPECT_EQ(packet.destination_port, 8 << 8);
  EXPECT_EQ(parsed(message6(129, 0)).destination_port, 129 << 8);
  EXPECT_EQ(parsed(message6(129, 0)).kind, Kind::icmpv6);
}

/// Every type, with what RFC 792, RFC 950 and RFC 6918 make of it. What an error quotes here is too
/// short for any header.
TEST(IcmpType, All256) {
  for (unsigned type = 0; type < 256; ++type) {
    const ParsedPacket packet = parsed(message(static_cast<std::uint8_t>(type), 0));
    if (is_one_of(type, {0, 8, 13, 14, 15, 16, 17, 18})) {
      EXPECT_EQ(packet.fate, Fate::track) << type;
    } else if (is_one_of(type, {3, 4, 5, 11, 12})) {
      EXPECT_EQ(packet.reason, Reason::icmp_quote_cut) << type;
    } else {
      EXPECT_EQ(packet.reason, Reason::icmp_type) << type;
    }
    EXPECT_EQ(packet.fate == Fate::track, packet.reason == Reason::none) << type;
  }
}

TEST(Icmpv6Type, All256) {
  for (unsigned type = 0; type < 256; ++type) {
    const ParsedPacket packet = parsed(message6(static_cast<std::uint8_t>(type), 0));
    Fate fate = Fate::invalid;
    Reason reason = Reason::icmp_type;
    if (type < 128) reason = Reason::icmp_quote_cut;
    if (is_one_of(type, {128, 129, 139, 140})) fate = Fate::track, reason = Reason::none;
    if (is_one_of(type, {130, 131, 132, 143, 151, 152, 153})) {
      fate = Fate::untracked, reason = Reason::multicast_listener;
    }
    if (is_one_of(type, {133, 134, 135, 136})) {
      fate = Fate::untracked, reason = Reason::neighbour_or_router_discovery;
    }
    if (type == 137) reason = Reason::icmpv6_redirect;
    EXPECT_EQ(packet.fate, fate) << type;
    EXPECT_EQ(packet.reason, reason) << type << " " << name(packet.reason);
  }
}

/// Rule I1.
TEST(IcmpQuery, CodeOtherThanZeroIsInvalid) {
  for (const unsigned type : {0U, 8U, 13U, 18U}) {
    EXPECT_EQ(reason_of(message(static_cast<std::uint8_t>(type), 1)), Reason::icmp_code);
  }
  EXPECT_EQ(reason_of(message6(128, 1)), Reason::icmp_code);
}

TEST(IcmpQuery, NodeInformationHasNoIdAndAnyCode) {
  const ParsedPacket packet = parsed(message6(140, 2));
  EXPECT_EQ(packet.fate, Fate::track);
  EXPECT_EQ(packet.source_port, 0);
  EXPECT_EQ(packet.destination_port, 140 << 8);
}

TEST(IcmpHeader, FewerThanEightBytesAreCut) {
  for (std::size_t size = 0; size < 8; ++size) {
    EXPECT_EQ(reason_of(ipv4(1, Bytes().zeros(size))), Reason::icmp_header_cut);
    EXPECT_EQ(reason_of(ipv6(58, Bytes().zeros(size))), Reason::icmp_header_cut);
  }
}

TEST(IcmpHeader, ChecksumIsVerifiedUnlessTheCallerDid) {
  for (const Bytes& right : {message(8, 0), message6(128, 0)}) {
    Bytes wrong = right;
    wrong.set_u8(wrong.size() - 1, 0xee);
    EXPECT_EQ(reason_of(wrong), Reason::icmp_checksum);
    Packet packet = packet_of(wrong);
    packet.transport_checksum = ChecksumStatus::good;
    EXPECT_EQ(parsed(packet).fate, Fate::track);
  }
}

TEST(IcmpHeader, NothingButZerosSumsToTheOtherZero) {
  EXPECT_EQ(parsed(ipv4(1, Bytes().zeros(16))).fate, Fate::track);
  EXPECT_EQ(reason_of(ipv6(58, Bytes().zeros(16))), Reason::icmp_checksum);
}

TEST(IcmpError, GivesTheQuotedTuple) {
  for (const Family family : kFamilies) {
    const ParsedPacket packet = parsed(error(family, sent(family, 17, udp(family, 4))));
    EXPECT_EQ(packet.fate, Fate::error) << name(packet.reason);
    EXPECT_EQ(packet.kind, Kind::udp);
    EXPECT_EQ(packet.protocol, 17);
    EXPECT_EQ(packet.source_port, 1000);
    EXPECT_EQ(packet.destination_port, 53);
    EXPECT_EQ(std::memcmp(packet.source, host(family, 2).bytes.data(), 16), 0);
    EXPECT_EQ(std::memcmp(packet.destination, host(family, 3).bytes.data(), 16), 0);
    EXPECT_FALSE(packet.has_quoted_seq);
  }
}

TEST(IcmpError, OfTcpGivesTheQuotedSequenceNumber) {
  for (const Family family : kFamilies) {
    const Bytes quote = sent(family, 6, tcp(family, 2)).slice(0, header_size(family) + 8);
    const ParsedPacket packet = parsed(error(family, quote));
    EXPECT_EQ(packet.fate, Fate::error);
    EXPECT_TRUE(packet.has_quoted_seq);
    EXPECT_EQ(packet.seq, 0x01020304U);
  }
}

/// Rules E1 and E2.
TEST(IcmpError, QuoteNeedsItsHeaderAndEightBytes) {
  for (const Family family : kFamilies) {
    const Bytes whole = sent(family, 17, udp(family, 40));
    for (std::size_t size = 0; size < header_size(family) + 8; ++size) {
      EXPECT_EQ(reason_of(error(family, whole.slice(0, size))), Reason::icmp_quote_cut) << size;
    }
    EXPECT_EQ(parsed(error(family, whole.slice(0, header_size(family) + 8))).fate, Fate::error);
  }
}

/// Rule E3.
TEST(IcmpError, GoesToTheSenderOfTheQuotedPacket) {
  for (const Family family : kFamilies) {
    const Bytes quote = ip(family, 17, udp(family, 4));  // from host 1, whom the error comes from
    EXPECT_EQ(reason_of(error(family, quote)), Reason::icmp_quote_address);
  }
}

TEST(IcmpError, AboutAnErrorIsMalformed) {
  const Bytes inner = sent(Family::ipv4, 1, icmp(3, 1, Bytes().zeros(32)));
  EXPECT_EQ(reason_of(error(Family::ipv4, inner)), Reason::icmp_quote_malformed);
  const Bytes inner6 = sent(Family::ipv6, 58, icmpv6(1, 0, Bytes().zeros(52)));
  EXPECT_EQ(reason_of(error(Family::ipv6, inner6)), Reason::icmp_quote_malformed);
}

TEST(IcmpError, AboutAQueryGivesItsIdAndType) {
  const ParsedPacket packet =
      parsed(error(Family::ipv4, sent(Family::ipv4, 1, icmp(8, 0, echo_body(9)))));
  EXPECT_EQ(packet.fate, Fate::error);
  EXPECT_EQ(packet.kind, Kind::icmp);
  EXPECT_EQ(packet.source_port, 9);
  EXPECT_EQ(packet.destination_port, 8 << 8);
}

TEST(IcmpError, QuotedHeaderLengthMustMakeSense) {
  Bytes quote = sent(Family::ipv4, 17, udp(Family::ipv4, 4));
  quote.set_u8(0, 0x44);
  EXPECT_EQ(reason_of(error(Family::ipv4, quote)), Reason::icmp_quote_malformed);
}

TEST(IcmpError, AboutALaterFragmentBelongsToNothing) {
  Bytes quote = sent(Family::ipv4, 17, Bytes().pattern(16));
  quote.set_u16(6, 2);
  EXPECT_EQ(reason_of(error(Family::ipv4, quote)), Reason::icmp_quote_unknown);
  Bytes fragment;
  fragment.u8(17).u8(0).u16(8).u32(1).pattern(16);
  EXPECT_EQ(reason_of(error(Family::ipv6, sent(Family::ipv6, 44, fragment))),
            Reason::icmp_quote_unknown);
}

/// Its payload was once taken for ports when the quoted length made no fragment.
TEST(IcmpError, AboutALaterFragmentOfAnyLengthBelongsToNothing) {
  for (const unsigned length : {0U, 8U, 23U, 24U, 0xffffU}) {
    Bytes fragment;
    fragment.u8(17).u8(0).u16(9).u32(1).pattern(16);
    Bytes quote = sent(Family::ipv6, 44, fragment);
    quote.set_u16(4, length);
    EXPECT_EQ(reason_of(error(Family::ipv6, quote)), Reason::icmp_quote_unknown) << length;
  }
}

TEST(Icmpv6Redirect, MustQuoteThePacketItIsAbout) {
  const auto redirect = [](const Bytes& options) {
    return ipv6(58, icmpv6(137, 0, Bytes().zeros(36).append(options)));
  };
  const Bytes quoting = Bytes().u8(4).u8(2).zeros(14);
  const Bytes other = Bytes().u8(2).u8(1).zeros(6);
  EXPECT_EQ(parsed(redirect(quoting)).fate, Fate::untracked);
  EXPECT_EQ(parsed(redirect(Bytes(other).append(quoting))).fate, Fate::untracked);
  EXPECT_EQ(reason_of(redirect(other)), Reason::icmpv6_redirect);
  EXPECT_EQ(reason_of(redirect({})), Reason::icmpv6_redirect);
  EXPECT_EQ(reason_of(redirect(Bytes().u8(4).u8(3).zeros(14))), Reason::icmpv6_redirect);
  EXPECT_EQ(reason_of(redirect(Bytes().u8(2).u8(0).zeros(14))), Reason::icmpv6_redirect);
}

}  // namespace uct::core::test
