/// SCTP, seen from a box in the middle (docs/sctp-states.md).
///
/// Relies on proto/protocol.h; called by protocol.cc.
/// Threads   see protocol.h.
#pragma once

#include "proto/protocol.h"

namespace uct::core::sctp {

Reason can_open(const ParsedPacket& packet, const ProtocolContext& context);
void open(Body& body, const ParsedPacket& packet, const ProtocolContext& context);
Update update(Body& body, Direction direction, const ParsedPacket& packet,
              const ProtocolContext& context);
TimeoutClass timeout_class(const Body& body);

}  // namespace uct::core::sctp
