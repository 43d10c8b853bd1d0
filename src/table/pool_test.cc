#include "table/pool.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

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

TEST(NumberPool, TellsWhenAChunkIsEmpty) {
  NumberPool pool;
  ASSERT_TRUE(pool.reserve(NumberPool::kChunk * 2));
  for (std::uint32_t i = 0; i <= NumberPool::kChunk; ++i) pool.take();
  EXPECT_TRUE(pool.free(NumberPool::kChunk));
  for (std::uint32_t i = 0; i + 1 < NumberPool::kChunk; ++i) ASSERT_FALSE(pool.free(i));
  EXPECT_TRUE(pool.free(NumberPool::kChunk - 1));
  EXPECT_EQ(pool.live(), 0U);
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

TEST(RecordPool, GenerationsGoOnAfterTheMemoryWasGivenBack) {
  RecordPool<KeyV4> pool;
  ASSERT_TRUE(pool.reserve(10));
  std::set<std::uint8_t> seen;
  for (int i = 0; i < 255; ++i) {
    const std::uint32_t only = pool.take();
    ASSERT_TRUE(seen.insert(pool.record(only).key.generation).second) << i;
    pool.free(only);  // the last of its chunk
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
