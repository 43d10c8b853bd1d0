/// Finds the network header behind a link header.
///
/// Relies on base; called by parse.cc.
/// Threads   pure functions.
#pragma once

#include <uct/packet.h>

#include "base/checksum.h"
#include "packet/parsed_packet.h"

namespace uct::core {

/// What the link layer says is behind it.
enum class Announced : std::uint8_t { ipv4, ipv6, either, nothing };

struct LinkView {
  Announced announced = Announced::nothing;
  std::uint32_t network_offset = 0;
  Reason reason = Reason::none;  ///< when nothing is announced: why
};

LinkView parse_link(Bytes frame, LinkType link);

}  // namespace uct::core
