// Properties of the parser as a whole, over one valid packet of every kind.
#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "tests/support/packet_maker.h"

namespace uct::core::test {
namespace {

struct Sample {
  const char* what;
  Bytes bytes;
  std::size_t transport_offset;
  std::size_t covered;  ///< bytes of the transport that its checksum covers
};

Sample make_sample(const char* what, Family family, std::uint8_t protocol, const Bytes& transport,
                   std::size_t covered) {
  return {what, ip(family, protocol, transport), family == Family::ipv4 ? 20U : 40U, covered};
}

std::vector<Sample> samples() {
  std::vector<Sample> all;
  for (const Family family : kFamilies) {
    const auto add = [&](const char* what, std::uint8_t protocol, const Bytes& transport,
                         std::size_t covered = 0) {
      all.push_back(make_sample(what, family, protocol, transport,
                                covered == 0 ? transport.size() : covered));
    };
    const Bytes options = Bytes().u8(2).u8(4).u16(1460).u8(1).u8(3).u8(3).u8(7);
    add("tcp", 6, tcp(family, 0x02, options));
    add("tcp data", 6, tcp(family, 0x18, {}, 31));
    add("udp", 17, udp(family, 13));
    add("udplite", 136, udplite(family, 12, 0));
    add("udplite header", 136, udplite(family, 12, 8), 8);
    add("dccp", 33, dccp(family, 4, 0, 9));
    add("dccp header", 33, dccp(family, 4, 1, 8), 16);
    add("sctp", 132, sctp(Bytes().u8(1).u8(0).u16(20).u32(7).zeros(12)));
  }
  const Bytes quote = Bytes().u32(0).append(ipv4(17, udp(Family::ipv4, 2)));
  all.push_back(make_sample("icmp", Family::ipv4, 1, icmp(8, 0, echo_body(3)), 16));
  Bytes error = quote;
  error.set(4 + 12, host(Family::ipv4, 2));
  const Bytes message = icmp(3, 3, error);
  all.push_back(make_sample("icmp error", Family::ipv4, 1, message, message.size()));
  all.push_back(make_sample("icmpv6", Family::ipv6, 58, icmpv6(128, 0, echo_body(3)), 16));
  return all;
}

bool is_accepted(const ParsedPacket& packet) {
  return packet.fate == Fate::track || packet.fate == Fate::error || packet.fate == Fate::fragment;
}

/// Bytes in memory of their own, so that the address sanitizer sees every step beyond them.
std::vector<std::byte> copy_of(const Bytes& bytes, std::size_t size) {
  const auto* data = reinterpret_cast<const std::byte*>(bytes.data());
  return {data, data + size};
}

}  // namespace

TEST(Parse, TakesEverySample) {
  for (const Sample& sample : samples()) {
    const ParsedPacket packet = parsed(sample.bytes);
    EXPECT_TRUE(is_accepted(packet)) << sample.what << ": " << name(packet.reason);
    EXPECT_EQ(packet.transport_offset, sample.transport_offset) << sample.what;
  }
}

TEST(Parse, NoPrefixOfAPacketIsTakenForOne) {
  for (const Sample& sample : samples()) {
    for (std::size_t size = 0; size < sample.bytes.size(); ++size) {
      std::vector<std::byte> prefix = copy_of(sample.bytes, size);
      Packet packet = packet_of({});
      packet.data = prefix.data();
      packet.size = static_cast<std::uint32_t>(size);
      EXPECT_FALSE(is_accepted(parsed(packet))) << sample.what << " " << size;
      packet.wire_size = static_cast<std::uint32_t>(sample.bytes.size());
      EXPECT_FALSE(is_accepted(parsed(packet))) << sample.what << " " << size;
    }
  }
}

TEST(Parse, PrefixWithALengthThatFitsStaysWithinItself) {
  for (const Sample& sample : samples()) {
    const bool v4 = sample.transport_offset == 20;
    for (std::size_t size = sample.transport_offset; size < sample.bytes.size(); ++size) {
      Bytes cut = sample.bytes.slice(0, size);
      cut.set_u16(v4 ? 2 : 4, v4 ? size : size - 40);
      std::vector<std::byte> prefix = copy_of(cut, size);
      Packet packet = packet_of(cut);
      packet.data = prefix.data();
      packet.ip_checksum = packet.transport_checksum = ChecksumStatus::good;
      const ParsedPacket result = parsed(packet);
      EXPECT_EQ(is_accepted(result), result.reason == Reason::none) << sample.what << size;
      if (!is_accepted(result)) continue;
      EXPECT_EQ(result.transport_offset + result.transport_size, size) << sample.what;
      if (result.kind != Kind::tcp) continue;
      EXPECT_LE(result.payload_size, size - 40) << sample.what;
    }
  }
}

TEST(Parse, FlippedBitIsInvalidWhereAChecksumCoversIt) {
  for (const Sample& sample : samples()) {
    for (std::size_t bit = 0; bit < sample.bytes.size() * 8; ++bit) {
      const std::size_t byte = bit / 8;
      Bytes flipped = sample.bytes;
      flipped.set_u8(byte, flipped.at(byte) ^ 1U << bit % 8);
      const bool in_transport = byte >= sample.transport_offset;
      const bool covered = in_transport ? byte < sample.transport_offset + sample.covered
                                        : sample.transport_offset == 20;
      if (!covered) continue;
      EXPECT_NE(parsed(flipped).fate, Fate::track) << sample.what << " bit " << bit;
      EXPECT_NE(parsed(flipped).fate, Fate::error) << sample.what << " bit " << bit;
    }
  }
}

TEST(Parse, FlippedBitBehindTheCoverageChangesNothing) {
  for (const Sample& sample : samples()) {
    const ParsedPacket before = parsed(sample.bytes);
    for (std::size_t byte = sample.transport_offset + sample.covered; byte < sample.bytes.size();
         ++byte) {
      Bytes flipped = sample.bytes;
      flipped.set_u8(byte, flipped.at(byte) ^ 0x10U);
      const ParsedPacket after = parsed(flipped);
      EXPECT_EQ(after.fate, before.fate) << sample.what << " byte " << byte;
      EXPECT_EQ(after.destination_port, before.destination_port);
    }
  }
}

/// An IPv6 header has no checksum; its addresses are in the transport's.
TEST(Parse, FlippedBitOfAnIpv6AddressIsInvalid) {
  for (const Sample& sample : samples()) {
    if (sample.transport_offset != 40 || sample.bytes.at(6) == 132) continue;
    for (std::size_t byte = 8; byte < 40; ++byte) {
      Bytes flipped = sample.bytes;
      flipped.set_u8(byte, flipped.at(byte) ^ 0x20U);
      EXPECT_EQ(parsed(flipped).fate, Fate::invalid) << sample.what << " byte " << byte;
    }
  }
}

TEST(Parse, FrameTooLongForItsPacketIsReadTheSame) {
  for (const Sample& sample : samples()) {
    const ParsedPacket before = parsed(sample.bytes);
    const ParsedPacket after = parsed(Bytes(sample.bytes).pattern(9));
    EXPECT_EQ(after.fate, before.fate) << sample.what;
    EXPECT_EQ(after.ip_size, before.ip_size) << sample.what;
    EXPECT_EQ(after.transport_size, before.transport_size) << sample.what;
  }
}

}  // namespace uct::core::test
