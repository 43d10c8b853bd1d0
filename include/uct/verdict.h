/// What the tracker says of a packet: state flags, and the one reason when it refuses.
///
/// Included by data planes that call Tracker::process, through tracker.h.
/// Threads   values only; safe everywhere.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include <uct/key.h>
#include <uct/reason.h>
#include <uct/zone.h>

namespace uct {

/// State flags of a packet. Names, values and print order are those of Open vSwitch's ct_state; no
/// bit at all means `untracked`: the packet is none of a tracker's business.
enum class StateFlags : std::uint8_t {
  untracked = 0,
  new_ = 0x01,         ///< the packet opens a connection, or belongs to one not answered yet
  established = 0x02,  ///< it belongs to a connection that was answered
  related = 0x04,      ///< an error about a connection, or a connection a helper announced
  reply = 0x08,        ///< it travels in the reply direction; never together with new
  invalid = 0x10,      ///< malformed, out of window, or belonging to nothing; see the Reason
  tracked = 0x20,  ///< the tracker looked at it; always set, except on untracked packets. Alone:
                   ///< nothing is known yet, the packet is held (is_held)
  snat = 0x40,     ///< its source was translated
  dnat = 0x80,     ///< its destination was translated
};

constexpr StateFlags operator|(StateFlags a, StateFlags b) {
  return static_cast<StateFlags>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}
constexpr StateFlags operator&(StateFlags a, StateFlags b) {
  return static_cast<StateFlags>(static_cast<unsigned>(a) & static_cast<unsigned>(b));
}
constexpr StateFlags& operator|=(StateFlags& a, StateFlags b) { return a = a | b; }

/// Gives     true when every flag of `wanted` is set in `flags`.
constexpr bool has(StateFlags flags, StateFlags wanted) { return (flags & wanted) == wanted; }

/// Gives     the names joined by `|` in the order new est rel rpl inv trk snat dnat, or
///           `untracked`.
std::string to_string(StateFlags flags);

/// Names a connection for as long as it lives. A handle to a connection that is gone is recognised
/// as stale: it carries 8 bits of how often its place was used and 16 of the hash of its key.
enum class ConnectionHandle : std::uint64_t { none = 0 };

/// 128 bits of flags that a data plane keeps on a connection; byte 0 is the most significant.
using Label = std::array<std::uint8_t, 16>;

/// The tracker's answer for one packet.
struct Verdict {
  StateFlags state = StateFlags::untracked;
  Reason reason = Reason::none;  ///< why it is invalid, refused or untracked; none otherwise
  Zone zone = 0;
  std::uint32_t mark = 0;  ///< the connection's mark after this packet; 0 without a connection
  ConnectionHandle connection = ConnectionHandle::none;  ///< none when nothing is in the table
  Label label{};  ///< the connection's label after this packet
};

}  // namespace uct
