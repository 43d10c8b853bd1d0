#include "proto/other.h"

namespace uct::core::other {

namespace {

OtherState state(const Body& body) { return static_cast<OtherState>(state_of(body)); }
void become(Body& body, OtherState to) { set_state(body, static_cast<std::uint8_t>(to)); }

}  // namespace

void open(Body& body) { become(body, OtherState::first); }

Update update(Body& body, Direction direction) {
  const bool answered = (body.status & status::kSeenReply) != 0;
  if (direction == Direction::reply) {
    body.status |= status::kSeenReply;
    become(body, OtherState::bidir);
  } else if (answered) {
    body.status |= status::kAssured;  // question, answer and another packet: a conversation
  } else {
    become(body, OtherState::multiple);
  }
  return {Effect::accept, Reason::none, direction == Direction::original && !answered};
}

TimeoutClass timeout_class(const Body& body) {
  switch (state(body)) {
    case OtherState::first:
      return TimeoutClass::other_first;
    case OtherState::multiple:
      return TimeoutClass::other_multiple;
    case OtherState::bidir:
      break;
  }
  return TimeoutClass::other_bidir;
}

}  // namespace uct::core::other
