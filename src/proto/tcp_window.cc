#include "proto/tcp_window.h"

#include <algorithm>

namespace uct::core::tcp {

namespace {

unsigned index(Direction direction) { return static_cast<unsigned>(direction); }

std::uint8_t offered_scale(const Body& body, Direction side) {
  return side == Direction::original ? body.scales & 0x0f : body.scales >> 4;
}

}  // namespace

std::uint8_t window_shift(const Body& body, Direction side) {
  const std::uint8_t own = offered_scale(body, side);
  const std::uint8_t other = offered_scale(body, opposite(side));
  return own == kScaleUnknown || other == kScaleUnknown ? 0 : own;
}

std::uint32_t max_window_bytes(const Body& body, Direction side) {
  return std::uint32_t{body.tcp.max_window[index(side)]} << window_shift(body, side);
}

bool one_side_unheard(const Body& body) {
  return (body.status & (status::kPickedUp | status::kSeenReply)) == status::kPickedUp;
}

Segment make_segment(const Body& body, Direction direction, const ParsedPacket& packet) {
  const bool syn = (packet.tcp_flags & tcp_flag::kSyn) != 0;
  const bool fin = (packet.tcp_flags & tcp_flag::kFin) != 0;
  Segment segment;
  segment.seq = packet.seq;
  segment.end = packet.seq + packet.payload_size + (syn ? 1 : 0) + (fin ? 1 : 0);
  segment.ack = packet.ack;
  segment.has_ack = (packet.tcp_flags & tcp_flag::kAck) != 0;
  // The window of a SYN is never scaled (RFC 7323 section 2.2).
  segment.window = std::uint32_t{packet.window} << (syn ? 0 : window_shift(body, direction));
  return segment;
}

Judgement judge(const Body& body, Direction direction, const Segment& segment, bool strict,
                TcpNumbers* numbers) {
  const unsigned sender = index(direction);
  const unsigned receiver = 1 - sender;
  const TcpBody& tcp = body.tcp;
  const Sequence seq_high = tcp.max_end[sender];
  const Sequence seq_low = tcp.end[sender] - max_window_bytes(body, opposite(direction));
  const Sequence ack_low =
      tcp.end[receiver] - std::max(kAckSlack, max_window_bytes(body, direction));
  const Sequence ack_high = tcp.end[receiver] + (strict ? 0 : kAckSlack);
  if (numbers != nullptr) {
    *numbers = {true,    segment.seq, segment.end, segment.ack, segment.window,
                seq_low, seq_high,    ack_low,     ack_high,    tcp.max_ack[receiver]};
  }
  if (one_side_unheard(body)) return {};  // nothing of the other side is known to judge by
  if (sequence_after(segment.seq, seq_high)) return {Place::beyond, false};
  if (segment.has_ack && sequence_after(segment.ack, ack_high)) return {Place::ack_unsent, false};
  if (sequence_before(segment.end, seq_low)) return {Place::duplicate, false};
  if (segment.has_ack && sequence_before(segment.ack, ack_low)) return {Place::duplicate, false};
  Judgement judgement;
  judgement.ack_counts = segment.has_ack && !sequence_after(segment.ack, tcp.end[receiver]);
  if (sequence_after(segment.end, seq_high)) judgement.place = Place::crossing;
  return judgement;
}

ResetPlace judge_reset(const Body& body, Direction direction, const Segment& segment,
                       TcpNumbers* numbers) {
  const unsigned sender = index(direction);
  const TcpBody& tcp = body.tcp;
  const Sequence exact = tcp.max_ack[1 - sender];
  if (numbers != nullptr) {
    *numbers = {true,  segment.seq,         segment.end, segment.ack, segment.window,
                exact, tcp.max_end[sender], 0,           0,           exact};
  }
  if (segment.seq == exact || segment.seq == tcp.end[sender]) return ResetPlace::exact;
  if (one_side_unheard(body)) return ResetPlace::inside;
  const bool inside =
      sequence_after(segment.seq, exact) && sequence_before(segment.seq, tcp.max_end[sender]);
  return inside ? ResetPlace::inside : ResetPlace::outside;
}

void advance(Body& body, Direction direction, const Segment& segment, const Judgement& judgement,
             bool fin_seen) {
  const unsigned sender = index(direction);
  const unsigned receiver = 1 - sender;
  TcpBody& tcp = body.tcp;
  // Nothing is sent behind a FIN, so its end stays.
  if (!fin_seen) tcp.end[sender] = sequence_max(tcp.end[sender], segment.end);
  if (one_side_unheard(body)) {
    tcp.max_end[sender] = sequence_max(tcp.max_end[sender], tcp.end[sender]);
    if (segment.has_ack) tcp.end[receiver] = sequence_max(tcp.end[receiver], segment.ack);
  } else if (!judgement.ack_counts) {
    return;
  }
  if (!segment.has_ack) return;
  tcp.max_ack[sender] = sequence_max(tcp.max_ack[sender], segment.ack);
  tcp.max_end[receiver] = sequence_max(tcp.max_end[receiver], segment.ack + segment.window);
  const std::uint32_t units = segment.window >> window_shift(body, direction);
  tcp.max_window[sender] =
      static_cast<std::uint16_t>(std::max<std::uint32_t>(tcp.max_window[sender], units));
}

}  // namespace uct::core::tcp
