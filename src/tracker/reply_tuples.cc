// The reply tuples of translated connections. A translated connection is entered under the tuple
// that its originator sends; the tuple that its responder answers to has an entry of its own, an
// alias, which lies in the shard of its own hash and says where the connection is.
//
// Two shards are never locked at once. Entering: the alias first, which nobody else can take from
// then on, then the connection, then the link between them; no reply is sent before. Removing: the
// connection first, which leaves an orphan behind, then the alias; who finds an alias whose
// connection is gone knows by the connection's own record.
#include <algorithm>

#include "tracker/tracker_core.h"

namespace uct::core {

namespace {

/// Gives     whether nobody has the key, after what expired and waits for a sweep has made way.
template <typename Key>
bool is_free(TrackerCore& tracker, Shard& shard, const Key& key, std::uint64_t hash,
             std::uint64_t now_ms, std::optional<Home>& holder) UCT_REQUIRES(shard.lock) {
  FamilyPool<Key>& family = shard.family<Key>();
  const std::uint32_t entry =
      shard.index.find(hash, [&](std::uint32_t number) UCT_NO_THREAD_SAFETY_ANALYSIS {
        return (number & kV6Bit) == kFamilyBit<Key> && equal(key_of_entry(family, number), key);
      });
  if (entry == kNoNumber) return true;
  const std::uint32_t number = entry & kNumberBits;
  if ((entry & kAliasBit) != 0) {
    holder = family.aliases[number].home;
    return false;
  }
  const Body& body = family.records.record(number).body;
  if (is_live(body, tick_of_ms(std::max(now_ms, shard.now_ms)))) return false;
  family.wheel.disarm(number);
  tracker.erase<Key>(shard, number, hash, DestroyCause::expired);
  return true;
}

/// Gives     whether the reply tuple that was entered at a place is still there: its connection may
///           be gone again, and the place another's.
template <typename Key>
bool is_there(const AliasPool<Key>& aliases, const AliasPlace& place) {
  const std::uint32_t number = place.number & kNumberBits;
  return aliases.numbers().is_live(number) && aliases[number].key.generation == place.generation;
}

}  // namespace

template <typename Key>
Reason TrackerCore::enter_alias(const Key& reply, std::uint64_t hash, std::uint64_t now_ms,
                                AliasPlace& place, std::optional<Home>& holder) {
  Shard& shard = shard_of(hash);
  Reason reason = Reason::none;
  bool has_orphans = false;
  {
    const SpinlockGuard guard(shard.lock, !config.exclusive);
    if (!is_free(*this, shard, reply, hash, now_ms, holder)) return Reason::nat_exhausted;
    std::uint32_t number;
    reason = take_alias(shard, reply, hash, number);
    has_orphans = shard.orphans.count() != 0;  // who made way may have been translated
    if (reason == Reason::none) {
      if (shard.aliases++ == 0) shards_with_aliases.fetch_add(1, std::memory_order_relaxed);
      const std::uint8_t generation = shard.family<Key>().aliases[number].key.generation;
      place = {hash, number | kFamilyBit<Key>, shard.number, generation, 0};
    }
  }
  if (has_orphans) [[unlikely]]
    drop_orphans(shard);
  return reason;
}

template <typename Key>
bool TrackerCore::remove_expired(const Home& holder, const Key& reply, std::uint64_t now_ms) {
  if (!holder.is_linked()) return false;
  Shard& shard = shards[holder.shard];
  {
    const SpinlockGuard guard(shard.lock, !config.exclusive);
    const std::uint32_t number = holder.number & ~kV6Bit;
    if (is_home(shard, number, reply)) {
      FamilyPool<Key>& family = shard.family<Key>();
      const Tick now = tick_of_ms(std::max(now_ms, shard.now_ms));
      if (is_live(family.records.record(number).body, now)) return false;
      family.wheel.disarm(number);
      // Not the holder's hash: it may be another connection by now, of the same tuple.
      const std::uint64_t hash = hash_key(family.records.record(number).key, config.hash_key);
      erase<Key>(shard, number, hash, DestroyCause::expired);
    }
  }
  drop_orphans(shard);
  return true;
}

template <typename Key>
void TrackerCore::link_alias(const AliasPlace& place, const Home& home) {
  Shard& shard = shards[place.shard];
  const SpinlockGuard guard(shard.lock, !config.exclusive);
  AliasPool<Key>& pool = shard.family<Key>().aliases;
  // Who came between may have removed the connection already, and its reply tuple with it.
  if (is_there(pool, place)) pool[place.number & kNumberBits].home = home;
}

template <typename Key>
void TrackerCore::take_out_alias(Shard& shard, std::uint32_t number, std::uint64_t hash) {
  AliasPool<Key>& pool = shard.family<Key>().aliases;
  crowds.leaves(pool[number].key);
  shard.index.erase(hash, number | kFamilyBit<Key> | kAliasBit);
  pool.free(number);
  if (--shard.aliases == 0) shards_with_aliases.fetch_sub(1, std::memory_order_relaxed);
}

void TrackerCore::drop_alias(const AliasPlace& place) {
  Shard& shard = shards[place.shard];
  const SpinlockGuard guard(shard.lock, !config.exclusive);
  const auto drop = [&]<typename Key>(FamilyPool<Key>& family) UCT_NO_THREAD_SAFETY_ANALYSIS {
    if (!is_there(family.aliases, place)) return;
    take_out_alias<Key>(shard, place.number & kNumberBits, place.hash);
  };
  if ((place.number & kV6Bit) != 0) {
    drop(shard.v6);
  } else {
    drop(shard.v4);
  }
}

void TrackerCore::drop_orphans(Shard& shard) {
  if (!has_aliases()) return;
  constexpr std::uint32_t kEachTime = 64;
  while (true) {
    std::array<Orphan, kEachTime> orphans;
    std::uint32_t count = 0;
    std::uint64_t now_ms;
    {
      const SpinlockGuard guard(shard.lock, !config.exclusive);
      now_ms = shard.now_ms;
      while (count < kEachTime && shard.orphans.count() != 0) {
        orphans[count++] = shard.orphans.pop();
      }
    }
    for (std::uint32_t i = 0; i < count; ++i) {
      drop_alias(orphans[i].alias);  // first: its port may be given to another one then
      if (const NatEntry* nat = nats.find(static_cast<NatId>(orphans[i].alias.nat))) {
        nat->mappings->close(orphans[i].use, now_ms, Hold::rest);
      }
    }
    if (count < kEachTime) return;
  }
}

template Reason TrackerCore::enter_alias<KeyV4>(const KeyV4&, std::uint64_t, std::uint64_t,
                                                AliasPlace&, std::optional<Home>&);
template Reason TrackerCore::enter_alias<KeyV6>(const KeyV6&, std::uint64_t, std::uint64_t,
                                                AliasPlace&, std::optional<Home>&);
template bool TrackerCore::remove_expired<KeyV4>(const Home&, const KeyV4&, std::uint64_t);
template bool TrackerCore::remove_expired<KeyV6>(const Home&, const KeyV6&, std::uint64_t);
template void TrackerCore::take_out_alias<KeyV4>(Shard&, std::uint32_t, std::uint64_t);
template void TrackerCore::take_out_alias<KeyV6>(Shard&, std::uint32_t, std::uint64_t);
template void TrackerCore::link_alias<KeyV4>(const AliasPlace&, const Home&);
template void TrackerCore::link_alias<KeyV6>(const AliasPlace&, const Home&);

}  // namespace uct::core
