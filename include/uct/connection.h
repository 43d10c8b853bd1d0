/// A connection as others see it: a copy of everything the tracker knows, taken under its lock.
///
/// Included by tracker.h and events.h; the record that the packet path works on is private to
/// src/conn.
/// Threads   values only; safe everywhere.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include <uct/key.h>
#include <uct/time.h>
#include <uct/timeout_policy.h>
#include <uct/verdict.h>
#include <uct/zone.h>

namespace uct {

/// TCP states, seen from a box in the middle; the names are Linux's.
enum class TcpState : std::uint8_t {
  none,
  syn_sent,     ///< a SYN, unanswered
  syn_recv,     ///< SYN and SYN-ACK
  established,  ///< the handshake is complete, or a conversation was picked up in mid-stream
  fin_wait,     ///< one side sent FIN
  close_wait,   ///< and the other acknowledged it
  last_ack,     ///< both sides sent FIN
  time_wait,    ///< and both are acknowledged
  close,        ///< reset
  syn_sent2,    ///< both sides sent a SYN (simultaneous open)
};
inline constexpr std::size_t kTcpStateCount = 10;

/// SCTP states, seen from a box in the middle; the names are Linux's.
enum class SctpState : std::uint8_t {
  none,
  cookie_wait,        ///< INIT
  cookie_echoed,      ///< INIT ACK and COOKIE ECHO
  established,        ///< COOKIE ACK
  shutdown_sent,      ///< the originator sent SHUTDOWN
  shutdown_recv,      ///< the responder sent SHUTDOWN
  shutdown_ack_sent,  ///< SHUTDOWN ACK
  closed,             ///< SHUTDOWN COMPLETE or ABORT
  heartbeat_sent,     ///< first seen by a HEARTBEAT (another path of an association)
};

/// States of UDP, and of every protocol without a machine of its own.
enum class OtherState : std::uint8_t {
  first,     ///< one packet
  multiple,  ///< more, all from the originator
  bidir,     ///< both sides sent
};

/// States of ICMP and ICMPv6 queries.
enum class IcmpState : std::uint8_t { first, reply };

/// Gives     the upper-case name that text output uses, e.g. "ESTABLISHED".
std::string_view name(TcpState state);
std::string_view name(SctpState state);
std::string_view name(OtherState state);
std::string_view name(IcmpState state);

/// What is kept of each side of a TCP connection.
struct TcpPeerInfo {
  std::uint32_t end = 0;         ///< the sequence number after the highest byte it sent
  std::uint32_t max_end = 0;     ///< the right edge: the highest it may send up to
  std::uint32_t max_ack = 0;     ///< the highest acknowledgement it sent
  std::uint32_t max_window = 0;  ///< the largest window it announced, scaled, in bytes
  std::uint8_t window_scale = 0;
  bool window_scale_known = false;  ///< its SYN carried the option (RFC 7323 section 2)
};

struct Counters {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;  ///< bytes of the IP packets, headers included
};

/// One connection, copied.
struct ConnectionInfo {
  ConnectionHandle handle = ConnectionHandle::none;
  std::uint32_t id = 0;  ///< short form of the handle for text output; unique among the living
  Zone zone = 0;
  Protocol protocol = Protocol::tcp;
  Tuple original;           ///< as the originator's packets carry it
  Tuple reply;              ///< as the responder's packets carry it
  std::uint8_t state = 0;   ///< a TcpState, SctpState, OtherState or IcmpState, by `protocol`
  bool seen_reply = false;  ///< the responder has sent
  bool assured = false;     ///< it is worth keeping under pressure: the exchange completed
  bool picked_up = false;   ///< TCP: its first packet was not a SYN
  bool source_translated = false;       ///< `reply` goes to another address or port than `original`
                                        ///< came from
  bool destination_translated = false;  ///< `reply` comes from another than `original` went to
  std::array<TcpPeerInfo, 2> tcp{};     ///< by Direction; TCP only
  std::array<Counters, 2> counters{};   ///< by Direction
  Timestamp start{};                    ///< time of its first packet
  Timestamp last_seen{};  ///< time of the last packet that was accepted and refreshed it
  Timestamp expires{};    ///< last_seen + timeout: from here on it is not found (promise E1)
  Duration timeout{};     ///< the timeout in force
  TimeoutPolicyId timeout_policy = TimeoutPolicyId::standard;
  std::uint32_t mark = 0;
  Label label{};

  TcpState tcp_state() const { return static_cast<TcpState>(state); }
  SctpState sctp_state() const { return static_cast<SctpState>(state); }
  OtherState other_state() const { return static_cast<OtherState>(state); }
  IcmpState icmp_state() const { return static_cast<IcmpState>(state); }
};

/// Gives     the name of the state that `info` is in, whichever its protocol.
std::string_view state_name(const ConnectionInfo& info);

}  // namespace uct
