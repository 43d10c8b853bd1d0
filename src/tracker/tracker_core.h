/// What a Tracker is made of, shared by the files of this room.
///
/// The packet path is in pipeline.cc, sweeping and dumping in maintenance.cc, settings in
/// tracker.cc, the life of a single connection (insert, erase, copy) in connection_store.cc.
/// The lock of the fragments is taken with no other held. Never two shards at once.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include <uct/tracker.h>

#include "frag/datagrams.h"
#include "packet/parse.h"
#include "tracker/nat_table.h"
#include "tracker/policy_table.h"
#include "tracker/shard.h"
#include "tracker/zone_table.h"

namespace uct::core {

/// Counters of packets that came to no shard, and of all reasons, spread over lines so that threads
/// seldom share one. Packets of a shard are counted there, under its lock.
struct alignas(64) StrayCounters {
  std::atomic<std::uint64_t> packets{0}, bytes{0}, untracked{0}, invalid{0};
  std::array<std::atomic<std::uint64_t>, kReasonCount> reasons{};
};
inline constexpr std::size_t kCounterStripes = 16;

struct TrackerCore {
  explicit TrackerCore(const Config& settings);

  /// Gives     false when the system has no address space.
  bool reserve();

  // ---- time: the caller's nanoseconds and the tracker's milliseconds --------------------------

  /// Gives     milliseconds; the first time that this tracker was told is 1, earlier ones are 0.
  std::uint64_t ms_of(Timestamp time);
  Timestamp timestamp_of_ms(std::uint64_t ms) const;

  // ---- limits.cc: need the shard's lock, but for the last three ------------------------------

  /// Counts one more connection of the shard.
  ///
  /// Gives     false, and counts nothing, when max_connections are there.
  bool take_place(Shard& shard) UCT_REQUIRES(shard.lock);
  void give_place(Shard& shard) UCT_REQUIRES(shard.lock);

  /// Likewise for a zone and its limit.
  bool enter_zone(Shard& shard, ZoneTable::Entry& zone) UCT_REQUIRES(shard.lock);
  void leave_zone(Shard& shard, ZoneTable::Entry& zone) UCT_REQUIRES(shard.lock);

  std::uint32_t connection_count() const;
  void set_max_connections(std::uint32_t maximum);

  /// Takes back what shards hold unused of `zone`, or of every zone when it is null.
  void collect_zone_credit(const ZoneTable::Entry* zone);

  // ---- fragments.cc: no lock is held ----------------------------------------------------------

  /// Counts held fragments that get no verdict, and hands them to the sink, `behind` a packet of
  /// the burst or null.
  void give_up(LostFrames& lost, const Packet* behind);

  /// Removes the datagrams in fragments that are due.
  ///
  /// Gives     false when the budget ended it.
  bool sweep_fragments(std::uint64_t now_ms, const SweepBudget& budget);

  // ---- reply_tuples.cc: take locks themselves where none is asked for -------------------------

  /// Gives     false while nothing is translated.
  bool has_aliases() const { return shards_with_aliases.load(std::memory_order_relaxed) != 0; }

  /// The connection that has a reply tuple.
  struct Holder {
    AliasPlace place;
    std::uint64_t hash;  ///< of its own tuple
    bool is_entered;     ///< else it is about to be, by whoever took the tuple
  };

  /// Enters the reply tuple of connection `place`, which is about to be entered.
  ///
  /// Requires  its Translated says so
  /// Gives     Reason::none; nat_exhausted when another connection has the tuple, and in `holder`
  ///           which one if it has it for its replies; or why there is no room.
  template <typename Key>
  Reason enter_alias(const Key& reply, std::uint64_t hash, std::uint64_t now_ms, AliasPlace place,
                     std::optional<Holder>& holder);

  /// Removes the connection that has a tuple for its replies, if it expired and waits for a sweep.
  ///
  /// Gives     true when the tuple is free now.
  template <typename Key>
  bool remove_expired(const Holder& holder, const Key& reply, std::uint64_t now_ms);

  /// Takes the reply tuple of connection `place` out, unless it is gone already.
  template <typename Key>
  void drop_alias(AliasPlace place);

  /// Frees the number of a connection that was not entered.
  template <typename Key>
  void put_back_number(AliasPlace place);

  /// Takes the reply tuples out whose connections were removed in a shard, and frees those.
  void drop_orphans(Shard& shard);

  /// Takes an entry of a reply tuple out of a shard's index.
  template <typename Key>
  void take_out_alias(Shard& shard, std::uint32_t entry, std::uint64_t hash)
      UCT_REQUIRES(shard.lock);

  /// An entry of the index that stands for the reply tuple of a connection, and back.
  template <typename Key>
  std::uint32_t alias_of(AliasPlace place) const {
    return kFamilyBit<Key> | kAliasBit | place.number / 2 << shard_bits | place.shard;
  }
  AliasPlace place_of(std::uint32_t alias) const {
    return {alias & ((1U << shard_bits) - 1), (alias & kNumberBits) >> shard_bits << 1};
  }

  /// Gives     what the connection of an alias is answered with; see Translated for who may read.
  template <typename Key>
  Translated<Key>& translated_at(AliasPlace place) const UCT_NO_THREAD_SAFETY_ANALYSIS {
    return shards[place.shard].family<Key>().records.beside(place.number);
  }

  /// Gives     the generation of the record at a place that is reserved.
  template <typename Key>
  std::uint8_t generation_at(AliasPlace place) const UCT_NO_THREAD_SAFETY_ANALYSIS {
    return shards[place.shard].family<Key>().records.record(place.number).key.generation;
  }

  /// Gives     the key of an entry of the shard's index.
  template <typename Key>
  const Key& key_of_entry(Shard& shard, std::uint32_t entry) const UCT_REQUIRES(shard.lock) {
    if ((entry & kAliasBit) != 0) return translated_at<Key>(place_of(entry)).reply;
    return shard.family<Key>().records.record(entry & kNumberBits).key;
  }

  /// Gives     the entry of a key in the shard's index, or kNoNumber.
  template <typename Key>
  std::uint32_t find_entry(Shard& shard, const Key& key, std::uint64_t hash) const
      UCT_REQUIRES(shard.lock) {
    return shard.index.find(hash, [&](std::uint32_t entry) UCT_NO_THREAD_SAFETY_ANALYSIS {
      return (entry & kV6Bit) == kFamilyBit<Key> && equal(key_of_entry<Key>(shard, entry), key);
    });
  }

  // ---- connection_store.cc: all need the shard's lock ----------------------------------------

  /// Removes all that expired, once a millisecond at most: for who is refused what an expired
  /// connection still has. Takes the locks itself.
  ///
  /// Gives     whether anything was removed.
  bool remove_due(std::uint64_t now_ms);

  /// Likewise, when a mapping was refused for want of ports.
  bool may_try_again(Reason refusal, std::uint64_t now_ms) {
    return (refusal == Reason::nat_exhausted || refusal == Reason::nat_quota) && remove_due(now_ms);
  }

  /// Sweeps a little in a shard whose commit was refused.
  ///
  /// Gives     whether anything was removed.
  bool make_room(Shard& shard) UCT_REQUIRES(shard.lock);

  /// What a new connection is made from.
  template <typename Key>
  struct Opening {
    const Key& key;
    std::uint64_t hash;
    unsigned from;  ///< the end that sent the first packet
    ZoneTable::Entry& zone;
    TimeoutPolicyId policy;
  };

  /// Gives a connection its key and enters it in the index; `number` is kNone, and a number is
  /// taken, or one that was taken before.
  template <typename Key>
  Reason take_record(Shard& shard, const Key& key, std::uint64_t hash, std::uint32_t& number)
      UCT_REQUIRES(shard.lock);

  /// Enters what has its key already in the index.
  ///
  /// Gives     Reason::none, or why there is no room.
  Reason enter_index(Shard& shard, std::uint64_t hash, std::uint32_t entry)
      UCT_REQUIRES(shard.lock);

  /// Enters a connection whose body the caller fills next; its timer is not armed yet.
  ///
  /// Gives     Reason::none and its number, or why it was refused. `number` as of take_record().
  template <typename Key>
  Reason insert(Shard& shard, const Opening<Key>& opening, std::uint32_t& number)
      UCT_REQUIRES(shard.lock);

  template <typename Key>
  void erase(Shard& shard, std::uint32_t number, std::uint64_t hash, DestroyCause cause)
      UCT_REQUIRES(shard.lock);

  /// Removes what expired in a shard that was not swept for so long that its 32-bit deadlines could
  /// be mistaken; sweeps keep this from ever having work.
  ///
  /// Gives     what was removed and armed again.
  ExpirySweep catch_up(Shard& shard, std::uint64_t now_ms) UCT_REQUIRES(shard.lock);

  /// Takes the lock itself, piece by piece.
  template <typename Key>
  std::size_t flush_family(Shard& shard, std::uint64_t now_ms, const Filter& filter);

  template <typename Key>
  ConnectionInfo copy(Shard& shard, std::uint32_t number) const UCT_REQUIRES(shard.lock);

  template <typename Key>
  void tell(Shard& shard, EventKind kind, DestroyCause cause, std::uint32_t number) const
      UCT_REQUIRES(shard.lock);

  ParseOptions parse_options() const { return {.udp6_zero_checksum = config.udp6_zero_checksum}; }

  std::uint32_t shard_number(std::uint64_t hash) const {
    return static_cast<std::uint32_t>(hash >> 1 >> (63 - shard_bits));  // also right for 0 bits
  }
  Shard& shard_of(std::uint64_t hash) { return shards[shard_number(hash)]; }

  /// Gives     the first of `count` numbers that no other choice of a translation begins with.
  std::uint64_t take_nonces(std::uint32_t count) {
    return nat_nonce.fetch_add(count, std::memory_order_relaxed);
  }

  const Config config;
  const std::uint32_t capacity;
  const std::uint32_t shard_bits;
  std::unique_ptr<Shard[]> shards;
  ZoneTable zones;
  PolicyTable policies;
  NatTable nats;
  Crowds crowds;
  std::atomic<std::uint32_t> shards_with_aliases{0};  ///< 0 while nothing is translated
  std::atomic<std::uint64_t> nat_nonce{0};            ///< one for each choice of a translation
  Datagrams fragments;
  std::atomic<std::uint32_t> max_connections;
  std::atomic<std::uint32_t> places_given{0};    ///< connections, and places that shards hold spare
  std::atomic<std::uint64_t> due_removed_ms{0};  ///< the last time of remove_due()
  std::atomic<std::uint32_t> next_sweep{0};      ///< the shard at which the next sweep begins
  std::atomic<std::int64_t> epoch_ms;  ///< the caller's time of the tracker's millisecond 0
  std::array<StrayCounters, kCounterStripes> stray_counters;
};

}  // namespace uct::core
