/// What a run of a workload is made of, and what it found.
///
/// Relies on nothing; filled by cli/bench.cc, read by every workload beside this file.
/// Threads   values only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace uct::bench {

/// What answers the packets: the tracker, or a rival under bench/peers.
enum class TargetKind : std::uint8_t {
  uct,          ///< the library, by its public interface
  design_2016,  ///< the seed's design, as its patch describes it
};

struct Options {
  std::string workload;
  std::uint64_t connections = 1'000'000;
  std::uint64_t packets = 0;  ///< a thread; 0 takes the workload's own number
  unsigned threads = 1;
  unsigned runs = 5;  ///< timed sections; the median is reported
  TargetKind target = TargetKind::uct;
  bool ipv6 = false;
  bool udp = false;
  bool zipf = false;       ///< a few connections have most packets (exponent 1)
  bool single = false;     ///< bursts of one packet
  bool unsteered = false;  ///< any thread sends packets of any connection
  bool exclusive = false;  ///< trackers without locks, one a thread
  unsigned shards = 0;     ///< 0: four a thread
  std::string file;        ///< of `replay`
};

/// Times in nanoseconds. A workload fills what applies.
struct Result {
  std::optional<double> ns_per_packet;         ///< a thread's, driver included
  std::optional<double> driver_ns_per_packet;  ///< the driver's loop alone
  std::optional<double> mpps_total;            ///< all threads together, driver included
  std::optional<double> ns_per_connection;
  std::optional<double> driver_ns_per_connection;
  std::optional<double> connections_per_second;
  std::optional<double> bytes_per_connection;
  std::optional<double> p50_ns, p99_ns, p999_ns, p9999_ns, max_ns;  ///< of one process() call

  /// What belongs to one workload only, by the name it has in JSON and in the printed table.
  struct Extra {
    std::string name;
    double value;
  };
  std::vector<Extra> extra;

  /// Why the figures are not to be believed; empty when every packet was answered as it should be.
  std::string wrong;
};

}  // namespace uct::bench
