/// The commonest update of all in one straight line: a segment inside the window of an established
/// connection that both sides were heard on.
///
/// Nothing here branches on the direction or on which of two numbers is higher: both are as good as
/// random from packet to packet, and a branch mispredicted costs more than the whole update.
///
/// Relies on conn and base/sequence.h; called by tracker before update(), which stays the plain
/// version: tcp_established_test.cc compares the two.
/// Threads   see protocol.h.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstring>

#include "base/sequence.h"
#include "conn/record.h"
#include "proto/tcp.h"
#include "proto/tcp_window.h"

namespace uct::core::tcp {

/// An ACK or data, as far as it matters here.
struct PlainSegment {
  Sequence end;  ///< after its last byte
  Sequence ack;
  std::uint32_t window;  ///< unscaled
};

/// Body::scales as they take effect: 0 for both unless both sides offered one.
inline constexpr auto kScalesInEffect = [] {
  std::array<std::uint8_t, 256> table{};
  for (unsigned scales = 0; scales < table.size(); ++scales) {
    const bool both = (scales & 0xf) != kScaleUnknown && scales >> 4 != kScaleUnknown;
    table[scales] = both ? static_cast<std::uint8_t>(scales) : std::uint8_t{0};
  }
  return table;
}();

/// Gives     whether what matters here is that and nothing else: established, no FIN seen, heard
///           from both sides, not picked up; without mark, label or translation, but with the
///           status bits kBesides.
template <unsigned kBesides = 0>
inline bool is_plainly_established(const Body& body) {
  // State and status are neighbours: one comparison for both.
  static_assert(offsetof(Body, status) == offsetof(Body, state) + 1);
  constexpr unsigned kAsked = status::kSeenReply | status::kAssured | status::kPickedUp |
                              status::kHasMark | status::kHasLabel | status::kTranslated;
  constexpr unsigned kWanted = status::kSeenReply | status::kAssured | kBesides;
  constexpr auto kState = static_cast<unsigned>(TcpState::established);
  constexpr bool kLittle = std::endian::native == std::endian::little;
  constexpr unsigned kMask = kLittle ? 0xff | kAsked << 8 : 0xff00 | kAsked;
  std::uint16_t both;
  std::memcpy(&both, &body.state, sizeof(both));
  return (both & kMask) == (kLittle ? kState | kWanted << 8 : kState << 8 | kWanted);
}

/// Lets a segment with ACK and without SYN, FIN and RST act, as update() does with
/// SequenceCheck::normal and no explanation, whose answer would be Update{}: accepted.
///
/// Requires  is_plainly_established(body)
/// Gives     false and changes nothing when the segment is not plainly inside its window.
[[gnu::always_inline]] inline bool update_established(Body& body, Direction direction,
                                                      const PlainSegment& segment) {
  const auto sender = static_cast<unsigned>(direction);
  const unsigned receiver = sender ^ 1;
  TcpBody& tcp = body.tcp;
  const unsigned scales = kScalesInEffect[body.scales];
  const unsigned own_shift = scales >> (4 * sender) & 0xf;
  const unsigned other_shift = scales >> (4 * receiver) & 0xf;
  const std::uint32_t own_window = std::uint32_t{tcp.max_window[sender]} << own_shift;
  const std::uint32_t other_window = std::uint32_t{tcp.max_window[receiver]} << other_shift;
  // A difference whose top bit is set is that of a number which lies before: one test for all.
  // (The segment does not begin beyond the edge if it does not end there.)
  const std::uint32_t ahead = segment.end - tcp.end[sender];
  const std::uint32_t behind = tcp.end[receiver] - segment.ack;
  const std::uint32_t outside = (tcp.max_end[sender] - segment.end) | (ahead + other_window) |
                                behind | (std::max(kAckSlack, own_window) - behind);
  if (outside >> 31 != 0) return false;
  tcp.end[sender] = sequence_max(tcp.end[sender], segment.end);
  tcp.max_ack[sender] = sequence_max(tcp.max_ack[sender], segment.ack);
  tcp.max_end[receiver] =
      sequence_max(tcp.max_end[receiver], segment.ack + (segment.window << own_shift));
  tcp.max_window[sender] =
      static_cast<std::uint16_t>(std::max<std::uint32_t>(tcp.max_window[sender], segment.window));
  return true;
}

}  // namespace uct::core::tcp
