// An association is known by two verification tags: every packet carries the one that its receiver
// chose (RFC 9260 section 8.5). A tag is learned from the chunk that announces it (INIT, INIT ACK),
// or from the first packet of a side when the association was first seen by a HEARTBEAT.
//
//   chunk               in state                     becomes
//   INIT                none, closed (begins again)  cookie_wait
//   COOKIE ECHO         cookie_wait                  cookie_echoed
//   COOKIE ACK          cookie_echoed                established
//   SHUTDOWN            established                  shutdown_sent, shutdown_recv by direction
//   SHUTDOWN ACK        shutdown_sent, _recv         shutdown_ack_sent
//   SHUTDOWN COMPLETE   shutdown_ack_sent            closed
//   ABORT               any                          closed
//   HEARTBEAT           none                         heartbeat_sent (rule S3: multi-homing)
//   anything answered   heartbeat_sent               established
#include "proto/sctp.h"

#include "base/bytes.h"

namespace uct::core::sctp {

namespace {

/// Chunk types, RFC 9260 section 3.2.
enum Chunk : std::uint8_t {
  kInit = 1,
  kInitAck = 2,
  kHeartbeat = 4,
  kAbort = 6,
  kShutdown = 7,
  kShutdownAck = 8,
  kCookieEcho = 10,
  kCookieAck = 11,
  kShutdownComplete = 14,
};

constexpr std::uint32_t kHeaderSize = 12;
constexpr std::uint32_t kInitSize = 20;       ///< INIT and INIT ACK without parameters
constexpr std::uint8_t kTagReflected = 0x01;  ///< T bit of ABORT and SHUTDOWN COMPLETE

struct ChunkView {
  std::uint8_t type;
  std::uint8_t flags;
  std::uint16_t length;
  const std::byte* bytes;
};

/// Walks the chunks; the parser made sure that each lies in the packet.
class Chunks {
 public:
  Chunks(const ParsedPacket& packet, const std::byte* transport)
      : next_(transport + kHeaderSize), end_(transport + packet.transport_size) {}

  bool next(ChunkView& chunk) {
    if (end_ - next_ < 4) return false;
    chunk = {load_u8(next_), load_u8(next_ + 1), load_be16(next_ + 2), next_};
    const std::ptrdiff_t padded = (std::ptrdiff_t{chunk.length} + 3) / 4 * 4;
    if (chunk.length < 4 || chunk.length > end_ - next_) return false;
    next_ = padded > end_ - next_ ? end_ : next_ + padded;
    return true;
  }

 private:
  const std::byte* next_;
  const std::byte* end_;
};

SctpState state(const Body& body) { return static_cast<SctpState>(state_of(body)); }
void become(Body& body, SctpState to) { set_state(body, static_cast<std::uint8_t>(to)); }
unsigned index(Direction direction) { return static_cast<unsigned>(direction); }

/// INIT, INIT ACK and SHUTDOWN COMPLETE travel alone (RFC 9260 section 6.10).
bool travels_alone(std::uint8_t type) {
  return type == kInit || type == kInitAck || type == kShutdownComplete;
}

/// Gives     the tag that the sender of an INIT or INIT ACK wants to be addressed with; 0 is
///           illegal.
std::uint32_t announced_tag(const ChunkView& chunk) {
  return chunk.length < kInitSize ? 0 : load_be32(chunk.bytes + 4);
}

/// From which chunk a tag was learned. A side that sent an INIT keeps its tag when an older INIT
/// ACK of its comes late: both sides opened at once (RFC 9260 section 5.2.1).
enum TagSource : std::uint8_t { kUnknown = 0, kByInit = 1, kByInitAck = 2, kByPacket = 3 };

void learn_tag(Body& body, Direction of_packets, std::uint32_t tag, TagSource source) {
  body.sctp.tag[index(of_packets)] = tag;
  body.sctp.tag_known[index(of_packets)] = source;
}

bool both_sent_init(const Body& body) {
  return body.sctp.tag_known[0] == kByInit && body.sctp.tag_known[1] == kByInit;
}

bool tag_is(const Body& body, Direction of_packets, std::uint32_t tag) {
  return body.sctp.tag_known[index(of_packets)] != 0 && body.sctp.tag[index(of_packets)] == tag;
}

/// Gives     whether the packet's tag is the one this chunk must come with (section 8.5.1).
bool tag_allowed(Body& body, Direction direction, std::uint32_t tag, const ChunkView& chunk) {
  if (chunk.type == kInit) return tag == 0;
  // The cookie may answer either INIT; its receiver alone can tell (section 5.2.4).
  const bool crossed = state(body) == SctpState::cookie_wait && both_sent_init(body);
  if (chunk.type == kCookieEcho && crossed) return true;
  const bool may_reflect = chunk.type == kAbort || chunk.type == kShutdownComplete;
  if (may_reflect && (chunk.flags & kTagReflected) != 0) {
    return tag_is(body, opposite(direction), tag);
  }
  if (body.sctp.tag_known[index(direction)] == 0) {
    if (state(body) != SctpState::heartbeat_sent) return false;
    learn_tag(body, direction, tag, kByPacket);
  }
  return tag_is(body, direction, tag);
}

/// Gives     the state that follows, or `none` when the chunk is not allowed.
SctpState next_state(SctpState now, std::uint8_t type, Direction direction) {
  switch (type) {
    case kAbort:
      return SctpState::closed;
    case kCookieEcho:
      return now == SctpState::cookie_wait ? SctpState::cookie_echoed : now;
    case kCookieAck:
      return now == SctpState::cookie_echoed ? SctpState::established : now;
    case kShutdown:
      if (now != SctpState::established) return now;
      return direction == Direction::original ? SctpState::shutdown_sent : SctpState::shutdown_recv;
    case kShutdownAck:
      return now == SctpState::shutdown_sent || now == SctpState::shutdown_recv
                 ? SctpState::shutdown_ack_sent
                 : now;
    case kShutdownComplete:  // repeated, when both sides sent a SHUTDOWN ACK
      return now == SctpState::shutdown_ack_sent || now == SctpState::closed ? SctpState::closed
                                                                             : SctpState::none;
    case kInitAck:
      return now == SctpState::cookie_wait || now == SctpState::cookie_echoed ||
                     now == SctpState::established
                 ? now
                 : SctpState::none;
    default:
      return now;
  }
}

/// Lets one chunk act. Gives the reason why it may not.
Reason apply(Body& body, Direction direction, std::uint32_t tag, const ChunkView& chunk) {
  if (!tag_allowed(body, direction, tag, chunk)) return Reason::sctp_tag;
  const SctpState next = next_state(state(body), chunk.type, direction);
  if (next == SctpState::none) return Reason::sctp_state;
  const bool opening = state(body) == SctpState::cookie_wait;
  if (chunk.type == kInit || chunk.type == kInitAck) {
    const std::uint32_t announced = announced_tag(chunk);
    if (announced == 0) return Reason::sctp_chunk;
    const bool keeps =
        chunk.type == kInitAck && body.sctp.tag_known[index(opposite(direction))] == kByInit;
    if (opening && !keeps) {
      learn_tag(body, opposite(direction), announced, chunk.type == kInit ? kByInit : kByInitAck);
    }
  }
  become(body, next);
  if (next == SctpState::heartbeat_sent && direction == Direction::reply) {
    become(body, SctpState::established);
  }
  return Reason::none;
}

/// Gives     whether the packet is a lone INIT, which may open and reopen.
bool is_lone_init(const ParsedPacket& packet, const std::byte* transport) {
  Chunks chunks(packet, transport);
  ChunkView first;
  ChunkView second;
  return chunks.next(first) && first.type == kInit && !chunks.next(second) &&
         announced_tag(first) != 0 && load_be32(transport + 4) == 0;
}

/// What an accepted packet leaves behind whatever its chunks are.
Update accept(Body& body, Direction direction) {
  if (direction == Direction::reply) body.status |= status::kSeenReply;
  if (state(body) == SctpState::established) body.status |= status::kAssured;
  return {Effect::accept, Reason::none,
          direction == Direction::original && (body.status & status::kSeenReply) == 0};
}

/// A new association between the same ports: the connection lives on, as in Linux and Open vSwitch.
void begin_again(Body& body, Direction direction, const ParsedPacket& packet,
                 const ProtocolContext& context) {
  Chunks chunks(packet, context.transport);
  ChunkView chunk;
  if (!chunks.next(chunk)) return;
  body.sctp = {};
  become(body, SctpState::cookie_wait);
  learn_tag(body, opposite(direction), announced_tag(chunk), kByInit);
}

}  // namespace

Reason can_open(const ParsedPacket& packet, const ProtocolContext& context) {
  if (is_lone_init(packet, context.transport)) return Reason::none;
  Chunks chunks(packet, context.transport);
  ChunkView chunk;
  bool heartbeat = false;
  while (chunks.next(chunk)) {
    if (chunk.type != kHeartbeat) return Reason::sctp_cannot_open;
    heartbeat = true;
  }
  return heartbeat ? Reason::none : Reason::sctp_cannot_open;
}

void open(Body& body, const ParsedPacket& packet, const ProtocolContext& context) {
  Chunks chunks(packet, context.transport);
  ChunkView chunk;
  body.sctp = {};
  if (!chunks.next(chunk)) return;
  if (chunk.type == kInit) {
    become(body, SctpState::cookie_wait);
    learn_tag(body, Direction::reply, announced_tag(chunk), kByInit);
  } else {
    become(body, SctpState::heartbeat_sent);
    learn_tag(body, Direction::original, load_be32(context.transport + 4), kByPacket);
  }
}

Update update(Body& body, Direction direction, const ParsedPacket& packet,
              const ProtocolContext& context) {
  const std::uint32_t tag = load_be32(context.transport + 4);
  if (context.explanation != nullptr) {
    context.explanation->sctp_tag = tag;
    context.explanation->sctp_tag_expected = body.sctp.tag[index(direction)];
  }
  if (state(body) == SctpState::closed && is_lone_init(packet, context.transport)) {
    begin_again(body, direction, packet, context);
    return accept(body, direction);
  }
  const Body before = body;  // a packet is accepted whole or not at all
  Chunks chunks(packet, context.transport);
  ChunkView chunk;
  for (unsigned count = 1; chunks.next(chunk); ++count) {
    Reason reason = apply(body, direction, tag, chunk);
    if (reason == Reason::none && count > 1 && travels_alone(chunk.type)) {
      reason = Reason::sctp_chunk;
    }
    ChunkView following;
    Chunks rest = chunks;
    if (reason == Reason::none && travels_alone(chunk.type) && rest.next(following)) {
      reason = Reason::sctp_chunk;
    }
    if (reason != Reason::none) {
      body = before;
      return {Effect::reject, reason, false};
    }
  }
  return accept(body, direction);
}

TimeoutClass timeout_class(const Body& body) {
  switch (state(body)) {
    case SctpState::established:
      return TimeoutClass::sctp_established;
    case SctpState::shutdown_sent:
    case SctpState::shutdown_recv:
    case SctpState::shutdown_ack_sent:
    case SctpState::closed:
      return TimeoutClass::sctp_closing;
    default:
      return TimeoutClass::sctp_opening;
  }
}

}  // namespace uct::core::sctp
