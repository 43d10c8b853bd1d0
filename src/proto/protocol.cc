#include "proto/protocol.h"

#include "proto/icmp.h"
#include "proto/other.h"
#include "proto/sctp.h"
#include "proto/tcp.h"

namespace uct::core {

Reason can_open(const ParsedPacket& packet, const ProtocolContext& context) {
  switch (packet.kind) {
    case Kind::tcp:
      return tcp::can_open(packet, context);
    case Kind::sctp:
      return sctp::can_open(packet, context);
    case Kind::icmp:
    case Kind::icmpv6:
      return icmp::can_open(packet);
    case Kind::udp:
    case Kind::udplite:
    case Kind::dccp:
    case Kind::other:
    case Kind::none:
      break;
  }
  return Reason::none;
}

void open(Body& body, const ParsedPacket& packet, const ProtocolContext& context) {
  switch (packet.kind) {
    case Kind::tcp:
      return tcp::open(body, packet);
    case Kind::sctp:
      return sctp::open(body, packet, context);
    case Kind::icmp:
    case Kind::icmpv6:
      return icmp::open(body);
    case Kind::udp:
    case Kind::udplite:
    case Kind::dccp:
    case Kind::other:
    case Kind::none:
      break;
  }
  other::open(body);
}

Update update(Body& body, Direction direction, const ParsedPacket& packet,
              const ProtocolContext& context) {
  switch (packet.kind) {
    case Kind::tcp:
      return tcp::update(body, direction, packet, context);
    case Kind::sctp:
      return sctp::update(body, direction, packet, context);
    case Kind::icmp:
    case Kind::icmpv6:
      return icmp::update(body, direction);
    case Kind::udp:
    case Kind::udplite:
    case Kind::dccp:
    case Kind::other:
    case Kind::none:
      break;
  }
  return other::update(body, direction);
}

TimeoutClass timeout_class(Kind kind, const Body& body) {
  switch (kind) {
    case Kind::tcp:
      return tcp::timeout_class(body);
    case Kind::sctp:
      return sctp::timeout_class(body);
    case Kind::icmp:
    case Kind::icmpv6:
      return icmp::timeout_class(body);
    case Kind::udp:
    case Kind::udplite:
    case Kind::dccp:
    case Kind::other:
    case Kind::none:
      break;
  }
  return other::timeout_class(body);
}

}  // namespace uct::core
