// Beside the packet path: sweeping, dumping, flushing, looking up. Each takes a shard's lock for a
// bounded piece of work at a time.
#include <algorithm>
#include <array>
#include <span>

#include "tracker/tracker_core.h"

namespace uct {

using core::Body;
using core::FamilyPool;
using core::KeyV4;
using core::KeyV6;
using core::kFamilyBit;
using core::Shard;
using core::SpinlockGuard;
using core::Tick;
using core::TrackerCore;
namespace status = core::status;

namespace {

/// Records looked at by a dump or a flush each time it takes a shard's lock.
constexpr std::uint32_t kRecordsPerLock = 256;

/// Timers looked at to make room before a commit is refused for a full table.
constexpr std::uint32_t kRoomTimers = 32;

/// Erases what expired by `now` and tells the wheel until when the rest lives.
template <typename Key>
class ExpiryVisitor {
 public:
  ExpiryVisitor(TrackerCore& tracker, Shard& shard, Tick now)
      : tracker_(tracker), shard_(shard), records_(shard.family<Key>().records), now_(now) {}

  void prefetch(std::uint32_t number) { records_.prefetch(number); }

  /// Hashes the keys of a batch side by side, and sends for their buckets.
  void prepare(std::span<const std::uint32_t> numbers) UCT_NO_THREAD_SAFETY_ANALYSIS {
    numbers_ = numbers.data();
    next_ = 0;
    for (std::size_t first = 0; first < numbers.size(); first += core::kHashLanes) {
      const std::size_t count = std::min(core::kHashLanes, numbers.size() - first);
      core::HashKeys<Key::kWords> keys{};
      for (std::size_t lane = 0; lane < count; ++lane) {
        key_words(records_.record(numbers[first + lane]).key, keys[lane]);
      }
      std::uint64_t hashes[core::kHashLanes];
      core::hash_lanes(keys, tracker_.config.hash_key, hashes);
      for (std::size_t lane = 0; lane < count; ++lane) {
        hashes_[first + lane] = hashes[lane];
        __builtin_prefetch(shard_.index.home_bucket(hashes[lane]), 1, 3);
      }
    }
  }

  std::optional<Tick> visit(std::uint32_t number) UCT_NO_THREAD_SAFETY_ANALYSIS {
    while (numbers_[next_] != number) ++next_;  // one between them was disarmed
    const std::uint64_t hash = hashes_[next_++];
    const core::Record<Key>& record = records_.record(number);
    if (core::is_live(record.body, now_)) return Tick{record.body.deadline};
    tracker_.erase<Key>(shard_, number, hash, DestroyCause::expired);
    return std::nullopt;
  }

 private:
  TrackerCore& tracker_;
  Shard& shard_;
  core::RecordPool<Key>& records_;
  const Tick now_;
  const std::uint32_t* numbers_ = nullptr;  ///< of the batch
  std::size_t next_ = 0;                    ///< place in it of the next visit, at the least
  std::array<std::uint64_t, core::kExpiryBatch> hashes_{};
};

template <typename Key>
core::ExpirySweep sweep_family(TrackerCore& tracker, Shard& shard, std::uint32_t timers)
    UCT_REQUIRES(shard.lock) {
  const Tick now = core::tick_of_ms(shard.now_ms);
  return shard.family<Key>().wheel.sweep(now, timers, ExpiryVisitor<Key>(tracker, shard, now));
}

/// Sweeps both families of a shard once, for at most `timers` timers in all.
core::ExpirySweep sweep_shard(TrackerCore& tracker, Shard& shard, std::uint32_t timers)
    UCT_REQUIRES(shard.lock) {
  core::ExpirySweep all = sweep_family<KeyV4>(tracker, shard, timers);
  if (all.visited < timers && all.finished) {
    const core::ExpirySweep v6 = sweep_family<KeyV6>(tracker, shard, timers - all.visited);
    all.visited += v6.visited;
    all.removed += v6.removed;
    all.rearmed += v6.rearmed;
    all.moved += v6.moved;
    all.finished = v6.finished;
  } else {
    all.finished = false;
  }
  shard.counters.sweep_removed += all.removed;
  shard.counters.sweep_rearmed += all.rearmed;
  shard.counters.timer_moves += all.moved;
  if (all.visited != 0) ++shard.counters.sweeps;
  if (all.finished) shard.swept_ms = shard.now_ms;
  return all;
}

/// Gives     what went because nothing was swept for very long.
core::ExpirySweep advance_clock(TrackerCore& tracker, Shard& shard, std::uint64_t now_ms)
    UCT_REQUIRES(shard.lock) {
  if (now_ms < shard.now_ms) return {};
  const core::ExpirySweep swept = tracker.catch_up(shard, now_ms);
  shard.now_ms = now_ms;
  return swept;
}

/// When the shard can have something to sweep next, in tracker milliseconds.
std::uint64_t next_deadline(const Shard& shard) UCT_REQUIRES(shard.lock) {
  std::uint64_t next = ~std::uint64_t{0};
  for (const core::TimerWheel* wheel : {&shard.v4.wheel, &shard.v6.wheel}) {
    Tick when;
    if (!wheel->next(when)) continue;
    const std::uint32_t ahead = distance(core::tick_of_ms(shard.now_ms), when);
    next = std::min(next, shard.now_ms + (ahead < core::kTickHorizon ? ahead : 0));
  }
  return next;
}

}  // namespace

core::ExpirySweep core::TrackerCore::catch_up(Shard& shard, std::uint64_t now_ms) {
  ExpirySweep all;
  while (now_ms - shard.swept_ms >= core::kTickHorizon / 2) {
    if (shard.index.entries() == 0) {
      shard.swept_ms = now_ms;
      return all;
    }
    shard.now_ms = std::max(shard.now_ms, shard.swept_ms + core::kTickHorizon / 2);
    bool finished = false;
    while (!finished) {
      const ExpirySweep swept = sweep_shard(*this, shard, 0xffffffff);
      all.removed += swept.removed;
      all.rearmed += swept.rearmed;
      finished = swept.finished;
    }
  }
  return all;
}

bool core::TrackerCore::remove_due(std::uint64_t now_ms) {
  constexpr std::uint32_t kEachTime = 64;
  if (due_removed_ms.exchange(now_ms, std::memory_order_relaxed) == now_ms) return false;
  std::uint64_t removed = 0;
  for (std::uint32_t i = 0; i < 1U << shard_bits; ++i) {
    Shard& shard = shards[i];
    for (bool done = false; !done;) {
      shard.lock.let_others_first();
      {
        const SpinlockGuard guard(shard.lock, !config.exclusive);
        removed += advance_clock(*this, shard, now_ms).removed;
        const ExpirySweep swept = sweep_shard(*this, shard, kEachTime);
        removed += swept.removed;
        done = swept.finished;
      }
      drop_orphans(shard);
    }
  }
  return removed != 0;
}

bool core::TrackerCore::make_room(Shard& shard) {
  return sweep_shard(*this, shard, kRoomTimers).removed != 0;
}

namespace {

/// Gives back what a shard has no use for, a piece each time its lock is held.
void give_memory_back(Shard& shard) {
  for (bool more = true; more;) {
    shard.lock.let_others_first();
    const SpinlockGuard guard(shard.lock);
    more = shard.v4.wheel.shrink() || shard.v6.wheel.shrink() || shard.index.shrink() ||
           shard.growth.give_back(shard);
  }
}

/// Likewise for what has numbers, of which there is most; the lock is held only to choose them.
template <typename Pool, typename Release>
void give_numbers_back(Shard& shard, Pool& pool, Release release) {
  while (true) {
    core::NumberPool::Range range;
    {
      shard.lock.let_others_first();
      const SpinlockGuard guard(shard.lock);
      range = pool.retire();
    }
    if (range.count == 0) return;
    release(range);
    const SpinlockGuard guard(shard.lock);
    pool.reopen(range);
  }
}

template <typename Key>
void give_family_back(Shard& shard) {
  FamilyPool<Key>& family = shard.family<Key>();
  const auto release_records = [&](core::NumberPool::Range range) {
    family.release_records(range);
  };
  give_numbers_back(shard, family.records, release_records);
}

void prepare_growth(Shard& shard) {
  shard.lock.let_others_first();
  core::GrowthPlan plan;
  {
    const SpinlockGuard guard(shard.lock);
    plan = shard.growth.note(shard);
  }
  plan.make_pages();
}

}  // namespace

SweepResult Tracker::sweep(Timestamp now, const SweepBudget& budget) noexcept {
  core::TrackerCore& core = *core_;
  const std::uint64_t now_ms = core.ms_of(now);
  const std::uint32_t shard_count = 1U << core.shard_bits;
  std::uint32_t left = std::max<std::uint32_t>(budget.timers, 1);
  SweepResult result;
  std::uint64_t next_ms = ~std::uint64_t{0};
  if (!core.sweep_fragments(now_ms, budget)) {
    result.finished = false;
    result.next = now;
    return result;
  }
  // Each sweep begins at another shard, so that a small budget serves all of them in turn.
  const std::uint32_t first = core.next_sweep.fetch_add(1, std::memory_order_relaxed);
  for (std::uint32_t i = 0; i < shard_count; ++i) {
    Shard& shard = core.shards[(first + i) % shard_count];
    prepare_growth(shard);
    bool done = false;
    bool stop = false;
    while (!done && !stop) {
      core.drop_orphans(shard);  // those that the piece before left
      shard.lock.let_others_first();
      const SpinlockGuard guard(shard.lock);
      const core::ExpirySweep overdue = advance_clock(core, shard, now_ms);
      const std::uint32_t piece = std::clamp<std::uint32_t>(budget.timers_per_lock, 1, left);
      const core::ExpirySweep swept = sweep_shard(core, shard, piece);
      result.removed += overdue.removed + swept.removed;
      result.rearmed += overdue.rearmed + swept.rearmed;
      left -= std::min(left, swept.visited);
      done = swept.finished;
      if (done) next_ms = std::min(next_ms, next_deadline(shard));
      stop = left == 0 || (budget.keep_going != nullptr && !budget.keep_going(budget.context));
      stop = stop && (!done || i + 1 < shard_count);
      if (stop) ++shard.counters.sweep_bound_hits;
    }
    core.drop_orphans(shard);
    if (stop) {
      result.finished = false;
      result.next = now;
      return result;
    }
    give_memory_back(shard);
    give_family_back<KeyV4>(shard);
    give_family_back<KeyV6>(shard);
  }
  next_ms = std::min(next_ms, core.fragments.next_deadline_ms());
  if (next_ms != ~std::uint64_t{0}) result.next = core.timestamp_of_ms(next_ms);
  return result;
}

namespace {

/// Gives     whether a connection is found at `now_ms`, also when that lies so far ahead of the
///           shard's clock that ticks cannot tell: reading moves no clock and sweeps nothing.
bool is_found_at(const Body& body, const Shard& shard, std::uint64_t now_ms)
    UCT_REQUIRES(shard.lock) {
  const Tick shard_now = core::tick_of_ms(shard.now_ms);
  const Tick deadline{body.deadline};
  return core::is_live(body, shard_now) && now_ms < shard.now_ms + distance(shard_now, deadline);
}

/// Looks at up to kRecordsPerLock numbers from `number` on and calls take(info) for each live
/// connection; take gives false to stop before it. Moves `number`; gives false at the end of the
/// pool.
template <typename Key, typename Take>
bool scan(const TrackerCore& tracker, Shard& shard, std::uint32_t& number, std::uint64_t now_ms,
          Take&& take) UCT_REQUIRES(shard.lock) {
  const FamilyPool<Key>& family = shard.family<Key>();
  for (std::uint32_t looked = 0; looked < kRecordsPerLock; ++looked) {
    number = family.records.numbers().next_live(number);
    if (number == core::NumberPool::kNone) return false;
    const core::Record<Key>& record = family.records.record(number);
    const bool is_connection = record.key.kind != core::Kind::none;  // not one that comes or goes
    if (is_connection && is_found_at(record.body, shard, now_ms) &&
        !take(tracker.copy<Key>(shard, number), number)) {
      return true;
    }
    ++number;
  }
  return true;
}

}  // namespace

std::size_t Tracker::dump(DumpCursor& cursor, std::span<ConnectionInfo> out, Timestamp now,
                          const Filter& filter) const {
  core::TrackerCore& core = *core_;
  const std::uint64_t now_ms = core.ms_of(now);
  std::size_t count = 0;
  const auto take = [&](const ConnectionInfo& info, std::uint32_t) {
    if (!matches(filter, info)) return true;
    if (count == out.size()) return false;
    out[count++] = info;
    return true;
  };
  while (!cursor.done() && count < out.size()) {
    Shard& shard = core.shards[cursor.shard_];
    const SpinlockGuard guard(shard.lock);
    const bool more = cursor.pool_ == 0 ? scan<KeyV4>(core, shard, cursor.number_, now_ms, take)
                                        : scan<KeyV6>(core, shard, cursor.number_, now_ms, take);
    if (more) continue;
    cursor.number_ = 0;
    if (++cursor.pool_ < 2) continue;
    cursor.pool_ = 0;
    if (++cursor.shard_ == 1U << core.shard_bits) cursor.shard_ = DumpCursor::kEnd;
  }
  return count;
}

template <typename Key>
std::size_t core::TrackerCore::flush_family(Shard& shard, std::uint64_t now_ms,
                                            const Filter& filter) {
  std::size_t removed = 0;
  std::uint32_t number = 0;
  bool more = true;
  while (more) {
    drop_orphans(shard);  // those of the piece before
    shard.lock.let_others_first();
    const SpinlockGuard guard(shard.lock);
    advance_clock(*this, shard, now_ms);
    const auto take = [&](const ConnectionInfo& info,
                          std::uint32_t place) UCT_NO_THREAD_SAFETY_ANALYSIS {
      if (!matches(filter, info)) return true;
      const Key& key = shard.family<Key>().records.record(place).key;
      shard.family<Key>().wheel.disarm(place);
      erase<Key>(shard, place, hash_key(key, config.hash_key), DestroyCause::flushed);
      ++removed;
      return true;
    };
    more = scan<Key>(*this, shard, number, now_ms, take);
  }
  drop_orphans(shard);
  return removed;
}

std::size_t Tracker::flush(Timestamp now, const Filter& filter) {
  core::TrackerCore& core = *core_;
  const std::uint64_t now_ms = core.ms_of(now);
  std::size_t removed = 0;
  for (std::uint32_t i = 0; i < 1U << core.shard_bits; ++i) {
    removed += core.flush_family<KeyV4>(core.shards[i], now_ms, filter);
    removed += core.flush_family<KeyV6>(core.shards[i], now_ms, filter);
  }
  return removed;
}

namespace {

/// Looks a tuple up: the connection's own, or that of its replies.
template <typename Key>
std::optional<ConnectionInfo> find_key(TrackerCore& tracker, Zone zone, const Tuple& tuple,
                                       std::uint64_t now_ms) {
  Key key;
  core::make_key(core::packet_of(tuple), zone, key);
  const std::uint64_t hash = hash_key(key, tracker.config.hash_key);
  core::AliasPlace place;
  {
    Shard& shard = tracker.shard_of(hash);
    const SpinlockGuard guard(shard.lock);
    const std::uint32_t entry = tracker.find_entry(shard, key, hash);
    if (entry == core::kNoNumber) return std::nullopt;
    if ((entry & core::kAliasBit) == 0) {
      const std::uint32_t number = entry & core::kNumberBits;
      const Body& body = shard.family<Key>().records.record(number).body;
      if (!is_found_at(body, shard, now_ms)) return std::nullopt;
      return tracker.copy<Key>(shard, number);
    }
    place = tracker.place_of(entry);
  }
  Shard& shard = tracker.shards[place.shard];
  const SpinlockGuard guard(shard.lock);
  if (answers_to(shard, place.number, key) != core::Answers::yes) return std::nullopt;
  const Body& body = shard.family<Key>().records.record(place.number).body;
  if (!is_found_at(body, shard, now_ms)) return std::nullopt;
  return tracker.copy<Key>(shard, place.number);
}

template <typename Key>
std::optional<ConnectionInfo> find_number(const TrackerCore& tracker, Shard& shard,
                                          std::uint32_t number, ConnectionHandle handle,
                                          std::uint64_t now_ms) {
  const SpinlockGuard guard(shard.lock);
  const core::RecordPool<Key>& records = shard.family<Key>().records;
  if (number >= records.numbers().capacity() || !records.numbers().is_live(number)) {
    return std::nullopt;
  }
  const core::Record<Key>& record = records.record(number);
  if (record.key.kind == core::Kind::none || !is_found_at(record.body, shard, now_ms)) {
    return std::nullopt;
  }
  const ConnectionInfo info = tracker.copy<Key>(shard, number);
  if (info.handle != handle) return std::nullopt;
  return info;
}

}  // namespace

std::optional<ConnectionInfo> Tracker::find(Zone zone, const Tuple& tuple, Timestamp now) const {
  core::TrackerCore& core = *core_;
  const std::uint64_t now_ms = core.ms_of(now);
  return tuple.source.family == Family::ipv4 ? find_key<KeyV4>(core, zone, tuple, now_ms)
                                             : find_key<KeyV6>(core, zone, tuple, now_ms);
}

std::optional<ConnectionInfo> Tracker::find(ConnectionHandle handle, Timestamp now) const {
  core::TrackerCore& core = *core_;
  const auto value = static_cast<std::uint64_t>(handle);
  const auto shard_number = static_cast<std::uint32_t>(value >> 56);
  const auto number = static_cast<std::uint32_t>(value >> 24);
  if (shard_number >= 1U << core.shard_bits) return std::nullopt;
  core::Shard& shard = core.shards[shard_number];
  const std::uint64_t now_ms = core.ms_of(now);
  return (number & core::kV6Bit) != 0
             ? find_number<KeyV6>(core, shard, number & ~core::kV6Bit, handle, now_ms)
             : find_number<KeyV4>(core, shard, number, handle, now_ms);
}

}  // namespace uct
