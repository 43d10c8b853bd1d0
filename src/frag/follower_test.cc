#include "frag/follower.h"

#include <gtest/gtest.h>

namespace uct::core {
namespace {

constexpr std::uint32_t kMost = 4;

class FragmentFollowing : public testing::Test {
 protected:
  static ParsedPacket fragment(std::uint32_t id) {
    ParsedPacket packet;
    packet.kind = Kind::udp;
    packet.protocol = 17;
    packet.source[0] = 1;
    packet.destination[0] = 2;
    packet.fragment_id = id;
    return packet;
  }

  void remember(std::uint32_t id, std::uint64_t now_ms = 0, std::uint16_t port = 53) {
    DatagramVerdict verdict;
    verdict.state = StateFlags::new_ | StateFlags::tracked;
    verdict.source_port = port;
    follower.remember(fragment(id), 0, now_ms, verdict);
  }

  bool follows(std::uint32_t id, std::uint64_t now_ms = 0) {
    return follower.follow(fragment(id), 0, now_ms).has_value();
  }

  FragmentFollower follower{kMost, Duration(1000), HashKey{1, 2}};
};

}  // namespace

TEST_F(FragmentFollowing, LaterOnesGetTheVerdictOfTheFirst) {
  remember(7);
  const auto verdict = follower.follow(fragment(7), 0, 0);
  ASSERT_TRUE(verdict.has_value());
  EXPECT_EQ(verdict->state, StateFlags::new_ | StateFlags::tracked);
  EXPECT_EQ(verdict->source_port, 53);
}

TEST_F(FragmentFollowing, NothingIsFollowedBeforeItsFirst) { EXPECT_FALSE(follows(7)); }

TEST_F(FragmentFollowing, EveryPartOfTheDatagramsNameCounts) {
  remember(7);
  EXPECT_FALSE(follower.follow(fragment(8), 0, 0));
  EXPECT_FALSE(follower.follow(fragment(7), 1, 0)) << "zone";
  ParsedPacket other = fragment(7);
  other.protocol = 6;
  EXPECT_FALSE(follower.follow(other, 0, 0)) << "protocol";
  other = fragment(7);
  other.source[0] = 3;
  EXPECT_FALSE(follower.follow(other, 0, 0)) << "source";
  other = fragment(7);
  other.destination[3] = 1;
  EXPECT_FALSE(follower.follow(other, 0, 0)) << "destination";
  other = fragment(7);
  other.family = Family::ipv6;
  EXPECT_FALSE(follower.follow(other, 0, 0)) << "family";
  std::swap(other.source, other.destination);
  EXPECT_FALSE(follower.follow(other, 0, 0)) << "direction";
}

TEST_F(FragmentFollowing, ExpiresAtItsTimeoutAndNotBefore) {
  remember(7, 500);
  EXPECT_TRUE(follows(7, 1499));
  EXPECT_FALSE(follows(7, 1500));
}

TEST_F(FragmentFollowing, LaterOnesDoNotProlong) {
  remember(7, 0);
  EXPECT_TRUE(follows(7, 999));
  EXPECT_FALSE(follows(7, 1000));
}

TEST_F(FragmentFollowing, OldestMakesRoomAtTheCap) {
  for (std::uint32_t id = 0; id < kMost; ++id) remember(id);
  EXPECT_EQ(follower.size(), kMost);
  remember(kMost);
  EXPECT_EQ(follower.size(), kMost);
  EXPECT_FALSE(follows(0));
  for (std::uint32_t id = 1; id <= kMost; ++id) EXPECT_TRUE(follows(id)) << id;
}

TEST_F(FragmentFollowing, SecondFirstOfOneIdOverwrites) {
  remember(7, 0, 53);
  remember(7, 500, 54);
  EXPECT_EQ(follower.size(), 1U);
  const auto verdict = follower.follow(fragment(7), 0, 1400);
  ASSERT_TRUE(verdict.has_value());
  EXPECT_EQ(verdict->source_port, 54);
}

TEST_F(FragmentFollowing, ManyRoundsKeepCountAndChainsRight) {
  for (std::uint32_t id = 0; id < 1000; ++id) {
    remember(id % 7 == 0 ? id / 7 : id);
    ASSERT_LE(follower.size(), kMost);
    ASSERT_TRUE(follows(id % 7 == 0 ? id / 7 : id)) << id;
  }
}

TEST(FragmentFollowerOfNone, HoldsOneDatagramAllTheSame) {
  FragmentFollower follower(0, Duration(1000), HashKey{});
  ParsedPacket packet;
  packet.fragment_id = 1;
  follower.remember(packet, 0, 0, {});
  EXPECT_TRUE(follower.follow(packet, 0, 0));
  EXPECT_EQ(follower.size(), 1U);
}

}  // namespace uct::core
