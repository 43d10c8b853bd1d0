/// A part of the table with everything that its connections need, under one lock.
///
/// Relies on table, conn and expiry; used by the files of this room only. IPv4 and IPv6 connections
/// share the index and have pools of their own; kV6Bit in a number tells them apart.
/// Threads   everything but `lock`, prefetch and the index's unlocked calls needs the lock.
#pragma once

#include <atomic>
#include <cstdint>

#include <uct/events.h>
#include <uct/stats.h>

#include "base/spinlock.h"
#include "expiry/timer_wheel.h"
#include "nat/mappings.h"
#include "table/index.h"
#include "table/pool.h"
#include "tracker/growth.h"
#include "tracker/zone_table.h"

namespace uct::core {

inline constexpr std::uint32_t kV6Bit = 0x80000000;

template <typename Key>
inline constexpr std::uint32_t kFamilyBit = Key::kFamily == Family::ipv6 ? kV6Bit : 0;

/// The connections of one family in a shard, and the reply tuples of translated ones.
template <typename Key>
struct FamilyPool {
  RecordPool<Key> records;
  ReservedArray<Translated<Key>> translated;  ///< by the connection's number
  ReservedArray<MappingUse> uses;             ///< likewise, of those that hold mappings
  TimerWheel wheel;
};

/// What a translated connection leaves behind.
struct Orphan {
  AliasPlace alias;
  MappingUse use;  ///< when alias.nat says so
};

/// Orphans wait until nobody holds the lock that their connection was removed under.
class OrphanList {
 public:
  bool reserve(std::uint32_t capacity) { return orphans_.reserve(capacity); }
  void push(const Orphan& orphan) { orphans_[count_++] = orphan; }
  Orphan pop() { return orphans_[--count_]; }
  std::uint32_t count() const { return count_; }

 private:
  ReservedArray<Orphan> orphans_;
  std::uint32_t count_ = 0;
};

/// Labels of the few connections that have one.
class LabelPool {
 public:
  /// Gives     false when the system has no address space for `capacity` labels.
  bool reserve(std::uint32_t capacity) {
    return labels_.reserve(capacity) && free_.reserve(capacity);
  }

  /// Gives     the number of a place that holds `label`; places of freed ones are used again.
  ///
  /// Requires  fewer than `capacity` are held: each connection has at most one.
  std::uint32_t take(const Label& label) {
    const std::uint32_t number = free_count_ > 0 ? free_[--free_count_] : used_++;
    labels_[number] = label;
    return number;
  }
  void free(std::uint32_t number) { free_[free_count_++] = number; }
  Label& operator[](std::uint32_t number) { return labels_[number]; }
  const Label& operator[](std::uint32_t number) const { return labels_[number]; }

 private:
  ReservedArray<Label> labels_;
  ReservedArray<std::uint32_t> free_;  ///< numbers to be used again, the latest on top
  std::uint32_t used_ = 0;             ///< places ever used
  std::uint32_t free_count_ = 0;
};

/// Counters of what happened to connections; what happened to packets is counted per call.
struct ShardCounters {
  std::array<ProtocolStats, kProtocolGroupCount> protocols{};
  std::uint64_t clock_regressed = 0;
  std::uint64_t sweeps = 0;
  std::uint64_t sweep_removed = 0;
  std::uint64_t sweep_rearmed = 0;
  std::uint64_t sweep_bound_hits = 0;
  std::uint64_t timer_moves = 0;
};

/// Packets that were decided in a shard, by verdict.
struct PacketTally {
  std::uint64_t packets = 0, bytes = 0, new_ = 0, established = 0, related = 0, reply = 0,
                invalid = 0;
};

/// Connections of one zone that are counted in the zone already and not used yet: the zone's count
/// is shared by all cores, and touched once for many.
struct ZoneCredit {
  ZoneTable::Entry* zone = nullptr;
  std::uint32_t unused = 0;
};

/// What every visit writes lies together in front, so that a shard that was another core's comes
/// over with two lines.
struct alignas(128) Shard {
  Spinlock lock;
  std::uint8_t number = 0;                          ///< its place among the shards; set once
  std::uint64_t now_ms UCT_GUARDED_BY(lock) = 0;    ///< the latest time seen here
  std::uint64_t swept_ms UCT_GUARDED_BY(lock) = 0;  ///< all that expired until then is gone
  PacketTally tally UCT_GUARDED_BY(lock);

  /// Connections that this shard may still open without asking; others take them when they must.
  std::atomic<std::uint32_t> spare_places{0};
  ZoneCredit zone_credit UCT_GUARDED_BY(lock);

  Index index UCT_GUARDED_BY(lock);
  FamilyPool<KeyV4> v4 UCT_GUARDED_BY(lock);
  FamilyPool<KeyV6> v6 UCT_GUARDED_BY(lock);
  LabelPool labels UCT_GUARDED_BY(lock);
  OrphanList orphans UCT_GUARDED_BY(lock);
  std::uint32_t aliases UCT_GUARDED_BY(lock) = 0;  ///< reply tuples in the index
  ShardCounters counters UCT_GUARDED_BY(lock);
  GrowthWatch growth UCT_GUARDED_BY(lock);

  template <typename Key>
  FamilyPool<Key>& family() UCT_NO_THREAD_SAFETY_ANALYSIS {
    if constexpr (Key::kFamily == Family::ipv4) {
      return v4;
    } else {
      return v6;
    }
  }
};

/// All of these may be called without the lock: see table/index.h.
inline void prefetch_shard(const Shard& shard) UCT_NO_THREAD_SAFETY_ANALYSIS {
  __builtin_prefetch(&shard.lock, 1, 3);
}
inline const Bucket* home_bucket(const Shard& shard,
                                 std::uint64_t hash) UCT_NO_THREAD_SAFETY_ANALYSIS {
  return shard.index.home_bucket(hash);
}
inline std::uint32_t guess_number(const Shard& shard, const Bucket& bucket,
                                  std::uint64_t hash) UCT_NO_THREAD_SAFETY_ANALYSIS {
  return shard.index.guess(bucket, hash);
}
inline const Bucket* next_bucket(const Shard& shard,
                                 const Bucket& bucket) UCT_NO_THREAD_SAFETY_ANALYSIS {
  return shard.index.next_bucket(bucket);
}
template <typename Key>
inline void prefetch_record(const Shard& shard,
                            std::uint32_t number) UCT_NO_THREAD_SAFETY_ANALYSIS {
  if constexpr (Key::kFamily == Family::ipv4) {
    shard.v4.records.prefetch(number & ~kV6Bit);
  } else {
    shard.v6.records.prefetch(number & ~kV6Bit);
  }
}

/// Gives     where a record lies, or would.
template <typename Key>
inline std::uintptr_t record_address(const Shard& shard,
                                     std::uint32_t number) UCT_NO_THREAD_SAFETY_ANALYSIS {
  if constexpr (Key::kFamily == Family::ipv4) {
    return reinterpret_cast<std::uintptr_t>(&shard.v4.records.record(number));
  } else {
    return reinterpret_cast<std::uintptr_t>(&shard.v6.records.record(number));
  }
}

/// Any address will do: a line that is not there is not fetched.
template <std::size_t kSize>
inline void prefetch_lines(const void* place) {
  __builtin_prefetch(place, 1, 3);
  if constexpr (kSize > 64) __builtin_prefetch(static_cast<const std::byte*>(place) + 64, 1, 3);
}

/// A handle is | shard 8 | number 32 | generation 8 | low 16 bits of the key's hash |: what a
/// packet has at hand without touching more than the record's first line. These are the bits that
/// all handles of a shard and family share.
template <typename Key>
std::uint64_t handle_base(const Shard& shard) {
  return std::uint64_t{shard.number} << 56 | std::uint64_t{kFamilyBit<Key>} << 24;
}
inline ConnectionHandle make_handle(std::uint64_t base, std::uint32_t number,
                                    std::uint8_t generation, std::uint64_t hash) {
  return static_cast<ConnectionHandle>(base | std::uint64_t{number} << 24 |
                                       std::uint64_t{generation} << 16 | (hash & 0xffff));
}

/// Gives     whether `number` is a connection, and the one whose reply tuple is `reply`.
template <typename Key>
bool is_home(Shard& shard, std::uint32_t number, const Key& reply) UCT_REQUIRES(shard.lock) {
  const FamilyPool<Key>& family = shard.family<Key>();
  return family.records.numbers().is_live(number) &&
         (family.records.record(number).body.status & status::kTranslated) != 0 &&
         equal(family.translated[number].reply, reply);
}

inline Tick tick_of_ms(std::uint64_t ms) { return Tick{static_cast<std::uint32_t>(ms)}; }

/// Gives     whether a connection is still found at `now`.
inline bool is_live(const Body& body, Tick now) { return earlier(now, Tick{body.deadline}); }

/// Gives     the hash of a key; its top bits choose the shard.
template <typename Key>
inline std::uint64_t hash_key(const Key& key, const HashKey& secret) {
  std::uint64_t words[Key::kWords];
  key_words(key, words);
  return siphash13<Key::kWords>(words, secret);
}

}  // namespace uct::core
