#include "table/pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <set>
#include <vector>

namespace uct::core {
namespace {

TEST(NumberPool, TakesTheLowestFreeNumber) {
  NumberPool pool;
  ASSERT_TRUE(pool.reserve(NumberPool::kChunk * 3));
  for (std::uint32_t i = 0; i < NumberPool::kChunk * 2; ++i) ASSERT_EQ(pool.take(), i);
  pool.free(NumberPool::kChunk + 5);
  pool.free(70);
  EXPECT_EQ(pool.take(), 70U);
  EXPECT_EQ(pool.take(), NumberPool::kChunk + 5);
  EXPECT_EQ(pool.take(), NumberPool::kChunk * 2);
}

TEST(NumberPool, GivesNoneWhenFullAndGoesOnAfterAFree) {
  NumberPool pool;
  ASSERT_TRUE(pool.reserve(1));
  for (std::uint32_t i = 0; i < NumberPool::kChunk; ++i) ASSERT_EQ(pool.take(), i);
  EXPECT_EQ(pool.take(), NumberPool::kNone);
  pool.free(17);
  EXPECT_EQ(pool.take(), 17U);
}

TEST(NumberPool, PairsAndSinglesTakeTheLowestRoomThatTheyFit) {
  NumberPool pool;
  ASSERT_TRUE(pool.reserve(1));
  EXPECT_EQ(pool.take(), 0U);
  EXPECT_EQ(pool.take_pair(), 2U) << "1 is alone";
  EXPECT_EQ(pool.take(), 1U);
  EXPECT_EQ(pool.take(), 4U);
  EXPECT_EQ(pool.take_pair(), 6U);
  pool.free(2);
  EXPECT_EQ(pool.take(), 2U);
  EXPECT_EQ(pool.take_pair(), 8U) << "3 is alone now";
  EXPECT_EQ(pool.take(), 3U);
  EXPECT_EQ(pool.take(), 5U);
}

TEST(NumberPool, OfAPairTheFirstAloneIsKnown) {
  NumberPool pool;
  ASSERT_TRUE(pool.reserve(1));
  ASSERT_EQ(pool.take_pair(), 0U);
  ASSERT_EQ(pool.take(), 2U);
  EXPECT_TRUE(pool.is_live(0));
  EXPECT_FALSE(pool.is_live(1));
  EXPECT_EQ(pool.next_live(1), 2U);
  EXPECT_EQ(pool.live(), 3U);
  pool.free(0);
  EXPECT_EQ(pool.live(), 1U);
  EXPECT_EQ(pool.take(), 0U);
  EXPECT_EQ(pool.take(), 1U);
  EXPECT_TRUE(pool.is_live(1)) << "it belongs to no pair any more";
  pool.free(0);
  EXPECT_TRUE(pool.is_live(1));
}

TEST(NumberPool, HasRoomForAPairWhileHalfItsCapacityIsNotTaken) {
  // The worst that singles can do: one in each pair, the first or the second.
  constexpr std::uint32_t kPairs = NumberPool::kChunk;
  NumberPool pool;
  ASSERT_TRUE(pool.reserve(2 * kPairs));
  for (std::uint32_t i = 0; i < 2 * kPairs; ++i) ASSERT_EQ(pool.take(), i);
  for (std::uint32_t i = 0; i < kPairs - 1; ++i) pool.free(2 * i + i % 2);
  ASSERT_EQ(pool.take_pair(), NumberPool::kNone);
  pool.free(2 * kPairs - 2);
  ASSERT_EQ(pool.take_pair(), NumberPool::kNone) << "all pairs have one taken";
  pool.free(2 * kPairs - 1);
  EXPECT_EQ(pool.take_pair(), 2 * kPairs - 2)
      << "one is free, with as many singles as pairs but one";
  EXPECT_EQ(pool.take_pair(), NumberPool::kNone);
}

/// What NumberPool is to answer, looked up one by one.
class NaiveNumbers {
 public:
  explicit NaiveNumbers(std::uint32_t capacity) : taken_(capacity), is_pair_(capacity) {}

  std::uint32_t take() {
    return take_first(1, [](std::size_t) { return true; });
  }
  std::uint32_t take_pair() {
    const std::uint32_t number = take_first(2, [](std::size_t i) { return i % 2 == 0; });
    if (number != NumberPool::kNone) is_pair_[number] = true;
    return number;
  }
  void free(std::uint32_t number) {
    taken_[number] = false;
    if (is_pair_[number]) taken_[number + 1] = false;
    is_pair_[number] = false;
  }

 private:
  template <typename F>
  std::uint32_t take_first(std::size_t count, F&& may_be) {
    for (std::size_t i = 0; i + count <= taken_.size(); ++i) {
      if (!may_be(i) || taken_[i] || taken_[i + count - 1]) continue;
      taken_[i] = taken_[i + count - 1] = true;
      return static_cast<std::uint32_t>(i);
    }
    return NumberPool::kNone;
  }

  std::vector<bool> taken_;
  std::vector<bool> is_pair_;
};

TEST(NumberPool, PairsAndSinglesAgreeWithANaiveModel) {
  std::mt19937 random(20261130);
  constexpr std::uint32_t kCapacity = 2 * NumberPool::kChunk;
  NumberPool pool;
  ASSERT_TRUE(pool.reserve(kCapacity));
  NaiveNumbers naive(kCapacity);
  std::vector<std::uint32_t> live;
  for (int step = 0; step < 60'000; ++step) {
    // Mostly taken until it is full, then mostly freed, and so on.
    const bool fills = step / 12'000 % 2 == 0;
    if (live.empty() || random() % 4 < (fills ? 3 : 1)) {
      const bool is_pair = random() % 2 == 0;
      const std::uint32_t number = is_pair ? pool.take_pair() : pool.take();
      ASSERT_EQ(number, is_pair ? naive.take_pair() : naive.take()) << "step " << step;
      if (number != NumberPool::kNone) live.push_back(number);
    } else {
      std::swap(live[random() % live.size()], live.back());
      pool.free(live.back());
      naive.free(live.back());
      live.pop_back();
    }
  }
  std::sort(live.begin(), live.end());
  std::uint32_t number = pool.next_live(0);
  for (const std::uint32_t expected : live) {
    ASSERT_EQ(number, expected);
    number = pool.next_live(number + 1);
  }
  EXPECT_EQ(number, NumberPool::kNone);
}

bool is_range(NumberPool::Range range, std::uint32_t first, std::uint32_t count) {
  return range.first == first && range.count == count;
}

TEST(NumberPool, RetiresTheFirstNumbersByChunks) {
  constexpr std::uint32_t kChunk = NumberPool::kChunk;
  NumberPool pool;
  ASSERT_TRUE(pool.reserve(kChunk * 3));
  for (std::uint32_t i = 0; i <= kChunk; ++i) pool.take();
  EXPECT_EQ(pool.retire().count, 0U) << "both chunks are in use";
  pool.free(kChunk);
  EXPECT_EQ(pool.retire().count, 0U) << "the next connection would need it again";
  for (std::uint32_t i = 0; i < kChunk / 4; ++i) pool.free(i);
  EXPECT_TRUE(is_range(pool.retire(), kChunk, kChunk));
  EXPECT_EQ(pool.retire().count, 0U) << "it was retired already";
  for (std::uint32_t i = kChunk / 4; i < kChunk; ++i) pool.free(i);
  EXPECT_TRUE(is_range(pool.retire(), 0, kChunk));
  EXPECT_EQ(pool.live(), 0U);
}

TEST(NumberPool, RetiresNothingThatPairsMayNeed) {
  constexpr std::uint32_t kChunk = NumberPool::kChunk;
  NumberPool pool;
  ASSERT_TRUE(pool.reserve(kChunk * 2));
  for (std::uint32_t i = 0; i <= kChunk; ++i) pool.take();
  for (std::uint32_t i = kChunk / 2; i <= kChunk; ++i) pool.free(i);
  const std::uint32_t pair = pool.take_pair();
  ASSERT_EQ(pair, kChunk / 2);
  EXPECT_EQ(pool.retire().count, 0U) << "as many pairs as there are connections need both chunks";
  pool.free(pair);
  EXPECT_TRUE(is_range(pool.retire(), kChunk, kChunk)) << "as many singles need but one";
}

TEST(NumberPool, RetiredNumbersRestUntilTheyAreReopened) {
  NumberPool pool;
  ASSERT_TRUE(pool.reserve(2 * NumberPool::kChunk));
  const std::uint32_t number = pool.take();
  pool.free(number);
  const NumberPool::Range range = pool.retire();
  ASSERT_TRUE(is_range(range, 0, NumberPool::kChunk));
  EXPECT_EQ(pool.take(), NumberPool::kChunk);
  EXPECT_EQ(pool.next_live(0), NumberPool::kChunk);
  pool.reopen(range);
  EXPECT_EQ(pool.take(), 0U);
}

TEST(NumberPool, RetiresLaterNumbersInLargeUnits) {
  constexpr std::uint32_t kUnit = NumberPool::kLargeUnit;
  NumberPool pool;
  ASSERT_TRUE(pool.reserve(2 * kUnit + NumberPool::kChunk));
  for (std::uint32_t i = 0; i < 2 * kUnit + 1; ++i) ASSERT_EQ(pool.take(), i);
  for (std::uint32_t i = kUnit + 1; i < 2 * kUnit; ++i) pool.free(i);
  EXPECT_EQ(pool.retire().count, 0U) << "one of them lives";
  pool.free(kUnit);
  pool.free(2 * kUnit);
  // The last unit is as long as the capacity lets it be, and goes first.
  EXPECT_TRUE(is_range(pool.retire(), 2 * kUnit, NumberPool::kChunk));
  EXPECT_EQ(pool.retire().count, 0U) << "all below are taken";
  for (std::uint32_t i = 0; i < kUnit / 4; ++i) pool.free(i);
  EXPECT_TRUE(is_range(pool.retire(), kUnit, kUnit));
}

TEST(NumberPool, RetiresAllThatWasEverTaken) {
  std::mt19937 random(5);
  NumberPool pool;
  const std::uint32_t capacity = 3 * NumberPool::kLargeUnit;
  ASSERT_TRUE(pool.reserve(capacity));
  for (std::uint32_t i = 0; i < capacity; ++i) pool.take();
  std::vector<std::uint32_t> numbers(capacity);
  for (std::uint32_t i = 0; i < capacity; ++i) numbers[i] = i;
  std::shuffle(numbers.begin(), numbers.end(), random);
  std::uint32_t retired = 0;
  for (const std::uint32_t number : numbers) {
    pool.free(number);
    if (random() % 1000 != 0) continue;
    const NumberPool::Range range = pool.retire();
    retired += range.count;
    if (random() % 2 == 0) pool.reopen(range);
  }
  for (auto range = pool.retire(); range.count != 0; range = pool.retire()) {
    retired += range.count;
  }
  EXPECT_EQ(retired, capacity);
}

TEST(NumberPool, IterationVisitsExactlyTheLive) {
  NumberPool pool;
  ASSERT_TRUE(pool.reserve(NumberPool::kChunk * 4));
  std::set<std::uint32_t> live;
  std::mt19937 random(3);
  for (int step = 0; step < 60'000; ++step) {
    if (live.empty() || random() % 5 < 3) {
      const std::uint32_t number = pool.take();
      if (number == NumberPool::kNone) continue;
      ASSERT_TRUE(live.insert(number).second);
    } else {
      auto chosen =
          live.lower_bound(static_cast<std::uint32_t>(random() % (NumberPool::kChunk * 4)));
      if (chosen == live.end()) chosen = live.begin();
      pool.free(*chosen);
      live.erase(chosen);
    }
  }
  std::uint32_t number = pool.next_live(0);
  for (const std::uint32_t expected : live) {
    ASSERT_EQ(number, expected);
    ASSERT_TRUE(pool.is_live(number));
    number = pool.next_live(number + 1);
  }
  EXPECT_EQ(number, NumberPool::kNone);
}

TEST(RecordPool, APlaceUsedAgainHasAnotherGenerationAndIsClean) {
  RecordPool<KeyV4> pool;
  ASSERT_TRUE(pool.reserve(10));
  const std::uint32_t first = pool.take();
  pool.take();  // keeps the chunk alive
  const std::uint8_t generation = pool.record(first).key.generation;
  pool.record(first).body.deadline = 99;
  pool.cold(first).mark = 5;
  pool.free(first);
  ASSERT_EQ(pool.take(), first);
  EXPECT_NE(pool.record(first).key.generation, generation);
  EXPECT_EQ(pool.record(first).body.deadline, 0U);
  EXPECT_EQ(pool.cold(first).mark, 0U);
}

template <typename Key>
void expect_pairs_keep_the_second_place() {
  RecordPool<Key> pool;
  ASSERT_TRUE(pool.reserve(10));
  ASSERT_EQ(pool.take(), 0U);
  ASSERT_EQ(pool.take(), 1U);
  const std::uint8_t generation = pool.record(1).key.generation;
  pool.record(1).body.deadline = 99;
  pool.free(0);
  pool.free(1);
  ASSERT_EQ(pool.take_pair(), 0U);
  EXPECT_EQ(pool.beside(0).nat, 0U);
  EXPECT_EQ(pool.beside(0).is_entered, 0U);
  Translated<Key> other;
  std::memset(&other, 0xff, sizeof(other));
  pool.beside(0) = other;
  EXPECT_EQ(pool.record(1).key.kind, Kind::none) << "no packet's key is equal to it";
  EXPECT_EQ(pool.record(0).body.deadline, 0U);
  EXPECT_EQ(pool.cold(0).mark, 0U);
  pool.free(0);
  ASSERT_EQ(pool.take(), 0U);
  ASSERT_EQ(pool.take(), 1U);
  EXPECT_NE(pool.record(1).key.generation, generation) << "handles of before stay stale";
  EXPECT_EQ(pool.record(1).body.deadline, 0U);
}

TEST(RecordPool, APairLeavesTheSecondPlacesKeyAlone) {
  expect_pairs_keep_the_second_place<KeyV4>();
  expect_pairs_keep_the_second_place<KeyV6>();
}

TEST(RecordPool, GenerationsGoOnAfterTheMemoryWasGivenBack) {
  RecordPool<KeyV4> pool;
  ASSERT_TRUE(pool.reserve(10));
  std::set<std::uint8_t> seen;
  for (int i = 0; i < 255; ++i) {
    const std::uint32_t only = pool.take();
    ASSERT_TRUE(seen.insert(pool.record(only).key.generation).second) << i;
    pool.free(only);
    if (i % 2 == 0) continue;
    const NumberPool::Range range = pool.retire();
    ASSERT_EQ(range.count, NumberPool::kChunk) << i;
    pool.release(range);
    pool.reopen(range);
  }
}

TEST(Record, CountersAreExactAcrossCarries) {
  Body body{};
  Cold cold{};
  std::uint64_t bytes = 0;
  for (std::uint32_t i = 0; i < 200'000; ++i) {
    count_packet(body, cold, Direction::reply, 40 + i % 65'000);
    bytes += 40 + i % 65'000;
  }
  const Counters counters = counters_of(body, cold, Direction::reply);
  EXPECT_EQ(counters.packets, 200'000U);
  EXPECT_EQ(counters.bytes, bytes);
  EXPECT_EQ(counters_of(body, cold, Direction::original).packets, 0U);
}

}  // namespace
}  // namespace uct::core
