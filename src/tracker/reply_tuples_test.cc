// What two threads can do to a reply tuple between two visits of its shard, step by step on one.
#include <gtest/gtest.h>

#include "tracker/tracker_core.h"

namespace uct::core {
namespace {

class ReplyTuples : public testing::Test {
 protected:
  ReplyTuples() : tracker_(one_shard()) { EXPECT_TRUE(tracker_.reserve()); }

  static Config one_shard() {
    Config config;
    config.shards = 1;
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
  EXPECT_EQ(tracker_.aliases.load(), 1U) << "nor is the other one taken out";
}

}  // namespace
}  // namespace uct::core
