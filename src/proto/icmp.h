/// ICMP and ICMPv6 queries and their replies. Errors are the tracker's business: they belong to the
/// connection that they quote.
///
/// Relies on proto/protocol.h and conn/key.h; called by protocol.cc.
/// Threads   see protocol.h.
#pragma once

#include "proto/protocol.h"

namespace uct::core::icmp {

Reason can_open(const ParsedPacket& packet);
void open(Body& body);
Update update(Body& body, Direction direction);
TimeoutClass timeout_class(const Body& body);

}  // namespace uct::core::icmp
