/// An interface of a pcapng section: its link type, and how its clock counts.
///
/// Included by pcapng.h. The block's body, behind its type and length:
///
///   link type 2 | reserved 2 | snapshot 4 | options: (code 2 | length 2 | value, padded to 4) ...
///
/// Threads   values only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <uct/packet.h>
#include <uct/time.h>

#include "ports/capture/byte_order.h"
#include "ports/capture/outcome.h"

namespace uct::capture {

/// Turns an interface's ticks into time since 1970.
class TickClock {
 public:
  /// Counts microseconds, as interfaces without options do.
  TickClock() = default;

  /// Takes the two options as they stand in the file: `resolution` is n for 10^-n seconds a tick,
  /// or 0x80 + n for 2^-n; `offset_seconds` is added to every time.
  TickClock(std::uint8_t resolution, std::int64_t offset_seconds);

  /// Gives     the time, held between 1970 and kLatestSecond: a hostile file must not bring its
  ///           reader near the end of 64-bit nanoseconds, where adding a timeout would overflow.
  Timestamp at(std::uint64_t ticks) const;

  /// 2200-01-01; 62 years before the end of 64-bit nanoseconds.
  static constexpr std::int64_t kLatestSecond = 7'258'118'400;

 private:
  // nanoseconds = (ticks * multiplier / divisor) >> shift, in 128 bits
  std::uint64_t multiplier_ = 1000;
  std::uint64_t divisor_ = 1;
  unsigned shift_ = 0;
  std::int64_t offset_seconds_ = 0;
};

struct PcapngInterface {
  LinkType link = LinkType::unsupported;
  std::uint32_t dlt = 0;
  std::uint32_t snapshot_size = 0;  ///< bytes kept of a frame; 0 means all
  TickClock clock;
};

/// Reads the body of an interface description block.
///
/// Errors    an option that is cut short or has the wrong size
Outcome<PcapngInterface> parse_interface(std::span<const std::byte> body, ByteOrder order);

}  // namespace uct::capture
