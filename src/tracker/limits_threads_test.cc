// The maximum of connections and the limits of zones while threads open and close at once.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <thread>

#include <uct/tracker.h>

#include "tests/support/tuple_packet.h"

namespace uct {
namespace {

using test::at_ms;
using test::dump_all;
using test::make_packet;
using test::numbered_udp;

std::unique_ptr<Tracker> make(std::uint32_t maximum, std::uint32_t shards) {
  Config config;
  config.max_connections = maximum;
  config.capacity = 20'000;
  config.shards = shards;
  return std::move(Tracker::create(config).value());
}

bool open(Tracker& tracker, std::uint32_t number, Zone zone) {
  const Request request{.zone = zone, .commit = true};
  const test::TuplePacket packet = make_packet(numbered_udp(number, true));
  return test::send(tracker, packet, request, at_ms(0)).reason == Reason::none;
}

/// Runs work(0) and work(1) at once.
template <typename Work>
void run_two(Work&& work) {
  std::thread other([&] { work(1U); });
  work(0U);
  other.join();
}

class LimitsThreads : public testing::TestWithParam<std::uint32_t> {};
INSTANTIATE_TEST_SUITE_P(Shards, LimitsThreads, testing::Values(1, 4, 16));

TEST_P(LimitsThreads, TwoThatOpenAtOnceNeverExceedTheMaximum) {
  constexpr std::uint32_t kMaximum = 1000;
  for (int round = 0; round < 10; ++round) {
    const auto tracker = make(kMaximum, GetParam());
    std::atomic<std::uint32_t> opened = 0;
    run_two([&](std::uint32_t thread) {
      for (std::uint32_t i = 0; i < kMaximum; ++i) {
        if (open(*tracker, 2 * i + thread, 0)) ++opened;
        ASSERT_LE(opened, kMaximum);
        ASSERT_LE(tracker->connection_count(), kMaximum);
      }
    });
    // What one was about to hand on while the other looked for it may have been missed; it is not
    // lost.
    for (std::uint32_t i = 0; i < kMaximum; ++i) opened += open(*tracker, 100'000 + i, 0) ? 1 : 0;
    EXPECT_EQ(opened, kMaximum);
    EXPECT_EQ(tracker->connection_count(), kMaximum);
    EXPECT_EQ(dump_all(*tracker, at_ms(0)).size(), kMaximum);
    EXPECT_EQ(tracker->flush(at_ms(0)), kMaximum);
    EXPECT_EQ(tracker->connection_count(), 0U);
  }
}

TEST_P(LimitsThreads, TwoThatOpenAndCloseAtOnceNeverExceedTheMaximum) {
  constexpr std::uint32_t kMaximum = 300;
  const auto tracker = make(kMaximum, GetParam());
  std::atomic<std::uint32_t> held = 0;  // never more than there are
  run_two([&](std::uint32_t thread) {
    const auto zone = static_cast<Zone>(thread);
    Filter own;
    own.zone = zone;
    std::uint32_t mine = 0;
    for (std::uint32_t i = 0; i < 40'000; ++i) {
      if (open(*tracker, i, zone)) {
        ++mine;
        ASSERT_LE(++held, kMaximum);
      }
      ASSERT_LE(tracker->connection_count(), kMaximum);
      if (i % (300 + 20 * thread) != 0) continue;
      held -= mine;
      ASSERT_EQ(tracker->flush(at_ms(0), own), mine);
      mine = 0;
    }
  });
  EXPECT_EQ(tracker->connection_count(), held);
  EXPECT_EQ(dump_all(*tracker, at_ms(0)).size(), held);
  for (std::uint32_t i = 0; i < kMaximum; ++i) held += open(*tracker, i, 2) ? 1 : 0;
  EXPECT_EQ(held, kMaximum);
  EXPECT_EQ(tracker->connection_count(), kMaximum);
}

TEST_P(LimitsThreads, TwoThatOpenAtOnceNeverExceedTheLimitOfAZone) {
  constexpr std::uint32_t kLimit = 400;
  const auto tracker = make(20'000, GetParam());
  for (std::uint32_t i = 0; i < 100; ++i) ASSERT_TRUE(open(*tracker, i, 5));
  tracker->set_zone_limit(5, kLimit);
  std::atomic<std::uint32_t> opened = 100;
  run_two([&](std::uint32_t thread) {
    for (std::uint32_t i = 0; i < 2000; ++i) {
      if (open(*tracker, 1000 + 2 * i + thread, 5)) ++opened;
      ASSERT_LE(opened, kLimit);
      ASSERT_TRUE(open(*tracker, 2 * i + thread, 6));  // the neighbour has none
    }
  });
  EXPECT_EQ(opened, kLimit);
  EXPECT_EQ(tracker->zone_limit(5).count, kLimit);
  EXPECT_EQ(tracker->zone_limit(6).count, 4000U);
}

TEST_P(LimitsThreads, ALimitSetWhileAnotherOpensHoldsFromThenOn) {
  constexpr std::uint32_t kLimit = 500;
  for (int round = 0; round < 10; ++round) {
    const auto tracker = make(20'000, GetParam());
    std::atomic<std::uint32_t> opened = 0;
    std::uint32_t when_set = 0;
    run_two([&](std::uint32_t thread) {
      if (thread == 0) {
        while (opened < 100) std::this_thread::yield();
        tracker->set_zone_limit(5, kLimit);
        when_set = opened + 1;  // one may be let in and not counted here yet
        return;
      }
      for (std::uint32_t i = 0; i < 2000; ++i) opened += open(*tracker, i, 5) ? 1 : 0;
    });
    EXPECT_LE(opened, std::max(when_set, kLimit));
    EXPECT_EQ(tracker->zone_limit(5).count, opened);
    // While it is being set, what shards hold unused counts as taken; afterwards it does not.
    for (std::uint32_t i = 5000; i < 5600; ++i) opened += open(*tracker, i, 5) ? 1 : 0;
    EXPECT_GE(opened, kLimit);
    EXPECT_LE(opened, std::max(when_set, kLimit));
    EXPECT_EQ(tracker->zone_limit(5).count, opened);
  }
}

}  // namespace
}  // namespace uct
