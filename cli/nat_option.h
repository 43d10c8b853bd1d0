/// The translation that --nat describes: 'src 198.51.100.0/28:1024-65535, dst [2001:db8::1]:80'.
///
/// Relies on uct/nat.h; used by the options of track.
/// Threads   a pure function.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <uct/nat.h>

namespace uct::cli {

struct ParsedNat {
  std::optional<NatSpec> spec;  ///< nothing when `error` says what is wrong
  std::string error;
};

/// Reads
///
///   SIDE [, SIDE] [, SELECTION]
///   SIDE       src RANGE | dst RANGE
///   RANGE      ADDRESS | ADDRESS-ADDRESS | ADDRESS/BITS | any, and then maybe :PORT or :PORT-PORT;
///              an IPv6 range stands in brackets before a port
///   SELECTION  hash | persistent | random
ParsedNat parse_nat(std::string_view text);

}  // namespace uct::cli
