#include "table/index.h"

#include <gtest/gtest.h>

#include <random>
#include <unordered_map>
#include <vector>

#include "base/siphash.h"

namespace uct::core {
namespace {

std::uint64_t hash_number(std::uint32_t number) {
  const std::uint64_t words[2] = {number, 7};
  return siphash13<2>(words, {1, 2});
}

/// An index whose entries are the numbers themselves, each hashed by its value.
class IndexTest : public ::testing::Test {
 protected:
  static constexpr std::uint32_t kCapacity = 200'000;

  void SetUp() override { ASSERT_TRUE(index_.reserve(kCapacity)); }

  InsertResult insert(std::uint32_t number) {
    return index_.insert(hash_number(number), number, hash_number);
  }
  bool contains(std::uint32_t number) const {
    return index_.find(hash_number(number), [&](std::uint32_t n) { return n == number; }) == number;
  }

  Index index_;
};

TEST_F(IndexTest, EmptyFindsNothing) { EXPECT_FALSE(contains(1)); }

TEST_F(IndexTest, EveryEntryIsFoundAtEverySizeOnTheWayUpAndDown) {
  constexpr std::uint32_t kCount = 30'000;  // crosses bucket counts below and above 2^10
  for (std::uint32_t i = 0; i < kCount; ++i) {
    ASSERT_EQ(insert(i), InsertResult::done);
    ASSERT_TRUE(contains(i));
    if (i % 1000 == 0) {
      for (std::uint32_t j = 0; j <= i; ++j) ASSERT_TRUE(contains(j)) << j << " of " << i;
    }
  }
  for (std::uint32_t i = 0; i < kCount; ++i) {
    index_.erase(hash_number(i), i);
    ASSERT_FALSE(contains(i));
    if (i % 1000 == 0) {
      for (std::uint32_t j = i + 1; j < kCount; ++j) ASSERT_TRUE(contains(j)) << j << " of " << i;
    }
  }
  EXPECT_EQ(index_.entries(), 0U);
  EXPECT_EQ(index_.overflow_buckets(), 0U);
}

TEST_F(IndexTest, GrowsOneBucketAtATime) {
  std::uint32_t before = index_.buckets();
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    insert(i);
    ASSERT_LE(index_.buckets(), before + 1);
    before = index_.buckets();
  }
  EXPECT_GT(before, 1500U);
}

TEST_F(IndexTest, ShrinksWhenItDrains) {
  for (std::uint32_t i = 0; i < kCapacity; ++i) insert(i);
  const std::size_t full = index_.memory_bytes();
  for (std::uint32_t i = 0; i < kCapacity; ++i) index_.erase(hash_number(i), i);
  while (index_.shrink()) {
  }
  EXPECT_LT(index_.memory_bytes(), full / 100);
}

TEST_F(IndexTest, ChainsStayShort) {
  for (std::uint32_t i = 0; i < kCapacity; ++i) ASSERT_EQ(insert(i), InsertResult::done);
  EXPECT_LE(index_.longest_chain(), 4U);
  EXPECT_LT(index_.overflow_buckets(), index_.buckets() / 8);
}

TEST_F(IndexTest, CollidingHashesAreRefusedWhenTheChainIsFull) {
  const auto same = [](std::uint32_t) { return std::uint64_t{0}; };
  std::uint32_t accepted = 0;
  while (index_.insert(0, accepted, same) == InsertResult::done) ++accepted;
  EXPECT_EQ(accepted, kChainMax * kSlots);
  for (std::uint32_t i = 0; i < accepted; ++i) {
    EXPECT_EQ(index_.find(0, [&](std::uint32_t n) { return n == i; }), i);
  }
  for (std::uint32_t i = 0; i < accepted; ++i) index_.erase(0, i);
  EXPECT_EQ(index_.entries(), 0U);
  EXPECT_EQ(insert(5), InsertResult::done);
}

TEST_F(IndexTest, RandomOperationsAgreeWithAMap) {
  std::mt19937 random(20261123);
  std::unordered_map<std::uint32_t, bool> model;
  for (int step = 0; step < 300'000; ++step) {
    const auto number = static_cast<std::uint32_t>(random() % 20'000);
    if (model[number]) {
      index_.erase(hash_number(number), number);
    } else {
      ASSERT_EQ(insert(number), InsertResult::done);
    }
    model[number] = !model[number];
    const auto other = static_cast<std::uint32_t>(random() % 20'000);
    ASSERT_EQ(contains(other), model[other]) << "seed 20261123, step " << step;
  }
}

TEST(Bucket, VectorAndScalarMatchAgree) {
  std::mt19937 random(7);
  for (int round = 0; round < 20'000; ++round) {
    Bucket bucket{};
    const auto count = static_cast<unsigned>(random() % (kSlots + 1));
    for (unsigned slot = 0; slot < kSlots; ++slot) {
      bucket.tags[slot] = static_cast<std::uint16_t>(random() % 4);
    }
    bucket.set_count(count);
    for (std::uint16_t tag = 0; tag < 4; ++tag) {
      SlotMask vector = match(bucket, tag);
      SlotMask scalar = match_scalar(bucket, tag);
      while (!scalar.empty()) {
        ASSERT_FALSE(vector.empty());
        ASSERT_EQ(vector.first(), scalar.first());
        vector.drop_first();
        scalar.drop_first();
      }
      ASSERT_TRUE(vector.empty());
    }
  }
}

}  // namespace
}  // namespace uct::core
