/// The values of this room: a fragment, the datagram it belongs to, and what is decided about it.
///
/// Included by frag/datagrams.h, and through it by tracker.
/// Threads   values only; safe everywhere.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <uct/key.h>
#include <uct/reason.h>
#include <uct/verdict.h>
#include <uct/zone.h>

#include "frag/extent.h"
#include "packet/parsed_packet.h"

namespace uct::core {

/// Names a datagram: source, destination, then id, protocol, zone and family in one word.
using FragmentKey = std::array<std::uint64_t, 5>;

/// Gives     the datagram of a fragment. The protocol is part of the name in IPv4 only (RFC 791).
///           In IPv6 it is not (RFC 8200 section 4.5): where extension headers stand behind the
///           Fragment header, the first fragment's protocol is the transport's, and that of the
///           others is the next header's.
FragmentKey make_fragment_key(const ParsedPacket& packet, Zone zone);

struct Fragment {
  FragmentKey key{};
  Extent extent;

  Zone zone() const { return static_cast<Zone>(key[4] >> 40 & 0xffff); }
};

/// What was decided about a datagram by its first fragment.
struct FragmentVerdict {
  StateFlags state = StateFlags::untracked;
  Reason reason = Reason::none;
  Kind kind = Kind::other;
  std::uint8_t protocol = 0;  ///< the transport's; in IPv6 later fragments may not name it
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;

  bool operator==(const FragmentVerdict&) const = default;
};

/// Why a fragment is refused, or one that was held is lost.
enum class FragmentRefusal : std::uint8_t {
  none,
  malformed,      ///< offset and size do not fit a datagram; says nothing about the others
  overlap,        ///< condemned: two fragments share bytes and are not each other's duplicates
  two_ends,       ///< condemned: fragments beyond the last one, or two last ones
  too_many,       ///< condemned: more than kFragmentsMax fragments
  held_already,   ///< an exact duplicate of a fragment that is held; that one goes on
  source_full,    ///< its source has as many bytes held as it may, in this datagram
  no_room,        ///< the bytes held in all are as many as may be
  no_memory,      ///< the system gave none
  first_missing,  ///< it came before its first one, and nothing may be held
  expired,        ///< lost: its first one did not come in time
  pushed_out,     ///< lost: others needed its room
};
inline constexpr std::size_t kFragmentRefusals = 12;

/// What to do with a fragment.
enum class FragmentStep : std::uint8_t {
  track,   ///< a first one: decide it by its ports, then call Datagrams::decided
  follow,  ///< it gets `verdict`, which its datagram's first one got
  hold,    ///< it was copied, and comes back from Datagrams::decided; the original is not sent on
  refuse,  ///< `refusal` says why; it is not sent on
};

struct FragmentDecision {
  FragmentStep step = FragmentStep::refuse;
  FragmentRefusal refusal = FragmentRefusal::none;
  FragmentVerdict verdict;
};

}  // namespace uct::core
