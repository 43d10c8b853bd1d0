#include "table/alias_pool.h"

#include <gtest/gtest.h>

namespace uct::core {
namespace {

KeyV4 key_of(std::uint16_t port) {
  KeyV4 key{};
  key.kind = Kind::udp;
  key.port[0] = port;
  return key;
}

class AliasPoolV4 : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(pool_.reserve(NumberPool::kChunk)); }

  AliasPool<KeyV4> pool_;
};

TEST_F(AliasPoolV4, GivesAPlaceWithTheKeyAndNoHome) {
  const std::uint32_t number = pool_.take(key_of(7));
  ASSERT_NE(number, NumberPool::kNone);
  EXPECT_TRUE(equal(pool_[number].key, key_of(7)));
  EXPECT_FALSE(pool_[number].home.is_linked());
  EXPECT_EQ(pool_.memory_bytes(), sizeof(Alias<KeyV4>));
}

TEST_F(AliasPoolV4, WhatWasFreedIsEqualToNoKeyAndHasNoHomeWhenTakenAgain) {
  const std::uint32_t number = pool_.take(key_of(7));
  pool_[number].home.number = 3;
  const std::uint8_t generation = pool_[number].key.generation;
  pool_.free(number);
  EXPECT_FALSE(equal(pool_[number].key, key_of(7)));
  ASSERT_EQ(pool_.take(key_of(8)), number) << "the place is used again";
  EXPECT_FALSE(pool_[number].home.is_linked());
  EXPECT_NE(pool_[number].key.generation, generation);
}

// A link that comes late, after all memory was given back, must not find its generation again.
TEST_F(AliasPoolV4, GenerationsDifferAlsoAfterMemoryWasGivenBack) {
  const std::uint32_t number = pool_.take(key_of(7));
  const std::uint8_t generation = pool_[number].key.generation;
  pool_.free(number);
  const NumberPool::Range range = pool_.retire();
  ASSERT_EQ(range.count, NumberPool::kChunk);
  pool_.release(range);
  pool_.reopen(range);
  ASSERT_EQ(pool_.take(key_of(7)), number);
  EXPECT_NE(pool_[number].key.generation, generation);
}

TEST_F(AliasPoolV4, SaysWhenItIsFull) {
  while (pool_.numbers().live() < pool_.capacity()) {
    ASSERT_NE(pool_.take(key_of(7)), NumberPool::kNone);
  }
  EXPECT_EQ(pool_.take(key_of(7)), NumberPool::kNone);
  pool_.free(100);
  EXPECT_EQ(pool_.take(key_of(7)), 100U);
}

}  // namespace
}  // namespace uct::core
