// The oracles: parse() with every checksum unknown must take what was translated, with the tuple
// asked for; errors must equal, byte by byte, the error that somebody makes of the translated
// packet.
#include "nat/rewrite.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/checksum.h"
#include "tests/support/packet_maker.h"
#include "tests/support/random.h"

namespace uct::core::test {
namespace {

using Frame = std::vector<std::byte>;
using uct::test::Random;

Frame frame_of(const Bytes& bytes) {
  const auto* data = reinterpret_cast<const std::byte*>(bytes.data());
  return {data, data + bytes.size()};
}

Bytes bytes_of(const Frame& frame) {
  Bytes bytes;
  for (const std::byte byte : frame) bytes.u8(load_u8(&byte));
  return bytes;
}

ParsedPacket parse_frame(Frame frame, LinkType link = LinkType::raw_ip,
                         ChecksumStatus transport = ChecksumStatus::unknown) {
  Packet packet;
  packet.data = frame.data();
  packet.size = static_cast<std::uint32_t>(frame.size());
  packet.link = link;
  packet.transport_checksum = transport;
  return parsed(packet, {.udp6_zero_checksum = true});
}
ParsedPacket parse_trusted(const Frame& frame) {
  return parse_frame(frame, LinkType::raw_ip, ChecksumStatus::good);
}

std::array<std::uint32_t, 4> words_of(const Address& address) {
  std::array<std::uint32_t, 4> words{};
  std::memcpy(words.data(), address.bytes.data(), address.family == Family::ipv4 ? 4 : 16);
  return words;
}
Address address_of(Family family, const std::uint32_t (&word)[4]) {
  Address address;
  address.family = family;
  std::memcpy(address.bytes.data(), word, family == Family::ipv4 ? 4 : 16);
  return address;
}

Translation translation(const Address& source, const Address& destination,
                        std::uint16_t source_port, std::uint16_t destination_port) {
  Translation to;
  std::memcpy(to.source, words_of(source).data(), 16);
  std::memcpy(to.destination, words_of(destination).data(), 16);
  to.source_port = source_port;
  to.destination_port = destination_port;
  return to;
}
Translation elsewhere(Family family) {
  return translation(host(family, 200), host(family, 201), 40'001, 8'080);
}

/// What the packet carries as it is: the way back.
Translation tuple_of(const ParsedPacket& packet) {
  return translation(address_of(packet.family, packet.source),
                     address_of(packet.family, packet.destination), packet.source_port,
                     packet.destination_port);
}

void expect_tuple(const ParsedPacket& packet, const Translation& to) {
  const std::size_t size = packet.family == Family::ipv4 ? 4 : 16;
  EXPECT_EQ(0, std::memcmp(packet.source, to.source, size));
  EXPECT_EQ(0, std::memcmp(packet.destination, to.destination, size));
  if (packet.fate == Fate::fragment || packet.kind == Kind::other) return;
  EXPECT_EQ(packet.source_port, to.source_port);
  if (packet.kind == Kind::icmp || packet.kind == Kind::icmpv6) return;
  EXPECT_EQ(packet.destination_port, to.destination_port);
}

Frame rewritten(Frame frame, const ParsedPacket& packet, const Translation& to) {
  EXPECT_EQ(check_rewrite(frame, packet, to), RewriteRefusal::none);
  EXPECT_EQ(rewrite(frame, packet, to), RewriteRefusal::none);
  return frame;
}

void expect_refused(const Frame& frame, const ParsedPacket& packet, RewriteRefusal why) {
  Frame copy = frame;
  EXPECT_EQ(check_rewrite(copy, packet, elsewhere(packet.family)), why);
  EXPECT_EQ(rewrite(copy, packet, elsewhere(packet.family)), why);
  EXPECT_EQ(copy, frame);
}

/// Translates, checks what came out, and translates back.
void expect_there_and_back(const Frame& frame, const Translation& to,
                           LinkType link = LinkType::raw_ip) {
  const ParsedPacket before = parse_frame(frame, link);
  ASSERT_EQ(before.reason, Reason::none) << name(before.reason);
  const Frame there = rewritten(frame, before, to);
  const ParsedPacket after = parse_frame(there, link);
  ASSERT_EQ(after.reason, Reason::none) << name(after.reason);
  EXPECT_EQ(after.fate, before.fate);
  expect_tuple(after, to);
  EXPECT_EQ(rewritten(there, after, tuple_of(before)), frame);
}

struct Sample {
  std::string what;
  Family family;
  std::uint8_t protocol;
  Bytes transport;
  std::size_t sum_at;
};

std::vector<Sample> samples() {
  std::vector<Sample> all;
  const Bytes mss = Bytes().u8(2).u8(4).u16(1460);
  for (const Family family : kFamilies) {
    const std::string suffix = family == Family::ipv4 ? " over IPv4" : " over IPv6";
    all.push_back({"tcp" + suffix, family, 6, tcp(family, 0x18, {}, 31), 16});
    all.push_back({"tcp syn" + suffix, family, 6, tcp(family, 0x02, mss, 8), 16});
    all.push_back({"udp" + suffix, family, 17, udp(family, 33), 6});
    all.push_back({"udplite all" + suffix, family, 136, udplite(family, 32, 0), 6});
    all.push_back({"udplite header" + suffix, family, 136, udplite(family, 32, 8), 6});
    all.push_back({"dccp all" + suffix, family, 33, dccp(family, 4, 0, 29), 6});
    all.push_back({"dccp header" + suffix, family, 33, dccp(family, 4, 1, 29), 6});
    all.push_back(
        {"sctp" + suffix, family, 132, sctp(Bytes().u8(0).u8(3).u16(30).pattern(26).zeros(2)), 8});
  }
  all.push_back({"icmp", Family::ipv4, 1, icmp(8, 0, echo_body(7).pattern(20)), 2});
  all.push_back({"icmpv6", Family::ipv6, 58, icmpv6(129, 0, echo_body(7).pattern(20)), 2});
  return all;
}

Frame whole(const Sample& sample) {
  return frame_of(ip(sample.family, sample.protocol, sample.transport));
}

std::size_t header_size(Family family) { return family == Family::ipv4 ? 20 : 40; }

TEST(Rewrite, GivesTheTupleAndRightChecksumsAndComesBackForEveryProtocol) {
  for (const Sample& sample : samples()) {
    SCOPED_TRACE(sample.what);
    expect_there_and_back(whole(sample), elsewhere(sample.family));
    const ParsedPacket packet = parse_frame(whole(sample));
    EXPECT_EQ(rewritten(whole(sample), packet, tuple_of(packet)), whole(sample));
  }
}

TEST(Rewrite, AWrongChecksumStaysWrong) {
  for (const Sample& sample : samples()) {
    SCOPED_TRACE(sample.what);
    Sample wrong = sample;
    wrong.transport.set_u8(sample.sum_at, sample.transport.at(sample.sum_at) ^ 0x55);
    const Frame frame = whole(wrong);
    const ParsedPacket packet = parse_trusted(frame);
    const Frame there = rewritten(frame, packet, elsewhere(sample.family));
    EXPECT_NE(parse_frame(there).reason, Reason::none);
    EXPECT_EQ(parse_frame(there).reason, parse_frame(frame).reason);
    EXPECT_EQ(rewritten(there, packet, tuple_of(packet)), frame);
  }
}

TEST(Rewrite, AWrongHeaderChecksumStaysWrong) {
  Bytes bytes = ipv4(6, tcp(Family::ipv4, 0x10));
  const ParsedPacket packet = parsed(bytes);
  bytes.set_u8(10, bytes.at(10) ^ 0x10);
  const Frame there = rewritten(frame_of(bytes), packet, elsewhere(Family::ipv4));
  EXPECT_EQ(parse_frame(there).reason, Reason::ipv4_checksum);
  EXPECT_EQ(rewritten(there, packet, tuple_of(packet)), frame_of(bytes));
}

TEST(Rewrite, ProtocolsWithoutPortsGetAddresses) {
  for (const Family family : kFamilies) {
    for (const unsigned protocol : {2U, 47U, 50U, 89U, 255U}) {
      const Frame frame =
          frame_of(ip(family, static_cast<std::uint8_t>(protocol), Bytes().pattern(3)));
      expect_there_and_back(frame, elsewhere(family));
      const Frame there = rewritten(frame, parse_frame(frame), elsewhere(family));
      EXPECT_EQ(there.back(), std::byte{2});
    }
  }
}

TEST(Rewrite, NodeInformationHasANonceThatStays) {
  const Bytes bytes = ipv6(58, icmpv6(139, 0, Bytes().u16(1).u16(2).zeros(12)));
  const Frame there = rewritten(frame_of(bytes), parsed(bytes), elsewhere(Family::ipv6));
  EXPECT_EQ(load_be16(&there[44]), 1);
  EXPECT_EQ(parse_frame(there).reason, Reason::none);
}

TEST(Rewrite, StepsOverOptionsAndExtensions) {
  const Bytes routers = Bytes().u8(0x94).u8(4).u16(0);
  const Bytes tcp4 = tcp(Family::ipv4, 0x10, {}, 5);
  expect_there_and_back(frame_of(ipv4(6, tcp4, 0, routers)), elsewhere(Family::ipv4));
  expect_there_and_back(frame_of(ipv4(17, udp(Family::ipv4, 0), 0, routers)),
                        elsewhere(Family::ipv4));
  const Bytes hop_by_hop = Bytes().u8(60).u8(0).zeros(6);
  const Bytes destination = Bytes().u8(43).u8(1).zeros(14);
  const Bytes used_up_routing = Bytes().u8(6).u8(0).u8(4).u8(0).zeros(4);
  Bytes all = hop_by_hop;
  all.append(destination).append(used_up_routing).append(tcp(Family::ipv6, 0x10, {}, 5));
  expect_there_and_back(frame_of(ipv6(0, all)), elsewhere(Family::ipv6));
}

/// The sum over what a transport's checksum covers, with the addresses given.
std::uint16_t sum_of(const Frame& frame, std::size_t transport, std::uint8_t protocol,
                     const Address& source, const Address& destination) {
  const Bytes ends = Bytes().append(source).append(destination);
  const auto segment = std::span(frame).subspan(transport);
  return ones_sum(segment, pseudo_header_sum(std::as_bytes(std::span(ends.data(), ends.size())),
                                             protocol, static_cast<std::uint32_t>(segment.size())));
}

TEST(Rewrite, SegmentsLeftMeanThatTheFinalDestinationIsInTheChecksum) {
  const Bytes routing = Bytes().u8(6).u8(2).u8(4).u8(1).u32(0).append(host(Family::ipv6, 2));
  Bytes bytes = ipv6(43, Bytes(routing).append(tcp(Family::ipv6, 0x10, {}, 5)));
  bytes.set(24, host(Family::ipv6, 9));
  const Frame frame = frame_of(bytes);
  ASSERT_EQ(sum_of(frame, 64, 6, host(Family::ipv6, 1), host(Family::ipv6, 2)), 0xffff);
  const Frame there = rewritten(frame, parse_trusted(frame), elsewhere(Family::ipv6));
  EXPECT_EQ(sum_of(there, 64, 6, host(Family::ipv6, 200), host(Family::ipv6, 2)), 0xffff);
  expect_tuple(parse_trusted(there), elsewhere(Family::ipv6));
}

TEST(Rewrite, FindsTheHeaderBehindEveryLinkAndInFrontOfPadding) {
  const std::pair<LinkType, Bytes> links[] = {
      {LinkType::ethernet, Bytes().zeros(12).u16(0x0800)},
      {LinkType::ethernet, Bytes().zeros(12).u32(0x88a80001).u32(0x81000002).u16(0x0800)},
      {LinkType::linux_cooked_v1, Bytes().zeros(14).u16(0x0800)},
      {LinkType::linux_cooked_v2, Bytes().u16(0x0800).zeros(18)},
      {LinkType::null_host, Bytes().u32(2)},
      {LinkType::ipv4, Bytes()}};
  for (const auto& [link, header] : links) {
    for (const Bytes& transport : {udp(Family::ipv4, 1), Bytes().pattern(3)}) {
      const Bytes packet = ipv4(transport.size() == 3 ? 47 : 17, transport);
      expect_there_and_back(frame_of(Bytes(header).append(packet).pattern(9)),
                            elsewhere(Family::ipv4), link);
    }
  }
}

Sample udp_without_checksum(Family family) {
  Bytes transport = udp(family, 20);
  transport.set_u16(6, 0);
  return {"udp without checksum", family, 17, transport, 6};
}

TEST(Rewrite, AnAbsentUdpChecksumStaysAbsent) {
  for (const Family family : kFamilies) {
    const Frame frame = whole(udp_without_checksum(family));
    expect_there_and_back(frame, elsewhere(family));
    const Frame there = rewritten(frame, parse_frame(frame), elsewhere(family));
    EXPECT_EQ(load_be16(&there[header_size(family) + 6]), 0);
  }
}

/// All source ports: one of them makes the checksum zero.
TEST(Rewrite, AChecksumOfZeroIsWrittenAsItsProtocolWants) {
  for (const Sample& sample : samples()) {
    const ParsedPacket packet = parse_frame(whole(sample));
    if (packet.kind == Kind::sctp) continue;
    const bool never_zero = packet.kind == Kind::udp || packet.kind == Kind::udplite;
    Frame frame = whole(sample);
    Translation to = elsewhere(sample.family);
    unsigned zeros = 0;
    for (unsigned port = 1; port <= 0xffff; ++port) {
      to.source_port = static_cast<std::uint16_t>(port);
      ASSERT_EQ(rewrite(frame, packet, to), RewriteRefusal::none);
      const std::uint16_t sum = load_be16(&frame[header_size(sample.family) + sample.sum_at]);
      ASSERT_NE(sum, never_zero ? 0 : 0xffff) << sample.what;
      if (sum != 0 && sum != 0xffff) continue;
      ++zeros;
      EXPECT_EQ(parse_frame(frame).reason, Reason::none) << sample.what;
    }
    EXPECT_GE(zeros, 1U) << sample.what;
  }
}

TEST(Rewrite, AnIcmpMessageThatBecomesAllZeroHasAllOnesForAChecksum) {
  const Bytes bytes = ipv4(1, icmp(0, 0, Bytes().u16(5).zeros(20)));
  Translation to = elsewhere(Family::ipv4);
  to.source_port = 0;
  const Frame there = rewritten(frame_of(bytes), parsed(bytes), to);
  EXPECT_EQ(load_be16(&there[22]), 0xffff);
  EXPECT_EQ(ones_sum(std::span(there).subspan(20)), 0xffff);
  EXPECT_EQ(rewritten(there, parsed(bytes), tuple_of(parsed(bytes))), frame_of(bytes));
}

constexpr std::size_t kFirst = 24;

Frame fragment(const Sample& sample, std::size_t from, std::size_t to) {
  const bool more = to < sample.transport.size();
  const Bytes piece = sample.transport.slice(from, to);
  if (sample.family == Family::ipv4) {
    return frame_of(
        ipv4(sample.protocol, piece, static_cast<std::uint16_t>(from / 8 | (more ? 0x2000U : 0U))));
  }
  Bytes header = Bytes().u8(sample.protocol).u8(0).u16(from | (more ? 1U : 0U)).u32(0x99);
  return frame_of(ipv6(44, header.append(piece)));
}

TEST(Rewrite, FragmentsAreTranslatedAsTheirWholeIs) {
  for (const Sample& sample : samples()) {
    SCOPED_TRACE(sample.what);
    if (sample.protocol == 132) continue;
    const Translation to = elsewhere(sample.family);
    const Frame all = rewritten(whole(sample), parse_frame(whole(sample)), to);
    const Frame first = fragment(sample, 0, kFirst);
    const Frame later = fragment(sample, kFirst, sample.transport.size());
    expect_there_and_back(first, to);
    expect_there_and_back(later, to);
    Frame joined = rewritten(first, parse_frame(first), to);
    joined.erase(joined.begin(), joined.end() - kFirst);
    ParsedPacket of_later = parse_frame(later);
    of_later.kind = Kind::tcp;  // a fragment's kind is unspecified
    const Frame tail = rewritten(later, of_later, to);
    joined.insert(joined.end(), tail.end() - (sample.transport.size() - kFirst), tail.end());
    EXPECT_EQ(joined, Frame(all.begin() + header_size(sample.family), all.end()));
  }
}

TEST(Rewrite, TheFirstFragmentOfSctpIsRefusedUnlessItsPortsStay) {
  for (const Sample& sample : samples()) {
    if (sample.protocol != 132) continue;
    const Frame first = fragment(sample, 0, kFirst);
    expect_refused(first, parse_frame(first), RewriteRefusal::sctp_fragment);
    Translation same_ports = elsewhere(sample.family);
    same_ports.source_port = parse_frame(first).source_port;
    same_ports.destination_port = parse_frame(first).destination_port;
    expect_there_and_back(first, same_ports);
    expect_there_and_back(fragment(sample, kFirst, sample.transport.size()),
                          elsewhere(sample.family));
  }
}

TEST(Rewrite, RefusesWhatAnAuthenticationHeaderCovers) {
  const Bytes header = Bytes().u8(6).u8(4).zeros(22);
  const Frame over4 = frame_of(ipv4(51, Bytes(header).append(tcp(Family::ipv4, 0x10))));
  const Frame over6 = frame_of(ipv6(51, Bytes(header).append(tcp(Family::ipv6, 0x10))));
  const Frame later = frame_of(ipv6(44, Bytes().u8(51).u8(0).u16(8).u32(1).pattern(16)));
  // A fragment header whose second byte is not a length, and options.
  const Bytes atomic = Bytes().u8(60).u8(0xff).zeros(6).u8(51).u8(0).zeros(6);
  const Frame behind =
      frame_of(ipv6(44, Bytes(atomic).append(header).append(tcp(Family::ipv6, 0x10))));
  for (const Frame& frame : {over4, over6, later, behind}) {
    ASSERT_EQ(parse_frame(frame).reason, Reason::none);
    expect_refused(frame, parse_frame(frame), RewriteRefusal::authentication_header);
  }
}

TEST(Rewrite, RefusesWhatTheParserDidNotAccept) {
  for (const Fate fate : {Fate::error, Fate::untracked, Fate::invalid, Fate::fragment}) {
    const Frame frame = frame_of(ipv4(6, tcp(Family::ipv4, 0x10)));
    ParsedPacket packet = parse_frame(frame);
    packet.fate = fate;
    expect_refused(frame, packet, RewriteRefusal::fate);
  }
}

/// Every length of a frame that has less than the parser saw, in memory of its own.
TEST(Rewrite, WritesNothingBehindTheFrame) {
  for (const Sample& sample : samples()) {
    SCOPED_TRACE(sample.what);
    const Frame frame = whole(sample);
    const ParsedPacket packet = parse_frame(frame);
    const Frame all = rewritten(frame, packet, elsewhere(sample.family));
    const std::size_t transport = header_size(sample.family);
    const std::size_t sum = transport + sample.sum_at;
    const std::size_t sum_end = sum + (packet.kind == Kind::sctp ? 4 : 2);
    for (std::size_t size = 0; size < frame.size(); ++size) {
      Frame cut(frame.begin(), frame.begin() + size);
      cut.shrink_to_fit();
      if (size < transport + 8) {
        expect_refused(cut, packet, RewriteRefusal::frame_cut);
        continue;
      }
      Frame expected(all.begin(), all.begin() + size);
      for (std::size_t i = sum; i < size && size < sum_end; ++i) expected[i] = frame[i];
      ASSERT_EQ(rewritten(cut, packet, elsewhere(sample.family)), expected) << size;
    }
  }
}

constexpr std::uint32_t kGateway = 0x5a;  ///< last byte of the address that makes it a redirect

/// An error made by hand; `rest` are the four bytes behind its checksum.
Frame error_frame(Family family, const Address& source, const Address& destination,
                  const Bytes& quote, std::uint32_t rest = 0) {
  const bool v4 = family == Family::ipv4;
  const unsigned type = (rest & 0xff) == kGateway ? 5 : v4 ? 11 : 3;
  Bytes message = Bytes().u8(type).u8(0).u16(0).u32(rest).append(quote);
  const std::uint32_t start =
      v4 ? 0 : scenario::pseudo_header_sum(source, destination, 58, message.size());
  message.set_u16(2, scenario::finish_sum(scenario::add_to_sum(start, message, 0, message.size())));
  Bytes packet = ip(family, v4 ? 1 : 58, message);
  packet.set(v4 ? 12 : 8, source);
  packet.set(v4 ? 16 : 24, destination);
  return frame_of(v4 ? fixed_ipv4(packet) : packet);
}

/// About a packet from host 1 to 2, told to host 1 by host 7.
Frame error_about(Family family, const Bytes& quote, std::uint32_t rest = 0) {
  return error_frame(family, host(family, 7), host(family, 1), quote, rest);
}

/// The same when 1 is host 200, 2 is 201 and 7 is 207.
Frame error_elsewhere(Family family, const Bytes& quote, std::uint32_t rest = 0) {
  return error_frame(family, host(family, 207), host(family, 200), quote, rest);
}

RewriteRefusal rewrite_elsewhere(Frame& frame, const ParsedPacket& error) {
  const Family family = error.family;
  return rewrite_error(frame, error, elsewhere(family), words_of(host(family, 207)),
                       words_of(host(family, 200)));
}

/// The error about `before` becomes the error about `after`, and comes back.
void expect_error_becomes(Family family, const Bytes& before, const Bytes& after,
                          std::uint32_t rest = 0) {
  const Frame frame = error_about(family, before, rest);
  const ParsedPacket packet = parse_frame(frame);
  ASSERT_TRUE(packet.fate == Fate::error || packet.reason == Reason::icmp_quote_unknown)
      << name(packet.reason);
  Frame there = frame;
  ASSERT_EQ(rewrite_elsewhere(there, packet), RewriteRefusal::none);
  ASSERT_EQ(there, error_elsewhere(family, after, rest));
  const ParsedPacket after_it = parse_frame(there);
  ASSERT_EQ(after_it.reason, packet.reason) << name(after_it.reason);
  if (packet.fate != Fate::error) return;
  expect_tuple(after_it, elsewhere(family));
  ASSERT_EQ(rewrite_error(there, after_it, tuple_of(packet), words_of(host(family, 7)),
                          words_of(host(family, 1))),
            RewriteRefusal::none);
  ASSERT_EQ(there, frame);
}

/// Cuts quotes everywhere behind the eight bytes of transport that there always are. A quoted
/// checksum that is not wholly there stays what it is.
void expect_every_cut_translated(const Sample& sample) {
  const Bytes packet = bytes_of(whole(sample));
  const Bytes there =
      bytes_of(rewritten(whole(sample), parse_trusted(whole(sample)), elsewhere(sample.family)));
  const std::size_t transport = header_size(sample.family);
  const std::size_t sum = transport + sample.sum_at;
  const std::size_t sum_end = sum + (sample.protocol == 132 ? 4 : 2);
  for (std::size_t size = transport + 8; size <= packet.size(); ++size) {
    Bytes after = there.slice(0, size);
    for (std::size_t i = sum; i < size && size < sum_end; ++i) after.set_u8(i, packet.at(i));
    expect_error_becomes(sample.family, packet.slice(0, size), after);
    ASSERT_FALSE(testing::Test::HasFailure()) << size;
  }
}

TEST(RewriteError, EqualsTheErrorAboutTheTranslatedPacketForEveryCut) {
  for (Sample sample : samples()) {
    SCOPED_TRACE(sample.what);
    expect_every_cut_translated(sample);
    sample.transport.set_u8(sample.sum_at, sample.transport.at(sample.sum_at) ^ 0x55);
    expect_every_cut_translated(sample);
  }
}

TEST(RewriteError, AnAbsentQuotedUdpChecksumStaysAbsent) {
  for (const Family family : kFamilies) expect_every_cut_translated(udp_without_checksum(family));
}

TEST(RewriteError, AWrongIcmpChecksumStaysWrong) {
  for (const Family family : kFamilies) {
    Frame there = error_about(family, ip(family, 17, udp(family, 3)));
    there.back() ^= std::byte{0x40};
    ASSERT_EQ(rewrite_elsewhere(there, parse_trusted(there)), RewriteRefusal::none);
    EXPECT_EQ(parse_frame(there).reason, Reason::icmp_checksum);
    there.back() ^= std::byte{0x40};
    EXPECT_EQ(parse_frame(there).reason, Reason::none);
  }
}

/// A quoted fragment that is not the first has no ports, and a first one of SCTP a checksum that
/// nobody can follow.
TEST(RewriteError, QuotedFragments) {
  for (const Sample& sample : samples()) {
    SCOPED_TRACE(sample.what);
    const Translation to = elsewhere(sample.family);
    const Frame later = fragment(sample, kFirst, sample.transport.size());
    expect_error_becomes(sample.family, bytes_of(later),
                         bytes_of(rewritten(later, parse_frame(later), to)));
    const Frame first = fragment(sample, 0, kFirst);
    if (sample.protocol != 132) {
      expect_error_becomes(sample.family, bytes_of(first),
                           bytes_of(rewritten(first, parse_frame(first), to)));
      continue;
    }
    Frame there = error_about(sample.family, bytes_of(first));
    ASSERT_EQ(rewrite_elsewhere(there, parse_frame(there)), RewriteRefusal::none);
    expect_tuple(parse_frame(there), to);
    EXPECT_TRUE(std::equal(there.end() - kFirst + 8, there.end(), first.end() - kFirst + 8));
  }
}

/// RFC 4884: eight bytes of TCP by the error's own word, and then an extension where TCP's checksum
/// would be.
TEST(RewriteError, AnExtensionStaysAsItIs) {
  for (const Family family : kFamilies) {
    const Frame frame = frame_of(ip(family, 6, tcp(family, 0x10, {}, 5)));
    const std::size_t size = header_size(family) + 8;
    const Bytes extension = Bytes().u8(0x20).u8(0).u16(0).u16(8).u16(0x0101).pattern(40);
    Bytes before = bytes_of(frame).slice(0, size);
    Bytes after = bytes_of(rewritten(frame, parse_frame(frame), elsewhere(family))).slice(0, size);
    const auto rest =
        static_cast<std::uint32_t>(family == Family::ipv4 ? size / 4 << 16 : size / 8 << 24);
    expect_error_becomes(family, before.append(extension), after.append(extension), rest);
  }
}

/// Where other errors tell of a size, a redirect has a gateway: 10.1.0.90.
TEST(RewriteError, TheGatewayOfARedirectIsNoSize) {
  const Frame frame = frame_of(ipv4(6, tcp(Family::ipv4, 0x10)));
  const Frame there = rewritten(frame, parse_frame(frame), elsewhere(Family::ipv4));
  expect_error_becomes(Family::ipv4, bytes_of(frame), bytes_of(there), 0x0a010000 | kGateway);
}

/// Some hosts quote the total length in another byte order, or without the header.
TEST(RewriteError, APortIsTranslatedWhateverLengthTheQuotedHeaderTells) {
  for (const unsigned length : {0U, 20U, 21U, 0xffffU}) {
    Bytes before = ipv4(17, udp(Family::ipv4, 20));
    Bytes after = bytes_of(rewritten(frame_of(before), parsed(before), elsewhere(Family::ipv4)));
    before.set_u16(2, length);
    after.set_u16(2, length);
    expect_error_becomes(Family::ipv4, fixed_ipv4(before), fixed_ipv4(after));
  }
}

TEST(RewriteError, PaddingBehindTheErrorStaysAsItIs) {
  const Frame frame = frame_of(ipv4(6, tcp(Family::ipv4, 0x10)));
  const Frame translated = rewritten(frame, parse_frame(frame), elsewhere(Family::ipv4));
  Frame there = error_about(Family::ipv4, bytes_of(frame).slice(0, 28));
  Frame expected = error_elsewhere(Family::ipv4, bytes_of(translated).slice(0, 28));
  there.resize(80, std::byte{0x5a});
  expected.resize(80, std::byte{0x5a});
  ASSERT_EQ(rewrite_elsewhere(there, parse_frame(there)), RewriteRefusal::none);
  EXPECT_EQ(there, expected);
}

TEST(RewriteError, PaddingBehindAQuotedPacketStaysAsItIs) {
  for (const Sample& sample : samples()) {
    if (sample.protocol != 6) continue;
    const Frame frame = fragment(sample, 0, 8);  // too short for the parser, but not for a quote
    const Bytes before = bytes_of(frame);
    Bytes after = before;
    const Translation to = elsewhere(sample.family);
    const bool v4 = sample.family == Family::ipv4;
    after.set(v4 ? 12 : 8, host(sample.family, 200));
    after.set(v4 ? 16 : 24, host(sample.family, 201));
    after.set_u16(after.size() - 8, to.source_port);
    after.set_u16(after.size() - 6, to.destination_port);
    if (v4) after = fixed_ipv4(after.slice(0, 20)).append(after.slice(20, 28));
    expect_error_becomes(sample.family, Bytes(before).zeros(100), Bytes(after).zeros(100));
  }
}

void expect_error_refused(const Frame& frame, const ParsedPacket& packet, RewriteRefusal why) {
  Frame copy = frame;
  EXPECT_EQ(rewrite_elsewhere(copy, packet), why);
  EXPECT_EQ(copy, frame);
}

TEST(RewriteError, Refusals) {
  const Frame query = frame_of(ipv4(1, icmp(8, 0, echo_body(1))));
  expect_error_refused(query, parse_frame(query), RewriteRefusal::fate);
  for (const Family family : kFamilies) {
    const Bytes header = Bytes().u8(6).u8(4).zeros(22).append(tcp(family, 0x10));
    const Frame protected_quote = error_about(family, ip(family, 51, header));
    ASSERT_EQ(parse_frame(protected_quote).fate, Fate::error);
    expect_error_refused(protected_quote, parse_frame(protected_quote),
                         RewriteRefusal::authentication_header);
  }
  const Frame protected_error =
      frame_of(ipv6(51, Bytes().u8(58).u8(4).zeros(22).append(icmpv6(1, 0, Bytes().zeros(80)))));
  ParsedPacket packet = parse_trusted(protected_error);
  packet.fate = Fate::error;
  expect_error_refused(protected_error, packet, RewriteRefusal::authentication_header);
}

TEST(RewriteError, WritesNothingBehindTheFrame) {
  for (const Sample& sample : samples()) {
    const Frame frame = error_about(sample.family, bytes_of(whole(sample)));
    const ParsedPacket packet = parse_frame(frame);
    const std::size_t needed = 2 * header_size(sample.family) + 16;
    for (std::size_t size = 0; size < frame.size(); ++size) {
      Frame cut(frame.begin(), frame.begin() + size);
      cut.shrink_to_fit();
      const Frame before = cut;
      const RewriteRefusal refusal = rewrite_elsewhere(cut, packet);
      ASSERT_EQ(refusal == RewriteRefusal::none, size >= needed) << sample.what << " " << size;
      ASSERT_TRUE(refusal == RewriteRefusal::none || cut == before);
    }
  }
}

std::uint32_t seed() { return uct::test::seed_or(16'241'994U); }

Bytes random_bytes(Random& random, std::size_t size) {
  Bytes bytes;
  for (std::size_t i = 0; i < size; ++i) bytes.u8(random());
  return bytes;
}

std::uint16_t random_port(Random& random) { return static_cast<std::uint16_t>(random() | 1); }

Translation random_translation(Random& random) {
  Translation to;
  for (std::uint32_t& word : to.source) word = random();
  for (std::uint32_t& word : to.destination) word = random();
  to.source_port = random_port(random);
  to.destination_port = random_port(random);
  return to;
}

/// What random translations then make of it differs in every field that they write.
Bytes transport_of_random_size(Random& random, Family family, std::uint8_t protocol) {
  const std::size_t size = random() % 90;
  switch (protocol) {
    case 6:
      return tcp(family, 0x18, {}, size);
    case 17:
      return udp(family, size);
    case 136:
      return udplite(family, size, 8 + random() % (size + 1));
    case 33:
      return dccp(family, 3, 0, size);
    case 132:
      return sctp(Bytes().u8(0).u8(3).u16(4 + 4 * size).append(random_bytes(random, 4 * size)));
    case 1:
      return icmp(8, 0, Bytes().u32(random()).append(random_bytes(random, size)));
    case 58:
      return icmpv6(128, 0, Bytes().u32(random()).append(random_bytes(random, size)));
    default:
      return random_bytes(random, size);
  }
}

/// An Ethernet frame with up to two tags, options or extensions, and padding.
Frame random_frame(Random& random) {
  const Family family = kFamilies[random() % 2];
  const bool v4 = family == Family::ipv4;
  const std::uint8_t protocols[] = {6, 17, 136, 33, 132, v4 ? std::uint8_t{1} : std::uint8_t{58},
                                    47};
  const std::uint8_t protocol = protocols[random() % std::size(protocols)];
  const Bytes transport = transport_of_random_size(random, family, protocol);
  Bytes frame = random_bytes(random, 12);
  for (std::uint32_t tags = random() % 3; tags > 0; --tags) frame.u16(0x8100).u16(random());
  frame.u16(v4 ? 0x0800 : 0x86dd);
  if (v4) {
    Bytes options;
    for (std::uint32_t size = random() % 11 * 4; size > 0; --size) options.u8(1);
    return frame_of(frame.append(ipv4(protocol, transport, 0, options)).zeros(random() % 4));
  }
  Bytes rest;
  const std::uint32_t extensions = random() % 3;
  for (std::uint32_t i = 0; i < extensions; ++i) {
    rest.u8(i + 1 == extensions ? protocol : 60).u8(0).append(random_bytes(random, 6));
  }
  const std::uint8_t next = extensions == 0 ? protocol : 60;
  return frame_of(frame.append(ipv6(next, rest.append(transport))).zeros(random() % 4));
}

/// From where the packet was made to one random place, and from there to another, and back.
TEST(Rewrite, RandomPacketsGoThereAndBack) {
  const std::uint32_t first = seed();
  for (std::uint32_t run = 0; run < 100'000; ++run) {
    Random random(first + run);
    SCOPED_TRACE(testing::Message() << "UCT_SEED=" << first + run);
    const Frame frame = random_frame(random);
    const ParsedPacket packet = parse_frame(frame, LinkType::ethernet);
    ASSERT_EQ(packet.reason, Reason::none) << name(packet.reason);
    const Translation to = random_translation(random);
    expect_there_and_back(frame, to, LinkType::ethernet);
    expect_there_and_back(rewritten(frame, packet, to), random_translation(random),
                          LinkType::ethernet);
    ASSERT_FALSE(testing::Test::HasFailure());
  }
}

}  // namespace
}  // namespace uct::core::test
