#include "proto/icmp.h"

namespace uct::core::icmp {

Reason can_open(const ParsedPacket& packet) {
  const auto type = static_cast<std::uint8_t>(packet.destination_port >> 8);
  return is_icmp_query(packet.kind, type) ? Reason::none : Reason::icmp_reply_unasked;
}

void open(Body& body) { set_state(body, static_cast<std::uint8_t>(IcmpState::first)); }

Update update(Body& body, Direction direction) {
  const bool answered = (body.status & status::kSeenReply) != 0;
  if (direction == Direction::reply) {
    body.status |= status::kSeenReply;
    set_state(body, static_cast<std::uint8_t>(IcmpState::reply));
  }
  return {Effect::accept, Reason::none, direction == Direction::original && !answered};
}

TimeoutClass timeout_class(const Body& body) {
  return state_of(body) == static_cast<std::uint8_t>(IcmpState::reply) ? TimeoutClass::icmp_reply
                                                                       : TimeoutClass::icmp_first;
}

}  // namespace uct::core::icmp
