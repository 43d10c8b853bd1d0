/// Numbered packets on their way through a translation: which end they leave for, and the ranges
/// that they are translated to.
///
/// A connection's external end is the tracker's to choose, so a driver that answers must have read
/// it from the first packet. Streams carry it with each packet: they are read in order, so that
/// this memory competes with the tracker's no more than the stream of a plain run does.
///
/// Relies on connections.h; used by nat_established.cc, nat_opening.cc and nat_range.cc.
/// Threads   values only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include <uct/nat.h>

#include "bench/workloads/connections.h"
#include "bench/workloads/options.h"

namespace uct::bench {

/// The ports that clients of Burst never use (traffic.h: all use 1024), so that no packet of a
/// client has the tuple of another's replies.
inline constexpr std::uint16_t kExternalPortFirst = 1025;
inline constexpr std::uint16_t kExternalPortLast = 65535;

/// One end of a packet, as it stands in a frame: what all addresses have in common is left out.
struct FrameEnd {
  std::uint32_t host = 0;     ///< IPv4: the address; IPv6: its last four bytes
  std::uint16_t network = 0;  ///< IPv6: bytes 4 and 5, which tell clients, servers, external ends
  std::uint16_t port = 0;

  friend bool operator==(const FrameEnd&, const FrameEnd&) = default;
};

/// Reads and writes the ends of frames of one family.
class FrameEnds {
 public:
  explicit FrameEnds(bool v6) : v6_(v6) {}

  FrameEnd source(const std::byte* frame) const { return read(frame, 0); }
  FrameEnd destination(const std::byte* frame) const { return read(frame, 1); }
  void set_source(std::byte* frame, const FrameEnd& end) const { write(frame, 0, end); }
  void set_destination(std::byte* frame, const FrameEnd& end) const { write(frame, 1, end); }

 private:
  static constexpr std::size_t kEthernet = 14;

  std::size_t address(std::size_t which) const {
    return kEthernet + (v6_ ? 8 + 16 * which : 12 + 4 * which);
  }
  std::size_t port(std::size_t which) const { return kEthernet + (v6_ ? 40 : 20) + 2 * which; }

  FrameEnd read(const std::byte* frame, std::size_t which) const {
    FrameEnd end;
    const std::byte* bytes = frame + address(which);
    std::memcpy(&end.host, bytes + (v6_ ? 12 : 0), sizeof(end.host));
    if (v6_) std::memcpy(&end.network, bytes + 4, sizeof(end.network));
    std::memcpy(&end.port, frame + port(which), sizeof(end.port));
    return end;
  }
  void write(std::byte* frame, std::size_t which, const FrameEnd& end) const {
    std::byte* bytes = frame + address(which);
    std::memcpy(bytes + (v6_ ? 12 : 0), &end.host, sizeof(end.host));
    if (v6_) std::memcpy(bytes + 4, &end.network, sizeof(end.network));
    std::memcpy(frame + port(which), &end.port, sizeof(end.port));
  }

  const bool v6_;
};

/// Gives     a translation of sources to `addresses` (at most 256) of 203.0.113.0/24 or
///           2001:db8:3::/120, and the given ports.
inline NatSpec external_range(bool v6, std::uint32_t addresses, std::uint16_t port_first,
                              std::uint16_t port_last) {
  NatRange range;
  if (v6) {
    range.first.family = Family::ipv6;
    range.first.bytes = {0x20, 0x01, 0x0d, 0xb8, 0, 3};
  } else {
    range.first.bytes = {203, 0, 113};
  }
  range.last = range.first;
  range.last.bytes[v6 ? 15 : 3] = static_cast<std::uint8_t>(addresses - 1);
  range.port_first = port_first;
  range.port_last = port_last;
  NatSpec spec;
  spec.source = range;
  return spec;
}

/// The parts of the workload `nat`. Each fills figures of its own.
///
/// Requires  one thread, and the tracker as target.
/// Gives     what went wrong, or nothing.
std::string measure_nat_established(const Options& options, Result& result);
std::string measure_nat_opening(const Options& options, Result& result);
std::string measure_nat_range(const Options& options, Result& result);

}  // namespace uct::bench
