// The states are those of nf_conntrack's table, the reasons those of RFC 9293 and RFC 5961; where a
// cell is not obvious the rule (T1..T29, docs/tcp-states.md) stands beside it. A tracker sees what
// crosses it, not what arrives: it must let pass everything that a receiver has to answer, and let
// change only what a receiver would act on.
//
//   who           in state       sends     becomes
//   originator    -              SYN       syn_sent
//   responder     syn_sent       SYN-ACK   syn_recv        (SYN: syn_sent2)
//   originator    syn_recv       ACK       established
//   either        established    FIN       fin_wait        (acknowledged: close_wait)
//   the other     close_wait     FIN       last_ack        (both acknowledged: time_wait)
//   either        any            RST       close           (by the exact number only)
//   either        time_wait,     SYN       a new connection in the SYN's direction
//                 close
#include "proto/tcp.h"

#include <algorithm>

#include "proto/tcp_window.h"

namespace uct::core::tcp {

namespace {

constexpr unsigned kOriginal = 0;
constexpr unsigned kReply = 1;

unsigned index(Direction direction) { return static_cast<unsigned>(direction); }
TcpState state(const Body& body) { return static_cast<TcpState>(state_of(body)); }
void become(Body& body, TcpState to) { set_state(body, static_cast<std::uint8_t>(to)); }

Update accept() { return {}; }
Update pass() { return {Effect::pass, Reason::none, false}; }
Update reject(Reason reason) { return {Effect::reject, reason, false}; }

bool is_syn(const ParsedPacket& p) {
  return (p.tcp_flags & (tcp_flag::kSyn | tcp_flag::kAck)) == tcp_flag::kSyn;
}
bool is_syn_ack(const ParsedPacket& p) {
  constexpr std::uint8_t kBoth = tcp_flag::kSyn | tcp_flag::kAck;
  return (p.tcp_flags & kBoth) == kBoth;
}
bool is_reset(const ParsedPacket& p) { return (p.tcp_flags & tcp_flag::kRst) != 0; }
bool is_fin(const ParsedPacket& p) { return (p.tcp_flags & tcp_flag::kFin) != 0; }

std::uint8_t fin_flag(Direction d) { return d == Direction::original ? kFinOriginal : kFinReply; }
bool sent_fin(const Body& body, Direction d) { return (body.state & fin_flag(d)) != 0; }

bool fin_acknowledged(const Body& body, Direction d) {
  return sent_fin(body, d) && body.tcp.max_ack[1 - index(d)] == body.tcp.end[index(d)];
}

std::uint8_t scale_in(const ParsedPacket& packet) {
  return packet.window_scale == kNoWindowScale ? kScaleUnknown
                                               : std::min(packet.window_scale, kScaleMax);
}

/// Notes the originator's SYN. Until it is answered max_ack[reply] is its initial number: nothing
/// is acknowledged.
void begin_with_syn(Body& body, const ParsedPacket& packet) {
  TcpBody& tcp = body.tcp;
  tcp = {};
  tcp.end[kOriginal] = packet.seq + packet.payload_size + 1;
  tcp.max_end[kOriginal] = tcp.end[kOriginal];
  tcp.max_ack[kReply] = packet.seq;
  tcp.max_window[kOriginal] = packet.window;
  body.scales = static_cast<std::uint8_t>(kScaleUnknown << 4 | scale_in(packet));
  body.state = static_cast<std::uint8_t>(TcpState::syn_sent);
}

/// Notes a segment picked up in mid-stream: windows are taken with the largest scale, because the
/// SYNs that named it were not seen.
void begin_in_mid_stream(Body& body, const ParsedPacket& packet) {
  body.status |= status::kPickedUp;
  body.scales = static_cast<std::uint8_t>(kScaleMax << 4 | kScaleMax);
  body.state = static_cast<std::uint8_t>(TcpState::established);
  const Segment segment = make_segment(body, Direction::original, packet);
  TcpBody& tcp = body.tcp;
  tcp = {};
  tcp.end[kOriginal] = segment.end;
  tcp.max_end[kOriginal] = segment.end;
  tcp.max_ack[kOriginal] = segment.ack;
  tcp.max_ack[kReply] = segment.seq;
  tcp.end[kReply] = segment.ack;
  tcp.max_end[kReply] = segment.ack + segment.window;
  tcp.max_window[kOriginal] = packet.window;
}

/// Notes the responder's SYN or SYN-ACK. From here on windows are scaled, if both sides offered it.
void learn_responder(Body& body, const ParsedPacket& packet) {
  TcpBody& tcp = body.tcp;
  body.scales = static_cast<std::uint8_t>(scale_in(packet) << 4 | (body.scales & 0x0f));
  for (const Direction side : {Direction::original, Direction::reply}) {
    const unsigned shift = window_shift(body, side);
    const std::uint32_t bytes =
        side == Direction::original ? tcp.max_window[kOriginal] : packet.window;
    tcp.max_window[index(side)] = static_cast<std::uint16_t>((bytes + (1U << shift) - 1) >> shift);
  }
  tcp.end[kReply] = packet.seq + packet.payload_size + 1;
  tcp.max_end[kReply] =
      packet.seq + 1 + std::max<std::uint32_t>(max_window_bytes(body, Direction::original), 1);
  tcp.max_ack[kOriginal] = packet.seq;
}

/// Gives     whether `ack` acknowledges the SYN that only the originator has sent so far (and what
///           it carried: RFC 7413).
bool acknowledges_syn(const Body& body, Sequence ack) {
  return sequence_after(ack, body.tcp.max_ack[kReply]) &&
         !sequence_after(ack, body.tcp.end[kOriginal]);
}

Update syn_in_syn_sent(Body& body, Direction direction, const ParsedPacket& packet) {
  if (direction == Direction::reply) {  // T21: simultaneous open, RFC 9293 section 3.5
    learn_responder(body, packet);
    body.tcp.max_end[kOriginal] =
        body.tcp.max_ack[kReply] + 1 +
        std::max<std::uint32_t>(max_window_bytes(body, Direction::reply), 1);
    body.state = static_cast<std::uint8_t>(TcpState::syn_sent2) | kChallengedOrSimultaneous;
    return accept();
  }
  Update update = pass();  // a repeated SYN must not keep an unanswered connection alive
  if (packet.seq != body.tcp.max_ack[kReply]) {  // T23: another attempt
    begin_with_syn(body, packet);
    update.effect = Effect::accept;
  }
  update.is_new = true;
  return update;
}

Update syn_ack_in_syn_sent(Body& body, Direction direction, const ParsedPacket& packet) {
  if (direction == Direction::original) return reject(Reason::tcp_synack_from_opener);
  if (!acknowledges_syn(body, packet.ack)) return reject(Reason::tcp_synack_wrong_ack);  // T17
  learn_responder(body, packet);
  TcpBody& tcp = body.tcp;
  tcp.max_ack[kReply] = packet.ack;
  tcp.end[kOriginal] = packet.ack;  // data in the SYN that was not acknowledged is sent again
  tcp.max_end[kOriginal] =
      packet.ack + std::max<std::uint32_t>(max_window_bytes(body, Direction::reply), 1);
  body.state = static_cast<std::uint8_t>(TcpState::syn_recv);
  return accept();
}

Update reset_in_syn_sent(Body& body, Direction direction, const ParsedPacket& packet) {
  if (direction == Direction::reply) {
    const bool proven =
        (packet.tcp_flags & tcp_flag::kAck) != 0 && acknowledges_syn(body, packet.ack);
    if (!proven) return reject(Reason::tcp_reset_unproven);  // T15, T16: anyone could send it
  } else {
    const bool challenged = (body.state & kChallengedOrSimultaneous) != 0;
    // T22: the reset is for the responder's stale connection, the SYN will be repeated.
    if (challenged && packet.seq == body.tcp.max_end[kReply]) return pass();
    if (packet.seq != body.tcp.end[kOriginal] && packet.seq != body.tcp.max_ack[kReply]) {
      return reject(Reason::tcp_reset_not_exact);
    }
  }
  become(body, TcpState::close);  // refused, or T20: given up
  return accept();
}

Update update_syn_sent(Body& body, Direction direction, const ParsedPacket& packet) {
  if (is_syn(packet)) return syn_in_syn_sent(body, direction, packet);
  if (is_syn_ack(packet)) return syn_ack_in_syn_sent(body, direction, packet);
  if (is_reset(packet)) return reset_in_syn_sent(body, direction, packet);
  if (direction == Direction::original) return reject(Reason::tcp_opener_without_syn);  // T19
  if (is_fin(packet)) return reject(Reason::tcp_syn_answered_oddly);                    // T18
  body.state |= kChallengedOrSimultaneous;  // T22: an ACK from a connection that we do not know
  body.tcp.max_end[kReply] = packet.ack;
  return pass();
}

bool is_over(TcpState s) { return s == TcpState::time_wait || s == TcpState::close; }

/// Gives     whether a SYN from the responder lies where the originator would look at it, and is
///           nothing but a SYN. Both references refuse the others (docs/differences.md).
bool responder_may_send(const Body& body, const ParsedPacket& packet) {
  const TcpBody& tcp = body.tcp;
  return (packet.tcp_flags & (tcp_flag::kPsh | tcp_flag::kUrg)) == 0 &&
         !sequence_before(packet.seq, tcp.max_ack[kOriginal]) &&
         !sequence_after(packet.seq, tcp.max_end[kReply]);
}

/// A SYN or SYN-ACK once both sides were heard: only the receiver's challenge decides (RFC 5961
/// section 4), so that it passes and changes nothing; or it opens a new connection after the end.
Update late_syn(const Body& body, Direction direction, const ParsedPacket& packet,
                const ProtocolContext& context) {
  if (is_syn(packet)) {
    if (is_over(state(body))) return {Effect::replace, Reason::none, true};  // T27, T28
    if (direction == Direction::original) return pass();                     // T24 to T26
    const bool checked =
        context.sequence_check != SequenceCheck::disabled && state(body) != TcpState::syn_sent2;
    if (checked && !responder_may_send(body, packet)) return reject(Reason::tcp_state);
    return pass();
  }
  const bool simultaneous = (body.state & kChallengedOrSimultaneous) != 0;
  if (direction == Direction::original && !simultaneous) {
    return reject(Reason::tcp_synack_from_opener);  // T5
  }
  return pass();
}

/// Once a FIN was seen, resets come at numbers that are not exact: from a stack that counts its own
/// FIN or not, or that had data under way. They end what was ending (Linux, conntrack_inexact_rst).
bool ends_a_close(const Body& body, Direction direction, const Segment& segment, ResetPlace place) {
  const bool closing = sent_fin(body, Direction::original) || sent_fin(body, Direction::reply);
  const bool at_own_fin =
      sent_fin(body, direction) && segment.seq + 1 == body.tcp.end[index(direction)];
  return closing && (place == ResetPlace::inside || at_own_fin);
}

Update update_reset(Body& body, Direction direction, const Segment& segment,
                    const ProtocolContext& context) {
  if (state(body) == TcpState::close) return pass();  // reset already
  TcpNumbers* numbers = context.explanation != nullptr ? &context.explanation->tcp : nullptr;
  const ResetPlace place = judge_reset(body, direction, segment, numbers);
  const bool closes = place == ResetPlace::exact ||
                      context.sequence_check == SequenceCheck::disabled ||
                      ends_a_close(body, direction, segment, place);
  if (!closes && place == ResetPlace::inside) return pass();  // T10: the receiver challenges
  if (!closes) return reject(Reason::tcp_reset_not_exact);    // T11, T12
  become(body, TcpState::close);
  return accept();
}

/// Opens further: which of the two SYNs is still to be acknowledged, and by whom.
void advance_handshake(Body& body, Direction direction, bool acknowledged) {
  if (!acknowledged) return;
  if (state(body) == TcpState::syn_sent2) {
    become(body, TcpState::syn_recv);
    if (direction == Direction::original) body.state |= kAwaitsReplyAck;
    return;
  }
  const bool awaits_reply = (body.state & kAwaitsReplyAck) != 0;
  if (awaits_reply != (direction == Direction::reply)) return;
  become(body, TcpState::established);
  body.state &= static_cast<std::uint8_t>(~kAwaitsReplyAck);
}

void advance_close(Body& body) {
  const bool original = sent_fin(body, Direction::original);
  const bool reply = sent_fin(body, Direction::reply);
  if (!original && !reply) return;
  const bool original_acked = fin_acknowledged(body, Direction::original);
  const bool reply_acked = fin_acknowledged(body, Direction::reply);
  if (original && reply) {
    become(body, original_acked && reply_acked ? TcpState::time_wait : TcpState::last_ack);
  } else {
    become(body, original_acked || reply_acked ? TcpState::close_wait : TcpState::fin_wait);
  }
}

bool handshaking(TcpState s) { return s == TcpState::syn_recv || s == TcpState::syn_sent2; }

/// The first segment of a side that a picked-up connection had not heard sets that side's numbers.
void hear_other_side(Body& body, Direction direction, const Segment& segment) {
  if (!one_side_unheard(body) || direction == Direction::original) return;
  body.status |= status::kSeenReply;
  TcpBody& tcp = body.tcp;
  tcp.end[kReply] = segment.end;
  tcp.max_end[kReply] = sequence_max(tcp.max_end[kReply], segment.end);
  tcp.max_ack[kOriginal] = segment.has_ack ? tcp.max_ack[kOriginal] : segment.seq;
  if (segment.has_ack) {  // it was sent to us, so that its acknowledgement is of data that was
    tcp.end[kOriginal] = sequence_max(tcp.end[kOriginal], segment.ack);
    tcp.max_ack[kReply] = segment.ack;
    tcp.max_end[kOriginal] = sequence_max(tcp.end[kOriginal], segment.ack + segment.window);
  }
}

Update place_to_update(Place place) {
  if (place == Place::beyond) return reject(Reason::tcp_seq_beyond_window);
  if (place == Place::ack_unsent) return reject(Reason::tcp_ack_unsent);
  return pass();  // T7, T9: the receiver must be able to answer an old duplicate
}

/// T29: after a reset only what was under way may still come, not a stranger's numbers. Windows are
/// too wide a measure for that: scaled, they cover a quarter of all numbers.
bool belongs_to_the_closed(const Body& body, Direction direction, const Segment& segment) {
  const auto near = [](Sequence number, Sequence end) {
    return number - (end - kAckSlack) <= 2 * kAckSlack;
  };
  const unsigned sender = index(direction);
  const unsigned receiver = 1 - sender;
  const TcpBody& tcp = body.tcp;
  const bool seq_near =
      near(segment.seq, tcp.end[sender]) || near(segment.seq, tcp.max_ack[receiver]);
  const bool ack_near =
      near(segment.ack, tcp.end[receiver]) || near(segment.ack, tcp.max_ack[sender]);
  return seq_near || (segment.has_ack && ack_near);
}

/// ACK, data and FIN once both sides were heard.
Update update_segment(Body& body, Direction direction, const ParsedPacket& packet,
                      const ProtocolContext& context) {
  const Segment segment = make_segment(body, direction, packet);
  hear_other_side(body, direction, segment);
  const bool strict = context.sequence_check == SequenceCheck::strict;
  TcpNumbers* numbers = context.explanation != nullptr ? &context.explanation->tcp : nullptr;
  Judgement judgement = judge(body, direction, segment, strict, numbers);
  if (context.sequence_check == SequenceCheck::disabled) judgement = {};
  const TcpState before = state(body);
  if (before == TcpState::close && !belongs_to_the_closed(body, direction, segment)) {
    return reject(Reason::tcp_closed);
  }
  if (judgement.place != Place::inside && judgement.place != Place::crossing) {
    const bool stray = before == TcpState::close && judgement.place != Place::duplicate;
    return stray ? reject(Reason::tcp_closed) : place_to_update(judgement.place);
  }
  const bool acknowledged =
      judgement.ack_counts && sequence_after(segment.ack, body.tcp.max_ack[index(direction)]);
  const bool fin_before = sent_fin(body, direction);
  advance(body, direction, segment, judgement, fin_before);
  if (before == TcpState::close) return accept();
  if (handshaking(before)) advance_handshake(body, direction, acknowledged);
  if (is_fin(packet) && judgement.place == Place::inside && !fin_before) {
    body.state |= fin_flag(direction);
    body.tcp.end[index(direction)] = segment.end;  // nothing is sent behind it
  }
  if (!handshaking(state(body))) advance_close(body);
  return accept();
}

/// A SYN-ACK that completes a simultaneous open is an acknowledgement like any other.
bool completes_simultaneous_open(const Body& body, Direction direction) {
  if ((body.state & kChallengedOrSimultaneous) == 0) return false;
  if (state(body) == TcpState::syn_sent2) return true;
  const bool awaits_reply = (body.state & kAwaitsReplyAck) != 0;
  return state(body) == TcpState::syn_recv && awaits_reply == (direction == Direction::reply);
}

/// After crossing SYNs each side owes the other a SYN-ACK (RFC 9293 section 3.5). Nothing else
/// counts until one came: the originator's is refused, the responder's ignored.
Update before_crossing_is_settled(Direction direction, const ParsedPacket& packet) {
  const bool refused = direction == Direction::original || is_fin(packet);
  return refused ? reject(Reason::tcp_state) : pass();
}

/// Reset before the responder was ever heard (T20, T29): the originator's own numbers are all there
/// is to know it by, and nothing of the responder's can be told from a stranger's.
Update after_unheard_reset(const Body& body, Direction direction, const ParsedPacket& packet) {
  if (direction == Direction::reply) return reject(Reason::tcp_closed);
  const Sequence end = body.tcp.end[kOriginal];
  const bool close_by =
      !sequence_after(packet.seq, end) && !sequence_before(packet.seq, end - kAckSlack);
  return close_by ? pass() : reject(Reason::tcp_closed);
}

Update update_heard(Body& body, Direction direction, const ParsedPacket& packet,
                    const ProtocolContext& context) {
  const bool unheard = (body.status & status::kSeenReply) == 0;
  if (unheard && state(body) == TcpState::close && !is_syn(packet) && !is_reset(packet)) {
    return after_unheard_reset(body, direction, packet);
  }
  if (is_syn(packet)) return late_syn(body, direction, packet, context);
  if (is_syn_ack(packet)) {
    if (!completes_simultaneous_open(body, direction)) {
      return late_syn(body, direction, packet, context);
    }
    if (packet.ack != body.tcp.end[1 - index(direction)]) {
      return reject(Reason::tcp_synack_wrong_ack);
    }
  }
  if (is_reset(packet)) {
    return update_reset(body, direction, make_segment(body, direction, packet), context);
  }
  if (state(body) == TcpState::syn_sent2 && !is_syn_ack(packet)) {
    return before_crossing_is_settled(direction, packet);
  }
  return update_segment(body, direction, packet, context);
}

}  // namespace

Reason can_open(const ParsedPacket& packet, const ProtocolContext& context) {
  if (is_syn(packet)) return Reason::none;
  const bool plain = (packet.tcp_flags & (tcp_flag::kSyn | tcp_flag::kRst | tcp_flag::kFin)) == 0;
  return plain && context.tcp_pick_up ? Reason::none : Reason::tcp_cannot_open;  // T2
}

void open(Body& body, const ParsedPacket& packet) {
  if (is_syn(packet)) {
    begin_with_syn(body, packet);
  } else {
    begin_in_mid_stream(body, packet);
  }
}

Update update(Body& body, Direction direction, const ParsedPacket& packet,
              const ProtocolContext& context) {
  const bool unanswered = state(body) == TcpState::syn_sent;
  const bool was_open = state(body) != TcpState::close;
  Update result = unanswered ? update_syn_sent(body, direction, packet)
                             : update_heard(body, direction, packet, context);
  if (result.effect == Effect::accept) {
    if (direction == Direction::reply) body.status |= status::kSeenReply;
    if (state(body) == TcpState::established && (body.status & status::kSeenReply) != 0) {
      body.status |= status::kAssured;
    }
  }
  // T1: what was picked up is new until the other side answers.
  if (was_open && one_side_unheard(body) && direction == Direction::original) result.is_new = true;
  return result;
}

TimeoutClass timeout_class(const Body& body) {
  switch (state(body)) {
    case TcpState::syn_recv:
    case TcpState::syn_sent2:
      return TimeoutClass::tcp_opening;
    case TcpState::established:
      return one_side_unheard(body) ? TimeoutClass::tcp_first : TimeoutClass::tcp_established;
    case TcpState::fin_wait:
    case TcpState::close_wait:
      return TimeoutClass::tcp_closing;
    case TcpState::last_ack:
      return TimeoutClass::tcp_fin_wait;
    case TcpState::time_wait:
    case TcpState::close:
      return TimeoutClass::tcp_closed;
    case TcpState::none:
    case TcpState::syn_sent:
      break;
  }
  return TimeoutClass::tcp_first;
}

bool may_have_sent(const Body& body, Direction direction, std::uint32_t seq) {
  if ((body.status & status::kPickedUp) != 0) return true;
  const unsigned sender = index(direction);
  const std::uint32_t back = std::max(kAckSlack, max_window_bytes(body, opposite(direction)));
  return !sequence_after(seq, body.tcp.end[sender]) &&
         !sequence_before(seq, body.tcp.end[sender] - back);
}

}  // namespace uct::core::tcp
