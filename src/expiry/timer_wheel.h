/// Finds expired connections of one shard: a lazily armed hierarchical timer wheel, exact to 1 ms.
///
/// Included by the shard, which arms a timer when a connection is committed, tells of refreshed
/// deadlines, and sweeps. Lives on src/base/reserved_array.h; satisfies ExpiryQueue.
///
///   level 0   256 slots of 1 ms          the next 256 ms
///   level 1   256 slots of 256 ms        the next 65.5 s: most connections are armed here
///   level 2   256 slots of 65.5 s        the next 4.66 hours
///   level 3   256 slots of 4.66 h        up to the horizon of 24.8 days
///
///   slot -> chunk -> chunk ...           a chunk is two neighbouring cache lines with 15
///                                        {number, deadline}; only a slot's first has free places
///   position[number] -> chunk, place     so that disarm() is O(1)
///
/// Lazily     a packet that makes a connection live longer touches nothing here: its timer goes off
///            at the old deadline, the visitor answers with the new one, and it is armed again.
/// Disarm     a connection that ends early takes its timer along. Otherwise a connection of 30 s
///            that had once 24 h ahead of it would leave a timer behind for a day: memory would
///            grow with the rate of connections, and stale timers would fire on reused numbers.
/// Moves      a timer comes to a finer level when its slot's time comes, at most three times; the
///            entry carries its tick, so no connection record is read. A sweep that is already past
///            the deadline visits the connection right away instead.
/// Invariants 1. a timer sits at the finest level that reaches its tick: at level L less than 256
///               slots ahead of the slot that has current_ in it. No slot lies more than once round
///               ahead, and one that has current_ in it is empty or being drained (level 0: due)
///            2. all chunks of a slot but the first are full, so capacity / 15 + 1024 chunks always
///               suffice, and arming cannot fail
/// Threads   none of its own: the shard that owns the wheel holds its lock.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/reserved_array.h"
#include "expiry/expiry_queue.h"
#include "expiry/tick.h"

namespace uct::core {

class TimerWheel {
 public:
  /// Connection numbers are smaller than this, so that positions and links (26 bits) suffice.
  static constexpr std::uint32_t kCapacityMax = 1'000'000'000;
  /// A sweep moves at most this many timers between levels for each visit it may make ...
  static constexpr std::uint32_t kMovesPerVisit = 4;
  /// ... and this many anyway, so that a small bound does not starve visits behind moves.
  static constexpr std::uint32_t kMovesMin = 64;

  /// Reserves address space for the numbers 0 .. capacity - 1; memory comes with use.
  ///
  /// Requires  nothing armed. Must succeed before anything else is called.
  /// Gives     false when the system refuses, or capacity > kCapacityMax.
  bool reserve(std::uint32_t capacity, Tick now);

  /// Makes `number` due at `deadline`; one that has passed counts as the latest sweep's `now`.
  ///
  /// Requires  number < capacity and not armed; deadline within kTickHorizon of the latest sweep.
  ///           `now` matters only when nothing else is armed: an empty wheel needs no sweeps.
  /// Cost      O(1), two cache lines.
  void arm(std::uint32_t number, Tick now, Tick deadline) {
    if (size_ == 0) current_ = now;
    if (number >= numbers_touched_) [[unlikely]] {
      numbers_touched_ = (number / kPageNumbers + 1) * kPageNumbers;
    }
    ++size_;
    place(Entry{number, deadline});
  }

  /// Forgets the timer of `number`; without one, does nothing.
  ///
  /// Cost      O(1), up to four cache lines: the place is filled by another timer of its slot.
  void disarm(std::uint32_t number);

  /// Makes `number` due at `deadline` if it would be due later; unarmed numbers stay so.
  void bring_forward(std::uint32_t number, Tick deadline);

  /// Tells that a connection's deadline changed. Costs a comparison, unless it came nearer.
  void refresh(std::uint32_t number, Tick /*now*/, Tick old_deadline, Tick new_deadline) {
    if (earlier(new_deadline, old_deadline)) [[unlikely]]
      bring_forward(number, new_deadline);
  }

  /// Gives every number whose timer is due at or before `now` to the visitor, and no other.
  ///
  /// Requires  `now` not earlier than in the sweep before (else that one is used again), and less
  ///           than kTickHorizon after it while anything is armed.
  /// Gives     how far it came. Stops when max_timers (at least one) were visited, or when
  ///           max(kMovesMin, kMovesPerVisit * max_timers) were moved.
  /// Cost      O(visited + moved); gaps in time are jumped over.
  template <ExpiryVisitor Visitor>
  ExpirySweep sweep(Tick now, std::uint32_t max_timers, Visitor&& visitor);

  /// Tells when to sweep next: no later than the first timer is due.
  ///
  /// Gives     false when nothing is armed. Within 256 ms of a deadline it is exact; before, it may
  ///           be earlier (the beginning of a coarser slot), so that a timer that is never touched
  ///           wakes a sleeping sweeper at most three times in vain.
  bool next(Tick& when) const;

  /// Gives     timers armed.
  std::uint32_t size() const { return size_; }

  /// Gives     memory taken for timers, in bytes, without address space that was never touched.
  std::size_t memory_bytes() const;

  /// Calls f(memory, bytes in use, bytes that use has given memory), both from its beginning, for
  /// what grows with the number of timers.
  template <typename F>
  void each_memory(F&& f) {
    const std::size_t positions = std::size_t{numbers_touched_} * sizeof(std::uint32_t);
    f(positions_.memory(), positions, positions);
    f(chunks_.memory(), std::size_t{chunk_end_} * sizeof(Chunk),
      std::size_t{std::max(chunk_end_, chunks_touched_)} * sizeof(Chunk));
  }

  /// Gives memory back that is far above what is armed; all of it when nothing is.
  ///
  /// Gives     true when there is more to do: call again, after others had the lock.
  /// Cost      bounded: at most 64 chunks moved and two pieces given back a call; mostly O(1).
  bool shrink();

 private:
  static constexpr std::uint32_t kLevels = 4;
  static constexpr std::uint32_t kLevelBits = 8;
  static constexpr std::uint32_t kLevelSlots = 1U << kLevelBits;
  static constexpr std::uint32_t kSlots = kLevels * kLevelSlots;
  static constexpr std::uint32_t kFreeSlot = kSlots;  ///< free chunks hang in a slot of their own
  static constexpr std::uint32_t kChunkEntries = 15;
  /// One chunk may be partly filled in each slot (invariant 2); chunk 0 is never used.
  static constexpr std::uint32_t chunks_for(std::uint32_t capacity) {
    return capacity / kChunkEntries + kSlots + 2;
  }
  static constexpr std::uint32_t kBatch = kExpiryBatch;
  static constexpr std::uint32_t kNoNumber = 0xffff'ffff;
  static constexpr std::uint32_t kInBatch = 0x8000'0000;  ///< flag of a position: index in due_
  static constexpr std::uint32_t kPageChunks = 4096 / 128;
  static constexpr std::uint32_t kPageNumbers = 4096 / sizeof(std::uint32_t);

  struct Entry {
    std::uint32_t number;
    Tick deadline;  ///< as armed; the connection's own may be later
  };

  /// Two cache lines, which processors fetch as a pair; of one line, chains cost twice the waiting
  /// (docs/expiry.md). Chunk 0 is never used: 0 ends a chain, and a position of 0 is "not armed".
  struct alignas(128) Chunk {
    std::uint64_t next : 26;      ///< towards older chunks of the slot; 0 at the end
    std::uint64_t previous : 26;  ///< without meaning in the first: taking it away leaves it stale
    std::uint64_t slot : 12;
    Entry entries[kChunkEntries];
  };
  static_assert(sizeof(Chunk) == 128);

  struct Slot {
    std::uint32_t first = 0;  ///< chunk
    std::uint32_t count = 0;  ///< entries in the first chunk; 0 only without chunks
  };

  /// Gives     the number of the block of time, as long as a slot of `level`, that `t` lies in.
  static std::uint32_t block_of(Tick t, std::uint32_t level) {
    return static_cast<std::uint32_t>(t) >> (level * kLevelBits);
  }
  static std::uint32_t index_of(Tick t, std::uint32_t level) {
    return block_of(t, level) % kLevelSlots;
  }

  void place(Entry entry);
  void append(std::uint32_t slot_number, Entry entry);
  Entry take_last(std::uint32_t slot_number);
  void link_first(std::uint32_t chunk_number, std::uint32_t slot_number);
  void unlink_first(std::uint32_t slot_number);
  void unlink(std::uint32_t chunk_number);
  std::uint32_t allocate_chunk();
  void free_chunk(std::uint32_t chunk_number);
  void drop_last_chunk();
  void fetch_ahead();
  void prefetch_chunk(std::uint32_t chunk_number) const {
    const Chunk* const chunk = &chunks_[chunk_number];
    __builtin_prefetch(chunk, 1);
    __builtin_prefetch(&chunk->entries[kChunkEntries - 1], 1);
  }
  bool collect(Tick now, std::uint32_t wanted, std::uint32_t& moves_left);
  bool drain(std::uint32_t slot_number, Tick now, std::uint32_t wanted, std::uint32_t& moves_left);
  bool first_after_current(Tick& when) const;
  std::uint32_t slots_ahead(std::uint32_t level) const;
  std::uint32_t find_occupied(std::uint32_t level, std::uint32_t from, std::uint32_t to) const;
  template <typename Visitor>
  void visit_collected(Tick now, Visitor& visitor, ExpirySweep& result);

  // Touched by every sweep.
  Tick current_{};          ///< everything due before it has been visited
  std::uint32_t size_ = 0;  ///< timers, those in due_ included
  std::uint32_t due_count_ = 0;
  std::uint32_t ahead_ = 0;  ///< chunk being fetched, some ahead of those that are drained; a hint
  std::array<std::uint32_t, kBatch> due_{};  ///< numbers to visit; kNoNumber: disarmed meanwhile
  std::array<std::uint64_t, kSlots / 64> occupied_{};  ///< a bit for each slot that has timers
  std::array<Slot, kSlots + 1> slots_{};               ///< by level * 256 + index; kFreeSlot

  ReservedArray<std::uint32_t> positions_;  ///< by number: chunk * 16 + place; kInBatch | index; 0
  ReservedArray<Chunk> chunks_;

  // What is in use, for memory_bytes() and shrink(); whole pages are touched and given back.
  std::uint32_t chunk_end_ = 1;        ///< no chunk from here on is in use or in the free list
  std::uint32_t chunks_used_ = 0;      ///< chunks with timers
  std::uint32_t chunks_touched_ = 0;   ///< no chunk from here on has memory
  std::uint32_t numbers_touched_ = 0;  ///< no number from here on has memory for its position
};

template <ExpiryVisitor Visitor>
ExpirySweep TimerWheel::sweep(Tick now, std::uint32_t max_timers, Visitor&& visitor) {
  ExpirySweep result;
  if (earlier(now, current_)) now = current_;
  max_timers = std::max(max_timers, 1U);
  const std::uint64_t moves =
      std::max<std::uint64_t>(kMovesMin, std::uint64_t{kMovesPerVisit} * max_timers);
  const auto moves_max = static_cast<std::uint32_t>(std::min<std::uint64_t>(moves, 0xffff'ffff));
  std::uint32_t moves_left = moves_max;
  for (;;) {
    const bool more = collect(now, std::min(kBatch, max_timers - result.visited), moves_left);
    result.finished = !more;
    if (due_count_ == 0) break;
    visit_collected(now, visitor, result);
    if (!more) break;
  }
  result.moved = moves_max - moves_left;
  return result;
}

template <typename Visitor>
void TimerWheel::visit_collected(Tick now, Visitor& visitor, ExpirySweep& result) {
  for (std::uint32_t i = 0; i < due_count_; ++i) visitor.prefetch(due_[i]);
  if constexpr (PreparingVisitor<Visitor>) {
    visitor.prepare(std::span<const std::uint32_t>(due_.data(), due_count_));
  }
  for (std::uint32_t i = 0; i < due_count_; ++i) {
    const std::uint32_t number = due_[i];
    if (number == kNoNumber) continue;
    if (i % kChunkEntries == 0) fetch_ahead();
    positions_[number] = 0;
    --size_;
    ++result.visited;
    const std::optional<Tick> deadline = visitor.visit(number);
    if (!deadline) {
      ++result.removed;
      continue;
    }
    ++result.rearmed;
    ++size_;
    // A deadline that has passed contradicts "it lives"; the clamp keeps the sweep finite anyway.
    place(Entry{number, earlier(now, *deadline) ? *deadline : add(now, 1)});
  }
  due_count_ = 0;
}

static_assert(ExpiryQueue<TimerWheel>);

}  // namespace uct::core
