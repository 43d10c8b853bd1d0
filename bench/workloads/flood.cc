// Question  What does a SYN flood cost the connections that are there already?
// Setup     A table with room for 100,000 (`connections`, when that is less) holds a tenth of them
//           established and is filled by SYNs of others, so that every further one is refused. One
//           thread, whatever `threads` says. First it sends bursts of 32 acknowledgements of the
//           established connections alone (`quiet_`), then each such burst is followed by one of 32
//           SYNs of addresses never seen before. Bursts are timed one by one, and those of a kind
//           added up: kept_percent is the speed of the established ones that is left. Time stands
//           still, so that nothing expires and makes room.
// Cheating would be  to repeat the flood's addresses, to time only some of the bursts, or to let
//           the flood in: afterwards every established connection must answer, and every SYN of
//           the flood must have been refused by the name of a limit.
#include <algorithm>
#include <array>
#include <memory>

#include "bench/workloads/connections.h"
#include "bench/workloads/first_packets.h"
#include "bench/workloads/harness.h"
#include "bench/workloads/workload.h"

namespace uct::bench {

namespace {

constexpr std::uint64_t kRoom = 100'000;
constexpr std::uint64_t kPackets = 3'200'000;  ///< established ones a phase and run

/// Nanoseconds a packet, of each kind.
struct Cost {
  double established = 0;
  double flood = 0;
};

class Flood {
 public:
  Flood(const Options& options, std::span<const std::uint32_t> picks, std::uint64_t first)
      : picks_(picks), next_(first), burst_(shape_of(options)) {}

  /// Sends bursts of all picks, timed together.
  Cost run_quiet(Target& target) {
    double established_ns = 0;
    double last = clock_ns();
    for (std::size_t at = 0; at < picks_.size(); at += kBurst) {
      send_established(target, at);
      established_ns += lap(last);
    }
    return {.established = established_ns / static_cast<double>(picks_.size())};
  }

  Cost run_flooded(Target& target) {
    double established_ns = 0;
    double flood_ns = 0;
    double last = clock_ns();
    for (std::size_t at = 0; at < picks_.size(); at += kBurst) {
      send_established(target, at);
      established_ns += lap(last);
      send_flood(target);
      flood_ns += lap(last);
    }
    const auto packets = static_cast<double>(picks_.size());
    return {.established = established_ns / packets, .flood = flood_ns / packets};
  }

  std::uint64_t lost() const { return lost_; }
  std::uint64_t let_in() const { return let_in_; }

 private:
  static double lap(double& last) {
    const double now = clock_ns();
    return now - std::exchange(last, now);
  }

  void send_established(Target& target, std::size_t at) {
    for (std::size_t i = 0; i < kBurst; ++i) burst_.put(i, picks_[at + i], {});
    target.process(burst_.packets(kBurst), {}, kStart, verdicts_);
    for (const Verdict& verdict : verdicts_) {
      lost_ += has(verdict.state, StateFlags::established) ? 0 : 1;
    }
  }

  void send_flood(Target& target) {
    for (std::size_t i = 0; i < kBurst; ++i) burst_.put(i, next_++, kFirstSegment);
    target.process(burst_.packets(kBurst), {.commit = true}, kStart, verdicts_);
    for (const Verdict& verdict : verdicts_) let_in_ += is_refusal(verdict.reason) ? 0 : 1;
  }

  const std::span<const std::uint32_t> picks_;
  std::uint64_t next_;  ///< connection that the next packet of the flood would open
  Burst burst_;
  std::array<Verdict, kBurst> verdicts_;
  std::uint64_t lost_ = 0;
  std::uint64_t let_in_ = 0;
};

/// Asks every established connection once.
bool are_all_established(Target& target, const Options& options) {
  std::vector<std::uint32_t> every((options.connections + kBurst - 1) / kBurst * kBurst);
  for (std::size_t i = 0; i < every.size(); ++i) {
    every[i] = static_cast<std::uint32_t>(i % options.connections);
  }
  Flood flood(options, every, 0);
  static_cast<void>(flood.run_quiet(target));
  return flood.lost() == 0;
}

struct Figures {
  std::vector<double> quiet, established, flood, driver;

  void add(const Cost& quiet_cost, const Cost& flooded, const Cost& driver_cost) {
    quiet.push_back(quiet_cost.established);
    established.push_back(flooded.established);
    flood.push_back(flooded.flood);
    driver.push_back(driver_cost.established);
  }

  void report(Result& result) const {
    result.ns_per_packet = median(established);
    result.driver_ns_per_packet = median(driver);
    result.mpps_total = 1e3 / median(established);
    result.extra = {{"quiet_ns_per_packet", median(quiet)},
                    {"ns_per_flood_packet", median(flood)},
                    {"kept_percent", median(quiet) / median(established) * 100}};
  }
};

}  // namespace

Result run_flood(const Options& asked) {
  Result result;
  const std::uint64_t room = std::min(asked.connections, kRoom);
  Options options = asked;
  options.threads = 1;
  options.connections = std::max<std::uint64_t>(room / 10, 1);
  const auto target = make_target(options, room);
  if (!target) {
    result.wrong = "no memory for the target";
    return result;
  }
  result.wrong = open_connections(*target, options, 0, options.connections, kStart);
  if (!result.wrong.empty()) return result;
  // Shards may each refuse on their own account: all that is sent here need not be let in.
  send_first_packets(*target, shape_of(options), options.connections, 4 * room, kStart);

  const std::uint64_t packets = std::max<std::uint64_t>(
      (options.packets != 0 ? options.packets : kPackets) / kBurst * kBurst, kBurst);
  const auto picks = Steering(*target, options).picks(0, packets, 1);
  Flood flood(options, picks, 4 * room);
  NullTarget nothing;
  Flood unanswered(options, picks, 4 * room);
  Figures figures;
  for (unsigned run = 0; run < options.runs; ++run) {
    const Cost driver = unanswered.run_flooded(nothing);
    const Cost quiet = flood.run_quiet(*target);
    figures.add(quiet, flood.run_flooded(*target), driver);
  }
  figures.report(result);
  if (flood.let_in() != 0) {
    result.wrong = "packets of the flood were not refused";
  } else if (flood.lost() != 0 || !are_all_established(*target, options)) {
    result.wrong = "established connections were lost";
  }
  return result;
}

}  // namespace uct::bench
