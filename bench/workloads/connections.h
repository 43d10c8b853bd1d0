/// Numbered connections on their way into a target, and which thread sends which.
///
/// Relies on traffic.h and target.h; used by every workload.
/// Threads   one at a time, but for what is const.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "bench/workloads/target.h"
#include "bench/workloads/traffic.h"

namespace uct::bench {

inline TrafficShape shape_of(const Options& options) { return {options.ipv6, options.udp}; }

/// How packets of a new connection are answered, and those of an established one by their side.
inline constexpr StateFlags kNewState = StateFlags::new_ | StateFlags::tracked;
inline constexpr std::array<StateFlags, 2> kEstablishedState = {
    StateFlags::established | StateFlags::tracked,
    StateFlags::established | StateFlags::reply | StateFlags::tracked};

constexpr StateFlags established_state(Side from) {
  return kEstablishedState[static_cast<std::size_t>(from)];
}

/// Gives     true when every packet was answered by exactly these flags.
bool all_have(std::span<const Verdict> verdicts, StateFlags wanted);

/// Opens connections [first, last) by a handshake (UDP: a datagram each way) in bursts. Where
/// threads have connections of their own, a burst has those of one thread.
///
/// Gives     what went wrong, or nothing.
std::string open_connections(Target& target, const Options& options, std::uint64_t first,
                             std::uint64_t last, Timestamp now);

/// Divides connections [first, last) among the threads: each has those that the target would send
/// it, or, unsteered, as many as every other.
///
/// Gives     a list for each thread, in ascending order; one may be empty.
std::vector<std::vector<std::uint32_t>> split_connections(const Target& target,
                                                          const Options& options,
                                                          std::uint64_t first, std::uint64_t last);

/// A packet to be sent: of which connection, and by whom. Streams of them are picked beforehand and
/// are 4 bytes a packet, so that reading them costs the caches little.
class Turn {
 public:
  Turn() = default;

  /// Requires  connection < 2^31
  Turn(std::uint32_t connection, Side side)
      : bits_(connection | static_cast<std::uint32_t>(side) << 31) {}

  std::uint32_t connection() const { return bits_ & 0x7fffffff; }
  Side side() const { return static_cast<Side>(bits_ >> 31); }

 private:
  std::uint32_t bits_ = 0;
};

/// Which connections each thread sends packets of.
class Steering {
 public:
  Steering(const Target& target, const Options& options);

  /// Gives     `count` random picks for a thread, uniform or by Zipf's law; none for a thread
  ///           without connections.
  std::vector<std::uint32_t> picks(unsigned thread, std::uint64_t count, std::uint64_t seed) const;

  /// Gives     the same picks, each with a random side.
  std::vector<Turn> turns(unsigned thread, std::uint64_t count, std::uint64_t seed) const;

  /// Gives     the connections of a thread, each once.
  std::span<const std::uint32_t> connections(unsigned thread) const { return lists_[thread]; }

 private:
  const bool zipf_;
  std::vector<std::vector<std::uint32_t>> lists_;
};

}  // namespace uct::bench
