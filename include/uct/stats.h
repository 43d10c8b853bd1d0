/// Counters of a tracker: what it saw, what it refused and why.
///
/// Included by tracker.h. A Stats is a copy; every counter only ever grows, gauges are named so.
/// Threads   values only; Tracker::stats adds up the shards one lock at a time, so that figures of
///           one copy may be a few packets apart while traffic flows, and are exact at rest.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include <uct/connection.h>
#include <uct/reason.h>
#include <uct/verdict.h>

namespace uct {

/// Groups of protocols that are counted apart.
enum class ProtocolGroup : std::uint8_t { tcp, udp, udplite, sctp, dccp, icmp, icmpv6, other };
inline constexpr std::size_t kProtocolGroupCount = 8;

std::string_view name(ProtocolGroup group);
ProtocolGroup protocol_group(Protocol protocol);

struct ProtocolStats {
  std::uint64_t opened = 0;   ///< connections committed
  std::uint64_t expired = 0;  ///< removed because their timeout passed
  std::uint64_t removed = 0;  ///< replaced or flushed
  std::uint64_t live = 0;     ///< gauge: opened - expired - removed
};

struct Stats {
  std::uint64_t packets = 0;  ///< with a verdict: held fragments count when they get theirs
  std::uint64_t bytes = 0;
  /// Packets by verdict: of state, not exclusive (a packet may count as related and reply).
  std::uint64_t untracked = 0, new_ = 0, established = 0, related = 0, reply = 0, invalid = 0;
  std::array<std::uint64_t, kReasonCount> reasons{};  ///< by Reason; none stays 0
  std::array<ProtocolStats, kProtocolGroupCount> protocols{};

  std::uint64_t clock_regressed = 0;  ///< calls whose time was before the shard's; it was held

  // Expiry. A connection that was refreshed since its timer was set is looked at and set again.
  std::uint64_t sweeps = 0;            ///< calls of sweep() that found at least one timer due
  std::uint64_t sweep_removed = 0;     ///< connections removed by sweeps
  std::uint64_t sweep_rearmed = 0;     ///< live connections a sweep looked at and set again
  std::uint64_t sweep_bound_hits = 0;  ///< sweeps that stopped at their budget with work left
  std::uint64_t timer_moves = 0;       ///< timers moved to a finer wheel level; no record is read

  // Table shape (gauges).
  std::uint64_t connections = 0;           ///< in the table, expired ones not yet swept included
  std::uint64_t reply_tuples = 0;          ///< of translated connections, each with an entry
  std::uint64_t buckets = 0;               ///< home buckets
  std::uint64_t overflow_buckets = 0;      ///< buckets chained to a full home bucket
  std::uint64_t longest_chain = 0;         ///< most buckets one home bucket ever needed, itself
                                           ///< included
  std::uint64_t memory_bytes = 0;          ///< memory in use by table, records and timers
  std::uint64_t fragmented_datagrams = 0;  ///< datagrams being followed
  std::uint64_t held_fragments = 0;        ///< copies that wait for the first one
  std::uint64_t held_fragment_bytes = 0;   ///< memory in use by them

  std::uint64_t reason(Reason r) const { return reasons[static_cast<std::size_t>(r)]; }
};

}  // namespace uct
