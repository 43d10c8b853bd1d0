#include "bench/peers/design_2016.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bench/workloads/harness.h"
#include "bench/workloads/traffic.h"

namespace uct::peers::design_2016 {
namespace {

using bench::kAck;
using bench::kStart;
using bench::kSyn;
using bench::Segment;
using bench::Side;
using bench::TrafficShape;
using std::chrono::seconds;

constexpr Segment kClientSyn{Side::client, kSyn, 0, 0, 0};
constexpr Segment kServerSynAck{Side::server, kSyn | kAck, 0, 1, 0};
constexpr Segment kClientAck{Side::client, kAck, 1, 1, 0};
constexpr Segment kServerAck{Side::server, kAck, 1, 1, 0};

/// Packets of one shape, one at a time, on their way into a table.
class Sender {
 public:
  explicit Sender(Design2016& table, TrafficShape shape = {}) : table_(table), burst_(shape) {}

  Verdict send(std::uint64_t connection, const Segment& segment, Timestamp now = kStart,
               const Request& request = {.commit = true}) {
    burst_.put(0, connection, segment);
    Verdict verdict;
    table_.process(burst_.packets(1), request, now, {&verdict, 1});
    return verdict;
  }
  std::string state(std::uint64_t connection, const Segment& segment, Timestamp now = kStart) {
    return to_string(send(connection, segment, now).state);
  }
  void open(std::uint64_t first, std::uint64_t last, Timestamp now = kStart) {
    for (std::uint64_t i = first; i < last; ++i) {
      ASSERT_EQ(state(i, kClientSyn, now), "new|trk");
    }
  }

 private:
  Design2016& table_;
  bench::Burst burst_;
};

std::unique_ptr<Design2016> make_table(std::uint64_t connections_max = 100'000) {
  return std::make_unique<Design2016>(connections_max);
}

/// Gives     numbers of connections that share a bucket.
std::vector<std::uint64_t> of_one_bucket(const Design2016& table, TrafficShape shape,
                                         std::size_t count) {
  bench::Burst burst(shape);
  std::vector<std::uint64_t> numbers;
  for (std::uint64_t i = 0; numbers.size() < count; ++i) {
    burst.put(0, i, kClientAck);
    if (table.hash_of(burst.packets(1)[0]) >> 24 == 0) numbers.push_back(i);
  }
  return numbers;
}

std::uint64_t sweep_all(Design2016& table, Timestamp now) {
  std::uint64_t removed = 0;
  while (const std::uint64_t more = table.sweep(now)) removed += more;
  return removed;
}

class Design2016OfShape : public testing::TestWithParam<TrafficShape> {};

INSTANTIATE_TEST_SUITE_P(Shapes, Design2016OfShape,
                         testing::Values(TrafficShape{false, false}, TrafficShape{true, false},
                                         TrafficShape{false, true}, TrafficShape{true, true}),
                         [](const auto& shape) {
                           return std::string(shape.param.udp ? "Udp" : "Tcp") +
                                  (shape.param.ipv6 ? "6" : "4");
                         });

TEST_P(Design2016OfShape, AHandshakeOpensOneConnection) {
  const auto table = make_table();
  Sender sender(*table, GetParam());
  EXPECT_EQ(sender.state(7, kClientSyn), "new|trk");
  EXPECT_EQ(sender.state(7, kServerSynAck), "est|rpl|trk");
  EXPECT_EQ(sender.state(7, kClientAck), "est|trk");
  EXPECT_EQ(sender.state(7, kServerAck), "est|rpl|trk");
  EXPECT_EQ(table->connection_count(), 1U);
}

TEST(Design2016, AReplyToNothingIsInvalid) {
  const auto table = make_table();
  Sender sender(*table);
  EXPECT_EQ(sender.state(7, kServerSynAck), "inv|trk");
  EXPECT_EQ(table->connection_count(), 0U);
}

TEST(Design2016, NothingIsEnteredWithoutCommit) {
  const auto table = make_table();
  Sender sender(*table);
  EXPECT_EQ(to_string(sender.send(7, kClientSyn, kStart, {}).state), "new|trk");
  EXPECT_EQ(table->connection_count(), 0U);
}

TEST(Design2016, ASegmentOutOfWindowIsInvalid) {
  const auto table = make_table();
  Sender sender(*table);
  for (const Segment& segment : {kClientSyn, kServerSynAck, kClientAck}) sender.send(7, segment);
  const Verdict verdict = sender.send(7, {Side::client, kAck, 100'000'000, 1, 0});
  EXPECT_EQ(to_string(verdict.state), "inv|trk");
  EXPECT_NE(verdict.reason, Reason::none);
}

TEST(Design2016, AFullTableRefuses) {
  const auto table = make_table(2);
  Sender sender(*table);
  sender.open(0, 2);
  const Verdict verdict = sender.send(2, kClientSyn);
  EXPECT_EQ(to_string(verdict.state), "new|trk");
  EXPECT_EQ(verdict.reason, Reason::table_full);
  EXPECT_EQ(table->connection_count(), 2U);
}

TEST(Design2016, ZonesAreApartAndAMarkStays) {
  const auto table = make_table();
  Sender sender(*table);
  sender.send(7, kClientSyn, kStart, {.zone = 1, .commit = true, .mark = 5, .mark_mask = 0xff});
  EXPECT_EQ(sender.send(7, kServerSynAck, kStart, {.zone = 1}).mark, 5U);
  EXPECT_EQ(to_string(sender.send(7, kServerSynAck, kStart, {.zone = 2}).state), "inv|trk");
}

// Bursts of 32 are put together by bucket; what is longer is taken in parts.
TEST(Design2016, ABurstIsAnsweredInItsOrder) {
  const auto table = make_table();
  bench::Burst burst(TrafficShape{});
  constexpr std::size_t kCount = 80;
  std::array<Packet, kCount> packets;
  std::array<Verdict, kCount> verdicts;
  for (std::size_t i = 0; i < bench::kBurst; ++i) burst.put(i, i / 2, kClientSyn);
  for (std::size_t i = 0; i < bench::kBurst; i += 2) burst.put(i + 1, i / 2, kServerSynAck);
  for (std::size_t i = 0; i < kCount; ++i) packets[i] = burst.packets(bench::kBurst)[i % 32];
  table->process(packets, {.commit = true}, kStart, verdicts);
  for (std::size_t i = 0; i < bench::kBurst; ++i) {
    EXPECT_EQ(to_string(verdicts[i].state), i % 2 == 0 ? "new|trk" : "est|rpl|trk") << i;
  }
  for (std::size_t i = 1; i < kCount; i += 2) {
    EXPECT_EQ(to_string(verdicts[i].state), "est|rpl|trk") << i;
  }
  EXPECT_EQ(table->connection_count(), bench::kBurst / 2);
}

TEST(Design2016, AnExpiredConnectionIsNotFound) {
  const auto table = make_table();
  Sender sender(*table);
  sender.open(0, 1);
  EXPECT_EQ(sender.state(0, kServerSynAck, kStart + seconds(30)), "inv|trk");
  EXPECT_EQ(sender.state(0, kClientSyn, kStart + seconds(30)), "new|trk");
  EXPECT_EQ(table->connection_count(), 2U);  // the first one waits for the cleaner
  EXPECT_EQ(table->sweep(kStart + seconds(30)), 1U);
  EXPECT_EQ(sender.state(0, kServerSynAck, kStart + seconds(31)), "est|rpl|trk");
}

TEST(Design2016, AnAcceptedPacketMovesItsConnectionToTheTail) {
  const auto table = make_table();
  constexpr TrafficShape kUdp{.udp = true};
  const std::vector<std::uint64_t> three = of_one_bucket(*table, kUdp, 3);
  Sender sender(*table, kUdp);
  for (const std::uint64_t connection : three) {
    sender.send(connection, kClientAck);
    sender.send(connection, kClientAck);
  }
  sender.send(three[0], kClientAck, kStart + seconds(20));
  EXPECT_EQ(table->sweep(kStart + seconds(59)), 0U);
  // If the first one had stayed at the head, the cleaner would stop there.
  EXPECT_EQ(sweep_all(*table, kStart + seconds(60)), 2U);
  EXPECT_EQ(table->sweep(kStart + seconds(79)), 0U);
  EXPECT_EQ(table->sweep(kStart + seconds(80)), 1U);
  EXPECT_EQ(table->connection_count(), 0U);
}

TEST(Design2016, EachTimeoutClassHasItsList) {
  const auto table = make_table();
  Sender udp(*table, {.udp = true});
  Sender tcp(*table);
  udp.open(0, 50);                         // 60 s
  tcp.open(0, 50, kStart + seconds(1));    // 30 s
  tcp.open(50, 60, kStart + seconds(11));  // 30 s
  EXPECT_EQ(sweep_all(*table, kStart + seconds(30)), 0U);
  EXPECT_EQ(sweep_all(*table, kStart + seconds(31)), 50U);
  EXPECT_EQ(sweep_all(*table, kStart + seconds(59)), 10U);
  EXPECT_EQ(sweep_all(*table, kStart + seconds(60)), 50U);
}

TEST(Design2016, ARoundOfTheCleanerIsBounded) {
  EXPECT_EQ(Design2016(3'000'000).clean_limit(100), 1171U);  // the figure of Open vSwitch
  EXPECT_EQ(Design2016(3'000'000).clean_limit(20'000), 2000U);
  EXPECT_EQ(Design2016(100).clean_limit(5), 1U);

  constexpr std::uint64_t kConnections = 20'000;
  const auto table = make_table(kConnections);
  Sender(*table).open(0, kConnections);
  const Timestamp later = kStart + seconds(31);
  const std::uint64_t first = table->sweep(later);
  EXPECT_GE(first, kConnections / 20);
  EXPECT_LE(first, kConnections / 10 + Design2016::kBuckets);
  std::uint64_t rounds = 1;
  for (; table->connection_count() != 0; ++rounds) ASSERT_NE(table->sweep(later), 0U);
  EXPECT_GE(rounds, 10U);
  EXPECT_EQ(table->sweep(later), 0U);
}

TEST(Design2016, GrowsAndFindsEveryConnection) {
  constexpr std::uint64_t kConnections = 50'000;
  const auto table = make_table(kConnections);
  Sender sender(*table);
  sender.open(0, kConnections);
  for (std::uint64_t i = 0; i < kConnections; ++i) {
    ASSERT_EQ(sender.state(i, kServerSynAck), "est|rpl|trk") << i;
  }
  EXPECT_EQ(table->connection_count(), kConnections);
}

TEST(ChainMap, DoublesBeyondTwoAChainAndShrinks) {
  ChainMap map;
  std::array<Connection, 100> connections{};
  for (std::size_t i = 0; i < connections.size(); ++i) {
    connections[i].hash = static_cast<std::uint32_t>(i) * 0x9e3779b1U;
    map.insert(connections[i]);
    EXPECT_LT(map.size(), 2 * map.chain_count());
    EXPECT_GE(map.size(), map.chain_count());
  }
  EXPECT_EQ(map.chain_count(), 64U);
  for (std::size_t i = 10; i < connections.size(); ++i) map.remove(connections[i]);
  EXPECT_EQ(map.chain_count(), 64U);
  map.shrink();
  EXPECT_EQ(map.chain_count(), 8U);
  for (std::size_t i = 0; i < 10; ++i) {
    Connection* found = map.chain(connections[i].hash);
    while (found != nullptr && found != &connections[i]) found = found->next_in_chain;
    EXPECT_EQ(found, &connections[i]);
  }
}

TEST(Key, IcmpRepliesHaveTheReversedKeyAndTheSameHash) {
  core::ParsedPacket query;
  query.kind = core::Kind::icmp;
  query.protocol = 1;
  query.source[0] = 1;
  query.destination[0] = 2;
  query.source_port = 77;
  query.destination_port = 8 << 8;
  core::ParsedPacket reply = query;
  std::swap(reply.source[0], reply.destination[0]);
  reply.destination_port = 0;
  const Key key = make_key(query, 3);
  const Key back = make_key(reply, 3);
  const Key expected = reversed(key);
  EXPECT_EQ(std::memcmp(&back, &expected, sizeof(Key)), 0);
  EXPECT_EQ(symmetric_hash(key, 1), symmetric_hash(back, 1));
  EXPECT_NE(symmetric_hash(key, 1), symmetric_hash(key, 2));
}

TEST(Key, HashesSpreadOverBucketsAndChains) {
  const auto table = make_table();
  bench::Burst burst(TrafficShape{});
  std::array<unsigned, 256> high{};
  std::array<unsigned, 256> low{};
  constexpr unsigned kKeys = 256 * 400;
  for (unsigned i = 0; i < kKeys; ++i) {
    burst.put(0, i, kClientSyn);
    const std::uint32_t hash = table->hash_of(burst.packets(1)[0]);
    ++high[hash >> 24];
    ++low[hash & 0xff];
  }
  // 400 a cell, give or take six standard deviations of 20.
  for (std::size_t i = 0; i < 256; ++i) {
    EXPECT_NEAR(high[i], 400, 120);
    EXPECT_NEAR(low[i], 400, 120);
  }
}

TEST(Design2016Threads, TwoOpenAndOneCleans) {
  constexpr std::uint64_t kEach = 5'000;
  const auto table = make_table();
  // Connections of the past, for the cleaner to remove meanwhile.
  Sender(*table).open(2 * kEach, 3 * kEach, kStart - seconds(60));
  std::uint64_t removed = 0;
  bench::run_threads(3, [&](unsigned thread) {
    if (thread == 2) {
      while (removed < kEach) removed += table->sweep(kStart);
      return;
    }
    Sender sender(*table);
    // Both open their own, and then answer the other's or see that they are not there yet.
    for (std::uint64_t i = 0; i < kEach; ++i) sender.send(thread * kEach + i, kClientSyn);
    for (std::uint64_t i = 0; i < kEach; ++i) sender.send((1 - thread) * kEach + i, kServerSynAck);
  });
  EXPECT_EQ(removed, kEach);
  EXPECT_EQ(table->connection_count(), 2 * kEach);
  Sender sender(*table);
  for (std::uint64_t i = 0; i < 2 * kEach; ++i) {
    ASSERT_EQ(sender.state(i, kServerSynAck), "est|rpl|trk") << i;
  }
}

}  // namespace
}  // namespace uct::peers::design_2016
