// The public interface of the tracker, as far as scenarios (tests/scenario) cannot say it.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <uct/tracker.h>

#include "ports/capture/reader.h"
#include "tests/support/tuple_packet.h"

namespace uct {
namespace {

using test::at_ms;
using test::make_packet;
using test::numbered_udp;
using test::reversed;
using test::send;

const Request kCommit{.commit = true};

std::unique_ptr<Tracker> make(const Config& config = {}) {
  return std::move(Tracker::create(config).value());
}

Verdict udp(Tracker& tracker, std::uint32_t number, std::int64_t ms,
            const Request& request = kCommit) {
  return send(tracker, make_packet(numbered_udp(number, true)), request, at_ms(ms));
}

std::string long_name(std::size_t length) { return std::string(length, 'x'); }

// ---- making and setting -------------------------------------------------------------------------

TEST(TrackerCreate, MakesRoomForAsManyAsHandlesNumberInOneShardToo) {
  Config config;
  config.shards = 1;
  config.capacity = kMaxConnectionsLimit;
  EXPECT_TRUE(Tracker::create(config).ok());
}

TEST(TrackerCreate, RefusesWhatMakesNoTracker) {
  Config config;
  config.max_connections = 0;
  EXPECT_EQ(Tracker::create(config).error(), Error::capacity_zero);
  config.max_connections = kMaxConnectionsLimit + 1;
  EXPECT_EQ(Tracker::create(config).error(), Error::capacity_too_large);
  config.max_connections = 10;
  config.capacity = kMaxConnectionsLimit + 1;
  EXPECT_EQ(Tracker::create(config).error(), Error::capacity_too_large);
  config.capacity = 0;
  for (const std::uint32_t shards : {0U, 3U, 2 * kMaxShards}) {
    config.shards = shards;
    EXPECT_EQ(Tracker::create(config).error(), Error::shard_count_invalid) << shards;
  }
  config.shards = kMaxShards;
  config.timeouts[TimeoutClass::icmp_reply] = Duration(0);
  EXPECT_EQ(Tracker::create(config).error(), Error::timeout_out_of_range);
  config.timeouts[TimeoutClass::icmp_reply] = kMaxTimeout + Duration(1);
  EXPECT_EQ(Tracker::create(config).error(), Error::timeout_out_of_range);
  config.timeouts[TimeoutClass::icmp_reply] = kMaxTimeout;
  EXPECT_TRUE(Tracker::create(config).ok());
}

TEST(TrackerSettings, MaximumStaysWithinTheCapacity) {
  Config config;
  config.max_connections = 5;
  config.capacity = 20;
  const auto tracker = make(config);
  EXPECT_EQ(tracker->set_max_connections(0), Error::capacity_zero);
  EXPECT_EQ(tracker->set_max_connections(21), Error::capacity_too_large);
  EXPECT_EQ(tracker->max_connections(), 5U);
  EXPECT_EQ(tracker->set_max_connections(20), Error::none);
  for (std::uint32_t i = 0; i < 30; ++i) udp(*tracker, i, 0);
  EXPECT_EQ(tracker->connection_count(), 20U);
  EXPECT_EQ(tracker->stats().reason(Reason::table_full), 10U);
  EXPECT_EQ(tracker->set_max_connections(3), Error::none);
  EXPECT_EQ(test::dump_all(*tracker, at_ms(1)).size(), 20U);  // lowering removes nothing
}

TEST(TrackerSettings, PoliciesAreNamedOnceAndFound) {
  const auto tracker = make();
  EXPECT_EQ(tracker->set_timeout_policy("", {}).error(), Error::timeout_policy_name);
  EXPECT_EQ(tracker->set_timeout_policy(long_name(64), {}).error(), Error::timeout_policy_name);
  EXPECT_EQ(tracker->set_timeout_policy("standard", {}).value(), TimeoutPolicyId::standard);
  const auto id = tracker->set_timeout_policy(long_name(63), {});
  ASSERT_TRUE(id);
  EXPECT_EQ(tracker->set_timeout_policy(long_name(63), {}).value(), id.value());
  EXPECT_EQ(tracker->find_timeout_policy(long_name(63)), id.value());
  EXPECT_FALSE(tracker->find_timeout_policy("nobody"));
  const auto unknown = static_cast<TimeoutPolicyId>(9);
  EXPECT_EQ(tracker->set_timeout_policy(unknown, {}), Error::timeout_policy_unknown);
  EXPECT_FALSE(tracker->timeout_policy(unknown));
  for (std::size_t i = 2; i < kMaxTimeoutPolicies; ++i) {
    ASSERT_TRUE(tracker->set_timeout_policy("p" + std::to_string(i), {}));
  }
  EXPECT_EQ(tracker->set_timeout_policy("more", {}).error(), Error::timeout_policy_full);
}

TEST(TrackerSettings, LimitsOfZonesAreSetUnsetAndTold) {
  const auto tracker = make();
  tracker->set_zone_limit(4, 0);
  EXPECT_EQ(udp(*tracker, 1, 0, {.zone = 4, .commit = true}).reason, Reason::zone_full);
  tracker->set_zone_limit(4, std::nullopt);
  tracker->set_default_zone_limit(1);
  EXPECT_EQ(udp(*tracker, 1, 0, {.zone = 4, .commit = true}).reason, Reason::none);
  EXPECT_EQ(udp(*tracker, 2, 0, {.zone = 4, .commit = true}).reason, Reason::zone_full);
  EXPECT_EQ(tracker->zone_limit(4).count, 1U);
  EXPECT_FALSE(tracker->zone_limit(4).limit);
  EXPECT_EQ(tracker->default_zone_limit(), 1U);
}

TEST(Tracker, TwoOfThemShareNothing) {
  const auto first = make();
  const auto second = make();
  const Verdict verdict = udp(*first, 1, 0);
  EXPECT_EQ(second->connection_count(), 0U);
  EXPECT_FALSE(second->find(verdict.connection, at_ms(0)));
  EXPECT_TRUE(has(udp(*second, 1, 0).state, StateFlags::new_));
  EXPECT_EQ(second->stats().packets, 1U);
}

// ---- looking up ---------------------------------------------------------------------------------

TEST(TrackerFind, ByTupleInBothDirectionsAndOnlyInItsZone) {
  const auto tracker = make();
  for (const std::uint32_t number : {2U, 3U}) {  // IPv4, IPv6
    const Tuple tuple = numbered_udp(number, true);
    const Verdict verdict = udp(*tracker, number, 0, {.zone = 5, .commit = true});
    for (const Tuple& either : {tuple, reversed(tuple)}) {
      const auto found = tracker->find(5, either, at_ms(0));
      ASSERT_TRUE(found);
      EXPECT_EQ(found->original, tuple);
      EXPECT_EQ(found->handle, verdict.connection);
    }
    EXPECT_FALSE(tracker->find(6, tuple, at_ms(0)));
  }
}

TEST(TrackerFind, HandlesOfThoseGoneAreStale) {
  const auto tracker = make();
  std::vector<ConnectionHandle> old;
  for (std::int64_t round = 0; round < 200; ++round) {
    const Verdict verdict = udp(*tracker, 7, round);
    for (const ConnectionHandle handle : old) ASSERT_FALSE(tracker->find(handle, at_ms(round)));
    ASSERT_TRUE(tracker->find(verdict.connection, at_ms(round)));
    old.push_back(verdict.connection);
    ASSERT_EQ(tracker->flush(at_ms(round)), 1U);
  }
  EXPECT_FALSE(tracker->find(ConnectionHandle::none, at_ms(200)));
  EXPECT_FALSE(tracker->find(static_cast<ConnectionHandle>(~0ULL), at_ms(200)));
}

TEST(TrackerDump, WhatLivesThroughoutAppearsExactlyOnce) {
  const auto tracker = make();
  for (std::uint32_t i = 0; i < 2000; ++i) udp(*tracker, i, 0);
  std::map<std::uint32_t, int> seen;  // by the number in the source address
  std::vector<ConnectionInfo> some(7);
  std::uint32_t fresh = 10'000;
  for (DumpCursor cursor; !cursor.done();) {
    const std::size_t count = tracker->dump(cursor, some, at_ms(1));
    for (std::size_t i = 0; i < count; ++i) ++seen[some[i].original.source_port - 1024U];
    for (int i = 0; i < 5; ++i) udp(*tracker, fresh++, 1);
    Filter odd;  // the sources 1000 to 1999 leave while the dump goes on
    odd.original.source = numbered_udp(1000 + fresh % 1000, true).source;
    tracker->flush(at_ms(1), odd);
  }
  for (std::uint32_t i = 0; i < 1000; ++i) EXPECT_EQ(seen[i], 1) << i;
  for (const auto& [number, times] : seen) EXPECT_EQ(times, 1) << number;
}

// ---- events -------------------------------------------------------------------------------------

class Recorder : public EventSink {
 public:
  void on_event(const Event& event) noexcept override { events.push_back(event); }
  std::string text() const {
    std::string all;
    for (const Event& event : events) {
      all += std::string(name(event.kind)) + ' ' + std::string(name(event.cause)) + ' ';
    }
    return all;
  }
  std::vector<Event> events;
};

class TrackerEvents : public testing::Test {
 protected:
  TrackerEvents() {
    Config config;
    config.events = &recorder_;
    tracker_ = make(config);
  }
  Verdict packet(const Tuple& tuple, std::int64_t ms, const Request& request = kCommit) {
    return send(*tracker_, make_packet(tuple), request, at_ms(ms));
  }
  const Event& last() const { return recorder_.events.back(); }

  Recorder recorder_;
  std::unique_ptr<Tracker> tracker_;
  const Tuple tuple_ = numbered_udp(1);
};

TEST_F(TrackerEvents, TellALifeInOrder) {
  packet(tuple_, 0, {.commit = true, .mark = 5, .mark_mask = 0xff});
  EXPECT_EQ(last().kind, EventKind::created);
  EXPECT_EQ(last().connection.mark, 5U);
  EXPECT_EQ(last().connection.counters[0].packets, 1U);
  packet(reversed(tuple_), 10);
  EXPECT_EQ(last().kind, EventKind::updated);
  EXPECT_TRUE(last().connection.seen_reply);
  packet(reversed(tuple_), 20);
  EXPECT_EQ(recorder_.events.size(), 2U);  // nothing to tell
  packet(reversed(tuple_), 30, {.commit = true, .mark = 6, .mark_mask = 0xff});
  EXPECT_EQ(last().kind, EventKind::updated);
  EXPECT_EQ(last().connection.mark, 6U);
  tracker_->sweep(at_ms(60'000));
  EXPECT_EQ(last().kind, EventKind::destroyed);
  EXPECT_EQ(last().cause, DestroyCause::expired);
  EXPECT_EQ(last().time, at_ms(60'000));
  EXPECT_EQ(last().connection.counters[1].packets, 3U);
  EXPECT_EQ(recorder_.events.size(), 4U);
}

TEST_F(TrackerEvents, NameTheCauseOfEachEnd) {
  packet(tuple_, 0);
  packet(reversed(tuple_), 1, {.commit = true, .force = true});
  ASSERT_EQ(recorder_.events.size(), 3U);
  EXPECT_EQ(recorder_.events[1].cause, DestroyCause::replaced);
  EXPECT_EQ(last().kind, EventKind::created);
  EXPECT_EQ(last().connection.original, reversed(tuple_));
  EXPECT_EQ(tracker_->flush(at_ms(2)), 1U);
  EXPECT_EQ(last().cause, DestroyCause::flushed);
  EXPECT_EQ(tracker_->flush(at_ms(2)), 0U);
  packet(tuple_, 3);
  packet(tuple_, 100'000);  // the packet itself finds that it expired
  EXPECT_EQ(recorder_.events[5].cause, DestroyCause::expired);
  EXPECT_EQ(last().kind, EventKind::created);
}

TEST_F(TrackerEvents, NothingIsToldOfPacketsThatAreNotCommitted) {
  packet(tuple_, 0, {});
  EXPECT_TRUE(recorder_.events.empty());
}

// ---- marks, labels, time ------------------------------------------------------------------------

TEST(TrackerLabels, AFreedPlaceIsUsedAgainAndClean) {
  const auto tracker = make();
  Request labelled{.commit = true};
  labelled.label[0] = 0xab;
  labelled.label_mask[0] = 0xff;
  for (std::uint32_t i = 0; i < 100; ++i) udp(*tracker, i, 0, labelled);
  EXPECT_EQ(tracker->flush(at_ms(0)), 100U);
  for (std::uint32_t i = 0; i < 100; ++i) {
    EXPECT_EQ(udp(*tracker, i, 1).label, Label{});
    labelled.label[0] = static_cast<std::uint8_t>(i);
    EXPECT_EQ(udp(*tracker, i, 2, labelled).label[0], i);
  }
  for (std::uint32_t i = 0; i < 100; ++i) EXPECT_EQ(udp(*tracker, i, 3).label[0], i);
}

TEST(TrackerClock, ATimeBeforeTheLatestIsHeldAndCounted) {
  Config config;
  config.shards = 1;
  const auto tracker = make(config);
  udp(*tracker, 1, 10'000);
  udp(*tracker, 2, 4'000);
  EXPECT_EQ(tracker->stats().clock_regressed, 1U);
  const auto found = tracker->find(0, numbered_udp(2, true), at_ms(4'000));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->start, at_ms(10'000));
  EXPECT_EQ(found->expires, at_ms(70'000));
  EXPECT_EQ(tracker->sweep(at_ms(5'000)).removed, 0U);
}

TEST(TrackerClock, AnyZeroPointWillDo) {
  constexpr std::int64_t kStarts[] = {-1'000'000'000'000, -1, 0, 1'700'000'000'123};
  for (const std::int64_t start : kStarts) {
    const auto tracker = make();
    udp(*tracker, 1, start);
    const auto found = tracker->find(0, numbered_udp(1, true), at_ms(start + 59'999));
    ASSERT_TRUE(found) << start;
    EXPECT_EQ(found->start, at_ms(start));
    EXPECT_EQ(found->expires, at_ms(start + 60'000));
    EXPECT_EQ(tracker->sweep(at_ms(start + 60'000)).removed, 1U);
  }
}

TEST(TrackerStats, OfProtocolsAddUpToTheTable) {
  const auto tracker = make();
  for (std::uint32_t i = 0; i < 300; ++i) {
    Tuple tuple = numbered_udp(i, true);
    if (i % 3 == 0) tuple.protocol = Protocol::tcp;
    if (i % 3 == 1) tuple.protocol = Protocol::dccp;
    if (i % 3 != 1) send(*tracker, make_packet(tuple), kCommit, at_ms(i));
  }
  tracker->flush(at_ms(300), {});
  for (std::uint32_t i = 0; i < 50; ++i) udp(*tracker, i, 301);
  const Stats stats = tracker->stats();
  const ProtocolStats& of_udp = stats.protocols[static_cast<std::size_t>(ProtocolGroup::udp)];
  const ProtocolStats& of_tcp = stats.protocols[static_cast<std::size_t>(ProtocolGroup::tcp)];
  EXPECT_EQ(of_udp.opened, 150U);
  EXPECT_EQ(of_udp.live, 50U);
  EXPECT_EQ(of_tcp.removed, 100U);
  EXPECT_EQ(of_tcp.live, 0U);
  EXPECT_EQ(stats.packets, 250U);
  EXPECT_EQ(stats.new_, 250U);
  EXPECT_EQ(stats.connections, tracker->connection_count());
}

// ---- bursts -------------------------------------------------------------------------------------

/// Every frame of one of the project's captures, with bytes of its own.
struct Recording {
  explicit Recording(const std::string& path) {
    auto reader = capture::Reader::open(path);
    if (!reader) return;
    std::vector<capture::Frame> frames(64);
    while (const std::size_t count = reader.value().next_burst(frames)) {
      for (std::size_t i = 0; i < count; ++i) {
        bytes.emplace_back(frames[i].bytes.begin(), frames[i].bytes.end());
        Packet packet;
        packet.size = static_cast<std::uint32_t>(bytes.back().size());
        packet.wire_size = frames[i].wire_size;
        packet.link = frames[i].link;
        packets.push_back(packet);
      }
    }
    for (std::size_t i = 0; i < bytes.size(); ++i) packets[i].data = bytes[i].data();
  }
  std::vector<std::vector<std::byte>> bytes;
  std::vector<Packet> packets;
};

/// Gives     verdicts in words that do not depend on which place a connection has.
std::vector<std::string> verdicts_by(Recording& recording, std::size_t burst) {
  const auto tracker = make();
  std::vector<std::string> words;
  std::vector<Verdict> verdicts(kBurstMax);
  const std::span<Packet> all(recording.packets);
  for (std::size_t at = 0; at < all.size(); at += burst) {
    const std::span<Packet> some = all.subspan(at, std::min(burst, all.size() - at));
    tracker->process(some, kCommit, at_ms(0), verdicts);
    for (std::size_t i = 0; i < some.size(); ++i) {
      words.push_back(to_string(verdicts[i].state) + ' ' + std::string(name(verdicts[i].reason)) +
                      (verdicts[i].connection == ConnectionHandle::none ? "" : " connection"));
    }
  }
  words.push_back(std::to_string(tracker->connection_count()) + " connections");
  return words;
}

TEST(TrackerErrors, EachHasASentenceOfItsOwn) {
  std::set<std::string_view> sentences;
  for (unsigned i = 0; i <= static_cast<unsigned>(Error::memory_unavailable); ++i) {
    const std::string_view sentence = describe(static_cast<Error>(i));
    EXPECT_TRUE(!sentence.empty() && sentences.insert(sentence).second) << i;
  }
  EXPECT_NE(describe(Error::memory_unavailable).find("address space"), std::string_view::npos);
  EXPECT_NE(describe(Error::nat_unknown).find("add_nat"), std::string_view::npos);
}

TEST(TrackerBursts, AnyLengthGivesTheVerdictsOfOneAtATime) {
  const std::string folder = std::string(UCT_SOURCE_DIR) + "/tests/captures";
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string path = entry.path().string();
    if (path.find(".pcap") == std::string::npos) continue;
    Recording recording(path);
    ASSERT_FALSE(recording.packets.empty()) << path;
    if (recording.packets.size() > 20'000) recording.packets.resize(20'000);
    const std::vector<std::string> expected = verdicts_by(recording, 1);
    for (const std::size_t burst : {2UL, 31UL, 32UL, 33UL, kBurstMax}) {
      EXPECT_EQ(verdicts_by(recording, burst), expected) << path << " in bursts of " << burst;
    }
    ++files;
  }
  EXPECT_GT(files, 20U);
}

TEST(TrackerBursts, AnEmptyOneDoesNothing) {
  const auto tracker = make();
  tracker->process({}, kCommit, at_ms(0), {});
  EXPECT_EQ(tracker->stats().packets, 0U);
}

}  // namespace
}  // namespace uct
