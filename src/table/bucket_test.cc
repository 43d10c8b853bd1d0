#include "table/bucket.h"

#include <gtest/gtest.h>

#include <random>
#include <utility>
#include <vector>

namespace uct::core {
namespace {

/// A bucket whose tags are below `kinds`, so that many are the same. Slots beyond the count hold
/// what others left there.
Bucket random_bucket(std::mt19937& random, unsigned count, std::uint32_t kinds) {
  Bucket bucket{};
  for (unsigned slot = 0; slot < kSlots; ++slot) {
    bucket.tags[slot] = static_cast<std::uint16_t>(random() % kinds);
    bucket.numbers[slot] = static_cast<std::uint32_t>(random());
  }
  bucket.set_count(count);
  return bucket;
}

unsigned any_count(std::mt19937& random) { return static_cast<unsigned>(random()) % (kSlots + 1); }

/// Either both guess the same slot, or neither has one.
void expect_same_guess(const Bucket& bucket, std::uint16_t tag) {
  const unsigned plain = guess_slot_scalar(bucket, tag);
  const unsigned vector = guess_slot(bucket, tag);
  if (plain < kSlots) {
    ASSERT_EQ(vector, plain) << "tag " << tag;
  } else {
    ASSERT_GE(vector, kSlots) << "tag " << tag;
  }
}

TEST(BucketGuess, VectorAndScalarAgreeOnTagsThatRepeat) {
  std::mt19937 random(20260704);
  for (const std::uint32_t kinds : {2U, 4U, 12U, 65536U}) {
    for (int round = 0; round < 20'000; ++round) {
      const Bucket bucket = random_bucket(random, any_count(random), kinds);
      expect_same_guess(bucket, static_cast<std::uint16_t>(random() % kinds));
      for (const std::uint16_t tag : bucket.tags) expect_same_guess(bucket, tag);
      if (HasFatalFailure()) return;
    }
  }
}

/// Gives     the slots in use whose tag it is.
std::vector<unsigned> slots_of(const Bucket& bucket, std::uint16_t tag) {
  std::vector<unsigned> slots;
  for (unsigned slot = 0; slot < bucket.count(); ++slot) {
    if (bucket.tags[slot] == tag) slots.push_back(slot);
  }
  return slots;
}

TEST(BucketFind, GivesTheFirstInUseAndWhetherThereAreMore) {
  std::mt19937 random(20261130);
  for (const std::uint32_t kinds : {2U, 4U, 12U, 65536U}) {
    for (int round = 0; round < 20'000; ++round) {
      const Bucket bucket = random_bucket(random, any_count(random), kinds);
      for (const std::uint16_t tag : bucket.tags) {
        const std::vector<unsigned> slots = slots_of(bucket, tag);
        for (const SlotFound& found : {find_slot(bucket, tag), find_slot_scalar(bucket, tag)}) {
          ASSERT_EQ(found.first, slots.empty() ? kSlots : slots.front()) << "tag " << tag;
          ASSERT_EQ(found.has_others, slots.size() > 1) << "tag " << tag;
        }
      }
    }
  }
}

constexpr std::uint16_t kTags[] = {0x0000, 0x0001, 0x00ff, 0x7fff, 0x8000, 0xff00, 0xffff};

TEST(BucketGuess, EverySetOfEqualSlotsGivesTheFirst) {
  for (const std::uint16_t tag : kTags) {
    for (unsigned set = 0; set < 1U << kSlots; ++set) {
      Bucket bucket{};
      for (unsigned slot = 0; slot < kSlots; ++slot) {
        // What does not match differs in one bit only.
        const unsigned other = tag ^ 1U << (slot + set) % 16;
        bucket.tags[slot] = static_cast<std::uint16_t>((set >> slot & 1) != 0 ? tag : other);
      }
      const unsigned slot = guess_slot(bucket, tag);
      if (set == 0) {
        ASSERT_GE(slot, kSlots) << "tag " << tag;
      } else {
        ASSERT_EQ(slot, static_cast<unsigned>(std::countr_zero(set))) << "tag " << tag;
      }
      expect_same_guess(bucket, tag);
    }
  }
}

using Entries = std::vector<std::pair<std::uint16_t, std::uint32_t>>;

Entries entries_of(const Bucket& bucket) {
  Entries entries;
  for (unsigned slot = 0; slot < bucket.count(); ++slot) {
    entries.emplace_back(bucket.tags[slot], bucket.numbers[slot]);
  }
  return entries;
}

TEST(BucketPart, SplitsAsANaiveLoopDoesForEveryCountAndBit) {
  std::mt19937 random(20260705);
  for (int round = 0; round < 50'000; ++round) {
    const unsigned count = static_cast<unsigned>(round) % (kSlots + 1);
    const auto bit = static_cast<std::uint16_t>(1U << random() % 16);
    Bucket bucket = random_bucket(random, count, 65536);
    if (round % 5 == 0) {  // all stay, or all go
      for (std::uint16_t& tag : bucket.tags) {
        tag = static_cast<std::uint16_t>(round % 2 == 0 ? tag | bit : tag & ~bit);
      }
    }
    Entries stay;
    Entries go;
    for (const auto& entry : entries_of(bucket)) {
      ((entry.first & bit) != 0 ? go : stay).push_back(entry);
    }
    Bucket other = random_bucket(random, any_count(random), 65536);  // as others left it
    other.set_next(static_cast<std::uint32_t>(random() % kMaxOverflow));
    part(bucket, other, bit);
    ASSERT_EQ(entries_of(bucket), stay) << "count " << count << ", bit " << bit;
    ASSERT_EQ(entries_of(other), go) << "count " << count << ", bit " << bit;
    ASSERT_EQ(bucket.next(), 0U);
    ASSERT_EQ(other.next(), 0U);
  }
}

TEST(BucketLink, CountAndNextLeaveEachOtherAlone) {
  Bucket bucket{};
  for (const std::uint32_t next : {0U, 1U, 0x0aaaaaaaU, kMaxOverflow}) {
    for (unsigned count = 0; count <= kSlots; ++count) {
      bucket.set_next(next);
      bucket.set_count(count);
      EXPECT_EQ(bucket.next(), next);
      EXPECT_EQ(bucket.count(), count);
      bucket.set_next(kMaxOverflow - next);
      EXPECT_EQ(bucket.count(), count);
    }
  }
}

TEST(BucketAppend, FillsTheSlotsInOrder) {
  Bucket bucket{};
  Entries expected;
  for (std::uint16_t i = 0; i < kSlots; ++i) {
    bucket.append(static_cast<std::uint16_t>(i * 7), i);
    expected.emplace_back(static_cast<std::uint16_t>(i * 7), i);
    EXPECT_EQ(entries_of(bucket), expected);
  }
}

}  // namespace
}  // namespace uct::core
