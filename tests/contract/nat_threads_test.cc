// Threads that open, answer, sweep and flush translated connections at once. Run under the thread
// sanitizer (preset tsan), where any unguarded access is a report.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <barrier>
#include <chrono>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include <uct/tracker.h>

#include "tests/support/udp_frames.h"

namespace uct {
namespace {

using test::address_of;
using test::End;
using test::UdpFrame;

constexpr std::size_t kBurst = 32;
constexpr std::uint32_t kServer = 0xc6336401;    // 198.51.100.1
constexpr std::uint32_t kExternal = 0xcb007109;  // 203.0.113.9
constexpr std::uint16_t kFirstPort = 2000;
constexpr std::uint16_t kLastPort = 2255;

NatSpec plain_spec() {
  NatSpec spec;
  spec.source = NatRange{address_of(kExternal), address_of(kExternal), kFirstPort, kLastPort};
  return spec;
}

/// One external port an internal one, and anybody may come in by it.
NatSpec mapped_spec() {
  NatSpec spec = plain_spec();
  NatMapping& mapping = spec.mapping.emplace();
  mapping.filtering = NatFiltering::address_dependent;
  mapping.inside = {{address_of(0x0a000000), address_of(0x0affffff)}};
  mapping.hold_down = Duration(0);
  return spec;
}

struct Shared {
  explicit Shared(std::uint32_t shards, const NatSpec& spec = plain_spec()) {
    Config config;
    config.shards = shards;
    tracker = std::move(Tracker::create(config).value());
    request.commit = true;
    request.nat = tracker->add_nat(spec).value();
  }
  Timestamp now() const { return Timestamp(std::chrono::milliseconds(now_ms.load())); }

  std::unique_ptr<Tracker> tracker;
  Request request;
  std::atomic<std::int64_t> now_ms{0};
  std::atomic<bool> stop{false};
};

/// Clients' packets, and servers' to ports of the range whether they are in use or not.
void send_packets(Shared& shared, unsigned thread) {
  std::mt19937 random(thread);
  std::array<UdpFrame, kBurst> frames;
  std::array<Packet, kBurst> burst;
  std::array<Verdict, kBurst> verdicts;
  while (!shared.stop) {
    for (std::size_t i = 0; i < kBurst; ++i) {
      const End client{0x0a000000 + static_cast<std::uint32_t>(random() % 400),
                       static_cast<std::uint16_t>(1000 + random() % 2)};
      const End external{kExternal, static_cast<std::uint16_t>(
                                        kFirstPort + random() % (kLastPort - kFirstPort + 1))};
      const End server{kServer + static_cast<std::uint32_t>(random() % 3), 53};
      frames[i] = random() % 3 == 0 ? UdpFrame(server, external) : UdpFrame(client, server);
      burst[i] = frames[i].packet();
    }
    const std::array<UdpFrame, kBurst> sent = frames;
    Request request = shared.request;
    request.commit = random() % 8 != 0;
    request.force = random() % 64 == 0;
    shared.tracker->process(burst, request, shared.now(), verdicts);
    for (std::size_t i = 0; i < kBurst; ++i) {
      const bool is_client = sent[i].source().address >> 24 == 10;
      if (verdicts[i].reason != Reason::none) {
        ASSERT_EQ(frames[i].source(), sent[i].source()) << "a refused packet is as it was";
      } else if (is_client && verdicts[i].connection != ConnectionHandle::none) {
        ASSERT_EQ(frames[i].source().address, kExternal);
        ASSERT_EQ(frames[i].destination(), sent[i].destination());
      }
    }
  }
}

void open_answer_sweep_and_flush(const NatSpec& spec) {
  for (const std::uint32_t shards : {1U, 16U}) {
    Shared shared(shards, spec);
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < 4; ++i) threads.emplace_back(send_packets, std::ref(shared), i);
    threads.emplace_back([&] {
      std::mt19937 random(9);
      std::vector<ConnectionInfo> found(100);
      while (!shared.stop) {
        shared.now_ms += static_cast<std::int64_t>(random() % 9000);
        shared.tracker->sweep(shared.now());
        DumpCursor cursor;
        const std::size_t count = shared.tracker->dump(cursor, found, shared.now());
        for (std::size_t i = 0; i < count; ++i) {
          static_cast<void>(shared.tracker->find(0, found[i].reply, shared.now()));
        }
        Filter filter;
        filter.original.source_port = 1001;
        if (random() % 16 == 0) shared.tracker->flush(shared.now(), filter);
      }
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(700));
    shared.stop = true;
    for (std::thread& thread : threads) thread.join();
    shared.tracker->flush(shared.now());
    EXPECT_EQ(shared.tracker->connection_count(), 0U);
    EXPECT_EQ(shared.tracker->stats().reply_tuples, 0U);
    const NatStats stats = shared.tracker->nat_stats(shared.request.nat).value();
    EXPECT_EQ(stats.mappings, 0U);
    EXPECT_EQ(stats.used, 0U);
    EXPECT_EQ(stats.held + stats.free, stats.ports);
  }
}

TEST(NatThreads, OpenAnswerSweepAndFlushAtOnce) { open_answer_sweep_and_flush(plain_spec()); }

TEST(NatThreads, MappingsAreGivenBackWhateverHappensAtOnce) {
  open_answer_sweep_and_flush(mapped_spec());
}

/// Two first packets of one flow on two threads: both survive, with the same translation.
void first_packets_on_two_threads(const NatSpec& spec) {
  constexpr std::uint32_t kFlows = 2000;
  Shared shared(16, spec);
  std::array<std::vector<UdpFrame>, 2> frames;
  std::array<std::vector<Verdict>, 2> verdicts;
  for (unsigned thread = 0; thread < 2; ++thread) {
    for (std::uint32_t flow = 0; flow < kFlows; ++flow) {
      frames[thread].emplace_back(End{0x0a000000 + flow, 1000}, End{kServer + flow, 53});
    }
    verdicts[thread].resize(kFlows);
  }
  std::barrier together(2);
  const auto send = [&](unsigned thread) {
    for (std::uint32_t flow = 0; flow < kFlows; ++flow) {
      Packet packet = frames[thread][flow].packet();
      together.arrive_and_wait();
      shared.tracker->process({&packet, 1}, shared.request, shared.now(),
                              {&verdicts[thread][flow], 1});
    }
  };
  std::thread other(send, 1);
  send(0);
  other.join();
  for (std::uint32_t flow = 0; flow < kFlows; ++flow) {
    for (unsigned thread = 0; thread < 2; ++thread) {
      ASSERT_EQ(verdicts[thread][flow].reason, Reason::none) << flow;
      ASSERT_TRUE(has(verdicts[thread][flow].state, StateFlags::new_ | StateFlags::snat));
    }
    ASSERT_EQ(frames[0][flow].source(), frames[1][flow].source()) << flow;
  }
  EXPECT_EQ(shared.tracker->connection_count(), kFlows);
  EXPECT_EQ(shared.tracker->stats().reply_tuples, kFlows);
}

TEST(NatThreads, FirstPacketsOfOneFlowOnTwoThreadsBothSurvive) {
  first_packets_on_two_threads(plain_spec());
  NatSpec mapped = mapped_spec();
  mapped.source->port_last = 65535;
  first_packets_on_two_threads(mapped);
}

}  // namespace
}  // namespace uct
