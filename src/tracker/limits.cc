// How many connections there may be, in all and in a zone. Both counts are shared by all cores, so
// that shards take from them in lots: opening a connection touches a line of its own shard only.
#include <algorithm>
#include <thread>

#include "tracker/tracker_core.h"

namespace uct::core {

namespace {

/// Places a shard takes at once, and keeps at most twice of.
constexpr std::uint32_t kLot = 64;

/// Takes a place that another shard holds spare, while the caller holds a lock already. That cannot
/// end in a circle: who waits like this has none spare, and is waited for by nobody.
bool take_from(Shard& other) UCT_NO_THREAD_SAFETY_ANALYSIS {
  while (other.spare_places.load(std::memory_order_relaxed) != 0) {
    if (!other.lock.try_lock()) {
      std::this_thread::yield();
      continue;
    }
    const std::uint32_t there = other.spare_places.load(std::memory_order_relaxed);
    if (there != 0) other.spare_places.store(there - 1, std::memory_order_relaxed);
    other.lock.unlock();
    if (there != 0) return true;
  }
  return false;
}

}  // namespace

bool TrackerCore::take_place(Shard& shard) {
  // Written under the lock only; atomic because others look without it.
  const std::uint32_t spare = shard.spare_places.load(std::memory_order_relaxed);
  if (spare != 0) {
    shard.spare_places.store(spare - 1, std::memory_order_relaxed);
    return true;
  }
  const std::uint32_t maximum = max_connections.load(std::memory_order_relaxed);
  std::uint32_t given = places_given.load(std::memory_order_relaxed);
  while (given < maximum) {
    const std::uint32_t lot = std::min(kLot, maximum - given);
    if (places_given.compare_exchange_weak(given, given + lot, std::memory_order_relaxed)) {
      shard.spare_places.store(lot - 1, std::memory_order_relaxed);
      return true;
    }
  }
  if (given > maximum) return false;
  return std::any_of(&shards[0], &shards[0] + config.shards,
                     [&](Shard& other) { return &other != &shard && take_from(other); });
}

void TrackerCore::give_place(Shard& shard) {
  const std::uint32_t spare = shard.spare_places.load(std::memory_order_relaxed);
  if (places_given.load(std::memory_order_relaxed) >
      max_connections.load(std::memory_order_relaxed)) {
    places_given.fetch_sub(1, std::memory_order_relaxed);  // lowered: who leaves makes no room
  } else if (spare < 2 * kLot) {
    shard.spare_places.store(spare + 1, std::memory_order_relaxed);
  } else {
    shard.spare_places.store(kLot, std::memory_order_relaxed);
    places_given.fetch_sub(spare + 1 - kLot, std::memory_order_relaxed);
  }
}

std::uint32_t TrackerCore::connection_count() const {
  std::uint32_t spare = 0;
  for (std::uint32_t i = 0; i < config.shards; ++i) {
    spare += shards[i].spare_places.load(std::memory_order_relaxed);
  }
  const std::uint32_t given = places_given.load(std::memory_order_relaxed);
  return given - std::min(given, spare);  // the two are read one after the other
}

void TrackerCore::set_max_connections(std::uint32_t maximum) {
  max_connections.store(maximum, std::memory_order_relaxed);
  for (std::uint32_t i = 0; i < config.shards; ++i) {
    Shard& shard = shards[i];
    const SpinlockGuard guard(shard.lock);
    const std::uint32_t back = shard.spare_places.load(std::memory_order_relaxed);
    shard.spare_places.store(0, std::memory_order_relaxed);
    places_given.fetch_sub(back, std::memory_order_relaxed);
  }
}

bool TrackerCore::enter_zone(Shard& shard, ZoneTable::Entry& zone) {
  if (zones.is_limited(zone)) return zones.enter(zone);
  ZoneCredit& credit = shard.zone_credit;
  if (credit.zone != &zone || credit.unused == 0) {
    if (credit.zone != nullptr) ZoneTable::leave(*credit.zone, credit.unused);
    zone.count.fetch_add(kLot, std::memory_order_relaxed);
    credit = {&zone, kLot};
  }
  --credit.unused;
  return true;
}

void TrackerCore::leave_zone(Shard& shard, ZoneTable::Entry& zone) {
  ZoneCredit& credit = shard.zone_credit;
  if (credit.zone != &zone || zones.is_limited(zone)) return ZoneTable::leave(zone);
  if (++credit.unused <= 2 * kLot) return;
  ZoneTable::leave(zone, credit.unused - kLot);
  credit.unused = kLot;
}

void TrackerCore::collect_zone_credit(const ZoneTable::Entry* zone) {
  for (std::uint32_t i = 0; i < config.shards; ++i) {
    Shard& shard = shards[i];
    const SpinlockGuard guard(shard.lock);
    ZoneCredit& credit = shard.zone_credit;
    if (credit.zone == nullptr || (zone != nullptr && credit.zone != zone)) continue;
    ZoneTable::leave(*credit.zone, credit.unused);
    credit = {};
  }
}

}  // namespace uct::core
