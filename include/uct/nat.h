/// Network address translation: what the addresses and ports of new connections become.
///
/// Included by tracker.h. A spec is given to a tracker once (Tracker::add_nat) and named by each
/// Request that commits. What was chosen for a connection holds for its life and is in its
/// ConnectionInfo: `reply` is what the responder's packets carry.
/// Threads   values only; safe everywhere.
#pragma once

#include <cstdint>
#include <optional>

#include <uct/key.h>

namespace uct {

/// Names a spec of one tracker.
enum class NatId : std::uint16_t {
  none = 0,  ///< connections keep their addresses and ports
};
inline constexpr std::size_t kMaxNatSpecs = 4096;

/// What one side of a connection may become.
struct NatRange {
  /// From first to last, both included and of one family. Both all zero: the address is kept, and
  /// the port changes only when another connection has it.
  Address first;
  Address last;
  /// From first to last, both included; of ICMP queries the id. 0 and 0: the source port is kept if
  /// it is free, and otherwise becomes one of its class (below 512, below 1024, all others) while
  /// that has a free one; the destination port is kept.
  std::uint16_t port_first = 0;
  std::uint16_t port_last = 0;

  bool has_ports() const { return port_first != 0 || port_last != 0; }
};

/// By what an address is chosen from a range of several. Ports are always chosen so that nobody
/// outside can foresee them (RFC 6056), but that a port that is free and allowed is kept.
enum class NatSelection : std::uint8_t {
  hash,        ///< by a keyed hash of source and destination address
  persistent,  ///< by a keyed hash of the source address: a host keeps its external address
  random,      ///< at random, address and port: no port is kept
};

/// One or both sides of a connection are translated, in one commit.
struct NatSpec {
  std::optional<NatRange> source;
  std::optional<NatRange> destination;
  NatSelection selection = NatSelection::hash;
};

}  // namespace uct
