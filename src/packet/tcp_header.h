/// Flags and options of a TCP header, for whoever reads one.
///
/// Relies on base; used by transport.cc and by the express lane (tracker/express.h).
/// Threads   pure functions.
#pragma once

#include <cstdint>

#include "base/checksum.h"
#include "packet/parsed_packet.h"

namespace uct::core {

namespace detail {

constexpr bool flags_are_sane(std::uint8_t flags) {
  constexpr std::uint8_t kMeaning =
      tcp_flag::kFin | tcp_flag::kSyn | tcp_flag::kRst | tcp_flag::kAck | tcp_flag::kUrg;
  const auto f = static_cast<std::uint8_t>(flags & kMeaning);
  switch (f & ~tcp_flag::kUrg) {
    case tcp_flag::kSyn:
    case tcp_flag::kAck:
    case tcp_flag::kFin | tcp_flag::kAck:
      return true;
    case tcp_flag::kSyn | tcp_flag::kAck:
    case tcp_flag::kRst:
    case tcp_flag::kRst | tcp_flag::kAck:
      return (f & tcp_flag::kUrg) == 0;
    default:
      return false;
  }
}

/// The answer for each value of the low six bits, so that no packet walks through the switch.
inline constexpr std::uint64_t kSaneFlags = [] {
  std::uint64_t set = 0;
  for (unsigned flags = 0; flags < 64; ++flags) {
    if (flags_are_sane(static_cast<std::uint8_t>(flags))) set |= std::uint64_t{1} << flags;
  }
  return set;
}();

}  // namespace detail

/// Gives     whether the flags are those of a segment that some sender makes, PSH, ECE and CWR
///           aside: SYN (with URG), SYN-ACK, RST with or without ACK, and anything with ACK that
///           has neither SYN nor RST (rules T3, T4).
constexpr bool tcp_flags_are_sane(std::uint8_t flags) {
  return (detail::kSaneFlags >> (flags & 0x3f) & 1) != 0;
}

/// Looks for the window scale option of a SYN (RFC 7323 section 2.2); options that make no sense
/// end the search.
std::uint8_t read_window_scale(Bytes options);

}  // namespace uct::core
