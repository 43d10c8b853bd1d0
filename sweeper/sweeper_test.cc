// The sweeper's promises in real time, with short timeouts. Times are bounded generously: a
// machine under load may be late, and no test here measures how fast it is.
#include <uct/sweeper.h>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <thread>

#include "tests/support/tuple_packet.h"

namespace uct {
namespace {

using SteadyClock = std::chrono::steady_clock;
using test::make_packet;
using test::numbered_udp;
using test::send;

constexpr std::chrono::seconds kLongEnough{20};

/// Gives     false when it did not come to that in a long time.
bool comes_true(const std::function<bool()>& condition) {
  const auto end = SteadyClock::now() + kLongEnough;
  while (!condition()) {
    if (SteadyClock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

std::unique_ptr<Tracker> make_tracker(std::int64_t timeout_ms) {
  Config config;
  config.timeouts.values.fill(Duration(timeout_ms));
  return std::move(Tracker::create(config).value());
}

SweeperConfig every(std::int64_t ahead_ms) {
  SweeperConfig config;
  config.ahead_interval = Duration(ahead_ms);
  return config;
}

void open(Tracker& tracker, std::uint32_t count, Timestamp now) {
  for (std::uint32_t i = 0; i < count; ++i) {
    send(tracker, make_packet(numbered_udp(i)), {.commit = true}, now);
  }
}

TEST(Sweeper, ReclaimsWhatExpired) {  // E5
  const auto tracker = make_tracker(100);
  const Sweeper sweeper(*tracker, every(50));
  open(*tracker, 1000, steady_now());
  const auto opened = SteadyClock::now();
  EXPECT_TRUE(comes_true([&] { return tracker->connection_count() == 0; }));
  EXPECT_LT(SteadyClock::now() - opened, std::chrono::seconds(5));  // 1.1 s is the promise
  EXPECT_TRUE(comes_true([&] { return sweeper.report().removed == 1000; }));
  EXPECT_GE(sweeper.report().rounds, 1U);
}

TEST(Sweeper, RemovesNothingThatLives) {
  const auto tracker = make_tracker(60'000);
  open(*tracker, 100, steady_now());
  const Sweeper sweeper(*tracker, every(1));
  EXPECT_TRUE(comes_true([&] { return sweeper.report().rounds >= 1; }));
  EXPECT_EQ(tracker->connection_count(), 100U);
  EXPECT_EQ(sweeper.report().removed, 0U);
}

TEST(Sweeper, SleepsWhileNothingCanExpire) {  // E4
  const auto tracker = make_tracker(60'000);
  open(*tracker, 100, steady_now());
  const Sweeper sweeper(*tracker, every(1));
  EXPECT_TRUE(comes_true([&] { return sweeper.report().rounds >= 1; }));
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  // Timers come nearer by at most three coarse steps; a sweeper that polled had 300 rounds by now.
  EXPECT_LE(sweeper.report().rounds, 5U);
}

TEST(Sweeper, BatchesItsWork) {  // E4
  const auto tracker = make_tracker(10);
  const Sweeper sweeper(*tracker, every(100));
  const auto start = SteadyClock::now();
  for (std::uint32_t i = 0; i < 300; ++i) {  // something expires in every millisecond
    send(*tracker, make_packet(numbered_udp(i)), {.commit = true}, steady_now());
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  const auto elapsed =
      std::chrono::duration_cast<std::chrono::milliseconds>(SteadyClock::now() - start);
  const auto most = static_cast<std::uint64_t>(elapsed.count() / 100 + 2);
  EXPECT_LE(sweeper.report().rounds, most);
}

TEST(Sweeper, WakeBeginsARoundNow) {
  const auto tracker = make_tracker(3'600'000);
  std::atomic<std::int64_t> now_ms{0};
  Sweeper sweeper(*tracker, {.ahead_interval = Duration(3'600'000),
                             .now = [&] { return test::at_ms(now_ms); }});
  open(*tracker, 10, test::at_ms(0));
  ASSERT_TRUE(comes_true([&] { return sweeper.report().rounds == 1; }));
  now_ms = 4'000'000;
  sweeper.wake();
  EXPECT_TRUE(comes_true([&] { return sweeper.report().removed == 10; }));
}

TEST(Sweeper, ABoundHitIsReportedAndWorkGoesOn) {
  const auto tracker = make_tracker(1);
  open(*tracker, 500, steady_now());
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  SweeperConfig config;
  config.behind_interval = Duration(1);
  config.budget = {.timers = 100, .timers_per_lock = 10};
  const Sweeper sweeper(*tracker, config);
  EXPECT_TRUE(comes_true([&] { return sweeper.report().removed == 500; }));
  EXPECT_GE(sweeper.report().bound_hits, 4U);
  EXPECT_EQ(tracker->connection_count(), 0U);
}

TEST(Sweeper, DestructionWakesIt) {  // E6
  const auto tracker = make_tracker(3'600'000);
  const auto start = SteadyClock::now();
  {
    const Sweeper sweeper(*tracker, every(3'600'000));
    EXPECT_TRUE(comes_true([&] { return sweeper.report().rounds == 1; }));
  }
  EXPECT_LT(SteadyClock::now() - start, kLongEnough);  // it meant to sleep for an hour
}

TEST(Sweeper, MayBeDestroyedRightAway) {
  const auto tracker = make_tracker(1000);
  for (int i = 0; i < 200; ++i) const Sweeper sweeper(*tracker);
}

TEST(Sweeper, ConcurrentTrafficIsSweptBehind) {
  const auto tracker = make_tracker(20);
  constexpr std::uint32_t kPackets = 20'000;
  {
    const Sweeper sweeper(*tracker, every(5));
    for (std::uint32_t i = 0; i < kPackets; ++i) {
      send(*tracker, make_packet(numbered_udp(i)), {.commit = true}, steady_now());
    }
    EXPECT_TRUE(comes_true([&] { return tracker->connection_count() == 0; }));
  }
  EXPECT_EQ(tracker->stats().protocols[1].expired, kPackets);
}

}  // namespace
}  // namespace uct
