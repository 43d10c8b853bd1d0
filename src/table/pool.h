/// The records of one family in one shard, addressed by number.
///
/// Numbers are dense and stable: a connection keeps its number for life. The lowest free number is
/// taken first, so that a tracker that drains empties its high places and gives their memory back.
/// A translated connection takes two, an even one and the next, and is known by the first. Which
/// numbers are live stands in a bitmap, so that neither taking nor freeing one reads a record.
///
/// Relies on base and conn; used by tracker.
/// Threads   guarded by the shard's lock; prefetch() and release() may be called without it.
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>

#include "base/prefetch.h"
#include "base/reserved_array.h"
#include "conn/record.h"

namespace uct::core {

/// How many places before its turn what lies beside a number is sent for: mostly they are taken one
/// after the other, too far apart in time for the processor to notice.
inline constexpr std::uint32_t kAhead = 4;

/// Takes and frees numbers.
class NumberPool {
 public:
  static constexpr std::uint32_t kChunk = 4096;
  static constexpr std::uint32_t kNone = 0xffffffff;

  /// Numbers whose memory goes together: a chunk among the first sixteen, whose pages are small,
  /// and otherwise sixteen, so that every array gives whole huge pages back. To give a part of one
  /// back cuts it up, which takes 100 us under the shard's lock and leaves what lives there in
  /// small pages.
  static constexpr std::uint32_t kUnitChunks = 16;
  static constexpr std::uint32_t kLargeUnit = kUnitChunks * kChunk;
  struct Range {
    std::uint32_t first = 0;
    std::uint32_t count = 0;
  };

  bool reserve(std::uint32_t capacity);

  /// Gives     the lowest free number, or kNone when the capacity is reached.
  std::uint32_t take();

  /// Gives     the lowest even number that is free together with the next, or kNone. Of a capacity
  ///           of 2 n there is one while no more than n - 1 were taken, alone or in pairs.
  std::uint32_t take_pair();

  /// Frees a number that was taken alone, or the pair that begins with it.
  void free(std::uint32_t number);

  /// Gives     false also for the second of a pair.
  bool is_live(std::uint32_t number) const {
    return (names(chunks_[number / kChunk], number % kChunk / 64) >> (number % 64) & 1) != 0;
  }

  /// Gives     the first live number at or after `number`, or kNone; no second of a pair.
  std::uint32_t next_live(std::uint32_t number) const;

  /// Gives     how many are not free, second ones too.
  std::uint32_t live() const { return live_; }

  /// Gives     a number that no live one reaches, at the end of a chunk.
  std::uint32_t reach() const { return chunk_count_ * kChunk; }
  std::uint32_t capacity() const { return capacity_; }

  /// Gives     a number from which on none was taken since its memory was given back.
  std::uint32_t touched() const {
    if (unit_count_ == 0) return 0;
    const Range last = range_of(unit_count_ - 1);
    return last.first + last.count;
  }

  /// Gives     the generation that follows `last` at this place; 0 means that the record was given
  ///           back and remembers none. Never 0.
  std::uint8_t next_generation(std::uint32_t number, std::uint8_t last);

  /// Takes numbers out of use whose memory is to be given back: all are free, and so many below
  /// them that they will not be needed soon. Their generations begin again behind those that any of
  /// them had, so that handles of before stay stale.
  ///
  /// Gives     the numbers, of which none is taken until reopen(); a count of 0 when there are none
  /// Cost      O(1) mostly; where something is free, a look at each unit
  Range retire();
  void reopen(Range retired);

 private:
  struct Chunk {
    std::uint64_t full_words;      ///< bit w: word w of `used` has no free bit
    std::uint64_t pairless_words;  ///< bit w: it has no two for a pair
    std::uint64_t used[kChunk / 64];
    std::uint64_t second[kChunk / 64];  ///< of these, the second ones of pairs
    std::uint32_t live;
    std::uint8_t generation_base;  ///< the one before the first of a record that was given back
    std::uint8_t generation_top;   ///< how far beyond it any record came; 255 is for ever
  };

  /// What is given back as a whole.
  struct Unit {
    std::uint32_t live_chunks;  ///< that have a live number
    bool touched;               ///< it may have memory
  };

  static std::uint32_t unit_of(std::uint32_t number) {
    return number < kLargeUnit ? number / kChunk : kUnitChunks - 1 + number / kLargeUnit;
  }
  static std::uint64_t names(const Chunk& chunk, unsigned word) {
    return chunk.used[word] & ~chunk.second[word];
  }
  static std::uint64_t pairs_in(std::uint64_t free);
  static void note_room(Chunk& chunk, unsigned word);
  std::uint32_t skip_full(std::uint32_t first, std::uint64_t Chunk::*full) const;
  void occupy(std::uint32_t place, unsigned word, std::uint64_t bits, std::uint32_t count);
  Range range_of(std::uint32_t unit) const;
  bool is_idle(const Unit& unit) const { return unit.touched && unit.live_chunks == 0; }
  void wake(std::uint32_t chunk);
  void forget_generations(Range given_back);
  void set_open(Range range, bool open);

  ReservedArray<Chunk> chunks_;
  ReservedArray<Unit> units_;
  std::uint32_t capacity_ = 0;
  std::uint32_t live_ = 0;
  std::uint32_t pairs_ = 0;            ///< of these, how many twos go together
  std::uint32_t first_with_room_ = 0;  ///< no chunk before this one has a free number
  std::uint32_t first_with_pair_ = 0;  ///< likewise a free pair
  std::uint32_t chunk_count_ = 0;      ///< no chunk from here on has a live number
  std::uint32_t unit_count_ = 0;       ///< no unit from here on was touched
  std::uint32_t idle_units_ = 0;       ///< touched, and without a live number
};

template <typename Key>
class RecordPool {
 public:
  bool reserve(std::uint32_t capacity) {
    // Each connection may take two; a chunk more, so that there is room for all while one rests.
    return numbers_.reserve(2 * capacity + NumberPool::kChunk) &&
           records_.reserve(numbers_.capacity()) && colds_.reserve(numbers_.capacity());
  }

  /// Gives     a number whose record's body and cold part are all zero and whose generation is
  ///           another than when the place was used before, or NumberPool::kNone.
  std::uint32_t take() {
    const std::uint32_t number = numbers_.take();
    if (number == NumberPool::kNone) return number;
    prefetch(number + kAhead);
    clear(number, kAhead);
    return number;
  }

  /// Likewise one that has room beside its record.
  std::uint32_t take_pair() {
    const std::uint32_t number = numbers_.take_pair();
    if (number == NumberPool::kNone) return number;
    prefetch_pair(number + 2 * kAhead);
    clear(number, 2 * kAhead);
    records_[number + 1].beside = Translated<Key>{};
    return number;
  }

  /// Leaves a record that no packet's key is equal to; so is the second of a pair all the time.
  void free(std::uint32_t number) {
    records_[number].key.kind = Kind::none;
    numbers_.free(number);
  }

  /// Frees a number that was taken for nothing: nobody has seen its generation, which comes again.
  void put_back(std::uint32_t number) {
    std::uint8_t& generation = records_[number].key.generation;
    generation = static_cast<std::uint8_t>(generation == 1 ? 255 : generation - 1);
    free(number);
  }

  /// Memory is given back in three steps, because the second takes 50 us and needs no lock: the
  /// numbers that retire() names rest until reopen().
  NumberPool::Range retire() { return numbers_.retire(); }
  void release(NumberPool::Range retired) {
    records_.release(retired.first, retired.count);
    colds_.release(retired.first, retired.count);
  }
  void reopen(NumberPool::Range retired) { numbers_.reopen(retired); }

  Record<Key>& record(std::uint32_t number) { return records_[number]; }
  const Record<Key>& record(std::uint32_t number) const { return records_[number]; }

  /// Requires  `number` is the first of a pair
  Translated<Key>& beside(std::uint32_t number) { return records_[number + 1].beside; }
  const Translated<Key>& beside(std::uint32_t number) const { return records_[number + 1].beside; }

  Cold& cold(std::uint32_t number) { return colds_[number]; }
  const Cold& cold(std::uint32_t number) const { return colds_[number]; }
  const NumberPool& numbers() const { return numbers_; }

  /// Gives     numbers that are mapped, live or not: record() of any below reads as no connection
  ///           or as the latest one.
  std::uint32_t capacity() const { return numbers_.capacity(); }

  /// Any number will do.
  [[gnu::always_inline]] void prefetch(std::uint32_t number) const {
    prefetch_lines<sizeof(Record<Key>)>(place_of(number));
  }

  /// Likewise, and what is beside the record.
  [[gnu::always_inline]] void prefetch_pair(std::uint32_t number) const {
    constexpr std::size_t kBeside = sizeof(Record<Key>) + offsetof(Record<Key>, beside);
    prefetch(number);
    prefetch_lines<sizeof(Translated<Key>)>(place_of(number) + kBeside);
  }

  /// Calls f(memory, bytes in use, bytes that use has given memory), both from its beginning, for
  /// what grows with the number of records.
  template <typename F>
  void each_memory(F&& f) {
    const std::size_t used = numbers_.reach();
    const std::size_t touched = numbers_.touched();
    f(records_.memory(), used * sizeof(Record<Key>), touched * sizeof(Record<Key>));
    f(colds_.memory(), used * sizeof(Cold), touched * sizeof(Cold));
  }

  std::size_t memory_bytes() const {
    return numbers_.live() * (sizeof(Record<Key>) + sizeof(Cold));
  }

 private:
  std::uintptr_t place_of(std::uint32_t number) const {
    return reinterpret_cast<std::uintptr_t>(records_.data() + number);
  }

  void clear(std::uint32_t number, std::uint32_t ahead) {
    __builtin_prefetch(colds_.data() + number + ahead, 1, 3);
    // Written before it is read: memory that was never touched would otherwise be mapped twice, as
    // a page of zeros for the read and as one of its own for the write.
    records_[number].body = Body{};
    std::atomic_signal_fence(std::memory_order_seq_cst);
    colds_[number] = Cold{};
    std::uint8_t& generation = records_[number].key.generation;
    generation = numbers_.next_generation(number, generation);
  }

  NumberPool numbers_;
  ReservedArray<Record<Key>> records_;
  ReservedArray<Cold> colds_;
};

}  // namespace uct::core
