#include "nat/address_set.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/support/addresses.h"
#include "tests/support/random.h"

namespace uct::core {
namespace {

using uct::test::address;
using uct::test::range;

TEST(AddressNumber, IsTheAddress) {
  for (const char* text : {"0.0.0.0", "1.2.3.4", "255.255.255.255", "::", "2001:db8::1:ff",
                           "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}) {
    const Address wanted = address(text);
    EXPECT_EQ(to_string(address_of(number_of(wanted), wanted.family)), text);
  }
  EXPECT_EQ(number_of(address("1.2.3.4")), AddressNumber{0x01020304});
  EXPECT_EQ(number_of(address("::1:2")), AddressNumber{0x00010002});
}

TEST(AddressSet, RangesEndNotBeforeTheyBegin) {
  EXPECT_TRUE(is_range(range("10.0.0.1", "10.0.0.1")));
  EXPECT_TRUE(is_range(range("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")));
  EXPECT_FALSE(is_range(range("10.0.1.0", "10.0.0.9")));
  EXPECT_FALSE(is_range(range("10.0.0.1", "::ffff")));
}

TEST(AddressSet, HasWholeFamilies) {
  AddressSet v4(Family::ipv4);
  EXPECT_TRUE(v4.empty());
  EXPECT_FALSE(v4.contains(address("0.0.0.0")));
  v4.add(range("0.0.0.0", "255.255.255.255"));
  AddressSet v6(Family::ipv6);
  v6.add(range("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
  EXPECT_FALSE(v4.empty() || v6.empty());
  for (const char* text : {"0.0.0.0", "10.0.0.1", "255.255.255.255"}) {
    EXPECT_TRUE(v4.contains(address(text))) << text;
    EXPECT_FALSE(v6.contains(address(text))) << text;
  }
  EXPECT_TRUE(v6.contains(address("2001:db8::1")));
  EXPECT_FALSE(v4.contains(address("2001:db8::1")));
}

/// Random ranges of a /24, beside a set of all their addresses.
TEST(AddressSet, HasWhatItsRangesHave) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    uct::test::Random random(seed);
    const auto at = [](std::uint32_t last) {
      return Address{{10, 0, 0, static_cast<std::uint8_t>(last)}, Family::ipv4};
    };
    AddressSet set(Family::ipv4);
    std::set<std::uint32_t> wanted;
    for (unsigned ranges = 1 + random() % 12; ranges > 0; --ranges) {
      const std::uint32_t first = random() % 256;
      const std::uint32_t last = std::min<std::uint32_t>(first + random() % 40, 255);
      set.add({at(first), at(last)});
      for (std::uint32_t number = first; number <= last; ++number) wanted.insert(number);
    }
    for (std::uint32_t number = 0; number < 256; ++number) {
      ASSERT_EQ(set.contains(at(number)), wanted.contains(number)) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace uct::core
