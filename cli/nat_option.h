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
  std::optional<NatSpec> spec;             ///< nothing when `error` says what is wrong
  NatProfile profile = NatProfile::plain;  ///< whose timeouts belong to it
  std::string error;
};

/// Reads
///
///   SIDE [, SIDE] [, WORD]...
///   SIDE       src RANGE | dst RANGE
///   RANGE      ADDRESS | ADDRESS-ADDRESS | ADDRESS/BITS | any, and then maybe :PORT or :PORT-PORT;
///              an IPv6 range stands in brackets before a port
///   WORD       hash | persistent | random | prefix | npt            how an address is chosen
///              profile plain|home|cgn | endpoint-independent        how mappings are made
///              filter any|address|port | inside R | exempt R | also R
///              keep-port | keep-class | keep-parity | overflow | blocks PORTSxMAX |
///              deterministic PORTS | quota N | hold-down SECONDS | outbound-refresh
ParsedNat parse_nat(std::string_view text);

}  // namespace uct::cli
