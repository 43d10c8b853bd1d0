#include "nat/prefix.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>

#include "tests/support/addresses.h"

namespace uct::core {
namespace {

using uct::test::address;
using uct::test::nat_range;

struct Words {
  explicit Words(const char* text) : family(address(text).family) {
    std::memcpy(words, address(text).bytes.data(), sizeof(words));
  }
  std::string text() const {
    Address result;
    result.family = family;
    std::memcpy(result.bytes.data(), words, sizeof(words));
    return to_string(result);
  }
  Family family;
  std::uint32_t words[4];
};

std::uint32_t sum_of(const std::uint32_t (&words)[4]) {
  std::uint8_t bytes[16];
  std::memcpy(bytes, words, sizeof(bytes));
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < 16; i += 2) sum += std::uint32_t{bytes[i]} << 8 | bytes[i + 1];
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return sum == 0xffff ? 0 : sum;
}

TEST(PrefixBits, OfARangeThatIsAPrefix) {
  EXPECT_EQ(prefix_bits(nat_range("198.51.100.0", "198.51.100.255")), 24U);
  EXPECT_EQ(prefix_bits(nat_range("198.51.100.8", "198.51.100.9")), 31U);
  EXPECT_EQ(prefix_bits(nat_range("198.51.100.8", "198.51.100.8")), 32U);
  EXPECT_EQ(prefix_bits(nat_range("2001:db8::", "2001:db8:0:ffff:ffff:ffff:ffff:ffff")), 48U);
  EXPECT_EQ(prefix_bits(nat_range("198.51.100.1", "198.51.100.2")), std::nullopt);
  EXPECT_EQ(prefix_bits(nat_range("198.51.100.0", "198.51.100.254")), std::nullopt);
  EXPECT_EQ(prefix_bits(nat_range("198.51.100.1", "198.51.101.0")), std::nullopt);
}

TEST(SetPrefix, KeepsTheHost) {
  Words host("10.1.2.77");
  set_prefix(nat_range("198.51.100.0", "198.51.100.255"), host.words);
  EXPECT_EQ(host.text(), "198.51.100.77");
  Words odd("10.1.2.77");
  set_prefix(nat_range("198.51.100.64", "198.51.100.79"), odd.words);
  EXPECT_EQ(odd.text(), "198.51.100.77");
  Words v6("fd01:203:405:6::1234");
  set_prefix(nat_range("2001:db8:1::", "2001:db8:1:ffff:ffff:ffff:ffff:ffff"), v6.words);
  EXPECT_EQ(v6.text(), "2001:db8:1:6::1234");
}

/// The example of RFC 6296 section 3.4 in its numbers: 0x0001 becomes 0xd550 - 1 + ...
TEST(SetPrefixNeutrally, ChangesTheSubnetOfALongSite) {
  Words host("fd01:203:405:1::1234");
  ASSERT_TRUE(set_prefix_neutrally(nat_range("2001:db8:1::", "2001:db8:1:ffff:ffff:ffff:ffff:ffff"),
                                   host.words));
  EXPECT_EQ(host.text(), "2001:db8:1:d550::1234");
}

TEST(SetPrefixNeutrally, TakesTheHostsFirstWordBehindALongerPrefix) {
  Words host("fd01:203:405:7::1234");
  const NatRange to = nat_range("2001:db8:1:2::", "2001:db8:1:2:ffff:ffff:ffff:ffff");
  const std::uint32_t before = sum_of(host.words);
  ASSERT_TRUE(set_prefix_neutrally(to, host.words));
  EXPECT_EQ(sum_of(host.words), before);
  EXPECT_TRUE(host.text().starts_with("2001:db8:1:2:")) << host.text();
  EXPECT_TRUE(host.text().ends_with("::1234")) << host.text();
}

TEST(SetPrefixNeutrally, RefusesASubnetOfAllOnes) {
  Words host("fd01:203:405:ffff::1");
  EXPECT_FALSE(set_prefix_neutrally(
      nat_range("2001:db8:1::", "2001:db8:1:ffff:ffff:ffff:ffff:ffff"), host.words));
  EXPECT_EQ(host.text(), "fd01:203:405:ffff::1");
  Words all("fd01:203:405:7:ffff:ffff:ffff:ffff");
  EXPECT_FALSE(set_prefix_neutrally(nat_range("2001:db8:1:2::", "2001:db8:1:2:ffff:ffff:ffff:ffff"),
                                    all.words));
}

TEST(SetPrefixNeutrally, KeepsTheSumOfAnyAddress) {
  std::mt19937_64 random(6296);
  for (int i = 0; i < 100'000; ++i) {
    std::uint32_t words[4];
    for (std::uint32_t& word : words) word = static_cast<std::uint32_t>(random());
    const unsigned bits = static_cast<unsigned>(random() % 65);
    NatRange to;
    to.first.family = to.last.family = Family::ipv6;
    for (std::size_t bit = 0; bit < 128; ++bit) {
      const auto mask = static_cast<std::uint8_t>(0x80U >> bit % 8);
      const bool one = bit < bits && (random() & 1) != 0;
      if (one) to.first.bytes[bit / 8] |= mask;
      if (one || bit >= bits) to.last.bytes[bit / 8] |= mask;
    }
    ASSERT_EQ(prefix_bits(to), bits);
    const std::uint32_t before = sum_of(words);
    if (!set_prefix_neutrally(to, words)) continue;
    ASSERT_EQ(sum_of(words), before) << bits;
  }
}

}  // namespace
}  // namespace uct::core
