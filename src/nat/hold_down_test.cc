#include "nat/hold_down.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace uct::core {
namespace {

constexpr std::uint32_t kAll = std::numeric_limits<std::uint32_t>::max();

/// The ports that come back.
std::vector<std::uint16_t> released(HoldDown& hold_down, std::uint64_t now_ms,
                                    std::uint32_t limit = kAll) {
  std::vector<std::uint16_t> ports;
  const std::uint32_t count =
      hold_down.release(now_ms, limit, [&](PortPlace place) { ports.push_back(place.port); });
  EXPECT_EQ(count, ports.size());
  return ports;
}

using Ports = std::vector<std::uint16_t>;

TEST(HoldDown, APortRestsToTheMillisecond) {
  HoldDown hold_down(kHoldDownMs, kAll);
  hold_down.hold({0, 5000}, 1000);
  EXPECT_EQ(released(hold_down, 120'999), Ports{});
  EXPECT_EQ(hold_down.size(), 1U);
  EXPECT_EQ(released(hold_down, 121'000), Ports{5000});
  EXPECT_EQ(hold_down.size(), 0U);
}

TEST(HoldDown, ReleasesInOrderAndNotMoreThanTheLimit) {
  HoldDown hold_down(10, kAll);
  for (std::uint16_t port = 1; port <= 5; ++port) hold_down.hold({0, port}, port);
  EXPECT_EQ(released(hold_down, 13, 2), (Ports{1, 2}));
  EXPECT_TRUE(hold_down.has_due(13));
  EXPECT_EQ(released(hold_down, 13, 2), (Ports{3}));
  EXPECT_FALSE(hold_down.has_due(13));
  EXPECT_EQ(released(hold_down, 15), (Ports{4, 5}));
}

TEST(HoldDown, KeepsTheAddress) {
  HoldDown hold_down(10, kAll);
  hold_down.hold({65535, 65534}, 0);
  hold_down.release(10, kAll, [](PortPlace place) { EXPECT_EQ(place, (PortPlace{65535, 65534})); });
}

TEST(HoldDown, NoDurationMeansTheNextRelease) {
  HoldDown hold_down(0, kAll);
  hold_down.hold({0, 7}, 500);
  EXPECT_EQ(released(hold_down, 500), Ports{7});
}

TEST(HoldDown, BeyondTheMostTheOldestGoesEarly) {
  HoldDown hold_down(1000, 2);
  hold_down.hold({0, 1}, 0);
  hold_down.hold({0, 2}, 0);
  EXPECT_EQ(released(hold_down, 1), Ports{});
  hold_down.hold({0, 3}, 1);
  EXPECT_EQ(released(hold_down, 1), Ports{1});
  EXPECT_EQ(hold_down.size(), 2U);
}

TEST(HoldDown, TimeMayStartAnywhereBelow48BitsAndCross32) {
  for (const std::uint64_t start : {std::uint64_t{0xffff'ffff} - 5, std::uint64_t{1} << 47}) {
    HoldDown hold_down(10, kAll);
    hold_down.hold({0, 9}, start);
    EXPECT_EQ(released(hold_down, start + 9), Ports{});
    EXPECT_EQ(released(hold_down, start + 10), Ports{9});
  }
}

TEST(HoldDown, ALongSilenceReleasesAllAndNothingAfterItIsEarly) {
  HoldDown hold_down(10, kAll);
  constexpr std::uint64_t kYearMs = 365ULL * 24 * 3600 * 1000;
  hold_down.hold({0, 1}, 0);
  hold_down.hold({0, 2}, kYearMs);
  EXPECT_EQ(released(hold_down, kYearMs), Ports{1});
  EXPECT_EQ(released(hold_down, kYearMs + 10), Ports{2});
}

TEST(HoldDown, AClockThatSteppedBackReleasesNothingEarly) {
  HoldDown hold_down(100, kAll);
  hold_down.hold({0, 1}, 1000);
  hold_down.hold({0, 2}, 900);
  EXPECT_EQ(released(hold_down, 1050), Ports{});
  EXPECT_EQ(released(hold_down, 1100), (Ports{1, 2}));
}

TEST(HoldDown, MemoryFollowsUse) {
  HoldDown hold_down(10, kAll);
  for (std::uint16_t port = 0; port < 1000; ++port) hold_down.hold({0, port}, 0);
  EXPECT_EQ(hold_down.memory_bytes(), 10'000U);
  released(hold_down, 10);
  EXPECT_EQ(hold_down.memory_bytes(), 0U);
}

}  // namespace
}  // namespace uct::core
