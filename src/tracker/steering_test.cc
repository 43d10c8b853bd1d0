// Tracker::shard_of: what a dispatcher may rely on when it sends packets to the threads of shards.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <uct/tracker.h>

#include "tests/support/tuple_packet.h"

namespace uct {
namespace {

using test::at_ms;
using test::make_error;
using test::make_packet;
using test::numbered_address;
using test::numbered_udp;
using test::reversed;
using test::send;
using test::TuplePacket;

const Request kCommit{.commit = true};

std::uint32_t shard_in(ConnectionHandle handle) {
  return static_cast<std::uint32_t>(static_cast<std::uint64_t>(handle) >> 56);
}

/// A tuple of every protocol and family in turn.
Tuple numbered(std::uint32_t number) {
  Tuple tuple = numbered_udp(number, true);
  const bool v6 = tuple.source.family == Family::ipv6;
  switch (number / 2 % 3) {
    case 0:
      break;
    case 1:
      tuple.protocol = Protocol::tcp;
      break;
    default:
      tuple.protocol = v6 ? Protocol::icmpv6 : Protocol::icmp;
      tuple.icmp_type = v6 ? 128 : 8;
      tuple.icmp_id = tuple.source_port;
      tuple.source_port = tuple.destination_port = 0;
      break;
  }
  return tuple;
}

/// One for each number of shards that there can be.
class Steering : public testing::TestWithParam<std::uint32_t> {
 protected:
  Steering() {
    Config config;
    config.shards = GetParam();
    config.capacity = config.max_connections = 20'000;
    config.hash_key = {0x1234, 0x5678};
    tracker_ = std::move(Tracker::create(config).value());
  }
  std::uint32_t shard_of(const TuplePacket& packet, Zone zone = 0) const {
    return tracker_->shard_of(packet.packet(), zone);
  }
  std::unique_ptr<Tracker> tracker_;
};

std::string shards_name(const testing::TestParamInfo<std::uint32_t>& info) {
  return "With" + std::to_string(info.param) + "Shards";
}
INSTANTIATE_TEST_SUITE_P(Shards, Steering, testing::Values(1, 2, 16, kMaxShards), shards_name);

TEST_P(Steering, BothDirectionsAndTheirErrorsGoToTheShardOfTheConnection) {
  for (std::uint32_t i = 0; i < 3000; ++i) {
    const Tuple tuple = numbered(i);
    const auto zone = static_cast<Zone>(i % 5 * 1000);
    const Request request{.zone = zone, .commit = true};
    const std::uint32_t shard = shard_of(make_packet(tuple), zone);
    ASSERT_LT(shard, GetParam());
    ASSERT_EQ(shard_of(make_packet(reversed(tuple)), zone), shard) << i;
    const Address router = numbered_address(tuple.source.family, 0xabcdef);
    ASSERT_EQ(shard_of(make_error(router, tuple), zone), shard) << i;
    ASSERT_EQ(shard_of(make_error(router, reversed(tuple)), zone), shard) << i;
    const Verdict verdict = send(*tracker_, make_packet(tuple), request, at_ms(0));
    ASSERT_NE(verdict.connection, ConnectionHandle::none) << i;
    ASSERT_EQ(shard_in(verdict.connection), shard) << i;
    const Verdict error = send(*tracker_, make_error(router, tuple), request, at_ms(0));
    ASSERT_TRUE(has(error.state, StateFlags::related)) << i;
    ASSERT_EQ(error.connection, verdict.connection) << i;
  }
}

TEST_P(Steering, AgreesWithTheHandlesOfABurst) {
  std::vector<TuplePacket> bytes;
  std::vector<Packet> burst;
  for (std::uint32_t i = 0; i < kBurstMax; ++i) bytes.push_back(make_packet(numbered(i)));
  for (const TuplePacket& packet : bytes) burst.push_back(packet.packet());
  std::vector<Verdict> verdicts(burst.size());
  for (int time = 0; time < 2; ++time) {  // opened, then found
    tracker_->process(burst, kCommit, at_ms(time), verdicts);
    for (std::size_t i = 0; i < burst.size(); ++i) {
      ASSERT_EQ(shard_in(verdicts[i].connection), tracker_->shard_of(burst[i], 0)) << i;
    }
  }
}

TEST_P(Steering, SpreadsConnectionsEvenly) {
  constexpr std::uint32_t kEach = 400;  // four standard deviations are 80
  std::vector<std::uint32_t> counts(GetParam());
  for (std::uint32_t i = 0; i < kEach * GetParam(); ++i)
    ++counts[shard_of(make_packet(numbered(i)))];
  EXPECT_GT(*std::min_element(counts.begin(), counts.end()), kEach * 3 / 4);
  EXPECT_LT(*std::max_element(counts.begin(), counts.end()), kEach * 5 / 4);
}

TEST_P(Steering, ATupleInManyZonesIsSpreadToo) {
  const TuplePacket packet = make_packet(numbered_udp(1));
  std::set<std::uint32_t> shards;
  for (std::uint32_t zone = 0; zone < 8 * kMaxShards; ++zone) {
    shards.insert(shard_of(packet, static_cast<Zone>(zone)));
  }
  EXPECT_GT(shards.size(), GetParam() - GetParam() / 64 - 1);
}

TEST_P(Steering, WhatHasNoConnectionGoesToShardZero) {
  for (std::uint32_t i = 0; i < 300; ++i) {
    const TuplePacket bytes = make_packet(numbered(i));
    Packet packet = bytes.packet();
    packet.link = LinkType::unsupported;
    EXPECT_EQ(tracker_->shard_of(packet, 0), 0U);
    packet = bytes.packet();
    packet.transport_checksum = ChecksumStatus::bad;
    EXPECT_EQ(tracker_->shard_of(packet, 0), 0U) << i;
    packet = bytes.packet();
    for (packet.size = 0; packet.size < bytes.size(); ++packet.size) {
      ASSERT_EQ(tracker_->shard_of(packet, 0), 0U) << i << " cut to " << packet.size;
    }
  }
}

TEST_P(Steering, AFirstFragmentGoesToItsConnectionAndALaterOneToShardZero) {
  for (std::uint32_t i = 0; i < 300; ++i) {
    const Tuple tuple = numbered_udp(i);
    const TuplePacket whole = make_packet(tuple, 16).with_byte(6, 0);
    const TuplePacket first = whole.with_byte(6, 0x20);  // more fragments
    const TuplePacket later = whole.with_byte(7, 3);     // its offset
    EXPECT_EQ(shard_of(first), shard_of(whole)) << i;
    const Verdict verdict = send(*tracker_, first, kCommit, at_ms(0));
    EXPECT_EQ(shard_in(verdict.connection), shard_of(whole)) << i;
    EXPECT_EQ(shard_of(later), 0U) << i;
  }
}

TEST_P(Steering, AskingChangesNothing) {
  for (std::uint32_t i = 0; i < 100; ++i) shard_of(make_packet(numbered(i)));
  const Stats stats = tracker_->stats();
  EXPECT_EQ(stats.packets, 0U);
  EXPECT_EQ(tracker_->connection_count(), 0U);
  EXPECT_TRUE(
      has(send(*tracker_, make_packet(numbered(1)), kCommit, at_ms(0)).state, StateFlags::new_));
}

TEST(SteeringKey, AnotherSecretSpreadsInAnotherWay) {
  Config config;
  config.capacity = config.max_connections = 1000;
  const auto one = std::move(Tracker::create(config).value());
  config.hash_key = {1, 0};
  const auto other = std::move(Tracker::create(config).value());
  std::uint32_t same = 0;
  for (std::uint32_t i = 0; i < 1600; ++i) {
    const TuplePacket packet = make_packet(numbered(i));
    same += one->shard_of(packet.packet(), 0) == other->shard_of(packet.packet(), 0) ? 1 : 0;
  }
  EXPECT_LT(same, 200U);  // 100 are to be expected of 16 shards
}

}  // namespace
}  // namespace uct
