/// UDP, UDP-Lite, DCCP and every protocol without a machine of its own: who has spoken so far.
///
/// Relies on proto/protocol.h; called by protocol.cc.
/// Threads   see protocol.h.
#pragma once

#include "proto/protocol.h"

namespace uct::core::other {

void open(Body& body);
Update update(Body& body, Direction direction);
TimeoutClass timeout_class(const Body& body);

}  // namespace uct::core::other
