// The reply tuples of translated connections. A translated connection is entered under the tuple
// that its originator sends; the tuple that its responder answers to has an entry of its own, an
// alias, in the shard of its own hash. It says where the connection is, which keeps the tuple.
//
// Two shards are never locked at once. Entering: the number of the connection, then the alias, so
// that nobody else can take the tuple, then the connection; no reply is sent before. Removing: the
// connection first, which leaves an orphan behind, then the alias, then the number; who finds an
// alias whose connection is gone knows by the connection's own record.
#include <algorithm>
#include <span>

#include "tracker/tracker_core.h"

namespace uct::core {

namespace {

/// Gives     whether nobody has the key, after what expired and waits for a sweep has made way.
template <typename Key>
bool is_free(TrackerCore& tracker, Shard& shard, const Key& key, std::uint64_t hash,
             std::uint64_t now_ms, std::optional<TrackerCore::Holder>& holder)
    UCT_REQUIRES(shard.lock) {
  FamilyPool<Key>& family = shard.family<Key>();
  const std::uint32_t entry = tracker.find_entry(shard, key, hash);
  if (entry == kNoNumber) return true;
  if ((entry & kAliasBit) != 0) {
    const AliasPlace place = tracker.place_of(entry);
    const Translated<Key>& other = tracker.translated_at<Key>(place);
    holder = {place, other.hash, is_entered(other)};
    return false;
  }
  const std::uint32_t number = entry & kNumberBits;
  const Body& body = family.records.record(number).body;
  if (is_live(body, tick_of_ms(std::max(now_ms, shard.now_ms)))) return false;
  family.wheel.disarm(number);
  tracker.erase<Key>(shard, number, hash, DestroyCause::expired);
  return true;
}

}  // namespace

template <typename Key>
Reason TrackerCore::enter_alias(const Key& reply, std::uint64_t hash, std::uint64_t now_ms,
                                AliasPlace place, std::optional<Holder>& holder) {
  Shard& shard = shard_of(hash);
  Reason reason = Reason::none;
  bool has_orphans = false;
  {
    const SpinlockGuard guard(shard.lock, !config.exclusive);
    if (!is_free(*this, shard, reply, hash, now_ms, holder)) return Reason::nat_exhausted;
    reason = enter_index(shard, hash, alias_of<Key>(place));
    has_orphans = shard.orphans.count() != 0;  // who made way may have been translated
    if (reason == Reason::none && shard.aliases++ == 0) {
      shards_with_aliases.fetch_add(1, std::memory_order_relaxed);
    }
  }
  if (has_orphans) [[unlikely]]
    drop_orphans(shard);
  return reason;
}

template <typename Key>
bool TrackerCore::remove_expired(const Holder& holder, const Key& reply, std::uint64_t now_ms) {
  if (!holder.is_entered) return false;
  Shard& shard = shards[holder.place.shard];
  {
    const SpinlockGuard guard(shard.lock, !config.exclusive);
    const std::uint32_t number = holder.place.number;
    if (answers_to(shard, number, reply) == Answers::yes) {
      FamilyPool<Key>& family = shard.family<Key>();
      const Tick now = tick_of_ms(std::max(now_ms, shard.now_ms));
      if (is_live(family.records.record(number).body, now)) return false;
      family.wheel.disarm(number);
      // Not the holder's hash: it may be another connection by now, of the same tuple.
      erase<Key>(shard, number, family.records.beside(number).hash, DestroyCause::expired);
    }
  }
  drop_orphans(shard);
  return true;
}

template <typename Key>
void TrackerCore::take_out_alias(Shard& shard, std::uint32_t entry, std::uint64_t hash) {
  crowds.leaves(key_of_entry<Key>(shard, entry));
  shard.index.erase(hash, entry);
  if (--shard.aliases == 0) shards_with_aliases.fetch_sub(1, std::memory_order_relaxed);
}

template <typename Key>
void TrackerCore::drop_alias(AliasPlace place) {
  const std::uint32_t wanted = alias_of<Key>(place);
  const std::uint64_t hash = hash_key(translated_at<Key>(place).reply, config.hash_key);
  Shard& shard = shard_of(hash);
  const SpinlockGuard guard(shard.lock, !config.exclusive);
  const std::uint32_t entry =
      shard.index.find(hash, [&](std::uint32_t other) { return other == wanted; });
  if (entry != kNoNumber) take_out_alias<Key>(shard, entry, hash);
}

template <typename Key>
void TrackerCore::put_back_number(AliasPlace place) {
  Shard& shard = shards[place.shard];
  const SpinlockGuard guard(shard.lock, !config.exclusive);
  shard.family<Key>().records.put_back(place.number);
}

void TrackerCore::drop_orphans(Shard& shard) {
  if (orphan_count(shard) == 0) return;
  constexpr std::uint32_t kEachTime = 64;
  std::array<Orphan, kEachTime> orphans;
  std::uint32_t count = 0;
  const auto with_family = [&](const Orphan& orphan, auto&& f) {
    const AliasPlace place{shard.number, orphan.number & ~kV6Bit};
    return (orphan.number & kV6Bit) != 0 ? f(KeyV6{}, place) : f(KeyV4{}, place);
  };
  do {
    std::uint64_t now_ms;
    {
      const SpinlockGuard guard(shard.lock, !config.exclusive);
      now_ms = shard.now_ms;
      count = 0;
      while (count < kEachTime && shard.orphans.count() != 0) {
        orphans[count++] = shard.orphans.pop();
      }
    }
    if (count == 0) return;
    for (const Orphan& orphan : std::span(orphans).first(count)) {
      const std::uint16_t nat = with_family(orphan, [&]<typename Key>(Key, AliasPlace place) {
        drop_alias<Key>(place);  // first: its port may be given to another one then
        return translated_at<Key>(place).nat;
      });
      if (const NatEntry* entry = nats.find(static_cast<NatId>(nat))) {
        entry->mappings->close(orphan.use, now_ms, Hold::rest);
      }
    }
    const SpinlockGuard guard(shard.lock, !config.exclusive);
    for (const Orphan& orphan : std::span(orphans).first(count)) {
      with_family(orphan, [&]<typename Key>(Key, AliasPlace place) UCT_NO_THREAD_SAFETY_ANALYSIS {
        shard.family<Key>().records.free(place.number);
      });
    }
  } while (count == kEachTime);
}

#define UCT_INSTANTIATE(Key)                                                                \
  template Reason TrackerCore::enter_alias<Key>(const Key&, std::uint64_t, std::uint64_t,   \
                                                AliasPlace, std::optional<Holder>&);        \
  template bool TrackerCore::remove_expired<Key>(const Holder&, const Key&, std::uint64_t); \
  template void TrackerCore::take_out_alias<Key>(Shard&, std::uint32_t, std::uint64_t);     \
  template void TrackerCore::drop_alias<Key>(AliasPlace);                                   \
  template void TrackerCore::put_back_number<Key>(AliasPlace);
UCT_INSTANTIATE(KeyV4)
UCT_INSTANTIATE(KeyV6)
#undef UCT_INSTANTIATE

}  // namespace uct::core
