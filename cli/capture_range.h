/// The part of a capture that --from and --to choose.
///
/// Included by the options and by the session, which asks it for every frame.
/// Threads   values only.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <uct/time.h>

namespace uct::cli {

/// One end of a range; it belongs to the range itself.
struct Bound {
  enum class Kind : std::uint8_t { open, number, offset, time };

  Kind kind = Kind::open;
  std::uint64_t number = 0;           ///< of a packet, from 1
  std::chrono::nanoseconds offset{};  ///< since the first packet of the file
  Timestamp time{};
};

/// Reads `#100` (a packet number), `12.5` or `1h30m` (time since the first packet) or
/// `2026-11-23T10:00:00` (UTC).
std::optional<Bound> parse_bound(std::string_view text);

struct CaptureRange {
  Bound from;
  Bound to;

  bool is_open() const { return from.kind == Bound::Kind::open && to.kind == Bound::Kind::open; }

  /// Gives     whether the packet lies in the range; `first` is when the file's first packet came.
  bool contains(std::uint64_t number, Timestamp time, Timestamp first) const;

  /// Gives     true when no packet after this one can lie in the range. Times prove nothing: a
  ///           capture may be out of order.
  bool ends_at(std::uint64_t number) const {
    return to.kind == Bound::Kind::number && number >= to.number;
  }
};

}  // namespace uct::cli
