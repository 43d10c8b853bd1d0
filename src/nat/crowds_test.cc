#include "nat/crowds.h"

#include <gtest/gtest.h>

#include <set>

#include "base/bytes.h"

namespace uct::core {
namespace {

constexpr std::uint32_t kExternal[4] = {0x097100cb};
constexpr std::uint32_t kRemote[4] = {0x016433c6};

CrowdKey key_of(std::uint16_t remote_port = 53, Kind kind = Kind::udp) {
  return Crowds({1, 2}).make_key(kExternal, kRemote, remote_port, 0, kind, Family::ipv4);
}

/// A record of the table that has an external port.
KeyV4 record_of(std::uint16_t port, std::uint16_t remote_port = 53) {
  KeyV4 key{};
  make_ported_key({kExternal[0]}, {kRemote[0]}, {big_endian(port), big_endian(remote_port)}, 0,
                  Kind::udp, key);
  return key;
}

TEST(Crowds, GiveEachPortOfARangeOnce) {
  Crowds crowds({1, 2});
  EXPECT_EQ(crowds.take_exact(key_of(), 999), Crowds::Take::no_crowd);
  ASSERT_TRUE(crowds.make(key_of()));
  EXPECT_EQ(crowds.take_exact(key_of(), 999), Crowds::Take::taken);
  EXPECT_EQ(crowds.take_exact(key_of(54), 999), Crowds::Take::no_crowd);
  std::set<std::uint16_t> ports;
  std::uint16_t port = 0;
  for (std::uint64_t i = 0; i < 200; ++i) {
    const std::uint64_t random = i * 0x9e3779b97f4a7c15;
    ASSERT_EQ(crowds.take(key_of(), {1000, 1199}, random, port), Crowds::Take::taken);
    EXPECT_TRUE(port >= 1000 && port <= 1199 && ports.insert(port).second) << port;
  }
  EXPECT_EQ(crowds.take(key_of(), {1000, 1199}, 0, port), Crowds::Take::not_free);
  EXPECT_EQ(crowds.take_exact(key_of(), 1000), Crowds::Take::not_free);
  EXPECT_EQ(crowds.take_exact(key_of(), 1200), Crowds::Take::taken);
}

TEST(Crowds, HaveAPortAgainWhenItsEntryLeavesTheTable) {
  Crowds crowds({1, 2});
  ASSERT_TRUE(crowds.make(key_of()));
  std::uint16_t port = 0;
  ASSERT_EQ(crowds.take(key_of(), {7, 7}, 0, port), Crowds::Take::taken);
  ASSERT_EQ(crowds.take_exact(key_of(), 9), Crowds::Take::taken);
  crowds.leaves(record_of(8));
  crowds.leaves(record_of(7, 54));
  EXPECT_EQ(crowds.take_exact(key_of(), 7), Crowds::Take::not_free);
  crowds.leaves(record_of(7));
  EXPECT_EQ(crowds.take_exact(key_of(), 7), Crowds::Take::taken);
}

TEST(Crowds, DisperseWhenAllIsFree) {
  Crowds crowds({1, 2});
  ASSERT_TRUE(crowds.make(key_of()));
  ASSERT_EQ(crowds.take_exact(key_of(), 7), Crowds::Take::taken);
  ASSERT_EQ(crowds.take_exact(key_of(), 8), Crowds::Take::taken);
  crowds.leaves(record_of(7));
  EXPECT_EQ(crowds.count(), 1U);
  crowds.leaves(record_of(8));
  EXPECT_EQ(crowds.count(), 0U);
  std::uint16_t port = 0;
  EXPECT_EQ(crowds.take(key_of(), {7, 9}, 0, port), Crowds::Take::no_crowd);
  EXPECT_EQ(crowds.take_exact(key_of(), 7), Crowds::Take::no_crowd);
}

TEST(Crowds, AreBounded) {
  Crowds crowds({1, 2});
  for (std::uint16_t i = 0; i < Crowds::kCrowdsMax; ++i) ASSERT_TRUE(crowds.make(key_of(i)));
  EXPECT_FALSE(crowds.make(key_of(Crowds::kCrowdsMax)));
  EXPECT_TRUE(crowds.make(key_of(0))) << "it is there";
}

}  // namespace
}  // namespace uct::core
