/// The seam between the tracker and the state machines: may it open, how it begins, what it
/// changes.
///
/// A protocol is three functions over a connection's Body; adding one is adding a file
/// (docs/adding-a-protocol.md). They know nothing of tables, locks, time or other connections.
/// Relies on base, packet and conn; called by tracker.
/// Threads   the caller holds the lock that guards the Body.
#pragma once

#include <cstddef>

#include <uct/config.h>
#include <uct/explanation.h>
#include <uct/reason.h>
#include <uct/timeout_policy.h>

#include "conn/record.h"
#include "packet/parsed_packet.h"

namespace uct::core {

/// What a packet does to the connection that it belongs to. A word, because GCC returns an Update
/// of three bytes through memory: written in pieces, read whole, which the processor waits for (5 %
/// of a short connection's cost).
enum class Effect : std::uint32_t {
  accept,   ///< it belongs; the connection's deadline starts again
  pass,     ///< it belongs, and changes neither state nor deadline
  replace,  ///< the connection is over: remove it, this packet opens another
  reject,   ///< it is invalid for the reason given
};

struct Update {
  Effect effect = Effect::accept;
  Reason reason = Reason::none;  ///< of a reject
  bool is_new = false;           ///< the packet's state is `new` although the connection exists
};

/// What the state machines need to know besides packet and body.
struct ProtocolContext {
  const std::byte* transport = nullptr;  ///< first byte of the transport header
  SequenceCheck sequence_check = SequenceCheck::normal;
  bool tcp_pick_up = true;
  Explanation* explanation = nullptr;  ///< filled when not null
};

/// Gives     Reason::none when `packet` may open a connection.
Reason can_open(const ParsedPacket& packet, const ProtocolContext& context);

/// Fills the protocol's part of a new body; the packet travels in the original direction.
///
/// Requires  can_open() gave Reason::none.
void open(Body& body, const ParsedPacket& packet, const ProtocolContext& context);

/// Lets a packet act on a connection that exists.
Update update(Body& body, Direction direction, const ParsedPacket& packet,
              const ProtocolContext& context);

/// Gives     the class whose timeout holds for a connection in this state.
TimeoutClass timeout_class(Kind kind, const Body& body);

}  // namespace uct::core
