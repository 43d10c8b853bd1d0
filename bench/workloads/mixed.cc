// Question  What does a packet cost when not all are the easy kind?
// Setup     `connections` TCP connections over IPv4 are opened by handshakes. Then each thread
//           sends `packets` in bursts of 32 with commit: of 100, 90 are acknowledgements of a
//           random connection from a random side, 9 are SYNs that open a connection of their own,
//           and one is invalid: a reset or an acknowledgement whose sequence number is a quarter of
//           all numbers away. Which kind is next is random. The target is made anew for each run,
//           with room for all. Threads send packets of connections of their own, as the target
//           would steer them. UDP, where nothing is out of a window, is not looked at.
// Cheating would be  to sort the kinds, within a burst or by bursts, to open connections that are
//           open already, or to count packets that were answered as another kind.
#include <algorithm>
#include <atomic>
#include <numeric>

#include "bench/workloads/connections.h"
#include "bench/workloads/first_packets.h"
#include "bench/workloads/harness.h"
#include "bench/workloads/timed_bursts.h"
#include "bench/workloads/workload.h"

namespace uct::bench {

namespace {

constexpr std::uint64_t kPackets = 8'000'000;  ///< a thread and run

/// Kinds of packets, in places of the tables below.
enum class Kind : std::uint32_t { from_client, from_server, opening, stray_reset, stray_segment };
constexpr std::size_t kKinds = 5;

constexpr std::uint32_t kFarAway = 1U << 30;

constexpr std::array<Segment, kKinds> kSegments = {{
    {.from = Side::client},
    {.from = Side::server},
    kFirstSegment,
    {.from = Side::client, .flags = kRst, .seq = kFarAway, .ack = 0},
    {.from = Side::client, .seq = kFarAway},
}};

constexpr StateFlags kInvalidState = StateFlags::invalid | StateFlags::tracked;
constexpr std::array<StateFlags, kKinds> kAnswers = {established_state(Side::client),
                                                     established_state(Side::server), kNewState,
                                                     kInvalidState, kInvalidState};

/// A packet to be sent, in 4 bytes.
class Choice {
 public:
  /// Requires  connection < 2^29
  Choice(std::uint32_t connection, Kind kind)
      : bits_(connection | static_cast<std::uint32_t>(kind) << kNumberBits) {}

  std::uint32_t connection() const { return bits_ & ((1U << kNumberBits) - 1); }
  Kind kind() const { return static_cast<Kind>(bits_ >> kNumberBits); }
  std::size_t place() const { return bits_ >> kNumberBits; }  ///< in the tables of kinds

  static constexpr unsigned kNumberBits = 29;

 private:
  std::uint32_t bits_;
};

/// What one thread sends.
using Stream = std::vector<Choice>;

Stream draw_kinds(std::uint64_t packets, std::uint64_t seed) {
  Stream stream;
  stream.reserve(packets);
  Random random(seed);
  for (std::uint64_t i = 0; i < packets; ++i) {
    const std::uint64_t percent = random.below(100);
    const bool other = random.next() >> 63 != 0;
    const Kind kind = percent < 90   ? (other ? Kind::from_server : Kind::from_client)
                      : percent < 99 ? Kind::opening
                                     : (other ? Kind::stray_segment : Kind::stray_reset);
    stream.emplace_back(0, kind);
  }
  return stream;
}

std::uint64_t count_openings(const Stream& stream) {
  return static_cast<std::uint64_t>(
      std::count_if(stream.begin(), stream.end(),
                    [](const Choice& choice) { return choice.kind() == Kind::opening; }));
}

/// The streams of all threads.
class Mixture {
 public:
  /// Draws the kinds.
  explicit Mixture(const Options& options) : options_(options) {
    const std::uint64_t asked = options.packets != 0 ? options.packets : kPackets;
    const std::uint64_t packets = (asked + kBurst - 1) / kBurst * kBurst;
    for (unsigned thread = 0; thread < options.threads; ++thread) {
      streams_.push_back(draw_kinds(packets, thread));
      openings_.push_back(count_openings(streams_.back()));
    }
  }

  /// Chooses the connections. A thread to which the target steers none sends nothing.
  void choose_connections(const Target& target) {
    const Steering steering(target, options_);
    for (unsigned thread = 0; thread < options_.threads; ++thread) {
      if (!steering.connections(thread).empty()) continue;
      streams_[thread].clear();
      openings_[thread] = 0;
    }
    const auto fresh = fresh_connections(target);
    for (unsigned thread = 0; thread < options_.threads; ++thread) {
      const auto picks = steering.picks(thread, streams_[thread].size(), 1);
      std::size_t opened = 0;
      for (std::size_t i = 0; i < picks.size(); ++i) {
        const Kind kind = streams_[thread][i].kind();
        streams_[thread][i] = {kind == Kind::opening ? fresh[thread][opened++] : picks[i], kind};
      }
    }
  }

  std::uint64_t opened() const {
    return std::accumulate(openings_.begin(), openings_.end(), std::uint64_t{0});
  }

  /// Gives     how many packets were not answered as their kind.
  std::uint64_t run(Target& target, Timings& timings) const {
    std::atomic<std::uint64_t> odd{0};
    const auto elapsed = run_threads(options_.threads, [&](unsigned thread) {
      odd += send(target, shape_of(options_), streams_[thread]);
    });
    std::vector<double> packets;
    for (const Stream& stream : streams_) packets.push_back(static_cast<double>(stream.size()));
    timings.add(elapsed, packets);
    return odd;
  }

 private:
  /// Gives     as many connections as each thread opens, which it does not have yet.
  std::vector<std::vector<std::uint32_t>> fresh_connections(const Target& target) const {
    std::vector<std::vector<std::uint32_t>> fresh(options_.threads);
    const auto suffice = [&] {
      for (unsigned thread = 0; thread < options_.threads; ++thread) {
        if (fresh[thread].size() < openings_[thread]) return false;
      }
      return true;
    };
    const std::uint64_t step = std::max<std::uint64_t>(opened(), 1);
    for (std::uint64_t first = options_.connections; !suffice(); first += step) {
      const auto more = split_connections(target, options_, first, first + step);
      for (unsigned thread = 0; thread < options_.threads; ++thread) {
        fresh[thread].insert(fresh[thread].end(), more[thread].begin(), more[thread].end());
      }
    }
    return fresh;
  }

  static std::uint64_t send(Target& target, TrafficShape shape, std::span<const Choice> choices) {
    Burst burst(shape);
    std::array<Verdict, kBurst> verdicts;
    const Request request{.commit = true};
    Timestamp now = kStart;
    std::uint64_t odd = 0;
    for (std::size_t at = 0; at < choices.size(); at += kBurst) {
      const auto some = choices.subspan(at).first<kBurst>();
      for (std::size_t i = 0; i < kBurst; ++i) {
        burst.put(i, some[i].connection(), kSegments[some[i].place()]);
      }
      target.process(burst.packets(kBurst), request, now, verdicts);
      for (std::size_t i = 0; i < kBurst; ++i) {
        odd += verdicts[i].state == kAnswers[some[i].place()] ? 0 : 1;
      }
      now += kBurstTime;
    }
    return odd;
  }

  const Options& options_;
  std::vector<Stream> streams_;  ///< whole bursts
  std::vector<std::uint64_t> openings_;
};

/// Runs once with a new target.
///
/// Gives     what went wrong, or nothing.
std::string run_once(Mixture& mixture, const Options& options, Timings& timings, Timings& driver) {
  const auto target = make_target(options, options.connections + mixture.opened());
  if (!target) return "no memory for the target";
  std::string wrong = open_connections(*target, options, 0, options.connections, kStart);
  if (!wrong.empty()) return wrong;
  mixture.choose_connections(*target);
  NullTarget nothing;
  mixture.run(nothing, driver);
  if (mixture.run(*target, timings) != 0) return "packets were answered as another kind";
  if (target->connection_count() != options.connections + mixture.opened()) {
    return "connections were lost";
  }
  return {};
}

}  // namespace

Result run_mixed(const Options& asked) {
  Result result;
  Options options = asked;
  options.udp = false;
  Mixture mixture(options);
  if (options.connections + 2 * mixture.opened() >= std::uint64_t{1} << Choice::kNumberBits) {
    result.wrong = "too many connections";
    return result;
  }
  Timings timings;
  Timings driver;
  for (unsigned run = 0; run < options.runs && result.wrong.empty(); ++run) {
    result.wrong = run_once(mixture, options, timings, driver);
  }
  result.ns_per_packet = timings.ns_per_unit();
  result.driver_ns_per_packet = driver.ns_per_unit();
  result.mpps_total = timings.per_second() / 1e6;
  result.extra = {{"opened_a_run", static_cast<double>(mixture.opened())}};
  return result;
}

}  // namespace uct::bench
