// Opening translated connections beside opening plain ones, here and on the design of 2016.
#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "bench/workloads/first_packets.h"
#include "bench/workloads/harness.h"
#include "bench/workloads/nat_traffic.h"
#include "bench/workloads/timed_bursts.h"

namespace uct::bench {

namespace {

constexpr std::uint32_t kAddresses = 16;

/// Opens `count` connections.
///
/// Gives     how many were not answered by `wanted`.
std::uint64_t open_all(Target& target, const Options& options, NatId nat, StateFlags wanted) {
  Burst burst(shape_of(options));
  std::array<Verdict, kBurst> verdicts;
  const Request request{.commit = true, .nat = nat};
  Timestamp now = kStart;
  std::uint64_t refused = 0;
  for (std::uint64_t first = 0; first < options.connections; first += kBurst) {
    const auto count =
        static_cast<std::size_t>(std::min<std::uint64_t>(kBurst, options.connections - first));
    for (std::size_t i = 0; i < count; ++i) burst.put(i, first + i, kFirstSegment);
    target.process(burst.packets(count), request, now, verdicts);
    for (std::size_t i = 0; i < count; ++i) {
      const bool admitted = verdicts[i].state == wanted && verdicts[i].reason == Reason::none;
      refused += admitted ? 0 : 1;
    }
    now += kBurstTime;
  }
  return refused;
}

/// Thread time of opening all connections on a target, a connection.
struct Opening {
  double ns = 0;
  std::string wrong;
};

Opening time_opening(std::unique_ptr<Target> target, const Options& options, bool translated) {
  if (!target) return {0, "no memory for the target"};
  NatId nat = NatId::none;
  StateFlags wanted = kNewState;
  if (translated) {
    nat = target->add_nat(
        external_range(options.ipv6, kAddresses, kExternalPortFirst, kExternalPortLast));
    wanted |= StateFlags::snat;
  }
  const double start = thread_ns();
  const std::uint64_t refused = open_all(*target, options, nat, wanted);
  Opening opening{(thread_ns() - start) / static_cast<double>(options.connections), {}};
  if (refused != 0 || target->connection_count() != options.connections) {
    opening.wrong = "connections were refused";
  }
  return opening;
}

double time_driver(const Options& options) {
  NullTarget nothing;
  const double start = thread_ns();
  static_cast<void>(open_all(nothing, options, NatId::none, kNewState));
  return (thread_ns() - start) / static_cast<double>(options.connections);
}

}  // namespace

std::string measure_nat_opening(const Options& options, Result& result) {
  const std::uint64_t room = options.connections;
  std::vector<double> driver, plain, translated, rival;
  for (unsigned run = 0; run < options.runs; ++run) {
    driver.push_back(time_driver(options));
    for (const auto& [opening, to] :
         {std::pair{time_opening(make_target(options, room), options, false), &plain},
          std::pair{time_opening(make_target(options, room), options, true), &translated},
          std::pair{time_opening(make_design_2016(room), options, false), &rival}}) {
      if (!opening.wrong.empty()) return opening.wrong;
      to->push_back(opening.ns);
    }
  }
  const double driver_ns = median(driver);
  const double net = median(translated) - driver_ns;
  result.ns_per_connection = median(translated);
  result.driver_ns_per_connection = driver_ns;
  result.connections_per_second = 1e9 / median(translated);
  result.extra.push_back({"plain_ns_per_connection", median(plain)});
  result.extra.push_back({"rival_ns_per_connection", median(rival)});
  result.extra.push_back({"opening_to_plain_ratio", net / (median(plain) - driver_ns)});
  result.extra.push_back({"opening_speed_of_rival_ratio", (median(rival) - driver_ns) / net});
  return {};
}

}  // namespace uct::bench
