#include "expiry/timer_wheel.h"

#include <bit>

namespace uct::core {

namespace {

constexpr std::uint32_t kPositionBits = 4;  // a place in a chunk of 15
constexpr std::uint32_t kPlaceMask = (1U << kPositionBits) - 1;
constexpr std::uint32_t kLinkMask = (1U << 26) - 1;

// shrink(): work a call, and what is kept so that steady use asks the system for nothing.
constexpr std::uint32_t kChunksMovedPerShrink = 64;
constexpr std::uint32_t kChunksKept = 512;  // 64 KiB

}  // namespace

bool TimerWheel::reserve(std::uint32_t capacity, Tick now) {
  static_assert(chunks_for(kCapacityMax) <= kLinkMask);
  if (capacity > kCapacityMax || size_ != 0) return false;
  const std::uint32_t chunks = chunks_for(capacity);
  if (!positions_.reserve(std::max(capacity, 1U)) || !chunks_.reserve(chunks)) return false;
  slots_ = {};
  occupied_ = {};
  chunk_end_ = 1;
  chunks_used_ = 0;
  chunks_touched_ = 0;
  numbers_touched_ = 0;
  current_ = now;
  return true;
}

void TimerWheel::disarm(std::uint32_t number) {
  const std::uint32_t position = positions_[number];
  if (position == 0) return;
  positions_[number] = 0;
  --size_;
  if ((position & kInBatch) != 0) {
    due_[position & ~kInBatch] = kNoNumber;
    return;
  }
  Chunk& chunk = chunks_[position >> kPositionBits];
  const Entry last = take_last(static_cast<std::uint32_t>(chunk.slot));
  if (last.number == number) return;
  chunk.entries[position & kPlaceMask] = last;
  positions_[last.number] = position;
}

void TimerWheel::bring_forward(std::uint32_t number, Tick deadline) {
  const std::uint32_t position = positions_[number];
  if (position == 0 || (position & kInBatch) != 0) return;
  const Entry& entry = chunks_[position >> kPositionBits].entries[position & kPlaceMask];
  if (!earlier(deadline, entry.deadline)) return;
  disarm(number);
  ++size_;
  place(Entry{number, deadline});
}

// ---- slots and chunks ---------------------------------------------------------------------------

void TimerWheel::place(Entry entry) {
  if (earlier(entry.deadline, current_)) entry.deadline = current_;
  std::uint32_t level = 0;
  while (level < kLevels - 1) {
    const std::uint32_t ahead = block_of(entry.deadline, level) - block_of(current_, level);
    // Block numbers wrap with the tick: their upper bits, which a shift left empty, do not count.
    if (ahead << (level * kLevelBits) >> (level * kLevelBits) < kLevelSlots) break;
    ++level;
  }
  append(level * kLevelSlots + index_of(entry.deadline, level), entry);
}

void TimerWheel::append(std::uint32_t slot_number, Entry entry) {
  Slot& slot = slots_[slot_number];
  if (slot.first == 0 || slot.count == kChunkEntries) {
    link_first(allocate_chunk(), slot_number);
    slot.count = 0;
    occupied_[slot_number / 64] |= std::uint64_t{1} << (slot_number % 64);
  }
  chunks_[slot.first].entries[slot.count] = entry;
  positions_[entry.number] = slot.first << kPositionBits | slot.count;
  ++slot.count;
}

/// Takes the newest entry of a slot that has any out of its chunk; its position is the caller's.
TimerWheel::Entry TimerWheel::take_last(std::uint32_t slot_number) {
  Slot& slot = slots_[slot_number];
  const std::uint32_t chunk_number = slot.first;
  const Entry entry = chunks_[chunk_number].entries[--slot.count];
  if (slot.count != 0) return entry;
  unlink_first(slot_number);
  free_chunk(chunk_number);
  if (slot.first != 0) {
    slot.count = kChunkEntries;
  } else {
    occupied_[slot_number / 64] &= ~(std::uint64_t{1} << (slot_number % 64));
  }
  return entry;
}

void TimerWheel::link_first(std::uint32_t chunk_number, std::uint32_t slot_number) {
  Slot& slot = slots_[slot_number];
  Chunk& chunk = chunks_[chunk_number];
  chunk.slot = slot_number & 0xfff;
  chunk.previous = 0;
  chunk.next = slot.first & kLinkMask;
  if (slot.first != 0) chunks_[slot.first].previous = chunk_number & kLinkMask;
  slot.first = chunk_number;
}

/// Does not touch the next chunk, which is rarely in cache, but fetches it for the next time.
void TimerWheel::unlink_first(std::uint32_t slot_number) {
  Slot& slot = slots_[slot_number];
  slot.first = static_cast<std::uint32_t>(chunks_[slot.first].next);
  prefetch_chunk(slot.first);
}

void TimerWheel::unlink(std::uint32_t chunk_number) {
  const Chunk& chunk = chunks_[chunk_number];
  if (slots_[chunk.slot].first == chunk_number) {
    unlink_first(static_cast<std::uint32_t>(chunk.slot));
    return;
  }
  chunks_[chunk.previous].next = chunk.next;
  if (chunk.next != 0) chunks_[chunk.next].previous = chunk.previous;
}

std::uint32_t TimerWheel::allocate_chunk() {
  ++chunks_used_;
  const std::uint32_t free = slots_[kFreeSlot].first;
  if (free != 0) {
    unlink_first(kFreeSlot);
    return free;
  }
  const std::uint32_t fresh = chunk_end_++;
  if (fresh >= chunks_touched_) chunks_touched_ = (fresh / kPageChunks + 1) * kPageChunks;
  return fresh;
}

void TimerWheel::free_chunk(std::uint32_t chunk_number) {
  --chunks_used_;
  link_first(chunk_number, kFreeSlot);
}

// ---- sweeping -----------------------------------------------------------------------------------

/// Fills due_ with up to `wanted` numbers, going forward in time until `now`.
///
/// Gives     false when it came to `now` and nothing due is left; true when stopped by a bound.
bool TimerWheel::collect(Tick now, std::uint32_t wanted, std::uint32_t& moves_left) {
  for (;;) {
    // A slot of a coarser level that has the present in it is one whose timers are being moved:
    // finish it first, because what it holds is due before all that is in slots ahead.
    for (std::uint32_t level = kLevels; level-- > 0;) {
      const std::uint32_t slot_number = level * kLevelSlots + index_of(current_, level);
      if (slots_[slot_number].first != 0 && !drain(slot_number, now, wanted, moves_left)) {
        return true;
      }
    }
    Tick when{};
    if (!first_after_current(when) || distance(current_, when) > distance(current_, now)) {
      current_ = now;
      return false;
    }
    current_ = when;
  }
}

/// Empties a slot that has begun: what is due goes to due_, the rest to finer levels.
///
/// Gives     false when stopped by a bound.
bool TimerWheel::drain(std::uint32_t slot_number, Tick now, std::uint32_t wanted,
                       std::uint32_t& moves_left) {
  const Slot& slot = slots_[slot_number];
  while (slot.first != 0) {
    const Entry& last = chunks_[slot.first].entries[slot.count - 1];
    const bool due = !earlier(now, last.deadline);
    if (due ? due_count_ == wanted : moves_left == 0) {
      ahead_ = slot.first;
      return false;
    }
    const Entry entry = take_last(slot_number);
    if (due) {
      positions_[entry.number] = kInBatch | due_count_;
      due_[due_count_++] = entry.number;
    } else {
      --moves_left;
      place(entry);
    }
  }
  return true;
}

/// Follows the chain of the slot that is being drained by one chunk, which the step before fetched.
/// Visits in between may have changed the chain; any chunk is safe to fetch.
void TimerWheel::fetch_ahead() {
  ahead_ = static_cast<std::uint32_t>(chunks_[ahead_].next);
  prefetch_chunk(ahead_);
}

bool TimerWheel::next(Tick& when) const {
  if (size_ == 0) return false;
  for (std::uint32_t level = 0; level < kLevels; ++level) {
    if (slots_[level * kLevelSlots + index_of(current_, level)].first == 0) continue;
    when = current_;
    return true;
  }
  return first_after_current(when);
}

/// Finds the beginning of the first occupied slot ahead.
bool TimerWheel::first_after_current(Tick& when) const {
  bool found = false;
  for (std::uint32_t level = 0; level < kLevels; ++level) {
    const std::uint32_t ahead = slots_ahead(level);
    if (ahead == 0) continue;
    const Tick start{(block_of(current_, level) + ahead) << (level * kLevelBits)};
    if (!found || earlier(start, when)) when = start;
    found = true;
    // No coarser slot begins between, unless a boundary of the next level lies between.
    if (level + 1 < kLevels && block_of(when, level + 1) == block_of(current_, level + 1)) break;
  }
  return found;
}

/// Gives     how far ahead of the present the next occupied slot of a level is; 0 without one.
std::uint32_t TimerWheel::slots_ahead(std::uint32_t level) const {
  const std::uint32_t index = index_of(current_, level);
  std::uint32_t found = find_occupied(level, index + 1, kLevelSlots);
  if (found == kLevelSlots) found = find_occupied(level, 0, index);
  return found == kLevelSlots ? 0 : (found - index) % kLevelSlots;
}

/// Gives     the first occupied index of a level in [from, to), or kLevelSlots.
std::uint32_t TimerWheel::find_occupied(std::uint32_t level, std::uint32_t from,
                                        std::uint32_t to) const {
  const std::uint64_t* words = &occupied_[level * (kLevelSlots / 64)];
  for (std::uint32_t word = from / 64; word * 64 < to; ++word) {
    std::uint64_t bits = words[word];
    if (word == from / 64) bits &= ~std::uint64_t{0} << (from % 64);
    if (bits == 0) continue;
    const std::uint32_t found = word * 64 + static_cast<std::uint32_t>(std::countr_zero(bits));
    return found < to ? found : kLevelSlots;
  }
  return kLevelSlots;
}

// ---- memory -------------------------------------------------------------------------------------

std::size_t TimerWheel::memory_bytes() const {
  return sizeof(*this) + chunks_touched_ * sizeof(Chunk) + numbers_touched_ * sizeof(std::uint32_t);
}

bool TimerWheel::shrink() {
  if (size_ == 0) {
    slots_[kFreeSlot] = {};
    chunk_end_ = 1;
  }
  const std::uint32_t enough = 2 * chunks_used_ + kChunksKept;
  for (std::uint32_t i = 0; i < kChunksMovedPerShrink && chunk_end_ > enough; ++i) {
    drop_last_chunk();
  }
  const std::uint32_t chunks_before = chunks_touched_;
  const std::uint32_t keep = size_ == 0 ? 0 : chunk_end_ + kChunksKept;
  chunks_touched_ = static_cast<std::uint32_t>(chunks_.release_tail(keep, chunks_touched_));
  const std::uint32_t numbers_before = numbers_touched_;
  if (size_ == 0) {
    numbers_touched_ = static_cast<std::uint32_t>(positions_.release_tail(0, numbers_touched_));
  }
  return chunk_end_ > enough || chunks_touched_ != chunks_before ||
         numbers_touched_ != numbers_before;
}

/// Makes the chunk array one shorter; a chunk in use moves to a free place.
void TimerWheel::drop_last_chunk() {
  const std::uint32_t last = --chunk_end_;
  const Chunk moved = chunks_[last];
  const auto slot_number = static_cast<std::uint32_t>(moved.slot);
  Slot& slot = slots_[slot_number];
  if (slot_number == kFreeSlot) {
    unlink(last);
    return;
  }
  const std::uint32_t place = slots_[kFreeSlot].first;
  unlink_first(kFreeSlot);
  chunks_[place] = moved;
  const bool first = slot.first == last;
  if (first) {
    slot.first = place;
  } else {
    chunks_[moved.previous].next = place & kLinkMask;
  }
  if (moved.next != 0) chunks_[moved.next].previous = place & kLinkMask;
  const std::uint32_t count = first ? slot.count : kChunkEntries;
  for (std::uint32_t i = 0; i < count; ++i) {
    positions_[moved.entries[i].number] = place << kPositionBits | i;
  }
}

}  // namespace uct::core
