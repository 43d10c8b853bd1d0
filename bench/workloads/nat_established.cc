// Packets of established translated connections beside those of plain ones.
#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "bench/workloads/harness.h"
#include "bench/workloads/nat_traffic.h"
#include "bench/workloads/timed_bursts.h"

namespace uct::bench {

namespace {

constexpr std::uint64_t kPackets = 4'000'000;  ///< a run and kind
constexpr std::uint32_t kAddresses = 16;

/// All runs together take at most this of the caller's time: established UDP lives for 30 s.
constexpr std::chrono::nanoseconds kTimeMax = std::chrono::seconds(20);

/// A packet to be sent, and where to.
struct Aimed {
  Turn turn;
  FrameEnd to;
};

/// A target with connections that are open: all translated, or none.
class Conversations {
 public:
  Conversations(const Options& options, bool translated)
      : options_(options),
        ends_(options.ipv6),
        translation_(translated ? StateFlags::snat : StateFlags::untracked),
        target_(make_target(options, options.connections)) {
    if (!translated || !target_) return;
    opening_.nat = target_->add_nat(
        external_range(options.ipv6, kAddresses, kExternalPortFirst, kExternalPortLast));
  }

  /// Opens them by handshakes, and learns where their replies go.
  ///
  /// Gives     what went wrong, or nothing.
  std::string open() {
    if (!target_) return "no memory for the target";
    outside_.resize(options_.connections);
    Burst burst(shape_of(options_));
    std::string wrong;
    for (std::uint64_t first = 0; first < options_.connections && wrong.empty(); first += kBurst) {
      const std::uint64_t left = options_.connections - first;
      wrong = shake_hands(burst, first, std::min<std::uint64_t>(left, kBurst));
    }
    return wrong;
  }

  /// Gives     as many packets of random connections, aimed at where their sender sees the other.
  std::vector<Aimed> stream(std::uint64_t packets) const {
    const std::vector<Turn> turns = Steering(*target_, options_).turns(0, packets, 1);
    std::vector<Aimed> stream;
    stream.reserve(turns.size());
    Burst scratch(shape_of(options_));
    for (const Turn& turn : turns) {
      scratch.put(0, turn.connection(), {.from = turn.side()});
      stream.push_back({turn, turn.side() == Side::server ? outside_[turn.connection()]
                                                          : ends_.destination(scratch.bytes(0))});
    }
    return stream;
  }

  /// Gives     how many packets were not answered as they should be.
  std::uint64_t send(Target& target, std::span<const Aimed> stream, Timestamp now,
                     std::chrono::nanoseconds step) const {
    Burst burst(shape_of(options_));
    std::array<Verdict, kBurst> verdicts;
    const Request request;
    std::uint64_t lost = 0;
    for (std::size_t at = 0; at < stream.size(); at += kBurst) {
      const auto some = stream.subspan(at).first<kBurst>();
      for (std::size_t i = 0; i < kBurst; ++i) {
        burst.put(i, some[i].turn.connection(), {.from = some[i].turn.side()});
        ends_.set_destination(burst.bytes(i), some[i].to);
      }
      target.process(burst.packets(kBurst), request, now, verdicts);
      for (std::size_t i = 0; i < kBurst; ++i) {
        lost += verdicts[i].state == answer_to(some[i].turn.side()) ? 0 : 1;
      }
      now += step;
    }
    return lost;
  }

  Target& target() { return *target_; }

 private:
  StateFlags answer_to(Side side) const { return established_state(side) | translation_; }

  std::string shake_hands(Burst& burst, std::uint64_t first, std::uint64_t count) {
    std::array<Verdict, kBurst> verdicts;
    const std::array<Segment, 3> handshake = {{{Side::client, kSyn, 0, 0, 0},
                                               {Side::server, kSyn | kAck, 0, 1, 0},
                                               {Side::client, kAck, 1, 1, 0}}};
    for (const Segment& segment : std::span(handshake).first(options_.udp ? 2 : 3)) {
      const bool back = segment.from == Side::server;
      std::array<FrameEnd, kBurst> inside;
      for (std::uint64_t i = 0; i < count; ++i) {
        burst.put(i, first + i, segment);
        inside[i] = ends_.destination(burst.bytes(i));
        if (back) ends_.set_destination(burst.bytes(i), outside_[first + i]);
      }
      target_->process(burst.packets(count), opening_, kStart, verdicts);
      const StateFlags wanted =
          segment.flags == kSyn ? kNewState | translation_ : answer_to(segment.from);
      if (!all_have(std::span(verdicts).first(count), wanted)) {
        return "a handshake was not answered by " + to_string(wanted);
      }
      for (std::uint64_t i = 0; i < count; ++i) {
        if (ends_.destination(burst.bytes(i)) != inside[i]) return "a packet went astray";
        if (!back) outside_[first + i] = ends_.source(burst.bytes(i));
      }
    }
    return {};
  }

  const Options& options_;
  const FrameEnds ends_;
  const StateFlags translation_;
  const std::unique_ptr<Target> target_;
  Request opening_{.commit = true};
  std::vector<FrameEnd> outside_;  ///< where the replies of each connection go
};

}  // namespace

std::string measure_nat_established(const Options& options, Result& result) {
  Conversations plain(options, false);
  Conversations translated(options, true);
  for (Conversations* each : {&plain, &translated}) {
    std::string wrong = each->open();
    if (!wrong.empty()) return wrong;
  }
  const std::uint64_t packets =
      ((options.packets != 0 ? options.packets : kPackets) + kBurst - 1) / kBurst * kBurst;
  const auto bursts = static_cast<std::int64_t>(packets / kBurst);
  const auto step =
      std::min<std::chrono::nanoseconds>(kBurstTime, kTimeMax / (bursts * options.runs));
  const std::vector<Aimed> plain_stream = plain.stream(packets);
  const std::vector<Aimed> stream = translated.stream(packets);

  NullTarget nothing;
  Timings driver, plainly, timings;
  Timestamp now = kStart;
  const auto play = [&](const Conversations& some, Target& target, std::span<const Aimed> turns,
                        Timings& to) {
    std::uint64_t lost = 0;
    const auto elapsed =
        run_threads(1, [&](unsigned) { lost = some.send(target, turns, now, step); });
    to.add(elapsed, static_cast<double>(packets));
    return lost;
  };
  std::uint64_t lost = 0;
  for (unsigned run = 0; run < options.runs; ++run) {
    play(translated, nothing, stream, driver);
    lost += play(plain, plain.target(), plain_stream, plainly);
    lost += play(translated, translated.target(), stream, timings);
    now += step * bursts;
  }
  result.ns_per_packet = timings.ns_per_unit();
  result.driver_ns_per_packet = driver.ns_per_unit();
  result.mpps_total = timings.per_second() / 1e6;
  const double net = timings.ns_per_unit() - driver.ns_per_unit();
  const double plain_net = plainly.ns_per_unit() - driver.ns_per_unit();
  result.extra.push_back({"plain_ns_per_packet", plainly.ns_per_unit()});
  result.extra.push_back({"translated_to_plain_ratio", net / plain_net});
  return lost == 0 ? "" : "packets of established connections were not answered est";
}

}  // namespace uct::bench
