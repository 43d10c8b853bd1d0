/// A part of the table with everything that its connections need, under one lock.
///
/// Relies on table, conn and expiry; used by the files of this room only. IPv4 and IPv6 connections
/// share the index and have pools of their own; kV6Bit in a number tells them apart, and in the
/// index kAliasBit a reply tuple from a connection.
/// Threads   everything but `lock`, prefetch and the index's unlocked calls needs the lock.
#pragma once

#include <atomic>
#include <cstdint>

#include <uct/config.h>
#include <uct/events.h>
#include <uct/stats.h>

#include "base/prefetch.h"
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

/// In entries of the index: it stands for the reply tuple of a translated connection, which may be
/// in another shard. The bits below say which: shard and number together, see AliasPlace.
inline constexpr std::uint32_t kAliasBit = 0x40000000;
inline constexpr std::uint32_t kNumberBits = kAliasBit - 1;

/// The most translated connections that all shards together may have numbers for: each reserves
/// twice its share, and some; see TrackerCore::reserve().
inline constexpr std::uint64_t kMaxPairs =
    std::uint64_t{kMaxConnectionsLimit} * 2 + kMaxShards * (8192 + 2 * NumberPool::kChunk);
static_assert(kMaxPairs < kNumberBits, "shard and pair of any fit, and none is kNoNumber");
static_assert(2 * (std::uint64_t{kMaxConnectionsLimit} + 2 * NumberPool::kChunk) < kNumberBits,
              "and so does a number of any in its shard");

/// Where the connection of a reply tuple is.
struct AliasPlace {
  std::uint32_t shard;
  std::uint32_t number;  ///< without the family's bit
};

/// The connections of one family in a shard.
template <typename Key>
struct FamilyPool {
  RecordPool<Key> records;
  TimerWheel wheel;

  bool reserve(std::uint32_t capacity) {
    return records.reserve(capacity) && uses_.reserve(records.capacity() / 2) &&
           wheel.reserve(records.capacity(), Tick{});
  }

  /// Gives     what a translated connection holds of its mappings, if it does.
  MappingUse& use(std::uint32_t number) { return uses_[number / 2]; }

  /// As of RecordPool; and what lies under the same numbers goes with the records.
  void release_records(NumberPool::Range retired) {
    records.release(retired);
    uses_.release(retired.first / 2, retired.count / 2);
  }

  /// As of RecordPool.
  static constexpr std::size_t kArrays = 4;
  template <typename F>
  void each_memory(F&& f) {
    records.each_memory(f);
    wheel.each_memory(f);
  }

  std::size_t memory_bytes() const { return records.memory_bytes() + wheel.memory_bytes(); }

 private:
  ReservedArray<MappingUse> uses_;  ///< by half the number: translated connections have even ones
};

/// A translated connection that was removed, whose reply tuple is still entered. It keeps its
/// number until that is gone.
struct Orphan {
  std::uint32_t number;  ///< with the family's bit
  MappingUse use;        ///< when its Translated names a spec
};

/// Orphans wait until nobody holds the lock that their connection was removed under.
class OrphanList {
 public:
  bool reserve(std::uint32_t capacity) { return orphans_.reserve(capacity); }
  void push(const Orphan& orphan) {
    const std::uint32_t place = count();
    orphans_[place] = orphan;
    count_.store(place + 1, std::memory_order_relaxed);
  }
  Orphan pop() {
    const std::uint32_t place = count() - 1;
    count_.store(place, std::memory_order_relaxed);
    return orphans_[place];
  }
  /// Threads   without the lock whoever pushed some sees them
  std::uint32_t count() const { return count_.load(std::memory_order_relaxed); }

 private:
  ReservedArray<Orphan> orphans_;
  std::atomic<std::uint32_t> count_{0};
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
inline std::uint32_t orphan_count(const Shard& shard) UCT_NO_THREAD_SAFETY_ANALYSIS {
  return shard.orphans.count();
}
inline std::uint32_t guess_number(const Shard& shard, const Bucket& bucket,
                                  std::uint64_t hash) UCT_NO_THREAD_SAFETY_ANALYSIS {
  return shard.index.guess(bucket, hash);
}
inline Index::OnlyGuess guess_only(const Shard& shard, const Bucket& bucket,
                                   std::uint64_t hash) UCT_NO_THREAD_SAFETY_ANALYSIS {
  return shard.index.guess_only(bucket, hash);
}
inline const Bucket* next_bucket(const Shard& shard,
                                 const Bucket& bucket) UCT_NO_THREAD_SAFETY_ANALYSIS {
  return shard.index.next_bucket(bucket);
}

/// Gives     the family's pool, to be prefetched from.
template <typename Key>
inline const FamilyPool<Key>& family_of(const Shard& shard) UCT_NO_THREAD_SAFETY_ANALYSIS {
  if constexpr (Key::kFamily == Family::ipv4) {
    return shard.v4;
  } else {
    return shard.v6;
  }
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

/// What a number is to a reply tuple.
enum class Answers : std::uint8_t {
  no,
  yes,           ///< it is the connection that is answered with it
  not_any_more,  ///< it was, and is an orphan
};
template <typename Key>
Answers answers_to(Shard& shard, std::uint32_t number, const Key& reply) UCT_REQUIRES(shard.lock) {
  const FamilyPool<Key>& family = shard.family<Key>();
  if (!family.records.numbers().is_live(number)) return Answers::no;
  const Record<Key>& record = family.records.record(number);
  if ((record.body.status & status::kTranslated) == 0 ||
      !equal(family.records.beside(number).reply, reply)) {
    return Answers::no;
  }
  return record.key.kind == Kind::none ? Answers::not_any_more : Answers::yes;
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
