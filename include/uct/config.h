/// Settings that a tracker is made with.
///
/// Included by tracker.h.
/// Threads   values only; safe everywhere.
#pragma once

#include <array>
#include <cstdint>

#include <uct/events.h>
#include <uct/fragments.h>
#include <uct/result.h>
#include <uct/timeout_policy.h>

namespace uct {

inline constexpr std::uint32_t kDefaultMaxConnections = 3'000'000;  ///< as Open vSwitch
inline constexpr std::uint32_t kMaxConnectionsLimit = 400'000'000;  ///< what handles can number
inline constexpr std::uint32_t kMaxShards = 256;
inline constexpr std::uint32_t kDefaultMaxFragmentedDatagrams = 4096;
inline constexpr std::uint64_t kDefaultMaxHeldFragmentBytes = std::uint64_t{4} << 20;

struct Config {
  /// Connections held at most; may be changed later up to `capacity`.
  std::uint32_t max_connections = kDefaultMaxConnections;

  /// The highest value that max_connections can be raised to; address space (not memory) is
  /// reserved for it. 0 means max_connections, at least kDefaultMaxConnections.
  std::uint32_t capacity = 0;

  /// Parts of the table, each with a lock of its own; a power of two. More than a few times the
  /// number of threads gains nothing.
  std::uint32_t shards = 16;

  /// Promises that no two calls of this tracker overlap, because its thread owns its traffic: then
  /// the packet path takes no locks. Make one such tracker a thread, each with one shard; see
  /// docs/performance.md for what it buys.
  bool exclusive = false;

  /// The secret of the tracker. Take 128 random bits for live traffic, so that nobody outside can
  /// make keys collide or foresee which ports translations choose (RFC 6056); a fixed one replays
  /// exactly.
  std::array<std::uint64_t, 2> hash_key{};

  TimeoutPolicy timeouts;  ///< the policy `standard`

  /// Whether a segment that is no SYN may open a connection (mid-stream pick-up).
  bool tcp_pick_up = true;

  /// Whether UDP over IPv6 without a checksum is accepted (RFC 6935: tunnels only).
  bool udp6_zero_checksum = false;

  /// Gets the fragments that were held because they came before the first one of their datagram;
  /// null: nothing is held. Owned by the caller, outlives the tracker.
  FragmentSink* fragments = nullptr;

  /// Datagrams in fragments that are followed at the same time, and for how long after the fragment
  /// that came first. 30 s is the reassembly time of Linux; RFC 8200 section 4.5 allows 60 s.
  std::uint32_t max_fragmented_datagrams = kDefaultMaxFragmentedDatagrams;
  Duration fragment_timeout{30'000};

  /// Bytes that held fragments take at most, what is needed to hold them included.
  std::uint64_t max_held_fragment_bytes = kDefaultMaxHeldFragmentBytes;

  /// One source (an IPv4 address, or the /64 of an IPv6 address, in its zone) gets this part of
  /// both: 16 is a sixteenth, so that 16 must misbehave at once before another one is in want.
  std::uint32_t fragment_source_share = 16;

  /// Told of every event; may be null. Owned by the caller, outlives the tracker.
  EventSink* events = nullptr;
};

/// How strictly TCP sequence numbers are judged, per zone.
enum class SequenceCheck : std::uint8_t {
  normal,    ///< docs/tcp-states.md; an acknowledgement up to 66,000 bytes ahead is let pass
  strict,    ///< as normal, and an acknowledgement of data never seen is invalid
  disabled,  ///< flags and states only, for zones that see one direction or offloaded traffic
};

}  // namespace uct
