#include "bench/workloads/connections.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "bench/workloads/harness.h"

namespace uct::bench {
namespace {

/// Steers by an address, to three threads at most, and answers all packets as invalid.
class SteeringTarget final : public Target {
 public:
  void process(std::span<Packet> burst, const Request&, Timestamp,
               std::span<Verdict> verdicts) override {
    for (Verdict& verdict : verdicts.first(burst.size())) {
      verdict.state = StateFlags::invalid | StateFlags::tracked;
    }
  }
  std::uint64_t sweep(Timestamp) override { return 0; }
  std::uint64_t connection_count() const override { return 0; }
  unsigned home(const Packet& packet, unsigned threads) const override {
    const auto low = static_cast<unsigned>(packet.data[29]);  // of the IPv4 source address
    return low % 3 % threads;
  }
};

Options with(std::uint64_t connections, unsigned threads) {
  Options options;
  options.connections = connections;
  options.threads = threads;
  return options;
}

using Lists = std::vector<std::vector<std::uint32_t>>;

/// Gives     all numbers of all lists, sorted.
std::vector<std::uint32_t> together(const Lists& lists) {
  std::vector<std::uint32_t> all;
  for (const auto& list : lists) all.insert(all.end(), list.begin(), list.end());
  std::sort(all.begin(), all.end());
  return all;
}

std::vector<std::uint32_t> range(std::uint32_t first, std::uint32_t last) {
  std::vector<std::uint32_t> numbers;
  for (std::uint32_t i = first; i < last; ++i) numbers.push_back(i);
  return numbers;
}

TEST(SplitConnections, SteersEachToItsHomeAndLosesNone) {
  const SteeringTarget target;
  Burst burst(TrafficShape{});
  for (const unsigned threads : {1U, 2U, 3U, 5U}) {
    const Lists lists = split_connections(target, with(0, threads), 100, 5100);
    ASSERT_EQ(lists.size(), threads);
    EXPECT_EQ(together(lists), range(100, 5100));
    for (unsigned thread = 0; thread < threads; ++thread) {
      EXPECT_TRUE(std::is_sorted(lists[thread].begin(), lists[thread].end()));
      EXPECT_EQ(lists[thread].empty(), thread >= 3);
      for (const std::uint32_t connection : lists[thread]) {
        burst.put(0, connection, {});
        ASSERT_EQ(target.home(burst.packets(1)[0], threads), thread);
      }
    }
  }
}

TEST(SplitConnections, GivesUnsteeredThreadsAsManyEach) {
  Options options = with(0, 4);
  options.unsteered = true;
  const Lists lists = split_connections(SteeringTarget{}, options, 10, 1013);
  EXPECT_EQ(together(lists), range(10, 1013));
  for (const auto& list : lists) EXPECT_NEAR(static_cast<double>(list.size()), 250, 1);
}

TEST(Steering, LetsUnsteeredThreadsSendPacketsOfAll) {
  Options options = with(1000, 2);
  options.unsteered = true;
  const Steering steering(SteeringTarget{}, options);
  for (const unsigned thread : {0U, 1U}) EXPECT_EQ(steering.connections(thread).size(), 1000U);
  EXPECT_NE(steering.picks(0, 100, 1), steering.picks(1, 100, 1));
}

TEST(Steering, PicksOnlyConnectionsOfTheThread) {
  const Steering steering(SteeringTarget{}, with(1000, 3));
  for (unsigned thread = 0; thread < 3; ++thread) {
    const auto mine = steering.connections(thread);
    for (const std::uint32_t pick : steering.picks(thread, 10'000, 1)) {
      ASSERT_TRUE(std::binary_search(mine.begin(), mine.end(), pick));
    }
  }
}

TEST(Steering, PicksNothingForAThreadWithoutConnections) {
  const Steering steering(SteeringTarget{}, with(1000, 4));
  EXPECT_TRUE(steering.connections(3).empty());
  EXPECT_TRUE(steering.picks(3, 100, 1).empty());
  EXPECT_TRUE(steering.turns(3, 100, 1).empty());
}

/// Gives     how often each connection was picked, the most often first.
std::vector<unsigned> pick_counts(const Options& options, std::uint64_t picks) {
  std::map<std::uint32_t, unsigned> by_connection;
  for (const std::uint32_t pick : Steering(SteeringTarget{}, options).picks(0, picks, 1)) {
    EXPECT_LT(pick, options.connections);
    ++by_connection[pick];
  }
  std::vector<unsigned> counts;
  for (const auto& [connection, count] : by_connection) counts.push_back(count);
  std::sort(counts.rbegin(), counts.rend());
  return counts;
}

TEST(Steering, PicksAllConnectionsAlike) {
  const auto counts = pick_counts(with(1000, 1), 100'000);
  EXPECT_EQ(counts.size(), 1000U);
  EXPECT_LT(counts.front(), 150U);
  EXPECT_GT(counts.back(), 50U);
}

// With 1,000 connections the first has 1 of 6.9 parts, or log(2) of them as ranks are rounded here.
TEST(Steering, PicksAFewConnectionsMostOftenByZipf) {
  Options options = with(1000, 1);
  options.zipf = true;
  const auto counts = pick_counts(options, 100'000);
  EXPECT_NEAR(counts[0], 10'000, 1000);
  EXPECT_NEAR(counts[0] / static_cast<double>(counts[9]), 7.3, 1);
  EXPECT_GT(counts.size(), 900U);
}

TEST(Steering, DoesNotPickNeighboursMostOftenByZipf) {
  Options options = with(100'000, 1);
  options.zipf = true;
  std::map<std::uint32_t, unsigned> by_connection;
  for (const std::uint32_t pick : Steering(SteeringTarget{}, options).picks(0, 10'000, 1)) {
    ++by_connection[pick];
  }
  for (const auto& [connection, count] : by_connection) {
    if (count < 100) continue;
    const auto next = by_connection.find(connection + 1);
    EXPECT_TRUE(next == by_connection.end() || next->second < 100) << connection;
  }
}

TEST(Steering, LetsEitherSideSend) {
  const Steering steering(SteeringTarget{}, with(1000, 1));
  const auto picks = steering.picks(0, 10'000, 1);
  const auto turns = steering.turns(0, 10'000, 1);
  unsigned servers = 0;
  unsigned changes = 0;
  for (std::size_t i = 0; i < turns.size(); ++i) {
    ASSERT_EQ(turns[i].connection(), picks[i]);
    servers += turns[i].side() == Side::server ? 1 : 0;
    changes += i > 0 && turns[i].side() != turns[i - 1].side() ? 1 : 0;
  }
  EXPECT_NEAR(servers, 5000, 300);
  EXPECT_NEAR(changes, 5000, 300);
}

TEST(Turn, KeepsTheLargestConnection) {
  const Turn turn(0x7fffffff, Side::server);
  EXPECT_EQ(turn.connection(), 0x7fffffffU);
  EXPECT_EQ(turn.side(), Side::server);
}

TEST(OpenConnections, OpensAllOfTheRange) {
  for (const unsigned threads : {1U, 2U}) {
    Options options = with(1000, threads);
    const auto target = make_target(options, options.connections);
    ASSERT_NE(target, nullptr);
    EXPECT_EQ(open_connections(*target, options, 0, 300, kStart), "");
    EXPECT_EQ(target->connection_count(), 300U);
    EXPECT_EQ(open_connections(*target, options, 300, 1000, kStart), "");
    EXPECT_EQ(target->connection_count(), 1000U);
  }
}

TEST(OpenConnections, TellsWhatWasAnsweredOtherwise) {
  SteeringTarget target;
  EXPECT_EQ(open_connections(target, with(100, 1), 0, 100, kStart),
            "a handshake was answered by inv|trk, not new|trk");
}

}  // namespace
}  // namespace uct::bench
