/// ICMP and ICMPv6: queries, replies, and errors with the packet that they quote.
///
/// Relies on base; called by parse.cc. Both set the fate of the packet besides giving a reason.
/// Threads   pure functions.
#pragma once

#include "packet/transport.h"

namespace uct::core {

void parse_icmp(const TransportSource& source, ParsedPacket& out);
void parse_icmpv6(const TransportSource& source, ParsedPacket& out);

}  // namespace uct::core
