#include "base/reserved_array.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace uct::core {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kHugePage = std::size_t{2} << 20;

bool is_aligned(const Reservation& memory) {
  return reinterpret_cast<std::uintptr_t>(memory.base()) % kHugePage == 0;
}

/// Whether `count` bytes from `first` on are all `value`.
bool all_are(const Reservation& memory, std::size_t first, std::size_t count, std::byte value) {
  return std::all_of(memory.base() + first, memory.base() + first + count,
                     [&](std::byte byte) { return byte == value; });
}

/// Sizes around a page, around what gets small pages only, and beyond.
const std::size_t kSizes[] = {1,
                              kPage - 1,
                              kPage,
                              kPage + 1,
                              3 * kPage + 5,
                              kHugePage - 1,
                              kHugePage,
                              kHugePage + 1,
                              2 * kHugePage,
                              3 * kHugePage + 7 * kPage + 11,
                              50 * kHugePage + 1};

TEST(Reservation, IsAlignedAndHoldsWholePagesForEverySize) {
  for (const std::size_t size : kSizes) {
    Reservation memory;
    ASSERT_TRUE(memory.reserve(size)) << size;
    EXPECT_TRUE(is_aligned(memory)) << size;
    EXPECT_GE(memory.size(), size);
    EXPECT_LT(memory.size(), size + kPage);
    EXPECT_EQ(memory.size() % kPage, 0U) << size;
  }
}

TEST(Reservation, BothEndsReadZeroAndKeepWhatIsWritten) {
  for (const std::size_t size : kSizes) {
    Reservation memory;
    ASSERT_TRUE(memory.reserve(size));
    for (const std::size_t at : {std::size_t{0}, size / 2, size - 1, memory.size() - 1}) {
      EXPECT_EQ(memory.base()[at], std::byte{0}) << at << " of " << size;
    }
    memory.base()[0] = std::byte{1};
    memory.base()[memory.size() - 1] = std::byte{2};
    EXPECT_EQ(memory.base()[0], std::byte{1});
    EXPECT_EQ(memory.base()[memory.size() - 1], std::byte{2});
  }
}

TEST(Reservation, ReleaseGivesZerosInWholePagesOfTheRangeOnly) {
  constexpr std::size_t kSize = 2 * kHugePage + 5 * kPage;
  Reservation memory;
  ASSERT_TRUE(memory.reserve(kSize));
  std::fill_n(memory.base(), kSize, std::byte{7});
  const std::size_t first = kHugePage + 100;  // lies in a page that stays
  const std::size_t count = kHugePage + kPage;
  memory.release(first, count);
  const std::size_t gone = kHugePage + kPage;
  const std::size_t gone_end = (first + count) / kPage * kPage;
  EXPECT_TRUE(all_are(memory, 0, gone, std::byte{7}));
  EXPECT_TRUE(all_are(memory, gone, gone_end - gone, std::byte{0}));
  EXPECT_TRUE(all_are(memory, gone_end, kSize - gone_end, std::byte{7}));
  std::fill_n(memory.base() + gone, kPage, std::byte{8});  // it can be used again
  EXPECT_TRUE(all_are(memory, gone, kPage, std::byte{8}));
}

TEST(Reservation, ReleaseOfLessThanAPageKeepsEverything) {
  Reservation memory;
  ASSERT_TRUE(memory.reserve(3 * kPage));
  std::fill_n(memory.base(), 3 * kPage, std::byte{7});
  memory.release(0, kPage - 1);
  memory.release(1, kPage);
  memory.release(kPage / 2, kPage);
  memory.release(kPage, 0);
  EXPECT_TRUE(all_are(memory, 0, 3 * kPage, std::byte{7}));
}

TEST(Reservation, ManyAtOnceAreApartAndAllAligned) {
  constexpr std::size_t kCount = 300;
  std::vector<Reservation> many(kCount);
  for (std::size_t i = 0; i < kCount; ++i) {
    ASSERT_TRUE(many[i].reserve(1 + i * 12'345)) << i;
    ASSERT_TRUE(is_aligned(many[i])) << i;
    many[i].base()[0] = std::byte(i);
    many[i].base()[many[i].size() - 1] = std::byte(i);
  }
  for (std::size_t i = 0; i < kCount; i += 2) many[i] = Reservation();
  for (std::size_t i = 1; i < kCount; i += 2) {  // neither of a neighbour nor gone with it
    EXPECT_EQ(many[i].base()[0], std::byte(i));
    EXPECT_EQ(many[i].base()[many[i].size() - 1], std::byte(i));
  }
  for (std::size_t i = 0; i < kCount; i += 2) {
    ASSERT_TRUE(many[i].reserve(kHugePage));
    EXPECT_EQ(many[i].base()[0], std::byte{0});
  }
}

TEST(Reservation, MovesWithItsMemoryAndItsAddress) {
  Reservation from;
  ASSERT_TRUE(from.reserve(kPage));
  std::byte* const base = from.base();
  base[5] = std::byte{9};
  Reservation to(std::move(from));
  EXPECT_EQ(to.base(), base);
  Reservation other;
  ASSERT_TRUE(other.reserve(kHugePage));
  other = std::move(to);
  EXPECT_EQ(other.base(), base);
  EXPECT_EQ(other.size(), kPage);
  EXPECT_EQ(other.base()[5], std::byte{9});
}

TEST(Reservation, ASecondReserveTakesThePlaceOfTheFirst) {
  Reservation memory;
  ASSERT_TRUE(memory.reserve(kPage));
  memory.base()[0] = std::byte{1};
  ASSERT_TRUE(memory.reserve(2 * kHugePage));
  EXPECT_TRUE(is_aligned(memory));
  EXPECT_EQ(memory.size(), 2 * kHugePage);
  EXPECT_EQ(memory.base()[0], std::byte{0});
}

TEST(Reservation, MoreThanThereIsIsRefusedAndLeavesItEmpty) {
  Reservation memory;
  EXPECT_FALSE(memory.reserve(std::size_t{1} << 62));
  EXPECT_EQ(memory.base(), nullptr);
  EXPECT_EQ(memory.size(), 0U);
  EXPECT_TRUE(memory.reserve(kPage));
}

TEST(ReservedArray, ElementsAreZeroWrittenAndReleased) {
  struct Element {
    std::uint32_t value[3];  // no divisor of a page
  };
  constexpr std::size_t kCount = 500'000;
  ReservedArray<Element> array;
  ASSERT_TRUE(array.reserve(kCount));
  ASSERT_GE(array.capacity(), kCount);
  for (std::size_t i = 0; i < array.capacity(); ++i) {
    ASSERT_EQ(array[i].value[2], 0U);
    array[i].value[0] = array[i].value[2] = static_cast<std::uint32_t>(i + 1);
  }
  array.release(0, array.capacity());
  std::size_t left = 0;
  for (std::size_t i = 0; i < array.capacity(); ++i) left += array[i].value[2] != 0;
  EXPECT_LE(left, kPage / sizeof(Element) + 1);  // those of the last page, which is not whole
  EXPECT_EQ(array[0].value[0], 0U);
}

}  // namespace
}  // namespace uct::core
