/// The promises E1 to E10 of expiry, shown on every ExpiryQueue: the timer wheel of the library and
/// the list-per-timeout algorithm of 2016. A virtual clock, and a naive owner that keeps the true
/// deadlines; it fails when a queue names a connection that is not there.
///
/// E6 (shutting down wakes the cleaner) is about the Sweeper's thread and is tested there; E9 (a
/// time is no timeout class) is tests/misuse/timeout_class.cc; E10 at size expiry_million_test.cc.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <uct/timeout_policy.h>

#include "bench/peers/timeout_lists.h"
#include "expiry/timer_wheel.h"
#include "tests/contract/expiry_owner.h"

namespace uct::core {
namespace {

constexpr std::uint32_t kDay = 24U * 3600 * 1000;
constexpr std::uint32_t kLongest = 20 * kDay;

template <typename Queue>
class ExpiryContract : public testing::Test {
 protected:
  using Owner = ExpiryOwner<Queue>;
};

using Implementations = testing::Types<TimerWheel, peers::TimeoutLists>;

struct Names {
  template <typename Queue>
  static std::string GetName(int) {
    return std::is_same_v<Queue, TimerWheel> ? "TimerWheel" : "TimeoutLists";
  }
};

TYPED_TEST_SUITE(ExpiryContract, Implementations, Names);

// ---- E1: expiration = last accepted packet + timeout, to the millisecond ------------------------

TYPED_TEST(ExpiryContract, E1ConnectionExpiresInTheMillisecondOfItsDeadline) {
  const std::uint32_t timeouts[] = {1,          2,          255,    256,     257,
                                    30'000,     65'535,     65'536, 65'537,  16'777'215,
                                    16'777'216, 16'777'217, kDay,   kLongest};
  for (const std::uint32_t start :
       {0U, 1U, 255U, 65'535U, 0x7fff'ff00U, 0xffff'ff01U, 0xffff'ffffU}) {
    for (const std::uint32_t timeout : timeouts) {
      SCOPED_TRACE(testing::Message() << "start " << start << ", timeout " << timeout);
      typename TestFixture::Owner owner(10, Tick{start});
      owner.open(7, timeout);
      owner.advance(timeout - 1);
      EXPECT_EQ(owner.sweep().removed, 0U);
      owner.advance(1);
      EXPECT_EQ(owner.sweep().removed, 1U);
      EXPECT_FALSE(owner.alive(7));
    }
  }
}

TYPED_TEST(ExpiryContract, E1PacketPutsTheDeadlineOff) {
  typename TestFixture::Owner owner(10, Tick{0});
  owner.open(3, 30'000);
  for (int packet = 0; packet < 100; ++packet) {
    owner.advance(29'999);
    owner.sweep();
    ASSERT_TRUE(owner.alive(3));
    owner.packet(3, 30'000);
  }
  owner.advance(29'999);
  EXPECT_EQ(owner.sweep().removed, 0U);
  owner.advance(1);
  EXPECT_EQ(owner.sweep().removed, 1U);
}

TYPED_TEST(ExpiryContract, E1ShorterTimeoutOfANewStateCountsAtOnce) {
  typename TestFixture::Owner owner(10, Tick{0});
  owner.open(3, kDay);
  owner.advance(5'000);
  owner.sweep();
  owner.packet(3, 30'000);  // it was closed: from 24 h to 30 s
  owner.advance(29'999);
  EXPECT_EQ(owner.sweep().removed, 0U);
  owner.advance(1);
  EXPECT_EQ(owner.sweep().removed, 1U);
}

TYPED_TEST(ExpiryContract, E1TimeMayJumpOrStandStill) {
  typename TestFixture::Owner owner(100, Tick{0xffff'0000});
  for (std::uint32_t number = 0; number < 100; ++number) owner.open(number, 1 + number * kDay / 5);
  EXPECT_EQ(owner.sweep().removed, 0U);
  EXPECT_EQ(owner.sweep().removed, 0U);
  owner.advance(kLongest);
  EXPECT_EQ(owner.sweep().removed, 100U);
  EXPECT_EQ(owner.queue().size(), 0U);
}

// ---- E2: a sweep's cost follows what expired, not what lives ------------------------------------

TYPED_TEST(ExpiryContract, E2SweepVisitsNoLiveUntouchedConnection) {
  typename TestFixture::Owner owner(20'000, Tick{0xffff'f000});
  for (std::uint32_t number = 0; number < 20'000; ++number) owner.open(number, 60'000 + number * 7);
  for (int step = 0; step < 6'000; ++step) {
    EXPECT_EQ(owner.sweep().visited, 0U);
    owner.advance(step % 2 == 0 ? 1 : 18);
  }
}

TYPED_TEST(ExpiryContract, E2OnlyWhatExpiredIsVisitedAmongTheLiving) {
  typename TestFixture::Owner owner(100'000, Tick{0});
  for (std::uint32_t number = 0; number < 100'000; ++number) {
    owner.open(number, number % 10'000 == 0 ? 30'000 : kDay);
  }
  owner.advance(30'000);
  const ExpirySweep sweep = owner.sweep();
  EXPECT_EQ(sweep.removed, 10U);
  EXPECT_EQ(sweep.visited, 10U);
}

TYPED_TEST(ExpiryContract, E2BusyConnectionIsVisitedAtMostOncePerTimeout) {
  typename TestFixture::Owner owner(10, Tick{0});
  owner.open(1, 30'000);
  std::uint32_t visited = 0;
  for (int packet = 0; packet < 100'000; ++packet) {  // a packet each 3 ms, five minutes long
    owner.advance(3);
    owner.packet(1, 30'000);
    visited += owner.sweep().visited;
  }
  EXPECT_LE(visited, 100'000U * 3 / 30'000);
  EXPECT_TRUE(owner.alive(1));
}

// ---- E3: a sweep is bounded, and does at least one ----------------------------------------------

TYPED_TEST(ExpiryContract, E3SweepStopsAtItsBound) {
  typename TestFixture::Owner owner(1'000, Tick{0});
  for (std::uint32_t number = 0; number < 1'000; ++number) owner.open(number, 1 + number % 50);
  owner.advance(1'000);
  for (int round = 1; round <= 10; ++round) {
    EXPECT_EQ(owner.sweep(100).visited, 100U);
    EXPECT_EQ(owner.queue().size(), 1'000U - static_cast<std::uint32_t>(round) * 100);
  }
}

TYPED_TEST(ExpiryContract, E3BoundOfZeroStillVisitsOne) {
  typename TestFixture::Owner owner(10, Tick{0});
  owner.open(1, 1);
  owner.open(2, 1);
  owner.advance(1);
  EXPECT_EQ(owner.sweep(0).visited, 1U);
  EXPECT_EQ(owner.sweep(0).visited, 1U);
  EXPECT_EQ(owner.queue().size(), 0U);
}

// The defect of 2016: with a limit of 10 connections the bound came out as 0, and the table stayed
// full of expired connections for ever.
TYPED_TEST(ExpiryContract, E3LimitOfTenConnectionsStillSweeps) {
  typename TestFixture::Owner owner(10, Tick{0});
  constexpr std::uint32_t kBoundOf2016 = 10 / (256 * 10);
  for (int round = 0; round < 100; ++round) {
    for (std::uint32_t number = 0; number < 10; ++number) owner.open(number, 30'000 + number % 3);
    owner.advance(30'002);
    for (int sweep = 0; sweep < 10; ++sweep) ASSERT_EQ(owner.sweep(kBoundOf2016).removed, 1U);
    ASSERT_EQ(owner.queue().size(), 0U);
  }
}

TYPED_TEST(ExpiryContract, E3BoundStarvesNoTimeout) {
  typename TestFixture::Owner owner(1'000, Tick{0});
  owner.open(999, 60'000);
  for (std::uint32_t number = 0; number < 10; ++number) owner.open(number, 10);
  for (int round = 0; round < 100'000 && owner.alive(999); ++round) {
    owner.advance(10);  // ten short ones expire in each round, and one sweep takes exactly ten
    owner.sweep(10);
    for (std::uint32_t number = 0; number < 10; ++number) {
      if (!owner.alive(number)) owner.open(number, 10);
    }
  }
  EXPECT_FALSE(owner.alive(999));
}

// ---- E4: sleep until something can expire -------------------------------------------------------

TYPED_TEST(ExpiryContract, E4NextIsNeverLate) {
  typename TestFixture::Owner owner(500, Tick{0xffff'ff00});
  std::uint32_t timeout = 1;
  for (std::uint32_t number = 0; number < 500; ++number) {
    owner.open(number, timeout);
    timeout = 1 + (timeout * 16'807) % (2 * kDay);
  }
  Tick when{};
  while (owner.queue().next(when)) {
    ASSERT_FALSE(earlier(owner.first_deadline(), when));
    owner.advance(distance(owner.now(), when));
    owner.sweep();
    ASSERT_EQ(owner.expired_and_present(), 0U);
  }
  EXPECT_EQ(owner.removed_late(), 0U);
}

TYPED_TEST(ExpiryContract, E4SleepsUntilSomethingCanExpire) {
  for (const std::uint32_t timeout : {30'000U, kDay, kLongest}) {
    typename TestFixture::Owner owner(10, Tick{0xfff0'1234});
    owner.open(5, timeout);
    EXPECT_LE(owner.sweep_until_empty(), 4U);  // one that removes it, at most three in vain
    EXPECT_EQ(owner.removed_late(), 0U);
  }
}

TYPED_TEST(ExpiryContract, E4EmptyQueueNeedsNoWaking) {
  typename TestFixture::Owner owner(10, Tick{0});
  Tick when{};
  EXPECT_FALSE(owner.queue().next(when));
  owner.open(5, 100);
  EXPECT_TRUE(owner.queue().next(when));
  owner.close(5);
  EXPECT_FALSE(owner.queue().next(when));
}

TYPED_TEST(ExpiryContract, E4EmptyQueueMaySleepForMonths) {
  typename TestFixture::Owner owner(10, Tick{0});
  owner.open(5, 100);
  owner.close(5);
  owner.advance(30 * kDay);
  owner.advance(30 * kDay);
  owner.open(6, kLongest);
  owner.advance(kLongest - 1);
  EXPECT_EQ(owner.sweep().visited, 0U);
  owner.advance(1);
  EXPECT_EQ(owner.sweep().removed, 1U);
}

// ---- E5: nothing is left behind, memory is given back -------------------------------------------

TYPED_TEST(ExpiryContract, E5MemoryIsGivenBackAfterAFullSweep) {
  typename TestFixture::Owner owner(200'000, Tick{0xfff0'0000});
  const std::size_t empty_bytes = owner.queue().memory_bytes();
  for (std::uint32_t number = 0; number < 200'000; ++number) {
    owner.open(number, 1 + number * 97 % (2 * kDay));
  }
  const std::size_t full_bytes = owner.queue().memory_bytes();
  EXPECT_GE(full_bytes, empty_bytes + 200'000 * sizeof(std::uint32_t));
  owner.advance(2 * kDay);
  EXPECT_EQ(owner.sweep().removed, 200'000U);
  EXPECT_EQ(owner.queue().size(), 0U);
  int calls = 0;
  while (owner.queue().shrink()) ASSERT_LT(++calls, 1'000);
  EXPECT_LE(owner.queue().memory_bytes(), empty_bytes);
}

TYPED_TEST(ExpiryContract, E5QueueWorksOnAfterGivingMemoryBack) {
  typename TestFixture::Owner owner(10'000, Tick{0});
  for (int round = 0; round < 5; ++round) {
    for (std::uint32_t number = 0; number < 10'000; ++number) owner.open(number, 1'000 + number);
    owner.advance(12'000);
    EXPECT_EQ(owner.sweep().removed, 10'000U);
    while (owner.queue().shrink()) continue;
  }
}

TYPED_TEST(ExpiryContract, E5ConnectionThatClosesEarlyLeavesNothingBehind) {
  typename TestFixture::Owner owner(10, Tick{0});
  for (int round = 0; round < 1'000; ++round) {
    owner.open(1, 30'000);
    owner.packet(1, kDay);
    owner.advance(1);
    owner.close(1);
    ASSERT_EQ(owner.queue().size(), 0U);
  }
  owner.open(1, 30'000);  // a stale timer of an earlier user of the number would go off in between
  std::uint32_t visited = 0;
  for (int second = 0; second < 29; ++second) {
    owner.advance(1'000);
    visited += owner.sweep().visited;
  }
  EXPECT_EQ(visited, 0U);
}

TYPED_TEST(ExpiryContract, E5VisitorMayDisarmAndArmOthers) {
  typename TestFixture::Owner owner(100, Tick{0});
  for (std::uint32_t number = 0; number < 100; ++number) owner.open(number, 1'000);
  // Each even connection takes its odd neighbour along, as a master its helpers' connections.
  owner.on_removed = [&owner](std::uint32_t number) {
    const std::uint32_t other = number ^ 1;
    if (other < 98 && owner.alive(other)) owner.close(other);
    if (number >= 98 && other < 100 && !owner.alive(other)) owner.open(other, 5'000);
  };
  owner.advance(1'000);
  const ExpirySweep sweep = owner.sweep();
  EXPECT_EQ(sweep.removed, 49U + 2U);
  EXPECT_TRUE(sweep.finished);
  EXPECT_EQ(owner.queue().size(), 1U);
  owner.on_removed = nullptr;
  owner.advance(5'000);
  EXPECT_EQ(owner.sweep().removed, 1U);
}

// ---- E7: hitting the bound is reported ----------------------------------------------------------

TYPED_TEST(ExpiryContract, E7HittingTheBoundIsReported) {
  typename TestFixture::Owner owner(100, Tick{0});
  for (std::uint32_t number = 0; number < 100; ++number) owner.open(number, 1 + number);
  owner.advance(100);
  const ExpirySweep first = owner.sweep(60);
  EXPECT_EQ(first.removed, 60U);
  EXPECT_FALSE(first.finished);
  Tick when{};
  ASSERT_TRUE(owner.queue().next(when));
  EXPECT_FALSE(earlier(owner.now(), when)) << "the rest is due already";
  const ExpirySweep second = owner.sweep(60);
  EXPECT_EQ(second.removed, 40U);
  EXPECT_TRUE(second.finished);
}

TYPED_TEST(ExpiryContract, E7ExactFitIsNoBoundHit) {
  typename TestFixture::Owner owner(100, Tick{0});
  for (std::uint32_t number = 0; number < 100; ++number) owner.open(number, 1 + number);
  owner.advance(64);
  const ExpirySweep sweep = owner.sweep(64);
  EXPECT_EQ(sweep.removed, 64U);
  EXPECT_TRUE(sweep.finished);
}

// ---- E8: the smallest timeout is known at build time --------------------------------------------

static_assert(kShortestDefaultTimeout == std::chrono::seconds(30));
static_assert(shortest_timeout(TimeoutPolicy{}) >= kMinTimeout);
static_assert(add(Tick{5}, kShortestDefaultTimeout) == Tick{30'005});

TYPED_TEST(ExpiryContract, E8NothingExpiresBeforeTheShortestTimeout) {
  constexpr auto kShortest = static_cast<std::uint32_t>(kShortestDefaultTimeout.count());
  const TimeoutPolicy policy;
  typename TestFixture::Owner owner(kTimeoutClassCount, Tick{0});
  for (std::uint32_t number = 0; number < kTimeoutClassCount; ++number) {
    owner.open(number, static_cast<std::uint32_t>(policy.values[number].count()));
  }
  owner.advance(kShortest - 1);
  EXPECT_EQ(owner.sweep().visited, 0U);
  owner.advance(1);
  EXPECT_GT(owner.sweep().removed, 0U);
}

// ---- E10: any number of distinct timeouts, changed at run time ----------------------------------

// In 2016 a class had one list; after a policy changed, expired entries stood behind live ones.
TYPED_TEST(ExpiryContract, E10ShorterTimeoutAfterAPolicyChangeIsNotStuckBehindALongerOne) {
  typename TestFixture::Owner owner(100, Tick{0});
  for (std::uint32_t number = 0; number < 50; ++number) owner.open(number, 100'000);
  for (std::uint32_t number = 50; number < 100; ++number) owner.open(number, 1'000);
  owner.advance(1'000);
  EXPECT_EQ(owner.sweep().removed, 50U);
  for (std::uint32_t number = 0; number < 50; ++number) owner.packet(number, 10 + number);
  owner.advance(34);
  EXPECT_EQ(owner.sweep().removed, 25U);
}

}  // namespace
}  // namespace uct::core
