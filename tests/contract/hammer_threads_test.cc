// Eight threads use one tracker in every way at once; at the end everything adds up. Run under the
// thread sanitizer (preset tsan), where any unguarded access is a report.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

#include <uct/tracker.h>

namespace uct {
namespace {

constexpr unsigned kPacketThreads = 5;
constexpr std::size_t kBurst = 32;
constexpr std::size_t kPacketSize = 28;  // IPv4 and UDP headers

/// A UDP packet without payload and without checksum.
using Bytes = std::array<std::byte, kPacketSize>;

Bytes udp(std::uint32_t client, std::uint16_t port, bool reply) {
  Bytes bytes{};
  const auto set = [&](std::size_t at, unsigned value) { bytes[at] = std::byte(value); };
  set(0, 0x45);
  set(3, kPacketSize);
  set(8, 64);
  set(9, 17);
  const std::size_t ours = reply ? 16 : 12;
  const std::size_t theirs = reply ? 12 : 16;
  set(ours, 10);
  set(ours + 1, client >> 16 & 0xff);
  set(ours + 2, client >> 8 & 0xff);
  set(ours + 3, client & 0xff);
  set(theirs, 198);
  set(theirs + 1, 51);
  set(theirs + 2, 100);
  set(theirs + 3, 1);
  const std::size_t our_port = reply ? 22 : 20;
  const std::size_t their_port = reply ? 20 : 22;
  set(our_port, port >> 8);
  set(our_port + 1, port & 0xff);
  set(their_port + 1, 53);
  set(25, 8);
  return bytes;
}

struct Shared {
  Tracker& tracker;
  std::atomic<std::int64_t> now_ms{0};
  std::atomic<std::uint64_t> packets{0};
  std::atomic<bool> stop{false};

  Timestamp now() const { return Timestamp(std::chrono::milliseconds(now_ms.load())); }
};

void send_packets(Shared& shared, unsigned thread) {
  std::mt19937 random(thread);
  std::vector<Bytes> bytes(kBurst);
  std::array<Packet, kBurst> burst;
  std::array<Verdict, kBurst> verdicts;
  while (!shared.stop) {
    for (std::size_t i = 0; i < kBurst; ++i) {
      const auto client = static_cast<std::uint32_t>(random() % 3000);
      bytes[i] = udp(client, static_cast<std::uint16_t>(1000 + random() % 4), random() % 3 == 0);
      burst[i] = Packet{};
      burst[i].data = bytes[i].data();
      burst[i].size = kPacketSize;
      burst[i].link = LinkType::raw_ip;
      burst[i].ip_checksum = ChecksumStatus::good;
    }
    Request request;
    request.zone = static_cast<Zone>(random() % 4);
    request.commit = random() % 4 != 0;
    request.force = random() % 16 == 0;
    request.mark = static_cast<std::uint32_t>(random());
    request.mark_mask = random() % 2 == 0 ? 0xff : 0;
    request.label[3] = 7;
    request.label_mask[3] = random() % 4 == 0 ? 0xff : 0;
    shared.tracker.process(burst, request, shared.now(), verdicts);
    shared.packets += kBurst;
    for (const Verdict& verdict : verdicts) {
      ASSERT_TRUE(has(verdict.state, StateFlags::tracked));
      ASSERT_FALSE(has(verdict.state, StateFlags::new_ | StateFlags::reply));
    }
  }
}

void sweep_and_move_time(Shared& shared) {
  std::mt19937 random(100);
  while (!shared.stop) {
    shared.now_ms += static_cast<std::int64_t>(random() % 3000);
    SweepBudget budget;
    budget.timers = 1 + static_cast<std::uint32_t>(random() % 500);
    shared.tracker.sweep(shared.now(), budget);
  }
}

void look_around(Shared& shared) {
  std::mt19937 random(200);
  std::vector<ConnectionInfo> found(500);
  while (!shared.stop) {
    DumpCursor cursor;
    while (!cursor.done()) {
      const std::size_t count = shared.tracker.dump(cursor, found, shared.now());
      for (std::size_t i = 0; i < count; ++i) {
        ASSERT_EQ(found[i].protocol, Protocol::udp);
        shared.tracker.find(found[i].handle, shared.now());
      }
    }
    static_cast<void>(shared.tracker.stats());
    if (random() % 8 == 0) {
      Filter filter;
      filter.zone = static_cast<Zone>(random() % 4);
      filter.original.source_port = static_cast<std::uint16_t>(1000 + random() % 4);
      shared.tracker.flush(shared.now(), filter);
    }
  }
}

void change_settings(Shared& shared) {
  std::mt19937 random(300);
  while (!shared.stop) {
    TimeoutPolicy policy;
    policy[TimeoutClass::other_first] = Duration(1 + random() % 60'000);
    ASSERT_EQ(shared.tracker.set_timeout_policy(TimeoutPolicyId::standard, policy), Error::none);
    const auto zone = static_cast<Zone>(random() % 4);
    if (random() % 2 == 0) {
      shared.tracker.set_zone_limit(zone, static_cast<std::uint32_t>(random() % 3000));
    } else {
      shared.tracker.set_zone_limit(zone, std::nullopt);
    }
    ASSERT_EQ(
        shared.tracker.set_max_connections(1000 + static_cast<std::uint32_t>(random() % 20'000)),
        Error::none);
    shared.tracker.set_sequence_check(zone, SequenceCheck::normal);
    std::this_thread::yield();
  }
}

std::size_t dump_size(const Tracker& tracker, Timestamp now) {
  std::vector<ConnectionInfo> found(10'000);
  std::size_t count = 0;
  DumpCursor cursor;
  while (!cursor.done()) count += tracker.dump(cursor, found, now);
  return count;
}

void expect_sums_to_agree(const Tracker& tracker, const Shared& shared) {
  const Stats stats = tracker.stats();
  EXPECT_EQ(stats.packets, shared.packets);
  EXPECT_EQ(stats.new_ + stats.established, shared.packets);
  const ProtocolStats& udp_stats = stats.protocols[static_cast<std::size_t>(ProtocolGroup::udp)];
  EXPECT_EQ(udp_stats.live, stats.connections);
  EXPECT_EQ(tracker.connection_count(), stats.connections);
  std::uint64_t in_zones = 0;
  for (Zone zone = 0; zone < 4; ++zone) in_zones += tracker.zone_limit(zone).count;
  EXPECT_EQ(in_zones, stats.connections);
}

TEST(ThreadsHammer, EightThreadsAtOnceAndEverythingAddsUp) {
  Config config;
  config.capacity = 30'000;
  config.shards = 4;
  auto made = Tracker::create(config);
  ASSERT_TRUE(made);
  Tracker& tracker = *made.value();
  Shared shared{tracker};
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < kPacketThreads; ++i) {
    threads.emplace_back([&shared, i] { send_packets(shared, i); });
  }
  threads.emplace_back([&shared] { sweep_and_move_time(shared); });
  threads.emplace_back([&shared] { look_around(shared); });
  threads.emplace_back([&shared] { change_settings(shared); });
  std::this_thread::sleep_for(std::chrono::seconds(3));
  shared.stop = true;
  for (std::thread& thread : threads) thread.join();

  EXPECT_GT(shared.packets, 1000U);
  expect_sums_to_agree(tracker, shared);
  while (!tracker.sweep(shared.now()).finished) {
  }
  expect_sums_to_agree(tracker, shared);
  EXPECT_EQ(dump_size(tracker, shared.now()), tracker.connection_count());
  while (!tracker.sweep(shared.now() + std::chrono::hours(24 * 21)).finished) {
  }
  EXPECT_EQ(tracker.connection_count(), 0U);
  expect_sums_to_agree(tracker, shared);
}

}  // namespace
}  // namespace uct
