/// TCP sequence numbers and windows: is a segment one that its receiver would look at?
///
/// The bounds follow G. van Rooij, "Real Stateful TCP Packet Filtering in IP Filter" (2001), with
/// the reactions of docs/tcp-states.md. For a segment from side S to side R:
///   I.   seq <= max_end[S]                    beyond the right edge: R discards all of it
///   II.  end >= end[S] - max_window[R]        older: a duplicate that R only answers
///   III. ack <= end[R] + 66,000               acknowledges what R sent; the slack covers packets
///                                             of R that took another path or were lost before us
///   IV.  ack >= end[R] - max(66,000, max_window[S])   older: a duplicate
/// 66,000 is one unscaled window and a segment, the MAXACKWINDOW of that paper's descendants.
///
/// Relies on base/sequence.h and conn; called by tcp.cc.
/// Threads   see protocol.h.
#pragma once

#include "base/sequence.h"
#include "proto/protocol.h"

namespace uct::core::tcp {

inline constexpr std::uint32_t kAckSlack = 66'000;

/// A segment in the terms of RFC 9293 section 3.3.
struct Segment {
  Sequence seq;
  Sequence end;  ///< after its last number; SYN and FIN count one each
  Sequence ack;
  std::uint32_t window;  ///< scaled, in bytes
  bool has_ack;
};

enum class Place : std::uint8_t {
  inside,      ///< R takes it
  crossing,    ///< it begins inside and ends beyond the right edge: R trims it (rule T6)
  duplicate,   ///< too old in seq or ack: R only answers it (rules T7, T9)
  beyond,      ///< it begins beyond the right edge
  ack_unsent,  ///< it acknowledges what was never sent, too far ahead (rule T8)
};

struct Judgement {
  Place place = Place::inside;
  bool ack_counts = true;  ///< its acknowledgement is of data that was seen
};

/// Gives     the shift that side's windows are announced with: 0 unless both SYNs had the option.
std::uint8_t window_shift(const Body& body, Direction side);

/// Gives     the largest window that `side` announced, in bytes.
std::uint32_t max_window_bytes(const Body& body, Direction side);

/// Gives     true when the connection was picked up and only one side has been heard.
bool one_side_unheard(const Body& body);

Segment make_segment(const Body& body, Direction direction, const ParsedPacket& packet);

/// Judges a segment that is no SYN and no reset, and fills `numbers` when it is not null.
Judgement judge(const Body& body, Direction direction, const Segment& segment, bool strict,
                TcpNumbers* numbers);

enum class ResetPlace : std::uint8_t {
  exact,   ///< the receiver would act on it
  inside,  ///< the receiver would challenge it (RFC 5961 section 3.2)
  outside,
};

/// Judges a reset by its sequence number alone: in a synchronised state it decides (rule T13).
ResetPlace judge_reset(const Body& body, Direction direction, const Segment& segment,
                       TcpNumbers* numbers);

/// Moves ends and edges for a segment that was judged inside or crossing.
void advance(Body& body, Direction direction, const Segment& segment, const Judgement& judgement,
             bool fin_seen);

}  // namespace uct::core::tcp
