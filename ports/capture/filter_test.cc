#include "ports/capture/filter.h"

#include <gtest/gtest.h>

#include "ports/capture/capture_builder.h"

namespace uct::capture::testing {
namespace {

// An IPv4 packet from 10.0.0.1 to 10.0.0.2, port 1024 to `port`.
std::string ipv4_packet(std::uint8_t protocol, std::uint16_t port) {
  Builder packet(Order::big);
  packet.u16(0x4500).u16(40).u32(0).number(64, 1).number(protocol, 1).u16(0);
  packet.u32(0x0a000001).u32(0x0a000002).u16(1024).u16(port).u64(0).u64(0);
  return {reinterpret_cast<const char*>(packet.content().data()), packet.size()};
}

std::string ethernet_frame(const std::string& packet) {
  return std::string(12, 'm') + std::string("\x08\x00", 2) + packet;
}

Frame frame_of(const std::string& bytes, std::uint32_t dlt) {
  Frame frame;
  frame.bytes = {reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()};
  frame.wire_size = static_cast<std::uint32_t>(bytes.size());
  frame.dlt = dlt;
  return frame;
}

TEST(Filter, MatchesWhatTheExpressionDescribes) {
  Filter filter = Filter::compile("tcp and port 80").value();
  const std::string web = ethernet_frame(ipv4_packet(6, 80));
  const std::string mail = ethernet_frame(ipv4_packet(6, 25));
  const std::string datagram = ethernet_frame(ipv4_packet(17, 80));
  EXPECT_TRUE(filter.matches(frame_of(web, 1)));
  EXPECT_FALSE(filter.matches(frame_of(mail, 1)));
  EXPECT_FALSE(filter.matches(frame_of(datagram, 1)));
  EXPECT_FALSE(filter.error());
}

TEST(Filter, CompilesAnewForEachLinkType) {
  Filter filter = Filter::compile("dst port 80").value();
  const std::string packet = ipv4_packet(6, 80);
  const std::string framed = ethernet_frame(packet);
  for (int round = 0; round < 2; ++round) {
    EXPECT_TRUE(filter.matches(frame_of(framed, 1)));
    EXPECT_TRUE(filter.matches(frame_of(packet, 101)));
    EXPECT_TRUE(filter.matches(frame_of(packet, 228)));
    EXPECT_FALSE(filter.matches(frame_of(packet, 1)));
  }
  EXPECT_FALSE(filter.error());
}

TEST(Filter, LengthIsThatOnTheWire) {
  Filter filter = Filter::compile("greater 1000").value();
  const std::string bytes = ethernet_frame(ipv4_packet(6, 80));
  Frame frame = frame_of(bytes, 1);
  EXPECT_FALSE(filter.matches(frame));
  frame.wire_size = 1500;
  EXPECT_TRUE(filter.matches(frame));
}

TEST(Filter, CutAndEmptyFramesDoNotMatch) {
  Filter filter = Filter::compile("tcp port 80").value();
  const std::string bytes = ethernet_frame(ipv4_packet(6, 80));
  for (std::size_t size = 0; size < 14 + 20 + 4; ++size) {
    const std::string cut(bytes.data(), size);  // on the heap, so that a read behind it is seen
    EXPECT_FALSE(filter.matches(frame_of(cut, 1))) << size;
  }
}

TEST(Filter, EmptyExpressionMatchesEverything) {
  Filter filter = Filter::compile("").value();
  EXPECT_TRUE(filter.matches(frame_of("x", 1)));
  EXPECT_TRUE(filter.matches(frame_of("", 147)));
}

TEST(Filter, MistakeIsRefusedInTheWordsOfLibpcap) {
  const auto filter = Filter::compile("tcp prot 80");
  ASSERT_FALSE(filter.ok());
  EXPECT_EQ(filter.error().rfind("\"tcp prot 80\" is no capture filter: ", 0), 0U);
  EXPECT_NE(filter.error().find("syntax error"), std::string::npos) << filter.error();
}

TEST(Filter, ExpressionForOneKindOfNetworkIsTakenAndFailsOnOthers) {
  auto compiled = Filter::compile("wlan type mgt");
  ASSERT_TRUE(compiled.ok());
  Filter filter = std::move(compiled).value();
  EXPECT_FALSE(filter.matches(frame_of(std::string(40, '\0'), 1)));
  ASSERT_TRUE(filter.error());
  EXPECT_NE(filter.error()->find("link type EN10MB"), std::string::npos) << *filter.error();
}

TEST(Filter, LinkTypeThatCannotBeFilteredIsNamed) {
  Filter filter = Filter::compile("tcp").value();
  EXPECT_FALSE(filter.matches(frame_of(std::string(60, '\0'), 147)));
  ASSERT_TRUE(filter.error());
  const std::string expected = "frames of link type 147 cannot be filtered by \"tcp\": ";
  EXPECT_EQ(filter.error()->rfind(expected, 0), 0U) << *filter.error();
  EXPECT_FALSE(filter.matches(frame_of(std::string(60, '\0'), 65'000)));
  EXPECT_NE(filter.error()->find("type 147"), std::string::npos) << "the first one stays";
}

}  // namespace
}  // namespace uct::capture::testing
