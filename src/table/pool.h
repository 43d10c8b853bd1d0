/// The records of one family in one shard, addressed by number.
///
/// Numbers are dense and stable: a connection keeps its number for life. The lowest free number is
/// taken first, so that a tracker that drains empties its high chunks and gives their memory back.
/// Which numbers are live stands in a bitmap, so that neither taking nor freeing one reads a
/// record.
///
/// Relies on base and conn; used by tracker.
/// Threads   guarded by the shard's lock; prefetch() may be called without it.
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>

#include "base/reserved_array.h"
#include "conn/record.h"

namespace uct::core {

/// Takes and frees numbers.
class NumberPool {
 public:
  static constexpr std::uint32_t kChunk = 4096;
  static constexpr std::uint32_t kNone = 0xffffffff;

  bool reserve(std::uint32_t capacity);

  /// Gives     the lowest free number, or kNone when the capacity is reached.
  std::uint32_t take();

  /// Gives     true when `number` was the last live one of its chunk, whose memory may go.
  bool free(std::uint32_t number);

  bool is_live(std::uint32_t number) const {
    const Chunk& chunk = chunks_[number / kChunk];
    return (chunk.used[number % kChunk / 64] >> (number % 64) & 1) != 0;
  }

  /// Gives     the first live number at or after `number`, or kNone.
  std::uint32_t next_live(std::uint32_t number) const;

  std::uint32_t live() const { return live_; }

  /// Gives     a number that no live one reaches, at the end of a chunk.
  std::uint32_t reach() const { return chunk_count_ * kChunk; }
  std::uint32_t capacity() const { return capacity_; }

  /// Gives     the generation that follows `last` at this place; 0 means that the record was given
  ///           back and remembers none. Never 0.
  std::uint8_t next_generation(std::uint32_t number, std::uint8_t last);

  /// Takes note that the records of this number's chunk are given back: their generations begin
  /// again behind those that any of them had, so that handles of before stay stale.
  void forget_generations(std::uint32_t number);

 private:
  struct Chunk {
    std::uint64_t full_words;  ///< bit w: word w of `used` has no free bit
    std::uint64_t used[kChunk / 64];
    std::uint32_t live;
    std::uint8_t generation_base;  ///< the one before the first of a record that was given back
    std::uint8_t generation_top;   ///< how far beyond it any record came; 255 is for ever
  };

  ReservedArray<Chunk> chunks_;
  std::uint32_t capacity_ = 0;
  std::uint32_t live_ = 0;
  std::uint32_t first_with_room_ = 0;  ///< no chunk before this one has a free number
  std::uint32_t chunk_count_ = 0;      ///< chunks that were ever used
};

template <typename Key>
class RecordPool {
 public:
  bool reserve(std::uint32_t capacity) {
    // Whole chunks, which free() gives back whole.
    return numbers_.reserve(capacity) && records_.reserve(numbers_.capacity()) &&
           colds_.reserve(numbers_.capacity());
  }

  /// Gives     a number whose record's body and cold part are all zero and whose generation is
  ///           another than when the place was used before, or NumberPool::kNone.
  std::uint32_t take() {
    const std::uint32_t number = numbers_.take();
    if (number == NumberPool::kNone) return number;
    // Written before it is read: memory that was never touched would otherwise be mapped twice, as
    // a page of zeros for the read and as one of its own for the write.
    records_[number].body = Body{};
    std::atomic_signal_fence(std::memory_order_seq_cst);
    colds_[number] = Cold{};
    std::uint8_t& generation = records_[number].key.generation;
    generation = numbers_.next_generation(number, generation);
    return number;
  }

  /// Leaves a record that no packet's key is equal to.
  void free(std::uint32_t number) {
    records_[number].key.kind = Kind::none;
    if (!numbers_.free(number)) return;
    const std::uint32_t first = number / NumberPool::kChunk * NumberPool::kChunk;
    numbers_.forget_generations(number);
    records_.release(first, NumberPool::kChunk);
    colds_.release(first, NumberPool::kChunk);
  }

  Record<Key>& record(std::uint32_t number) { return records_[number]; }
  const Record<Key>& record(std::uint32_t number) const { return records_[number]; }
  Cold& cold(std::uint32_t number) { return colds_[number]; }
  const Cold& cold(std::uint32_t number) const { return colds_[number]; }
  const NumberPool& numbers() const { return numbers_; }

  /// Gives     numbers that are mapped, live or not: record() of any below reads as no connection
  ///           or as the latest one.
  std::uint32_t capacity() const { return numbers_.capacity(); }

  /// Any number will do: a line that is not there is not fetched.
  void prefetch(std::uint32_t number) const {
    const auto line = reinterpret_cast<std::uintptr_t>(records_.data()) +
                      std::uintptr_t{number} * sizeof(Record<Key>);
    __builtin_prefetch(reinterpret_cast<const void*>(line), 1, 3);
    if constexpr (sizeof(Record<Key>) > 64) {
      __builtin_prefetch(reinterpret_cast<const void*>(line + 64), 1, 3);
    }
  }

  /// Calls f(memory, bytes in use from its beginning) for what grows with the number of records.
  template <typename F>
  void each_memory(F&& f) const {
    f(records_.memory(), std::size_t{numbers_.reach()} * sizeof(Record<Key>));
    f(colds_.memory(), std::size_t{numbers_.reach()} * sizeof(Cold));
  }

  std::size_t memory_bytes() const {
    return numbers_.live() * (sizeof(Record<Key>) + sizeof(Cold));
  }

 private:
  NumberPool numbers_;
  ReservedArray<Record<Key>> records_;
  ReservedArray<Cold> colds_;
};

}  // namespace uct::core
