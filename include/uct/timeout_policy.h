/// How long a connection lives without traffic, by the state it is in.
///
/// Included by config.h and tracker.h. A tracker has one default policy and any number (up to
/// kMaxTimeoutPolicies) of named ones; a packet's Request names the policy that its connection
/// gets.
/// Threads   values only; Tracker::set_timeout_policy may be called while packets flow.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <uct/time.h>

namespace uct {

/// The state classes that have a timeout of their own. A distinct type: neither a time nor a number
/// can be passed where a class is meant (promise E9; tests/misuse/timeout_class.cc).
enum class TimeoutClass : std::uint8_t {
  tcp_first,        ///< a SYN, or a segment picked up in mid-stream, that nobody answered yet
  tcp_opening,      ///< the SYN was answered, the handshake is not complete
  tcp_established,  ///< data flows
  tcp_closing,      ///< one side sent FIN
  tcp_fin_wait,     ///< both sides sent FIN, not both are acknowledged
  tcp_closed,       ///< both FINs acknowledged, or reset
  other_first,      ///< UDP and everything without a class of its own: one packet seen
  other_multiple,   ///< more packets, all from the originator
  other_bidir,      ///< both sides sent
  icmp_first,       ///< a query without a reply
  icmp_reply,       ///< a query that was replied to
  sctp_opening,     ///< INIT and COOKIE exchanges
  sctp_established,
  sctp_closing,  ///< SHUTDOWN or ABORT seen
};

inline constexpr std::size_t kTimeoutClassCount = 14;

/// Gives     the name used on the command line, e.g. "tcp.established".
std::string_view name(TimeoutClass timeout_class);

/// Gives     false when no class has this name.
bool parse_timeout_class(std::string_view text, TimeoutClass& timeout_class);

/// One timeout for each class. The defaults are Open vSwitch's; those of SCTP, which it does not
/// have, follow RFC 9260 section 16: an idle association sends a HEARTBEAT every HB.interval (30 s)
/// plus RTO (at most 60 s), so 210 s outlive two lost ones; the exchanges that open and close it
/// repeat within RTO.Max.
struct TimeoutPolicy {
  std::array<Duration, kTimeoutClassCount> values = {
      Duration(30'000),      // tcp_first
      Duration(30'000),      // tcp_opening
      Duration(86'400'000),  // tcp_established
      Duration(900'000),     // tcp_closing
      Duration(45'000),      // tcp_fin_wait
      Duration(30'000),      // tcp_closed
      Duration(60'000),      // other_first
      Duration(60'000),      // other_multiple
      Duration(30'000),      // other_bidir
      Duration(60'000),      // icmp_first
      Duration(30'000),      // icmp_reply
      Duration(60'000),      // sctp_opening
      Duration(210'000),     // sctp_established
      Duration(60'000),      // sctp_closing
  };

  constexpr Duration operator[](TimeoutClass c) const {
    return values[static_cast<std::size_t>(c)];
  }
  constexpr Duration& operator[](TimeoutClass c) { return values[static_cast<std::size_t>(c)]; }
};

/// Gives     the shortest timeout of `policy`; for the defaults known at build time (promise E8).
constexpr Duration shortest_timeout(const TimeoutPolicy& policy) {
  Duration shortest = policy.values[0];
  for (Duration value : policy.values) {
    if (value < shortest) shortest = value;
  }
  return shortest;
}

/// The shortest default timeout: nothing expires sooner unless a policy says so.
inline constexpr Duration kShortestDefaultTimeout = shortest_timeout(TimeoutPolicy{});
static_assert(kShortestDefaultTimeout == Duration(30'000));

/// The range of every timeout. The upper end keeps deadlines comparable in 32 bits of milliseconds
/// (2^31 ms are 24.8 days; RFC 5382 asks for no more than 2 h 4 min).
inline constexpr Duration kMinTimeout{1};
inline constexpr Duration kMaxTimeout{std::chrono::hours(24 * 20)};

/// Names a policy within one tracker; `standard` always exists and is the default.
enum class TimeoutPolicyId : std::uint8_t { standard = 0 };

inline constexpr std::size_t kMaxTimeoutPolicies = 256;
inline constexpr std::size_t kMaxPolicyName = 63;

}  // namespace uct
