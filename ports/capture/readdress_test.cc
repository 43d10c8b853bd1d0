#include "ports/capture/readdress.h"

#include <gtest/gtest.h>

#include "ports/capture/capture_builder.h"

namespace uct::capture::testing {
namespace {

constexpr std::uint32_t kStride = 4099;

std::uint32_t u16_at(const Content& bytes, std::size_t at) {
  return std::to_integer<std::uint32_t>(bytes[at]) << 8 |
         std::to_integer<std::uint32_t>(bytes[at + 1]);
}

std::uint32_t u32_at(const Content& bytes, std::size_t at) {
  return u16_at(bytes, at) << 16 | u16_at(bytes, at + 2);
}

// The ones' complement sum of [from, to), with `more` added: 0xffff where the checksum is right.
std::uint32_t sum_of(const Content& bytes, std::size_t from, std::size_t to,
                     std::uint32_t more = 0) {
  std::uint32_t sum = more;
  for (std::size_t at = from; at < to; at += 2) sum += u16_at(bytes, at);
  while (sum > 0xffff) sum = (sum >> 16) + (sum & 0xffff);
  return sum;
}

void set_checksum(Content& bytes, std::size_t at, std::uint32_t sum) {
  bytes[at] = static_cast<std::byte>(~sum >> 8);
  bytes[at + 1] = static_cast<std::byte>(~sum);
}

constexpr std::uint32_t kHere = 0xc0a80105;   // 192.168.1.5
constexpr std::uint32_t kThere = 0x08fffff0;  // 8.255.255.240: the low 24 bits wrap

// Ethernet (14 bytes, or 18 with a tag), IPv4 (20), then `segment`, of even size, whose checksum is
// at `field`. `pseudo` says that it covers the addresses.
Content ipv4_frame(std::uint8_t protocol, const Builder& segment, std::size_t field, bool pseudo,
                   std::uint32_t destination = kThere) {
  Builder frame(Order::big);
  frame.text("aaaaaabbbbbb").u16(0x0800);
  frame.u16(0x4500).u16(20 + segment.size()).u32(0).number(64, 1).number(protocol, 1).u16(0);
  frame.u32(kHere).u32(destination);
  Content content = frame.content();
  content.insert(content.end(), segment.content().begin(), segment.content().end());
  set_checksum(content, 24, sum_of(content, 14, 34));
  const auto more = static_cast<std::uint32_t>(protocol + segment.size());
  set_checksum(content, 34 + field, 0xffff);
  set_checksum(
      content, 34 + field,
      pseudo ? sum_of(content, 26, content.size(), more) : sum_of(content, 34, content.size()));
  return content;
}

bool ipv4_checksums_are_right(const Content& frame, bool pseudo) {
  const auto more =
      static_cast<std::uint32_t>(std::to_integer<unsigned>(frame[23]) + frame.size() - 34);
  return sum_of(frame, 14, 34) == 0xffff && (pseudo ? sum_of(frame, 26, frame.size(), more)
                                                    : sum_of(frame, 34, frame.size())) == 0xffff;
}

Content ipv6_frame(std::uint8_t protocol, const Builder& segment, std::size_t field) {
  Builder frame(Order::big);
  frame.text("aaaaaabbbbbb").u16(0x86dd);
  frame.u32(0x60000000).u16(segment.size()).number(protocol, 1).number(64, 1);
  frame.u64(0x20010db800000000).u64(5).u64(0x20010db800000001).u64(0xfffffff0);
  Content content = frame.content();
  content.insert(content.end(), segment.content().begin(), segment.content().end());
  const auto more = static_cast<std::uint32_t>(protocol + segment.size());
  set_checksum(content, 54 + field, 0xffff);
  set_checksum(content, 54 + field, sum_of(content, 22, content.size(), more));
  return content;
}

bool ipv6_checksum_is_right(const Content& frame) {
  const auto more =
      static_cast<std::uint32_t>(std::to_integer<unsigned>(frame[20]) + frame.size() - 54);
  return sum_of(frame, 22, frame.size(), more) == 0xffff;
}

Builder segment_of(std::size_t size) {
  Builder segment(Order::big);
  for (std::size_t i = 0; i < size; i += 2) segment.u16(i * 2654435761U);
  return segment;
}

TEST(Readdress, ShiftsBothIpv4AddressesWithinTheirNetwork) {
  Content frame = ipv4_frame(6, segment_of(20), 16, true);
  EXPECT_TRUE(readdress(frame, 3));
  EXPECT_EQ(u32_at(frame, 26), kHere + 3 * kStride);
  EXPECT_EQ(u32_at(frame, 30), 0x08000000 + ((0xfffff0 + 3 * kStride) & 0xffffff));
}

TEST(Readdress, KeepsIpv4ChecksumsRight) {
  const std::pair<std::uint8_t, std::size_t> fields[] = {{6, 16}, {17, 6}, {136, 6}, {33, 6}};
  for (const auto& [protocol, field] : fields) {
    for (std::uint32_t round = 1; round < 2000; round += 7) {
      Content frame = ipv4_frame(protocol, segment_of(24), field, true);
      ASSERT_TRUE(ipv4_checksums_are_right(frame, true));
      readdress(frame, round);
      ASSERT_TRUE(ipv4_checksums_are_right(frame, true)) << int{protocol} << " round " << round;
    }
  }
}

TEST(Readdress, KeepsWrongChecksumsWrong) {
  Content frame = ipv4_frame(6, segment_of(20), 16, true);
  frame[50] ^= std::byte{1};
  readdress(frame, 1);
  EXPECT_FALSE(ipv4_checksums_are_right(frame, true));
}

TEST(Readdress, LeavesAnAbsentUdpChecksumAbsent) {
  Content frame = ipv4_frame(17, segment_of(12), 6, true);
  frame[40] = frame[41] = std::byte{0};
  readdress(frame, 1);
  EXPECT_EQ(u16_at(frame, 40), 0U);
}

TEST(Readdress, KeepsIpv6ChecksumsRight) {
  const std::pair<std::uint8_t, std::size_t> fields[] = {{6, 16}, {17, 6}, {58, 2}};
  for (const auto& [protocol, field] : fields) {
    for (std::uint32_t round = 1; round < 2000; round += 7) {
      Content frame = ipv6_frame(protocol, segment_of(24), field);
      ASSERT_TRUE(ipv6_checksum_is_right(frame));
      ASSERT_TRUE(readdress(frame, round));
      ASSERT_TRUE(ipv6_checksum_is_right(frame)) << int{protocol} << " round " << round;
      ASSERT_EQ(u32_at(frame, 34), 5 + round * kStride);
    }
  }
}

TEST(Readdress, ShiftsWhatAnIcmpErrorQuotes) {
  const Content inner = ipv4_frame(17, segment_of(12), 6, true);
  Builder error(Order::big);
  error.u16(0x0303).u16(0).u32(0);
  error.text(std::string(reinterpret_cast<const char*>(inner.data()) + 14, inner.size() - 14));
  Content frame = ipv4_frame(1, error, 2, false);
  ASSERT_TRUE(readdress(frame, 9));
  EXPECT_EQ(u32_at(frame, 26), kHere + 9 * kStride);
  EXPECT_EQ(u32_at(frame, 34 + 8 + 12), kHere + 9 * kStride);
  EXPECT_TRUE(ipv4_checksums_are_right(frame, false));
  Content quoted(14);
  std::copy(inner.begin(), inner.begin() + 14, quoted.begin());
  quoted.insert(quoted.end(), frame.begin() + 34 + 8, frame.end());
  EXPECT_TRUE(ipv4_checksums_are_right(quoted, true));
}

TEST(Readdress, ShiftsWhatAnIcmpv6ErrorQuotes) {
  const Content inner = ipv6_frame(17, segment_of(12), 6);
  Builder error(Order::big);
  error.u16(0x0104).u16(0).u32(0);
  error.text(std::string(reinterpret_cast<const char*>(inner.data()) + 14, inner.size() - 14));
  Content frame = ipv6_frame(58, error, 2);
  ASSERT_TRUE(readdress(frame, 9));
  EXPECT_EQ(u32_at(frame, 54 + 8 + 20), 5 + 9 * kStride);
  EXPECT_TRUE(ipv6_checksum_is_right(frame));
}

TEST(Readdress, LeavesAddressesThatMeanSomethingByThemselves) {
  for (const std::uint32_t address : {0x00000000U, 0x7f000001U, 0xe0000001U, 0xffffffffU}) {
    Content frame = ipv4_frame(6, segment_of(20), 16, true, address);
    readdress(frame, 5);
    EXPECT_EQ(u32_at(frame, 30), address);
    EXPECT_TRUE(ipv4_checksums_are_right(frame, true));
  }
}

TEST(Readdress, LaterFragmentsKeepTheirBytes) {
  Content frame = ipv4_frame(6, segment_of(20), 16, true);
  frame[21] = std::byte{9};  // fragment offset
  const Content before = frame;
  EXPECT_TRUE(readdress(frame, 1));
  EXPECT_TRUE(std::equal(frame.begin() + 34, frame.end(), before.begin() + 34));
}

TEST(Readdress, StepsOverVlanTagsAndIpv6ExtensionHeaders) {
  Builder options(Order::big);
  options.number(6, 1).number(0, 1).u16(0).u32(0);
  const Builder segment = segment_of(20);
  Builder both = options;
  both.text({reinterpret_cast<const char*>(segment.content().data()), segment.size()});
  Content frame = ipv6_frame(0, both, 8 + 16);
  const std::uint32_t before = u16_at(frame, 54 + 8 + 16);
  const Content tag = Builder(Order::big).u16(0x8100).u16(7).content();
  frame.insert(frame.begin() + 12, tag.begin(), tag.end());
  EXPECT_TRUE(readdress(frame, 1));
  EXPECT_NE(u16_at(frame, 4 + 54 + 8 + 16), before);
}

TEST(Readdress, CutFramesAreSafe) {
  const Content whole = ipv6_frame(58, segment_of(60), 2);
  const Content other = ipv4_frame(1, segment_of(60), 2, false);
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    Content cut(whole.begin(), whole.begin() + static_cast<long>(size));
    EXPECT_EQ(readdress(cut, 1), size >= 54);
  }
  for (std::size_t size = 0; size <= other.size(); ++size) {
    Content cut(other.begin(), other.begin() + static_cast<long>(size));
    EXPECT_EQ(readdress(cut, 1), size >= 34);
  }
}

TEST(Readdress, OtherFramesStayAsTheyAre) {
  Content arp = Builder(Order::big).text("aaaaaabbbbbb").u16(0x0806).u64(1).u64(2).content();
  const Content before = arp;
  EXPECT_FALSE(readdress(arp, 1));
  EXPECT_EQ(arp, before);
}

}  // namespace
}  // namespace uct::capture::testing
