// A range of ports on its way to the last one, and beyond.
#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bench/workloads/first_packets.h"
#include "bench/workloads/harness.h"
#include "bench/workloads/nat_traffic.h"

namespace uct::bench {

namespace {

constexpr std::uint32_t kDestinations = 4;
constexpr std::uint32_t kPortsMost = kExternalPortLast - kExternalPortFirst + 1;
/// Levels are so far apart that their bursts do not overlap.
constexpr std::uint32_t kPortsLeast = 8192;
constexpr std::uint64_t kOthers = 10'000;  ///< established connections that nobody translates

/// Established packets, between whose bursts refused ones come, a run: this many, or, where
/// refusing is slow, as many stretches as fit into this time.
constexpr std::uint64_t kPackets = 320'000;
constexpr double kDisturbedNs = 0.2e9;
constexpr std::size_t kStretch = 100 * kBurst;
constexpr std::size_t kRefusedBurst = 8;

/// A use of the range around which new mappings are timed: many, because a burst for which the
/// system must clear a page or two takes twice the time of others; fewer where no more are left.
struct Level {
  const char* name;
  double use;
  std::uint32_t bursts;  ///< of the whole range; of a smaller one as much less
};
constexpr std::array<Level, 5> kLevels = {{{"new_mapping_10_ns", 0.1, 16},
                                           {"new_mapping_50_ns", 0.5, 16},
                                           {"new_mapping_90_ns", 0.9, 16},
                                           {"new_mapping_99_ns", 0.99, 16},
                                           {"new_mapping_999_ns", 0.999, 3}}};

/// Nanoseconds, of all runs and destinations.
struct Figures {
  std::array<std::vector<double>, kLevels.size()> mapping;
  std::vector<double> first_refusal;  ///< percent of the range that was in use
  std::vector<double> refused, quiet;
  std::vector<double> kept;  ///< percent of the quiet speed
};

/// One external address, seen from one destination after the other.
class Range {
 public:
  Range(Target& target, const Options& options, std::uint32_t ports)
      : target_(target),
        ends_(options.ipv6),
        ports_(ports),
        burst_(shape_of(options)),
        next_(options.connections) {
    const auto last = static_cast<std::uint16_t>(kExternalPortFirst + ports - 1);
    request_.nat = target.add_nat(external_range(options.ipv6, 1, kExternalPortFirst, last));
  }

  /// Uses up all ports towards one destination, timing some bursts at each level.
  ///
  /// Gives     what went wrong, or nothing.
  std::string use_up(std::uint16_t destination, Figures& figures) {
    destination_ = destination;
    sent_ = 0;
    refused_at_ = ports_;
    used_.assign(ports_, false);
    for (std::size_t level = 0; level < kLevels.size(); ++level) {
      const auto middle = static_cast<std::uint32_t>(kLevels[level].use * ports_);
      const std::uint32_t bursts = std::max(kLevels[level].bursts * ports_ / kPortsMost, 1U);
      const auto count = static_cast<std::uint32_t>(bursts * kBurst);
      open_up_to(std::min(middle + count / 2, ports_) - count);
      double ns = 0;
      for (std::uint32_t burst = 0; burst < bursts; ++burst) {
        ns += send_first(kBurst);
        look_at(kBurst);
      }
      figures.mapping[level].push_back(ns / count);
    }
    open_up_to(ports_);
    figures.first_refusal.push_back(100.0 * refused_at_ / ports_);
    return twice_ ? "two connections have the same external port" : "";
  }

  /// Sends first packets that have no port left.
  ///
  /// Gives     how many were let in.
  std::uint64_t send_refused() {
    send_first(kRefusedBurst);
    const auto let_in = std::count_if(
        verdicts_.begin(), verdicts_.begin() + kRefusedBurst,
        [](const Verdict& verdict) { return verdict.reason != Reason::nat_exhausted; });
    return static_cast<std::uint64_t>(let_in);
  }

 private:
  void open_up_to(std::uint32_t goal) {
    while (sent_ < goal) {
      const std::size_t count = std::min<std::size_t>(kBurst, goal - sent_);
      send_first(count);
      look_at(count);
    }
  }

  /// Gives     how long the call took.
  double send_first(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      std::byte* frame = burst_.bytes(i);
      burst_.put(i, next_++, kFirstSegment);
      FrameEnd from = ends_.source(frame);
      from.port = __builtin_bswap16(static_cast<std::uint16_t>(1024 + random_.below(64512)));
      ends_.set_source(frame, from);
      FrameEnd to = ends_.destination(frame);
      to.host = server_;
      to.port = __builtin_bswap16(destination_);
      ends_.set_destination(frame, to);
    }
    const double start = clock_ns();
    target_.process(burst_.packets(count), request_, kStart, verdicts_);
    return clock_ns() - start;
  }

  void look_at(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i, ++sent_) {
      if (verdicts_[i].state != (kNewState | StateFlags::snat) ||
          verdicts_[i].reason != Reason::none) {
        refused_at_ = std::min(refused_at_, sent_);
        continue;
      }
      const std::uint16_t port = __builtin_bswap16(ends_.source(burst_.bytes(i)).port);
      const auto place = std::size_t{port} - kExternalPortFirst;
      twice_ = twice_ || place >= ports_ || used_[place];
      if (!twice_) used_[place] = true;
    }
  }

  Target& target_;
  const FrameEnds ends_;
  const std::uint32_t ports_;
  const std::uint32_t server_ = __builtin_bswap32(0xc6336401);  ///< one host for all destinations
  Burst burst_;
  std::array<Verdict, kBurst> verdicts_;
  Request request_{.commit = true};
  std::uint64_t next_;  ///< number of the next client
  Random random_{7};
  std::uint16_t destination_ = 0;  ///< the server's port
  std::uint32_t sent_ = 0;
  std::uint32_t refused_at_ = 0;  ///< how many were sent before the first that was refused
  std::vector<bool> used_;
  bool twice_ = false;
};

/// Established connections that nobody translates, beside refused packets.
class Others {
 public:
  Others(Target& target, const Options& options)
      : target_(target), options_(options), burst_(shape_of(options)) {}

  std::string open() {
    std::string wrong = open_connections(target_, options_, 0, options_.connections, kStart);
    if (!wrong.empty()) return wrong;
    const std::uint64_t packets = options_.packets != 0 ? options_.packets : kPackets;
    const std::uint64_t turns = (packets + 2 * kStretch - 1) / (2 * kStretch);
    picks_ = Steering(target_, options_).picks(0, turns * 2 * kStretch, 1);
    return {};
  }

  /// Quiet and disturbed stretches take turns: the machine's clock changes in between otherwise.
  ///
  /// Gives     what went wrong, or nothing.
  std::string measure(Range& range, Figures& figures) {
    send_quietly(0, picks_.size());  // their records come into the caches
    Times times;
    for (std::size_t at = 0; at < picks_.size(); at += 2 * kStretch) {
      times.quiet += send_quietly(at, at + kStretch);
      send_disturbed(at + kStretch, at + 2 * kStretch, range, times);
      times.packets += kStretch;
      if (times.disturbed + times.refused > kDisturbedNs) break;
    }
    const auto packets = static_cast<double>(times.packets);
    figures.quiet.push_back(times.quiet / packets);
    figures.refused.push_back(times.refused / (packets / kBurst * kRefusedBurst));
    figures.kept.push_back(times.quiet / times.disturbed * 100);
    if (times.let_in != 0) return "a packet was let in where no port is free";
    return lost_ == 0 ? "" : "established connections were lost";
  }

 private:
  /// Nanoseconds of one run.
  struct Times {
    double quiet = 0, disturbed = 0, refused = 0;
    std::uint64_t packets = 0;  ///< established ones: so many quiet, so many disturbed
    std::uint64_t let_in = 0;
  };

  static double lap(double& last) {
    const double now = clock_ns();
    return now - std::exchange(last, now);
  }

  void send(std::size_t at) {
    for (std::size_t i = 0; i < kBurst; ++i) burst_.put(i, picks_[at + i], {});
    target_.process(burst_.packets(kBurst), {}, kStart, verdicts_);
    if (!all_have(verdicts_, established_state(Side::client))) ++lost_;
  }

  /// Gives     nanoseconds, timed as beside refused ones.
  double send_quietly(std::size_t at, std::size_t end) {
    double ns = 0;
    double last = clock_ns();
    for (; at < end; at += kBurst) {
      send(at);
      ns += lap(last);
    }
    return ns;
  }

  void send_disturbed(std::size_t at, std::size_t end, Range& range, Times& times) {
    double last = clock_ns();
    for (; at < end; at += kBurst) {
      send(at);
      times.disturbed += lap(last);
      times.let_in += range.send_refused();
      times.refused += lap(last);
    }
  }

  Target& target_;
  const Options& options_;
  Burst burst_;
  std::array<Verdict, kBurst> verdicts_;
  std::vector<std::uint32_t> picks_;
  std::uint64_t lost_ = 0;
};

/// One run on a target made anew.
///
/// Gives     what went wrong, or nothing.
std::string run_once(const Options& options, std::uint32_t ports, Figures& figures) {
  const auto target = make_target(options, options.connections + kDestinations * ports);
  if (!target) return "no memory for the target";
  Others others(*target, options);
  std::string wrong = others.open();
  Range range(*target, options, ports);
  for (std::uint16_t destination = 1; destination <= kDestinations && wrong.empty();
       ++destination) {
    wrong = range.use_up(destination, figures);
  }
  return wrong.empty() ? others.measure(range, figures) : wrong;
}

void report(const Figures& figures, Result& result) {
  for (std::size_t level = 0; level < kLevels.size(); ++level) {
    result.extra.push_back({kLevels[level].name, median(figures.mapping[level])});
  }
  const double at_10 = median(figures.mapping[0]);
  const double first =
      *std::min_element(figures.first_refusal.begin(), figures.first_refusal.end());
  result.extra.push_back({"mapping_99_to_10_ratio", median(figures.mapping[3]) / at_10});
  result.extra.push_back({"mapping_999_to_10_ratio", median(figures.mapping[4]) / at_10});
  result.extra.push_back({"first_refusal_percent", first});
  result.extra.push_back({"ns_per_refused_packet", median(figures.refused)});
  result.extra.push_back({"quiet_ns_per_packet", median(figures.quiet)});
  result.extra.push_back({"kept_percent", median(figures.kept)});
}

}  // namespace

std::string measure_nat_range(const Options& asked, Result& result) {
  const auto ports = static_cast<std::uint32_t>(
      std::clamp<std::uint64_t>(asked.connections, kPortsLeast, kPortsMost));
  Options options = asked;
  options.connections = std::min(asked.connections, kOthers);
  Figures figures;
  for (unsigned run = 0; run < options.runs; ++run) {
    std::string wrong = run_once(options, ports, figures);
    if (!wrong.empty()) return wrong;
  }
  report(figures, result);
  const bool all_used = std::all_of(figures.first_refusal.begin(), figures.first_refusal.end(),
                                    [](double percent) { return percent == 100; });
  return all_used ? "" : "a mapping was refused while ports were free";
}

}  // namespace uct::bench
