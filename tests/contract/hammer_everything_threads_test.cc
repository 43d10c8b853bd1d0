// Eight threads do everything at once to one tracker; at the end the counts must add up. Run it
// under the thread sanitizer: cmake --preset tsan.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include <uct/tracker.h>

#include "tests/support/tuple_packet.h"

namespace uct {
namespace {

constexpr std::uint32_t kThreads = 8;
constexpr Zone kSharedZones = 4;     // 0 to 3: where everybody meets
constexpr Zone kOwnZones = 100;      // and one for each thread
constexpr std::uint32_t kOwned = 8;  // connections that only their thread touches
constexpr std::chrono::seconds kTime{3};

class CountingSink : public EventSink {
 public:
  void on_event(const Event& event) noexcept override {
    ++counts[static_cast<std::size_t>(event.kind)];
  }
  std::array<std::atomic<std::uint64_t>, 3> counts{};
};

struct Table {
  Table() {
    Config config;
    config.shards = 8;
    config.capacity = 50'000;
    config.max_connections = 50'000;
    config.events = &sink;
    config.timeouts.values.fill(Duration(200));
    tracker = std::move(Tracker::create(config).value());
    TimeoutPolicy lasting;
    lasting.values.fill(kMaxTimeout);
    own_policy = tracker->set_timeout_policy("own", lasting).value();
  }

  CountingSink sink;
  std::unique_ptr<Tracker> tracker;
  TimeoutPolicyId own_policy{};
  std::atomic<std::int64_t> now_ms{0};
};

/// What one thread did, to be compared with what the tracker counted.
struct Tally {
  std::uint64_t packets = 0, bytes = 0, flushed = 0, swept = 0, faults = 0;
  std::array<std::array<Counters, 2>, kOwned> own{};
};

class Worker {
 public:
  Worker(Table& table, std::uint32_t number)
      : table_(table), tracker_(*table.tracker), random_(number), number_(number) {}

  /// Opens the connections that this thread owns, while nothing is limited.
  void begin() {
    for (std::uint32_t i = 0; i < kOwned; ++i) own_packet(i, 0);
  }

  void run() {
    const auto end = std::chrono::steady_clock::now() + kTime;
    while (std::chrono::steady_clock::now() < end) {
      for (int i = 0; i < 20; ++i) act();
    }
  }

  const Tally& tally() const { return tally_; }
  Zone zone() const { return static_cast<Zone>(kOwnZones + number_); }
  static Tuple own_tuple(std::uint32_t i) { return test::numbered_udp(i, true); }

 private:
  std::uint32_t below(std::uint32_t bound) {
    return static_cast<std::uint32_t>(random_() % bound);
  }
  Timestamp now() const { return test::at_ms(table_.now_ms.load()); }
  void expect(bool right) { tally_.faults += right ? 0 : 1; }

  void act() {
    switch (below(32)) {
      case 0: flush(); break;
      case 1: dump(); break;
      case 2: limits(); break;
      case 3: policies(); break;
      case 4:
      case 5: sweep(); break;
      case 6: look(); break;
      case 7: table_.now_ms += below(50); break;
      case 8:
      case 9:
      case 10: own_packet(below(kOwned), below(2)); break;
      default: burst(); break;
    }
  }

  Zone some_zone() { return static_cast<Zone>(below(kSharedZones)); }

  Tuple some_tuple() {
    Tuple tuple = test::numbered_udp(below(3000), true);
    if (below(3) == 0) tuple.protocol = Protocol::tcp;
    return below(3) == 0 ? test::reversed(tuple) : tuple;
  }

  void count(const Packet& packet) {
    ++tally_.packets;
    tally_.bytes += packet.size;
  }

  void burst() {
    std::vector<test::TuplePacket> bytes;
    std::vector<Packet> packets;
    std::vector<Verdict> verdicts(1 + below(64));
    bytes.reserve(verdicts.size());
    for (std::size_t i = 0; i < verdicts.size(); ++i) {
      const auto flags = static_cast<std::uint8_t>(below(4) == 0 ? test::kRst : test::kSyn);
      bytes.push_back(test::make_packet(some_tuple(), below(30), {flags, 1000, 0}));
      packets.push_back(bytes.back().packet());
      count(packets.back());
    }
    Request request{.zone = some_zone(), .commit = below(8) != 0, .force = below(16) == 0};
    if (below(4) == 0) request.mark = random_() & 0xff, request.mark_mask = 0xff;
    if (below(8) == 0) request.label_mask[3] = 0xff, request.label[3] = 1;
    tracker_.process(packets, request, now(), verdicts);
    for (const Verdict& verdict : verdicts) expect(verdict.zone == request.zone);
  }

  void own_packet(std::uint32_t i, std::uint32_t direction) {
    const Tuple tuple = direction == 0 ? own_tuple(i) : test::reversed(own_tuple(i));
    const test::TuplePacket packet = test::make_packet(tuple, below(30));
    count(packet.packet());
    Counters& counters = tally_.own[i][direction];
    ++counters.packets;
    counters.bytes += packet.size();
    const Request request{.zone = zone(), .commit = true, .timeout_policy = table_.own_policy};
    const Verdict verdict = test::send(tracker_, packet, request, now());
    expect(verdict.connection != ConnectionHandle::none);
  }

  /// What lives throughout a dump is in it once, whatever the others do.
  void dump() {
    std::array<std::uint32_t, kOwned> seen{};
    for (const ConnectionInfo& info : test::dump_all(tracker_, now(), 1 + below(200))) {
      if (info.zone != zone()) continue;
      for (std::uint32_t i = 0; i < kOwned; ++i) seen[i] += info.original == own_tuple(i);
    }
    expect(std::all_of(seen.begin(), seen.end(), [](std::uint32_t n) { return n == 1; }));
  }

  void flush() {
    Filter filter;
    filter.zone = some_zone();
    tally_.flushed += tracker_.flush(now(), filter);
  }

  void limits() {
    expect(tracker_.set_max_connections(100 + below(49'000)) == Error::none);
    const std::uint32_t limit = below(2000);
    tracker_.set_zone_limit(some_zone(),
                            below(2) == 0 ? std::nullopt : std::optional(limit));
    tracker_.set_default_zone_limit(below(2) == 0 ? std::nullopt : std::optional(limit + 100));
    tracker_.set_sequence_check(some_zone(), static_cast<SequenceCheck>(below(3)));
  }

  void policies() {
    TimeoutPolicy policy;
    for (Duration& value : policy.values) value = Duration(1 + below(1000));
    expect(tracker_.set_timeout_policy(TimeoutPolicyId::standard, policy) == Error::none);
    expect(tracker_.find_timeout_policy("own") == table_.own_policy);
    expect(tracker_.shortest_timeout() >= kMinTimeout);
  }

  void sweep() {
    const SweepBudget budget{.timers = 1 + below(2000), .timers_per_lock = 1 + below(100)};
    tally_.swept += tracker_.sweep(now(), budget).removed;
  }

  void look() {
    const std::uint32_t i = below(kOwned);
    const auto info = tracker_.find(zone(), test::reversed(own_tuple(i)), now());
    expect(info && info->original == own_tuple(i));
    if (!info) return;
    expect(info->counters[0].packets == tally_.own[i][0].packets);
    expect(tracker_.find(info->handle, now()).has_value());
    expect(tracker_.stats().packets >= tally_.packets);
    expect(tracker_.zone_limit(zone()).count == kOwned);
  }

  Table& table_;
  Tracker& tracker_;
  std::mt19937 random_;
  std::uint32_t number_;
  Tally tally_;
};

void expect_own_counters(const Table& table, const Worker& worker) {
  for (std::uint32_t i = 0; i < kOwned; ++i) {
    const auto info =
        table.tracker->find(worker.zone(), Worker::own_tuple(i), test::at_ms(table.now_ms));
    ASSERT_TRUE(info);
    for (std::size_t d = 0; d < 2; ++d) {
      EXPECT_EQ(info->counters[d].packets, worker.tally().own[i][d].packets);
      EXPECT_EQ(info->counters[d].bytes, worker.tally().own[i][d].bytes);
    }
  }
}

void expect_packets_add_up(const Stats& stats, const Tally& sum) {
  EXPECT_EQ(stats.packets, sum.packets);
  EXPECT_EQ(stats.bytes, sum.bytes);
  EXPECT_EQ(stats.new_ + stats.established + stats.invalid, sum.packets);
}

void expect_connections_add_up(const Table& table, const Tally& sum) {
  const Tracker& tracker = *table.tracker;
  const Stats stats = tracker.stats();
  ProtocolStats all;
  for (const ProtocolStats& protocol : stats.protocols) {
    all.opened += protocol.opened;
    all.expired += protocol.expired;
    all.removed += protocol.removed;
    all.live += protocol.live;
  }
  EXPECT_EQ(all.opened, all.expired + all.removed + all.live);
  EXPECT_EQ(all.live, tracker.connection_count());
  EXPECT_EQ(all.live, stats.connections);
  EXPECT_GE(all.expired, sum.swept);
  EXPECT_GE(stats.sweep_removed, sum.swept);  // making room sweeps too
  EXPECT_GE(all.removed, sum.flushed);
  EXPECT_EQ(table.sink.counts[0], all.opened);
  EXPECT_EQ(table.sink.counts[2], all.expired + all.removed);
  std::uint64_t in_zones = 0;
  for (Zone zone = 0; zone < 200; ++zone) in_zones += tracker.zone_limit(zone).count;
  EXPECT_EQ(in_zones, all.live);
  EXPECT_EQ(test::dump_all(tracker, test::at_ms(table.now_ms)).size(), all.live);
}

TEST(ThreadsHammer, CountsAddUpWhenEightThreadsDoEverythingAtOnce) {
  Table table;
  std::vector<Worker> workers;
  workers.reserve(kThreads);
  for (std::uint32_t i = 0; i < kThreads; ++i) workers.emplace_back(table, i);
  for (Worker& worker : workers) worker.begin();
  {
    std::vector<std::jthread> threads;
    for (Worker& worker : workers) threads.emplace_back([&worker] { worker.run(); });
  }
  Tally sum;
  for (const Worker& worker : workers) {
    const Tally& tally = worker.tally();
    sum.packets += tally.packets;
    sum.bytes += tally.bytes;
    sum.flushed += tally.flushed;
    sum.swept += tally.swept;
    EXPECT_EQ(tally.faults, 0U);
    expect_own_counters(table, worker);
  }
  EXPECT_TRUE(table.tracker->sweep(test::at_ms(table.now_ms), {.timers = 1'000'000}).finished);
  expect_packets_add_up(table.tracker->stats(), sum);
  expect_connections_add_up(table, sum);
  RecordProperty("packets", std::to_string(sum.packets));
}

}  // namespace
}  // namespace uct
