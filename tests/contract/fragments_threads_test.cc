// Threads that each bring a part of the same datagrams, in orders of their own, while another one
// sweeps. Run under the thread sanitizer (preset tsan), where any unguarded access is a report.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <barrier>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include <uct/tracker.h>

#include "tests/support/fragment_frames.h"

namespace uct {
namespace {

using test::End;
using test::FragmentFrame;
using test::Part;

constexpr std::uint32_t kDatagrams = 3000;  // fewer than are followed at once
constexpr std::uint32_t kThreads = 3;
constexpr End kServer{0xc6336401, 80};

struct Counter : FragmentSink {
  void on_fragment(const HeldFragment& fragment) noexcept override {
    if (fragment.verdict.reason == Reason::none)
      ++released;
    else
      ++lost;
  }
  std::atomic<std::uint32_t> released{0};
  std::atomic<std::uint32_t> lost{0};
};

TEST(FragmentThreads, EveryFragmentGetsOneVerdict) {
  Counter sink;
  Config config;
  config.fragments = &sink;
  config.shards = 4;
  const auto tracker = std::move(Tracker::create(config).value());
  const Timestamp now{std::chrono::seconds(1)};
  std::atomic<std::uint32_t> held{0};
  std::atomic<std::uint32_t> passed{0};
  std::barrier start(kThreads + 1);
  const auto send = [&](std::uint32_t thread) {
    const Part part{thread * 16, 16, thread + 1 < kThreads};
    start.arrive_and_wait();
    for (std::uint32_t i = 0; i < kDatagrams; ++i) {
      const std::uint32_t number = i ^ thread;  // neighbours in another order
      FragmentFrame frame({0x0a000000 + number, 1000}, kServer, 7, part);
      Packet packet = frame.packet(number);
      Verdict verdict;
      tracker->process({&packet, 1}, {.commit = true}, now, {&verdict, 1});
      ++(is_held(verdict.reason) ? held : passed);
    }
  };
  std::vector<std::thread> threads;
  for (std::uint32_t thread = 0; thread < kThreads; ++thread) threads.emplace_back(send, thread);
  start.arrive_and_wait();
  for (int i = 0; i < 50; ++i) tracker->sweep(now);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(held + passed, kThreads * kDatagrams);
  EXPECT_EQ(sink.released, held);
  EXPECT_EQ(sink.lost, 0U);
  const Stats stats = tracker->stats();
  EXPECT_EQ(stats.packets, kThreads * kDatagrams);
  EXPECT_EQ(stats.new_, kThreads * kDatagrams);
  EXPECT_EQ(stats.held_fragments, 0U);
  EXPECT_EQ(tracker->connection_count(), kDatagrams);
}

}  // namespace
}  // namespace uct
