#include "bench/workloads/traffic.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <uct/tracker.h>

#include "bench/workloads/connections.h"
#include "bench/workloads/harness.h"

namespace uct::bench {
namespace {

/// Bytes that tell a connection: addresses and ports, as the client sends them.
std::string tuple_of(Burst& burst, TrafficShape shape, std::uint64_t connection) {
  burst.put(0, connection, {});
  const auto* bytes = reinterpret_cast<const char*>(burst.bytes(0));
  return shape.ipv6 ? std::string(bytes + 22, 36) : std::string(bytes + 26, 12);
}

TEST(Random, IsTheSameForTheSameSeed) {
  Random one(7);
  Random other(7);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(one.next(), other.next());
}

// Threads have neighbouring seeds. Sequences a step apart would send them all to the same
// connections.
TEST(Random, HasSequencesOfItsOwnForNeighbouringSeeds) {
  std::set<std::uint64_t> seen;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    Random random(seed);
    for (int i = 0; i < 1000; ++i) seen.insert(random.next());
  }
  EXPECT_EQ(seen.size(), 10'000U);
}

TEST(Random, StaysBelowItsBoundAndReachesAllOfIt) {
  Random random(1);
  std::array<unsigned, 10> count{};
  for (int i = 0; i < 10'000; ++i) ++count.at(random.below(10));
  for (const unsigned one : count) EXPECT_NEAR(one, 1000, 150);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(random.below(1), 0U);
}

class Traffic : public testing::TestWithParam<TrafficShape> {
 protected:
  Traffic() : tracker_(std::move(Tracker::create({}).value())) {}

  Verdict send(std::uint64_t connection, const Segment& segment) {
    burst_.put(0, connection, segment);
    Verdict verdict;
    tracker_->process(burst_.packets(1), {.commit = true}, kStart, {&verdict, 1});
    return verdict;
  }

  Burst burst_{GetParam()};
  std::unique_ptr<Tracker> tracker_;
};

INSTANTIATE_TEST_SUITE_P(Shapes, Traffic,
                         testing::Values(TrafficShape{}, TrafficShape{.ipv6 = true},
                                         TrafficShape{.udp = true},
                                         TrafficShape{.ipv6 = true, .udp = true}),
                         [](const testing::TestParamInfo<TrafficShape>& shape) {
                           return std::string(shape.param.udp ? "Udp" : "Tcp") +
                                  (shape.param.ipv6 ? "OverIpv6" : "OverIpv4");
                         });

TEST_P(Traffic, GivesEveryConnectionATupleOfItsOwn) {
  std::vector<std::string> tuples;
  for (const std::uint64_t first : {0ULL, 1ULL << 20, 399'900'000ULL, 0xffff'ff00ULL, 1ULL << 32}) {
    for (std::uint64_t i = 0; i < 256; ++i)
      tuples.push_back(tuple_of(burst_, GetParam(), first + i));
  }
  for (std::uint64_t i = 256; i < 100'000; ++i) tuples.push_back(tuple_of(burst_, GetParam(), i));
  const std::size_t count = tuples.size();
  std::sort(tuples.begin(), tuples.end());
  tuples.erase(std::unique(tuples.begin(), tuples.end()), tuples.end());
  EXPECT_EQ(tuples.size(), count);
}

TEST_P(Traffic, IsTrackedAsIntended) {
  for (std::uint64_t i = 0; i < 2000; ++i) {
    const Verdict opening = send(i, {Side::client, kSyn, 0, 0, 0});
    ASSERT_EQ(opening.state, kNewState) << name(opening.reason);
    const Verdict answer = send(i, {Side::server, kSyn | kAck, 0, 1, 0});
    ASSERT_EQ(answer.state, established_state(Side::server)) << name(answer.reason);
    EXPECT_EQ(answer.connection, opening.connection);
    ASSERT_EQ(send(i, {.from = Side::client}).state, established_state(Side::client));
    ASSERT_EQ(send(i, {Side::server, kPsh | kAck, 1, 1, kPayloadMax}).state,
              established_state(Side::server));
    ASSERT_EQ(send(i, {.from = Side::client, .ack = 1 + kPayloadMax}).state,
              established_state(Side::client));
  }
  EXPECT_EQ(tracker_->connection_count(), 2000U);
}

// A frame keeps what the packet before left in it: every field that differs must be written.
TEST_P(Traffic, DoesNotDependOnThePacketBefore) {
  const Segment before{Side::server, kFin | kAck, 77, 99, kPayloadMax};
  const Segment segment{Side::client, kSyn, 0, 0, 0};
  Burst fresh(GetParam());
  fresh.put(0, 12, segment);
  burst_.put(0, 0x1'2345'6789, before);
  burst_.put(0, 12, segment);
  const Packet expected = fresh.packets(1)[0];
  const Packet packet = burst_.packets(1)[0];
  ASSERT_EQ(packet.size, expected.size);
  EXPECT_TRUE(std::equal(packet.data, packet.data + packet.size, expected.data));
}

TEST_P(Traffic, FillsTheWholeBurst) {
  for (std::size_t i = 0; i < kBurst; ++i) burst_.put(i, i, {Side::client, kSyn, 0, 0, 0});
  std::array<Verdict, kBurst> verdicts;
  tracker_->process(burst_.packets(kBurst), {.commit = true}, kStart, verdicts);
  EXPECT_TRUE(all_have(verdicts, kNewState));
  EXPECT_EQ(tracker_->connection_count(), kBurst);
}

}  // namespace
}  // namespace uct::bench
