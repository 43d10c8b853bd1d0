/// What fragments cost, and what those that never become a datagram cost everybody else.
///
/// Question   nanoseconds a fragment that follows, waits or pushes another out; ns a packet
///            of other traffic while nothing is held, while the cache is full, and while a flood of
///            fragments comes in between.
/// Setup      10,000 UDP connections, bursts of 32 packets of some picked at random. The cache has
///            its default bounds; where it is full, 1,024 sources have filled it with fragments of
///            1,000 bytes whose first ones never come, and each further one pushes one out. Other
///            traffic is timed alone, burst by burst, also where each burst is followed by one of
///            the flood, or of as many whole packets of that size: whoever handles 32 KiB of other
///            packets in between has them in his caches instead.
/// Cheating   would be a flood of one source, which has its share only, few connections, or a flood
///            that is refused before anything is copied: its verdicts are looked at.
#include <benchmark/benchmark.h>

#include <array>
#include <chrono>
#include <memory>
#include <random>
#include <vector>

#include <uct/tracker.h>

#include "tests/support/fragment_frames.h"

namespace uct {
namespace {

using test::End;
using test::FragmentFrame;
using test::Part;
using test::UdpFrame;

constexpr std::size_t kBurst = 32;
constexpr std::uint32_t kConnections = 10'000;
constexpr std::uint32_t kSources = 1024;
constexpr End kServer{0xc6336401, 80};
constexpr Timestamp kNow{std::chrono::seconds(1)};

struct Counter : FragmentSink {
  void on_fragment(const HeldFragment& fragment) noexcept override {
    ++count;
    benchmark::DoNotOptimize(fragment.packet.data);
  }
  std::uint64_t count = 0;
};

class Traffic {
 public:
  Traffic() {
    Config config;
    config.fragments = &sink_;
    tracker_ = std::move(Tracker::create(config).value());
    for (std::uint32_t i = 0; i < kConnections; ++i) {
      frames_.emplace_back(End{0x0a000000 + i, 1000}, kServer);
      send(frames_.back().packet());
      UdpFrame back(kServer, End{0x0a000000 + i, 1000});
      send(back.packet());
    }
  }

  /// Gives     seconds that a burst took.
  double send_others() {
    std::array<Packet, kBurst> burst;
    for (Packet& packet : burst) packet = frames_[random_() % kConnections].packet();
    const auto start = std::chrono::steady_clock::now();
    tracker_->process(burst, {}, kNow, verdicts_);
    const auto end = std::chrono::steady_clock::now();
    for (const Verdict& verdict : verdicts_) lost_ += !has(verdict.state, StateFlags::established);
    return std::chrono::duration<double>(end - start).count();
  }

  /// Sends fragments whose first ones never come, each of a datagram of its own.
  void send_flood(bool whole = false) {
    std::vector<FragmentFrame> frames;
    std::array<Packet, kBurst> burst;
    for (std::size_t i = 0; i < kBurst; ++i) {
      const std::uint32_t number = flood_++;
      frames.emplace_back(End{0x0b000000 + number % kSources, 1000}, kServer,
                          static_cast<std::uint16_t>(number / kSources),
                          whole ? Part{0, 1000, false} : Part{1000, 1000, true});
    }
    for (std::size_t i = 0; i < kBurst; ++i) burst[i] = frames[i].packet();
    tracker_->process(burst, {}, kNow, verdicts_);
    for (const Verdict& verdict : verdicts_) {
      lost_ += whole ? !has(verdict.state, StateFlags::new_) : !is_held(verdict.reason);
    }
  }

  void fill() {
    while (sink_.count == 0) send_flood();
  }

  void send(const Packet& one) {
    Packet packet = one;
    tracker_->process({&packet, 1}, {.commit = true}, kNow, verdicts_);
  }

  /// Gives     whether every verdict was the one that the benchmark is about.
  bool is_right() const { return lost_ == 0; }

 private:
  Counter sink_;
  std::unique_ptr<Tracker> tracker_;
  std::vector<UdpFrame> frames_;
  std::array<Verdict, kBurst> verdicts_;
  std::mt19937 random_{1};
  std::uint32_t flood_ = 0;
  std::uint64_t lost_ = 0;
};

void finish(benchmark::State& state, const Traffic& traffic, std::size_t packets) {
  if (!traffic.is_right()) state.SkipWithError("a verdict was another one");
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * packets));
}

enum class Fragments { none, full, flood, whole };

/// Other traffic while no fragments are there, while the cache is full of them, while they come,
/// and while whole packets come instead.
template <Fragments kFragments>
void OtherTraffic(benchmark::State& state) {
  Traffic traffic;
  if (kFragments == Fragments::full || kFragments == Fragments::flood) traffic.fill();
  for (auto _ : state) {
    state.SetIterationTime(traffic.send_others());
    if (kFragments == Fragments::flood) traffic.send_flood();
    if (kFragments == Fragments::whole) traffic.send_flood(true);
  }
  finish(state, traffic, kBurst);
}

/// A fragment that is copied and pushes another one out.
void FragmentOfAFlood(benchmark::State& state) {
  Traffic traffic;
  traffic.fill();
  for (auto _ : state) traffic.send_flood();
  finish(state, traffic, kBurst);
}

/// A datagram of two fragments, in order or not.
template <bool kInOrder>
void Datagram(benchmark::State& state) {
  Traffic traffic;
  std::uint16_t id = 0;
  for (auto _ : state) {
    ++id;
    FragmentFrame first({0x0a000001, 1000}, kServer, id, {0, 1000, true});
    FragmentFrame last({0x0a000001, 1000}, kServer, id, {1000, 1000, false});
    traffic.send(kInOrder ? first.packet() : last.packet());
    traffic.send(kInOrder ? last.packet() : first.packet());
  }
  finish(state, traffic, 2);
}

BENCHMARK(OtherTraffic<Fragments::none>)->UseManualTime();
BENCHMARK(OtherTraffic<Fragments::full>)->UseManualTime();
BENCHMARK(OtherTraffic<Fragments::whole>)->UseManualTime();
BENCHMARK(OtherTraffic<Fragments::flood>)->UseManualTime();
BENCHMARK(FragmentOfAFlood);
BENCHMARK(Datagram<true>);
BENCHMARK(Datagram<false>);

}  // namespace
}  // namespace uct
