#include "expiry/timer_wheel.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

namespace uct::core {
namespace {

constexpr std::uint32_t kAll = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint32_t kDay = 24U * 3600 * 1000;

/// Takes whatever is due; answers with a later deadline for one number, if told to.
struct Recorder {
  void prefetch(std::uint32_t number) { prefetched.push_back(number); }
  void prepare(std::span<const std::uint32_t> numbers) {
    prepared.insert(prepared.end(), numbers.begin(), numbers.end());
  }
  std::optional<Tick> visit(std::uint32_t number) {
    visited.push_back(number);
    if (number == survivor) return lives_until;
    return std::nullopt;
  }

  std::vector<std::uint32_t> prefetched;
  std::vector<std::uint32_t> prepared;
  std::vector<std::uint32_t> visited;
  std::uint32_t survivor = kAll;
  Tick lives_until{};
};

class TimerWheelTest : public testing::Test {
 protected:
  TimerWheelTest() { EXPECT_TRUE(wheel_.reserve(100'000, Tick{0})); }

  Tick next() const {
    Tick when{0xdead'beef};
    EXPECT_TRUE(wheel_.next(when));
    return when;
  }

  TimerWheel wheel_;
  Recorder recorder_;
};

// ---- Tick ---------------------------------------------------------------------------------------

TEST(Tick, OrderHoldsAcrossTheWrapAround) {
  EXPECT_TRUE(earlier(Tick{0xffff'ffff}, Tick{0}));
  EXPECT_FALSE(earlier(Tick{0}, Tick{0xffff'ffff}));
  EXPECT_FALSE(earlier(Tick{7}, Tick{7}));
  EXPECT_TRUE(earlier(Tick{7}, add(Tick{7}, kTickHorizon - 1)));
  EXPECT_EQ(distance(Tick{0xffff'fff0}, Tick{0x10}), 0x20U);
}

TEST(Tick, TimestampIsRoundedDownToItsMillisecond) {
  EXPECT_EQ(tick_of(timestamp_from_ns(0)), Tick{0});
  EXPECT_EQ(tick_of(timestamp_from_ns(1'999'999)), Tick{1});
  EXPECT_EQ(tick_of(timestamp_from_ns(-1)), Tick{0xffff'ffff});
  EXPECT_EQ(tick_of(timestamp_from_ns((std::int64_t{1} << 32) * 1'000'000)), Tick{0});
}

TEST(Tick, TimestampOfATickIsTheOneNearestToNow) {
  const std::int64_t round_ns = (std::int64_t{1} << 32) * 1'000'000;
  const Timestamp now = timestamp_from_ns(3 * round_ns + 5'999'999);
  EXPECT_EQ(timestamp_of(Tick{5}, now), timestamp_from_ns(3 * round_ns + 5'000'000));
  EXPECT_EQ(timestamp_of(Tick{9}, now), timestamp_from_ns(3 * round_ns + 9'000'000));
  EXPECT_EQ(timestamp_of(Tick{0xffff'ffff}, now), timestamp_from_ns(3 * round_ns - 1'000'000));
}

// ---- arming -------------------------------------------------------------------------------------

TEST_F(TimerWheelTest, RefusesMoreNumbersThanItCanName) {
  TimerWheel wheel;
  EXPECT_FALSE(wheel.reserve(TimerWheel::kCapacityMax + 1, Tick{0}));
}

TEST_F(TimerWheelTest, DeadlineThatHasPassedIsDueAtOnce) {
  wheel_.arm(1, Tick{1000}, Tick{2000});
  EXPECT_EQ(wheel_.sweep(Tick{1500}, kAll, recorder_).visited, 0U);
  wheel_.arm(2, Tick{1500}, Tick{1400});
  EXPECT_EQ(next(), Tick{1500});
  EXPECT_EQ(wheel_.sweep(Tick{1500}, kAll, recorder_).visited, 1U);
  EXPECT_EQ(recorder_.visited, std::vector<std::uint32_t>{2});
}

TEST_F(TimerWheelTest, DeadlineThatHasPassedIsDueAtOnceAcrossEveryBoundary) {
  for (const std::uint32_t boundary : {0x100U, 0x1'0000U, 0x100'0000U, 0x8000'0000U, 0U}) {
    const Tick now = add(Tick{boundary}, 16);
    for (const std::uint32_t late : {1U, 17U, 300U, 70'000U, kDay}) {
      ASSERT_TRUE(wheel_.reserve(10, now));
      wheel_.arm(1, now, Tick{static_cast<std::uint32_t>(now) - late});
      EXPECT_EQ(next(), now);
      EXPECT_EQ(wheel_.sweep(now, kAll, recorder_).removed, 1U) << boundary << " - " << late;
    }
  }
}

TEST_F(TimerWheelTest, SweepAtAnEarlierTimeIsOneAtTheLatest) {
  wheel_.arm(1, Tick{0}, Tick{900});
  wheel_.arm(2, Tick{0}, Tick{1001});
  EXPECT_EQ(wheel_.sweep(Tick{1000}, kAll, recorder_).visited, 1U);
  EXPECT_EQ(wheel_.sweep(Tick{10}, kAll, recorder_).visited, 0U);
  wheel_.arm(3, Tick{10}, Tick{999});
  EXPECT_EQ(wheel_.sweep(Tick{10}, kAll, recorder_).visited, 1U);
  EXPECT_EQ(wheel_.size(), 1U);
}

TEST_F(TimerWheelTest, RefreshToALaterDeadlineChangesNothingUntilDue) {
  wheel_.arm(1, Tick{0}, Tick{30'000});
  const Tick before = next();
  for (std::uint32_t t = 1; t < 20'000; ++t) {
    wheel_.refresh(1, Tick{t}, Tick{30'000 + t - 1}, Tick{30'000 + t});
  }
  EXPECT_EQ(next(), before);
  recorder_.survivor = 1;
  recorder_.lives_until = Tick{49'999};
  const ExpirySweep sweep = wheel_.sweep(Tick{30'000}, kAll, recorder_);
  EXPECT_EQ(sweep.rearmed, 1U);
  recorder_.survivor = kAll;
  EXPECT_EQ(wheel_.sweep(Tick{49'998}, kAll, recorder_).visited, 0U);
  EXPECT_EQ(wheel_.sweep(Tick{49'999}, kAll, recorder_).removed, 1U);
}

TEST_F(TimerWheelTest, BringForwardIgnoresLaterDeadlinesAndUnarmedNumbers) {
  wheel_.arm(1, Tick{0}, Tick{200});
  wheel_.bring_forward(1, Tick{201});
  EXPECT_EQ(next(), Tick{200});
  wheel_.bring_forward(1, Tick{199});
  EXPECT_EQ(next(), Tick{199});
  wheel_.bring_forward(2, Tick{10});
  EXPECT_EQ(wheel_.size(), 1U);
}

TEST_F(TimerWheelTest, VisitorThatContradictsItselfDoesNotLoop) {
  wheel_.arm(1, Tick{0}, Tick{100});
  recorder_.survivor = 1;
  recorder_.lives_until = Tick{100};
  EXPECT_EQ(wheel_.sweep(Tick{100}, kAll, recorder_).visited, 1U);
  EXPECT_EQ(next(), Tick{101});
}

// ---- disarming ----------------------------------------------------------------------------------

TEST_F(TimerWheelTest, DisarmFillsThePlaceWithAnotherTimerOfTheSlot) {
  for (std::uint32_t number = 0; number < 20; ++number) wheel_.arm(number, Tick{0}, Tick{100});
  for (std::uint32_t number = 0; number < 20; number += 2) wheel_.disarm(number);
  wheel_.disarm(4);  // twice does nothing
  EXPECT_EQ(wheel_.size(), 10U);
  EXPECT_EQ(wheel_.sweep(Tick{100}, kAll, recorder_).visited, 10U);
  for (const std::uint32_t number : recorder_.visited) EXPECT_EQ(number % 2, 1U);
}

TEST_F(TimerWheelTest, DisarmedWhileWaitingForItsVisitIsNotVisited) {
  struct Couples {
    void prefetch(std::uint32_t) {}
    std::optional<Tick> visit(std::uint32_t number) {
      ++visits;
      wheel.disarm(number ^ 1);
      return std::nullopt;
    }
    TimerWheel& wheel;
    int visits = 0;
  } couples{wheel_};
  for (std::uint32_t number = 0; number < 1000; ++number) wheel_.arm(number, Tick{0}, Tick{100});
  const ExpirySweep sweep = wheel_.sweep(Tick{100}, kAll, couples);
  EXPECT_EQ(couples.visits, 500);
  EXPECT_EQ(sweep.removed, 500U);
  EXPECT_EQ(wheel_.size(), 0U);
}

// One million connections that live 24 h by their timeout and close after at most 30 s: the wheel
// holds those that are open and nothing of those that were.
TEST_F(TimerWheelTest, ConnectionsThatCloseEarlyLeaveNothingBehind) {
  constexpr std::uint32_t kOpen = 10'000;
  std::size_t steady_bytes = 0;
  for (std::uint32_t i = 0; i < 1'000'000; ++i) {
    const Tick now{i * 3};  // each lives 30 s
    const std::uint32_t number = i % kOpen;
    wheel_.disarm(number);
    wheel_.arm(number, now, add(now, 30'000 + kDay * (i % 3)));
    if (i % 1'000 == 0) wheel_.sweep(now, kAll, recorder_);
    if (i == 3 * kOpen) steady_bytes = wheel_.memory_bytes();
  }
  EXPECT_EQ(wheel_.size(), kOpen);
  EXPECT_LE(wheel_.memory_bytes(), steady_bytes);
  EXPECT_LE(steady_bytes, sizeof(TimerWheel) + kOpen * 20 + 65'536);
}

// ---- sweeping -----------------------------------------------------------------------------------

TEST_F(TimerWheelTest, NumbersArePrefetchedAndPreparedBeforeTheirVisits) {
  for (std::uint32_t number = 0; number < 100; ++number) wheel_.arm(number, Tick{0}, Tick{100});
  wheel_.sweep(Tick{100}, kAll, recorder_);
  EXPECT_EQ(recorder_.prefetched, recorder_.visited);
  EXPECT_EQ(recorder_.prepared, recorder_.visited);
  EXPECT_EQ(recorder_.visited.size(), 100U);
}

TEST_F(TimerWheelTest, MovesAreBoundedAndASweepGoesOnWhereItStopped) {
  for (std::uint32_t number = 0; number < 10'000; ++number) {
    wheel_.arm(number, Tick{0}, Tick{300 + number % 200});
  }
  std::uint32_t moved = 0;
  ExpirySweep sweep;
  do {  // at 256 all timers of the slot of 256 .. 511 move to level 0
    sweep = wheel_.sweep(Tick{256}, 10, recorder_);
    EXPECT_LE(sweep.moved, TimerWheel::kMovesMin);
    EXPECT_TRUE(sweep.finished || next() == Tick{256});
    moved += sweep.moved;
  } while (!sweep.finished);
  EXPECT_EQ(moved, 10'000U);
  EXPECT_TRUE(recorder_.visited.empty());
  EXPECT_EQ(next(), Tick{300});
}

TEST_F(TimerWheelTest, SweepPastTheDeadlineVisitsWithoutMoving) {
  for (std::uint32_t number = 0; number < 10'000; ++number) {
    wheel_.arm(number, Tick{0}, Tick{30'000 + number % 200});
  }
  const ExpirySweep sweep = wheel_.sweep(Tick{31'000}, kAll, recorder_);
  EXPECT_EQ(sweep.removed, 10'000U);
  EXPECT_EQ(sweep.moved, 0U);
}

TEST_F(TimerWheelTest, TimerMovesAtMostThreeTimesInItsLife) {
  const Tick start{0xfe12'3456};
  wheel_.arm(1, start, add(start, 20 * kDay));
  std::uint32_t moved = 0;
  while (wheel_.size() > 0) moved += wheel_.sweep(next(), kAll, recorder_).moved;
  EXPECT_LE(moved, 3U);
}

// ---- memory -------------------------------------------------------------------------------------

TEST_F(TimerWheelTest, ShrinkKeepsTheTimersThatAreLeft) {
  for (std::uint32_t number = 0; number < 100'000; ++number) {
    wheel_.arm(number, Tick{0}, Tick{1'000 + number});
  }
  const std::size_t full_bytes = wheel_.memory_bytes();
  for (std::uint32_t number = 0; number < 100'000; ++number) {
    if (number % 1'000 != 0) wheel_.disarm(number);
  }
  while (wheel_.shrink()) continue;
  EXPECT_LT(wheel_.memory_bytes(), full_bytes * 6 / 10);
  for (std::uint32_t number = 0; number < 100'000; number += 1'000) {
    EXPECT_EQ(wheel_.sweep(Tick{999 + number}, kAll, recorder_).visited, 0U);
    EXPECT_EQ(wheel_.sweep(Tick{1'000 + number}, kAll, recorder_).visited, 1U);
    EXPECT_EQ(recorder_.visited.back(), number);
  }
}

TEST_F(TimerWheelTest, ShrinkInSteadyUseDoesNothing) {
  for (std::uint32_t number = 0; number < 1'000; ++number) wheel_.arm(number, Tick{0}, Tick{500});
  const std::size_t bytes = wheel_.memory_bytes();
  EXPECT_FALSE(wheel_.shrink());
  EXPECT_EQ(wheel_.memory_bytes(), bytes);
}

}  // namespace
}  // namespace uct::core
