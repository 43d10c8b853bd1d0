// What two threads can do to a reply tuple between two visits of its shard, step by step on one.
#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "tracker/tracker_core.h"

namespace uct::core {
namespace {

class ReplyTuples : public testing::Test {
 protected:
  explicit ReplyTuples(std::uint32_t shards = 1) : tracker_(config_with(shards)) {
    EXPECT_TRUE(tracker_.reserve());
  }

  static Config config_with(std::uint32_t shards) {
    Config config;
    config.shards = shards;
    return config;
  }

  static KeyV4 key(std::uint32_t number) {
    KeyV4 key{};
    key.kind = Kind::udp;
    key.address[0][0] = number;
    return key;
  }

  AliasPlace enter(std::uint32_t number) {
    AliasPlace place{};
    std::optional<Home> holder;
    const KeyV4 reply = key(number);
    const std::uint64_t hash = hash_key(reply, tracker_.config.hash_key);
    EXPECT_EQ(tracker_.enter_alias(reply, hash, 1, place, holder), Reason::none);
    return place;
  }

  bool is_there(const AliasPlace& place) {
    Shard& shard = tracker_.shards[place.shard];
    const SpinlockGuard guard(shard.lock);
    return shard.v4.aliases.numbers().is_live(place.number);
  }

  bool is_linked(const AliasPlace& place) {
    Shard& shard = tracker_.shards[place.shard];
    const SpinlockGuard guard(shard.lock);
    return shard.v4.aliases[place.number].home.is_linked();
  }

  static constexpr Home kHome{2, 3, 0, 1, {0, 0}};

  TrackerCore tracker_;
};

TEST_F(ReplyTuples, AreLinkedAfterTheirConnectionIsEntered) {
  const AliasPlace place = enter(1);
  EXPECT_FALSE(is_linked(place));
  tracker_.link_alias<KeyV4>(place, kHome);
  EXPECT_TRUE(is_linked(place));
}

// Its connection was entered by this thread and removed by another before the link was made.
TEST_F(ReplyTuples, ThatAreGoneAreNotLinkedInAnothersPlace) {
  const AliasPlace gone = enter(1);
  tracker_.drop_alias(gone);
  const AliasPlace other = enter(2);
  ASSERT_EQ(other.number, gone.number) << "the place is used again";
  tracker_.link_alias<KeyV4>(gone, kHome);
  EXPECT_FALSE(is_linked(other));
  tracker_.drop_alias(gone);
  EXPECT_TRUE(is_there(other)) << "nor is the other one taken out";
}

class ReplyTuplesInFourShards : public ReplyTuples {
 protected:
  ReplyTuplesInFourShards() : ReplyTuples(4) {}
};

// Packets look for reply tuples only while a shard has any.
TEST_F(ReplyTuplesInFourShards, ShardsThatHaveThemAreCounted) {
  std::vector<AliasPlace> places;
  std::set<unsigned> shards;
  for (std::uint32_t number = 1; number <= 20; ++number) {
    places.push_back(enter(number));
    shards.insert(places.back().shard);
    EXPECT_EQ(tracker_.shards_with_aliases.load(), shards.size());
  }
  for (const AliasPlace& place : places) {
    EXPECT_NE(tracker_.shards_with_aliases.load(), 0U);
    tracker_.drop_alias(place);
  }
  EXPECT_EQ(tracker_.shards_with_aliases.load(), 0U);
}

}  // namespace
}  // namespace uct::core
