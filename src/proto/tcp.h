/// TCP, seen from a box in the middle (docs/tcp-states.md).
///
/// Relies on proto/protocol.h and tcp_window.h; called by protocol.cc.
/// Threads   see protocol.h.
#pragma once

#include "proto/protocol.h"

namespace uct::core::tcp {

/// Flags kept in the high four bits of Body::state.
inline constexpr std::uint8_t kFinOriginal = 0x10;  ///< the originator sent FIN; its end is behind
                                                    ///< it
inline constexpr std::uint8_t kFinReply = 0x20;     ///< likewise the responder
/// syn_sent: the responder challenged the SYN, and max_end[reply] holds the number that the
/// originator's reset must carry. Later: the open was simultaneous.
inline constexpr std::uint8_t kChallengedOrSimultaneous = 0x40;
/// syn_recv after a simultaneous open: the originator's SYN is the one still unacknowledged.
inline constexpr std::uint8_t kAwaitsReplyAck = 0x80;

Reason can_open(const ParsedPacket& packet, const ProtocolContext& context);
void open(Body& body, const ParsedPacket& packet);
Update update(Body& body, Direction direction, const ParsedPacket& packet,
              const ProtocolContext& context);
TimeoutClass timeout_class(const Body& body);

/// Gives     whether a quoted segment of `direction` with this sequence number can have been sent
///           (rule E4, RFC 5927 section 4.1). Always true for a connection that was picked up.
bool may_have_sent(const Body& body, Direction direction, std::uint32_t seq);

}  // namespace uct::core::tcp
