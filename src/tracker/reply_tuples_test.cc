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
  static KeyV4 reply_of(std::uint32_t number) { return key(number + 1000); }

  std::uint64_t hash_of(const KeyV4& key) const { return hash_key(key, tracker_.config.hash_key); }

  /// Takes a number for a connection, and its reply tuple.
  AliasPlace begin(std::uint32_t number) {
    const std::uint64_t hash = hash_of(key(number));
    Shard& shard = tracker_.shard_of(hash);
    AliasPlace place{shard.number, 0};
    {
      const SpinlockGuard guard(shard.lock);
      place.number = shard.v4.records.take_pair();
    }
    Translated<KeyV4>& other = tracker_.translated_at<KeyV4>(place);
    other.reply = reply_of(number);
    other.reply.generation = tracker_.generation_at<KeyV4>(place);
    set_hash(other, hash);
    std::optional<TrackerCore::Holder> holder;
    EXPECT_EQ(tracker_.enter_alias(reply_of(number), hash_of(reply_of(number)), 1, place, holder),
              Reason::none);
    return place;
  }

  /// Likewise, and enters the connection.
  AliasPlace open(std::uint32_t number) {
    AliasPlace place = begin(number);
    Shard& shard = tracker_.shards[place.shard];
    const SpinlockGuard guard(shard.lock);
    const KeyV4 own = key(number);
    const TrackerCore::Opening<KeyV4> opening{own, hash_of(own), 0, *tracker_.zones.entry(0),
                                              TimeoutPolicyId{}};
    EXPECT_EQ(tracker_.insert<KeyV4>(shard, opening, place.number), Reason::none);
    shard.v4.records.record(place.number).body.status |= status::kTranslated;
    set_entered(shard.v4.records.beside(place.number));
    return place;
  }

  void erase(std::uint32_t number, AliasPlace place) {
    Shard& shard = tracker_.shards[place.shard];
    const SpinlockGuard guard(shard.lock);
    tracker_.erase<KeyV4>(shard, place.number, hash_of(key(number)), DestroyCause::flushed);
  }

  Answers answers(std::uint32_t number, AliasPlace place) {
    Shard& shard = tracker_.shards[place.shard];
    const SpinlockGuard guard(shard.lock);
    return answers_to(shard, place.number, reply_of(number));
  }

  /// Gives     the entry of the reply tuple, or kNoNumber.
  std::uint32_t entry(std::uint32_t number) {
    const std::uint64_t hash = hash_of(reply_of(number));
    Shard& shard = tracker_.shard_of(hash);
    const SpinlockGuard guard(shard.lock);
    return tracker_.find_entry(shard, reply_of(number), hash);
  }

  bool has_number(AliasPlace place) {
    Shard& shard = tracker_.shards[place.shard];
    const SpinlockGuard guard(shard.lock);
    return shard.v4.records.numbers().is_live(place.number);
  }

  TrackerCore tracker_;
};

TEST_F(ReplyTuples, NameTheConnectionThatIsAnsweredWithThem) {
  const AliasPlace place = begin(1);
  const AliasPlace named = tracker_.place_of(entry(1));
  EXPECT_EQ(named.shard, place.shard);
  EXPECT_EQ(named.number, place.number);
  EXPECT_EQ(answers(1, place), Answers::no) << "it is not entered yet";
  const AliasPlace other = open(2);
  EXPECT_EQ(answers(2, other), Answers::yes);
  EXPECT_EQ(answers(1, other), Answers::no) << "with its own one only";
}

TEST_F(ReplyTuples, WhoHasOneIsSaidToTheNext) {
  const AliasPlace first = open(1);
  std::optional<TrackerCore::Holder> holder;
  const KeyV4 reply = reply_of(1);
  EXPECT_EQ(tracker_.enter_alias(reply, hash_of(reply), 1, {0, 7}, holder), Reason::nat_exhausted);
  ASSERT_TRUE(holder);
  EXPECT_EQ(holder->place.number, first.number);
  EXPECT_EQ(holder->hash, hash_of(key(1)));
  EXPECT_TRUE(holder->is_entered);
}

TEST_F(ReplyTuples, AreTakenOutOnce) {
  const AliasPlace place = begin(1);
  const AliasPlace other = begin(2);
  tracker_.drop_alias<KeyV4>(place);
  tracker_.drop_alias<KeyV4>(place);
  EXPECT_EQ(entry(1), kNoNumber);
  EXPECT_NE(entry(2), kNoNumber);
  tracker_.drop_alias<KeyV4>(other);
  EXPECT_FALSE(tracker_.has_aliases());
}

// Its entry names the number: another connection must not answer to it.
TEST_F(ReplyTuples, KeepTheNumberOfTheirConnectionUntilTheyAreGone) {
  const AliasPlace place = open(1);
  erase(1, place);
  EXPECT_EQ(answers(1, place), Answers::not_any_more);
  EXPECT_NE(entry(1), kNoNumber);
  EXPECT_TRUE(has_number(place));
  tracker_.drop_orphans(tracker_.shards[place.shard]);
  EXPECT_EQ(entry(1), kNoNumber);
  EXPECT_FALSE(has_number(place));
}

// A packet met the reply tuple before who removed the connection came to it.
TEST_F(ReplyTuples, ThatSomebodyElseTookOutAreNotMissed) {
  const AliasPlace place = open(1);
  erase(1, place);
  const std::uint32_t alias = entry(1);
  Shard& shard = tracker_.shard_of(hash_of(reply_of(1)));
  {
    const SpinlockGuard guard(shard.lock);
    tracker_.take_out_alias<KeyV4>(shard, alias, hash_of(reply_of(1)));
  }
  EXPECT_FALSE(tracker_.has_aliases());
  tracker_.drop_orphans(tracker_.shards[place.shard]);
  EXPECT_FALSE(has_number(place)) << "the number is free all the same";
  EXPECT_FALSE(tracker_.has_aliases());
}

TEST_F(ReplyTuples, MoreThanOneLockfulOfOrphansGoAtOnce) {
  std::vector<AliasPlace> places;
  for (std::uint32_t number = 0; number < 200; ++number) places.push_back(open(number));
  for (std::uint32_t number = 0; number < 200; ++number) erase(number, places[number]);
  tracker_.drop_orphans(tracker_.shards[0]);
  EXPECT_FALSE(tracker_.has_aliases());
  for (const AliasPlace& place : places) EXPECT_FALSE(has_number(place));
}

class ReplyTuplesInFourShards : public ReplyTuples {
 protected:
  ReplyTuplesInFourShards() : ReplyTuples(4) {}
};

// Packets look for reply tuples only while a shard has any.
TEST_F(ReplyTuplesInFourShards, ShardsThatHaveThemAreCounted) {
  std::vector<AliasPlace> places;
  std::set<std::uint32_t> shards;
  for (std::uint32_t number = 1; number <= 20; ++number) {
    places.push_back(begin(number));
    shards.insert(tracker_.shard_number(hash_of(reply_of(number))));
    EXPECT_EQ(tracker_.shards_with_aliases.load(), shards.size());
  }
  for (const AliasPlace& place : places) {
    EXPECT_NE(tracker_.shards_with_aliases.load(), 0U);
    tracker_.drop_alias<KeyV4>(place);
  }
  EXPECT_EQ(tracker_.shards_with_aliases.load(), 0U);
}

TEST_F(ReplyTuplesInFourShards, NamePlacesInAnyShard) {
  for (std::uint32_t number = 1; number <= 20; ++number) {
    const AliasPlace place = begin(number);
    const AliasPlace named = tracker_.place_of(entry(number));
    EXPECT_EQ(named.shard, place.shard);
    EXPECT_EQ(named.number, place.number);
  }
}

}  // namespace
}  // namespace uct::core
