// The promises of expiry, at the level of the tracker and with a virtual clock. E4 and E6 are the
// sweeper's (sweeper/sweeper_test.cc), E8 and E9 the compiler's (uct/timeout_policy.h and
// tests/misuse).
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <uct/tracker.h>

#include "tests/support/tuple_packet.h"

namespace uct {
namespace {

using test::at_ms;
using test::make_packet;
using test::numbered_udp;
using test::reversed;
using test::send;
using test::TcpSegment;

constexpr std::int64_t kSecond = 1000;
constexpr std::int64_t kDay = 24 * 3600 * kSecond;
const Request kCommit{.commit = true};

Config table_of(std::uint32_t max_connections, std::uint32_t shards) {
  Config config;
  config.max_connections = max_connections;
  config.shards = shards;
  return config;
}

class TrackerExpiry : public testing::Test {
 protected:
  TrackerExpiry() { make({}); }

  void make(Config config) { tracker_ = std::move(Tracker::create(config).value()); }

  Verdict packet(const Tuple& tuple, std::int64_t ms, const Request& request = kCommit) {
    return send(*tracker_, make_packet(tuple), request, at_ms(ms));
  }
  void segment(const Tuple& tuple, std::int64_t ms, const TcpSegment& segment) {
    send(*tracker_, make_packet(tuple, 0, segment), kCommit, at_ms(ms));
  }
  SweepResult sweep(std::int64_t ms, SweepBudget budget = {.timers = 100'000'000}) {
    return tracker_->sweep(at_ms(ms), budget);
  }
  void open(std::uint32_t count, std::int64_t ms) {
    for (std::uint32_t i = 0; i < count; ++i) packet(numbered_udp(i, true), ms);
  }

  /// Its last packet came at `last`: it is there one millisecond before the timeout passed, and
  /// not from then on, swept or not.
  void expect_expires(const Tuple& tuple, std::int64_t last, TimeoutClass timeout_class) {
    const std::int64_t deadline = last + TimeoutPolicy{}[timeout_class].count();
    const auto found = tracker_->find(0, tuple, at_ms(deadline - 1));
    ASSERT_TRUE(found) << name(timeout_class);
    EXPECT_EQ(found->expires, at_ms(deadline)) << name(timeout_class);
    EXPECT_FALSE(tracker_->find(0, tuple, at_ms(deadline))) << name(timeout_class);
    EXPECT_FALSE(tracker_->find(found->handle, at_ms(deadline)));
    sweep(deadline - 1);
    EXPECT_EQ(tracker_->connection_count(), 1U) << name(timeout_class);
    EXPECT_EQ(sweep(deadline).removed, 1U) << name(timeout_class);
    EXPECT_EQ(tracker_->connection_count(), 0U) << name(timeout_class);
  }

  std::unique_ptr<Tracker> tracker_;
};

Tuple tcp_tuple() {
  Tuple tuple = numbered_udp(1);
  tuple.protocol = Protocol::tcp;
  return tuple;
}

Tuple ping_tuple() {
  Tuple tuple = numbered_udp(1);
  tuple.protocol = Protocol::icmp;
  tuple.source_port = tuple.destination_port = 0;
  tuple.icmp_type = 8;
  tuple.icmp_id = 77;
  return tuple;
}

TEST_F(TrackerExpiry, E1OfDatagramsIsExactToTheMillisecond) {
  const Tuple udp = numbered_udp(1);
  packet(udp, 5);
  expect_expires(udp, 5, TimeoutClass::other_first);
  packet(udp, 1'000'000);
  packet(udp, 1'000'007);
  expect_expires(udp, 1'000'007, TimeoutClass::other_multiple);
  packet(udp, 2'000'000);
  packet(reversed(udp), 2'000'001);
  expect_expires(udp, 2'000'001, TimeoutClass::other_bidir);
}

TEST_F(TrackerExpiry, E1OfPingsIsExactToTheMillisecond) {
  packet(ping_tuple(), 0);
  expect_expires(ping_tuple(), 0, TimeoutClass::icmp_first);
  packet(ping_tuple(), 1'000'000);
  packet(reversed(ping_tuple()), 1'000'003);
  expect_expires(ping_tuple(), 1'000'003, TimeoutClass::icmp_reply);
}

TEST_F(TrackerExpiry, E1OfEachTcpClassIsExactToTheMillisecond) {
  const Tuple out = tcp_tuple();
  const Tuple back = reversed(out);
  struct Step {
    Tuple tuple;
    TcpSegment segment;
    TimeoutClass then;
  };
  const std::vector<Step> steps = {
      {out, {test::kSyn, 1000, 0}, TimeoutClass::tcp_first},
      {back, {test::kSynAck, 5000, 1001}, TimeoutClass::tcp_opening},
      {out, {test::kAck, 1001, 5001}, TimeoutClass::tcp_established},
      {out, {test::kFin | test::kAck, 1001, 5001}, TimeoutClass::tcp_closing},
      {back, {test::kFin | test::kAck, 5001, 1002}, TimeoutClass::tcp_fin_wait},
      {out, {test::kAck, 1002, 5002}, TimeoutClass::tcp_closed},
  };
  std::int64_t now = 0;
  for (std::size_t length = 1; length <= steps.size(); ++length) {
    for (std::size_t i = 0; i < length; ++i) segment(steps[i].tuple, ++now, steps[i].segment);
    expect_expires(out, now, steps[length - 1].then);
    now += 2 * kDay;
  }
}

TEST_F(TrackerExpiry, E1HoldsWithoutAnySweepForPacketsToo) {
  const Verdict first = packet(numbered_udp(1), 0);
  const std::int64_t timeout = TimeoutPolicy{}[TimeoutClass::other_first].count();
  EXPECT_TRUE(has(packet(reversed(numbered_udp(1)), timeout).state, StateFlags::new_));
  const Verdict again = packet(numbered_udp(1), 2 * timeout);
  EXPECT_TRUE(has(again.state, StateFlags::new_));
  EXPECT_NE(again.connection, first.connection);
  EXPECT_EQ(tracker_->stats().protocols[1].expired, 2U);
}

TEST_F(TrackerExpiry, E2SweepsVisitNoConnectionThatLivesUntouched) {
  open(20'000, 0);
  for (std::int64_t now = 0; now < 60 * kSecond; now += 250) EXPECT_EQ(sweep(now).removed, 0U);
  const Stats stats = tracker_->stats();
  EXPECT_EQ(stats.sweep_rearmed, 0U);
  EXPECT_EQ(stats.sweep_removed, 0U);
  EXPECT_EQ(stats.sweeps, 0U);
  EXPECT_LE(stats.timer_moves, 20'000U * 3);  // once for each wheel level at most
  EXPECT_EQ(sweep(60 * kSecond).removed, 20'000U);
}

TEST_F(TrackerExpiry, E2ARefreshCostsOneVisitWhateverTheNumberOfPackets) {
  open(1000, 0);
  for (std::int64_t now = 1; now < 50 * kSecond; now += 100) packet(numbered_udp(7, true), now);
  EXPECT_EQ(sweep(60 * kSecond).removed, 999U);
  EXPECT_EQ(tracker_->stats().sweep_rearmed, 1U);
}

TEST_F(TrackerExpiry, E3ABudgetOfOneTimerMakesProgress) {
  make(table_of(kDefaultMaxConnections, 4));
  open(100, 0);
  SweepBudget one{.timers = 1, .timers_per_lock = 1};
  std::uint64_t removed = 0;
  for (int i = 0; i < 2000 && removed < 100; ++i) {
    const SweepResult result = sweep(70 * kSecond, one);
    EXPECT_LE(result.removed, 1U);
    removed += result.removed;
  }
  EXPECT_EQ(removed, 100U);
}

TEST_F(TrackerExpiry, E3ATinyTableSweeps) {
  make(table_of(10, 16));
  open(20, 0);
  EXPECT_EQ(tracker_->connection_count(), 10U);
  EXPECT_EQ(sweep(59'999).removed, 0U);
  EXPECT_EQ(sweep(60'000).removed, 10U);
  open(10, 60'001);
  EXPECT_EQ(tracker_->connection_count(), 10U);
}

TEST_F(TrackerExpiry, E3AFullTableMakesRoomOfWhatExpiredWithoutASweep) {
  make(table_of(10, 1));
  open(10, 0);
  EXPECT_EQ(packet(numbered_udp(99), 59'999).reason, Reason::table_full);
  EXPECT_EQ(packet(numbered_udp(99), 60'000).reason, Reason::none);
}

TEST_F(TrackerExpiry, E5MemoryIsGivenBackAfterEverythingExpired) {
  constexpr std::uint32_t kMany = 200'000;
  packet(numbered_udp(0), 0);
  const std::uint64_t nearly_empty = tracker_->stats().memory_bytes;
  open(kMany, 1);
  const std::uint64_t full = tracker_->stats().memory_bytes;
  EXPECT_GT(full, kMany * std::uint64_t{64});
  const SweepResult result = sweep(100 * kSecond);
  EXPECT_EQ(result.next, Timestamp::max());
  for (int i = 0; i < 100; ++i) sweep(100 * kSecond + i);  // memory goes back in bounded pieces
  EXPECT_EQ(tracker_->connection_count(), 0U);
  EXPECT_LT(tracker_->stats().memory_bytes, nearly_empty + full / 50);
}

/// Bytes of this process in memory, as the kernel counts them.
std::uint64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t size = 0;
  std::uint64_t resident = 0;
  statm >> size >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

TEST_F(TrackerExpiry, E5MemoryMadeForGrowthThatDidNotComeIsGivenBackToo) {
  constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
  make(table_of(3'000'000, 1));
  open(1000, 0);
  sweep(1);
  const std::uint64_t before = resident_bytes();
  open(200'000, 2);
  sweep(3);  // makes what would be needed if it went on like this
  const std::uint64_t full = resident_bytes();
  if (full < before + 20 * kMiB) GTEST_SKIP() << "the kernel counts or gives no memory here";
  sweep(100 * kSecond);
  for (int i = 1; i < 10; ++i) sweep(100 * kSecond + i);
  EXPECT_EQ(tracker_->connection_count(), 0U);
  // Some huge pages may stay, begun by what lives; 58 MiB did before it was given back.
  EXPECT_LT(resident_bytes(), before + 16 * kMiB) << "of " << full - before << " more";
}

TEST_F(TrackerExpiry, E7SweepsThatStopAtTheirBudgetAreCounted) {
  open(1000, 0);
  EXPECT_FALSE(sweep(70 * kSecond, {.timers = 100}).finished);
  EXPECT_FALSE(sweep(70 * kSecond, {.timers = 100}).finished);
  EXPECT_EQ(tracker_->stats().sweep_bound_hits, 2U);
  EXPECT_TRUE(sweep(70 * kSecond).finished);
  EXPECT_EQ(tracker_->stats().sweep_bound_hits, 2U);
}

TEST_F(TrackerExpiry, E7ASweepEndsWhenItsCallerSaysSo) {
  open(1000, 0);
  int calls = 0;
  const SweepBudget budget{
      .timers = 1000,
      .timers_per_lock = 8,
      .keep_going = [](void* context) { return ++*static_cast<int*>(context) < 3; },
      .context = &calls};
  const SweepResult result = sweep(70 * kSecond, budget);
  EXPECT_EQ(calls, 3);
  EXPECT_FALSE(result.finished);
  EXPECT_LE(result.removed, 24U);
  EXPECT_EQ(tracker_->stats().sweep_bound_hits, 1U);
}

/// 250 policies of four values each, changed while their connections live.
TEST_F(TrackerExpiry, E10AThousandTimeoutsChangedAtRunTimeAreAllExact) {
  std::vector<Request> requests;
  for (std::int64_t i = 0; i < 250; ++i) {
    const auto id = tracker_->set_timeout_policy("p" + std::to_string(i), TimeoutPolicy{});
    ASSERT_TRUE(id);
    requests.push_back({.commit = true, .timeout_policy = id.value()});
  }
  for (std::uint32_t n = 0; n < 1000; ++n) packet(numbered_udp(n), 0, requests[n % 250]);
  const auto timeout = [](std::uint32_t n) { return 1000 + std::int64_t{n} * 997; };
  for (std::uint32_t round = 0; round < 4; ++round) {
    for (std::uint32_t p = 0; p < 250; ++p) {
      TimeoutPolicy policy;
      policy[TimeoutClass::other_multiple] = Duration(timeout(round * 250 + p));
      ASSERT_EQ(tracker_->set_timeout_policy(requests[p].timeout_policy, policy), Error::none);
      packet(numbered_udp(round * 250 + p), 1, requests[p]);
    }
  }
  for (std::uint32_t n = 0; n < 1000; ++n) {
    EXPECT_TRUE(tracker_->find(0, numbered_udp(n), at_ms(timeout(n)))) << n;
    EXPECT_EQ(sweep(timeout(n)).removed, 0U) << n;
    EXPECT_FALSE(tracker_->find(0, numbered_udp(n), at_ms(timeout(n) + 1))) << n;
    EXPECT_EQ(sweep(timeout(n) + 1).removed, 1U) << n;
  }
}

TEST_F(TrackerExpiry, E10AShorterTimeoutMovesTheDeadlineForward) {
  const auto id = tracker_->set_timeout_policy("short", TimeoutPolicy{});
  const Request request{.commit = true, .timeout_policy = id.value()};
  packet(numbered_udp(1), 0, request);
  TimeoutPolicy policy;
  policy[TimeoutClass::other_multiple] = Duration(10);
  EXPECT_EQ(tracker_->set_timeout_policy(id.value(), policy), Error::none);
  EXPECT_EQ(tracker_->shortest_timeout(), Duration(10));
  packet(numbered_udp(1), 5, request);
  EXPECT_EQ(sweep(14).removed, 0U);
  EXPECT_EQ(sweep(15).removed, 1U);
}

TEST_F(TrackerExpiry, NextIsNeverLaterThanTheFirstDeadline) {
  open(3, 100);
  std::int64_t now = 100;
  for (int wakes = 0; tracker_->connection_count() != 0; ++wakes) {
    ASSERT_LT(wakes, 8);
    const SweepResult result = sweep(now);
    if (result.next == Timestamp::max()) break;
    ASSERT_GT(result.next, at_ms(now));
    ASSERT_LE(result.next, at_ms(100 + 60 * kSecond));
    now = std::chrono::duration_cast<Duration>(result.next.time_since_epoch()).count();
  }
  EXPECT_EQ(now, 100 + 60 * kSecond);
}

class TrackerClockJump : public TrackerExpiry, public testing::WithParamInterface<std::int64_t> {};

/// 32 bits of milliseconds wrap around after 49.7 days, and compare over half of that.
TEST_P(TrackerClockJump, NothingLivesOverALongGap) {
  const std::int64_t then = GetParam() * kDay;
  open(100, 0);
  EXPECT_FALSE(tracker_->find(0, numbered_udp(0), at_ms(then)));
  std::vector<ConnectionInfo> some(10);
  DumpCursor cursor;
  EXPECT_EQ(tracker_->dump(cursor, some, at_ms(then)), 0U);
  EXPECT_TRUE(has(packet(reversed(numbered_udp(1, true)), then).state, StateFlags::new_));
  EXPECT_TRUE(has(packet(numbered_udp(2, true), then).state, StateFlags::new_));
  const auto opened = tracker_->find(0, numbered_udp(2, true), at_ms(then));
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->start, at_ms(then));
  EXPECT_EQ(opened->expires, at_ms(then + 60 * kSecond));
  sweep(then);
  EXPECT_EQ(tracker_->connection_count(), 2U);
  EXPECT_EQ(test::dump_all(*tracker_, at_ms(then)).size(), 2U);
}

TEST_P(TrackerClockJump, ALongTimeoutIsExactAfterManyGapsWithoutASweep) {
  Config config;
  config.timeouts[TimeoutClass::other_first] = kMaxTimeout;
  config.timeouts[TimeoutClass::other_multiple] = kMaxTimeout;
  make(config);
  const std::int64_t longest = kMaxTimeout.count();
  std::int64_t last = 0;
  packet(numbered_udp(1), last);
  for (int i = 0; i < 6; ++i) {
    last += longest - 1;
    EXPECT_EQ(packet(numbered_udp(1), last).reason, Reason::none);
    ASSERT_EQ(tracker_->connection_count(), 1U);
  }
  const auto found = tracker_->find(0, numbered_udp(1), at_ms(last + longest - 1));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->counters[0].packets, 7U);
  EXPECT_FALSE(tracker_->find(0, numbered_udp(1), at_ms(last + longest)));
  EXPECT_FALSE(tracker_->find(0, numbered_udp(1), at_ms(last + longest + GetParam() * kDay)));
  EXPECT_EQ(sweep(last + longest + GetParam() * kDay).removed, 1U);
}

INSTANTIATE_TEST_SUITE_P(Days, TrackerClockJump, testing::Values(10, 21, 30, 50, 75, 400));

}  // namespace
}  // namespace uct
