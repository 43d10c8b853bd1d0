/// The tracker: packets in, verdicts out.
///
/// The one class an embedder needs; it includes the value types beside it. A tracker opens no file
/// or socket, starts no thread, reads no clock and writes nothing but its own memory. Two trackers
/// in one process share nothing.
///
/// Threads   every member function may be called from any thread at any time, unless it says
///           otherwise. Packets of one connection that arrive on two threads at once are handled
///           one after the other, in either order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include <uct/config.h>
#include <uct/connection.h>
#include <uct/explanation.h>
#include <uct/filter.h>
#include <uct/nat.h>
#include <uct/packet.h>
#include <uct/result.h>
#include <uct/stats.h>
#include <uct/time.h>
#include <uct/verdict.h>

namespace uct {

namespace core {
struct TrackerCore;  // private
}

/// What the caller wants done with the packets of a burst.
struct Request {
  Zone zone = 0;
  bool commit = false;  ///< a packet that may open a connection enters it in the table
  bool force = false;   ///< with commit: a connection found in the reply direction is removed and a
                        ///< new one opened in the packet's direction
  std::uint32_t mark = 0;  ///< with commit: mark = (mark & ~mark_mask) | (this & mark_mask)
  std::uint32_t mark_mask = 0;
  Label label{};  ///< likewise
  Label label_mask{};
  TimeoutPolicyId timeout_policy = TimeoutPolicyId::standard;  ///< of connections opened here
  /// For captures, which nobody translated on the way: packets of translated connections carry the
  /// originator's tuple in both directions, and become what they would be on the responder's side.
  bool inside_view = false;
  bool from_outside = false;  ///< the packets come from the external side of `nat`'s mappings
  NatId nat = NatId::none;  ///< with commit: how connections opened here are translated. Packets of
      ///< connections that exist follow what was chosen then, whatever is here
};

/// How much one sweep may do.
struct SweepBudget {
  /// Timers looked at in all; at least one is, so that every sweep makes progress (promise E3).
  std::uint32_t timers = 20'000;
  /// Timers looked at each time a shard's lock is taken; bounds how long a packet can wait for it.
  std::uint32_t timers_per_lock = 64;
  /// Asked between locks; false ends the sweep. Bounds it in time by a clock that the caller owns.
  bool (*keep_going)(void* context) = nullptr;
  void* context = nullptr;
};

struct SweepResult {
  std::uint64_t removed = 0;  ///< expired connections taken out of the table
  std::uint64_t rearmed = 0;  ///< live ones whose timer was due because packets refreshed them
  bool finished = true;       ///< nothing that expired by `now` is left
  /// When something can expire next, no later than the first deadline; Timestamp::max() when
  /// nothing is in the table and no datagram in fragments is followed. An embedder may sleep until
  /// then, or until it opens new connections or sees fragments.
  Timestamp next = Timestamp::max();
};

/// Where a dump stands. Start with a default one; done() tells the end.
class DumpCursor {
 public:
  bool done() const { return shard_ == kEnd; }

 private:
  friend class Tracker;
  static constexpr std::uint32_t kEnd = 0xffffffff;
  std::uint32_t shard_ = 0;
  std::uint32_t pool_ = 0;
  std::uint32_t number_ = 0;
};

class Tracker {
 public:
  /// Makes a tracker.
  ///
  /// Errors    capacity_zero, capacity_too_large, shard_count_invalid, timeout_out_of_range,
  ///           memory_unavailable
  /// Cost      reserves address space for `capacity` connections; memory is taken as they come.
  static Result<std::unique_ptr<Tracker>> create(const Config& config);

  ~Tracker();
  Tracker(const Tracker&) = delete;
  Tracker& operator=(const Tracker&) = delete;

  /// Decides the state of every packet in a burst.
  ///
  /// Requires  verdicts.size() >= burst.size(); burst.size() <= kBurstMax; explanations empty or at
  ///           least as long as the burst. `now` not earlier than in calls before; if it is, the
  ///           shard's latest time is used and stats.clock_regressed counts it.
  /// Gives     one verdict a packet. A packet finds what an earlier packet of the burst committed.
  /// Errors    none. A malformed packet is `inv|trk` with a Reason, its bytes untouched. A commit
  ///           refused by a full table is `new|trk` with a Reason for which is_refusal() holds.
  ///           A fragment that is held is `trk` with a Reason for which is_held() holds; its
  ///           verdict goes to Config::fragments, maybe before this call returns.
  /// Order     packets of one connection, and fragments of one datagram, see each other's effects
  ///           in order. Packets of different connections may be decided in another order within
  ///           32: which of two openings a limit with one place left refuses is not said. Nor is
  ///           the order of a translated connection's packets, where it is opened among the same
  ///           32 and they carry both its tuples.
  /// Owns      nothing: packets, verdicts and explanations stay the caller's.
  /// Cost      see docs/performance.md; without explanations nothing is formatted or allocated,
  ///           except that a new connection may grow the table by one bucket.
  void process(std::span<Packet> burst, const Request& request, Timestamp now,
               std::span<Verdict> verdicts, std::span<Explanation> explanations = {}) noexcept;

  /// Gives     the shard (below Config::shards) that packets of this connection are decided in,
  ///           the same for both directions: a dispatcher that sends all packets of a shard to one
  ///           thread keeps that thread from ever waiting for a lock. Nothing depends on it but
  ///           speed. 0 for what has no connection of its own: malformed packets, later fragments.
  std::uint32_t shard_of(const Packet& packet, Zone zone) const noexcept;

  /// Removes connections that expired by `now`, within the budget, and in any case the datagrams in
  /// fragments, whose held ones go to Config::fragments.
  ///
  /// Threads   any number at once; each shard is swept by one of them at a time.
  /// Cost      O(expired + refreshed since last armed); live untouched connections are not visited.
  SweepResult sweep(Timestamp now, const SweepBudget& budget = {}) noexcept;

  /// Copies live connections that match `filter` into `out`, going on where `cursor` stands.
  ///
  /// Gives     how many were copied; fewer than out.size() only when the cursor is done. A
  ///           connection that lives through the whole dump appears exactly once, whatever else
  ///           changes.
  /// Cost      holds a shard's lock for at most a few hundred records at a time.
  std::size_t dump(DumpCursor& cursor, std::span<ConnectionInfo> out, Timestamp now,
                   const Filter& filter = {}) const;

  /// Removes every connection that matches `filter`, with a `destroyed` event each.
  ///
  /// Gives     how many were removed.
  std::size_t flush(Timestamp now, const Filter& filter = {});

  /// Forgets all datagrams in fragments, before a tracker goes away or where a zone changes hands.
  /// Those held go to Config::fragments, as fragment_without_first; a tracker that is destroyed
  /// tells of none.
  ///
  /// Gives     how many were held.
  std::size_t flush_fragments() noexcept;

  /// Gives     the live connection that `tuple` belongs to, in whichever direction.
  std::optional<ConnectionInfo> find(Zone zone, const Tuple& tuple, Timestamp now) const;

  /// Gives     the live connection that the handle names; nothing when it is gone.
  std::optional<ConnectionInfo> find(ConnectionHandle handle, Timestamp now) const;

  // ---- limits ---------------------------------------------------------------------------------

  /// Sets the maximum of connections. Lowering it removes nothing: new ones are refused until
  /// enough have left.
  ///
  /// Errors    capacity_zero, capacity_too_large (above Config::capacity)
  Error set_max_connections(std::uint32_t maximum);
  std::uint32_t max_connections() const;

  /// Gives     connections in the table, counting expired ones not yet swept.
  std::uint32_t connection_count() const;

  /// Sets the limit of one zone. 0 means that none is allowed; nothing means that the default limit
  /// holds; a default of nothing means unlimited. Exact from the moment the call returns; while it
  /// runs, openings may be refused a few early.
  void set_zone_limit(Zone zone, std::optional<std::uint32_t> limit);
  void set_default_zone_limit(std::optional<std::uint32_t> limit);

  struct ZoneLimit {
    std::optional<std::uint32_t> limit;  ///< set for this zone
    std::uint32_t count = 0;             ///< connections in this zone now
  };
  ZoneLimit zone_limit(Zone zone) const;
  std::optional<std::uint32_t> default_zone_limit() const;

  // ---- timeouts -------------------------------------------------------------------------------

  /// Makes a named policy, or changes it. A connection takes the new values with its next packet.
  ///
  /// Errors    timeout_out_of_range, timeout_policy_full, timeout_policy_name
  Result<TimeoutPolicyId> set_timeout_policy(std::string_view name, const TimeoutPolicy& policy);

  /// Errors    timeout_out_of_range, timeout_policy_unknown
  Error set_timeout_policy(TimeoutPolicyId id, const TimeoutPolicy& policy);

  std::optional<TimeoutPolicyId> find_timeout_policy(std::string_view name) const;
  std::optional<TimeoutPolicy> timeout_policy(TimeoutPolicyId id) const;

  /// Gives     the shortest timeout of all policies: no connection opened from now on expires
  ///           sooner.
  Duration shortest_timeout() const;

  // ---- translation ----------------------------------------------------------------------------

  /// Makes a spec known; Request::nat names it. It stays for the tracker's life.
  ///
  /// Errors    nat_empty, nat_address_range, nat_port_range, nat_family, nat_prefix, nat_mapping,
  ///           nat_ranges_overlap, nat_pool_too_large, nat_block_size, nat_blocks_too_few,
  ///           nat_full, memory_unavailable
  /// Cost      with mapping, address space for as many mappings as connections, and 8 bytes for
  ///           each external address and protocol
  Result<NatId> add_nat(const NatSpec& spec);

  /// Makes a mapping that lasts until remove_mapping(), or takes over that of connections.
  ///
  /// Gives     its external end; asked for again, the same
  /// Errors    nat_unknown, nat_no_mapping, nat_not_inside, nat_exhausted, nat_quota,
  ///           memory_unavailable
  Result<NatEndpoint> add_mapping(NatId id, const NatRequestedMapping& wanted, Timestamp now);

  /// Ends what add_mapping() began; connections of the mapping live on.
  ///
  /// Gives     false when there is none that was asked for
  bool remove_mapping(NatId id, const NatRequestedMapping& wanted, Timestamp now);

  /// Gives     what is in use of a spec's ports, and what it refused.
  ///
  /// Errors    nat_unknown
  Result<NatStats> nat_stats(NatId id) const;

  // ---- TCP ------------------------------------------------------------------------------------

  /// Sets how sequence numbers are judged in a zone, or in every zone that is not set itself.
  void set_sequence_check(Zone zone, SequenceCheck check);
  void set_default_sequence_check(SequenceCheck check);
  SequenceCheck sequence_check(Zone zone) const;

  /// Gives     a copy of all counters.
  Stats stats() const;

 private:
  explicit Tracker(std::unique_ptr<core::TrackerCore> core);
  std::unique_ptr<core::TrackerCore> core_;
};

}  // namespace uct
