/// The reply tuples of one family's translated connections in one shard, addressed by number.
///
/// Apart from the records of connections, because a reply tuple needs half a line where a record
/// takes one and its cold part half of another: what is looked up first is denser, and memory is
/// cleared for nothing but what is used.
///
/// Relies on base, conn and table/pool.h; used by tracker.
/// Threads   guarded by the shard's lock; release() may be called without it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/reserved_array.h"
#include "conn/record.h"
#include "table/pool.h"

namespace uct::core {

template <typename Key>
class AliasPool {
 public:
  bool reserve(std::uint32_t capacity) {
    // A chunk more, as in RecordPool.
    return numbers_.reserve(capacity + NumberPool::kChunk) && aliases_.reserve(numbers_.capacity());
  }

  /// Gives     the number of an alias for `key` that has no home yet and another generation than
  ///           when the place was used before, or NumberPool::kNone.
  std::uint32_t take(const Key& key) {
    const std::uint32_t number = numbers_.take();
    if (number == NumberPool::kNone) return number;
    __builtin_prefetch(aliases_.data() + number + kAhead, 1, 3);
    Alias<Key>& alias = aliases_[number];
    alias.home = Home{};  // written before it is read, as in RecordPool
    std::atomic_signal_fence(std::memory_order_seq_cst);
    const std::uint8_t generation = numbers_.next_generation(number, alias.key.generation);
    alias.key = key;
    alias.key.generation = generation;
    return number;
  }

  /// Leaves an alias that no packet's key is equal to.
  void free(std::uint32_t number) {
    aliases_[number].key.kind = Kind::none;
    numbers_.free(number);
  }

  /// As of RecordPool.
  NumberPool::Range retire() { return numbers_.retire(); }
  void release(NumberPool::Range retired) { aliases_.release(retired.first, retired.count); }
  void reopen(NumberPool::Range retired) { numbers_.reopen(retired); }

  Alias<Key>& operator[](std::uint32_t number) { return aliases_[number]; }
  const Alias<Key>& operator[](std::uint32_t number) const { return aliases_[number]; }
  const Alias<Key>* data() const { return aliases_.data(); }
  const NumberPool& numbers() const { return numbers_; }
  std::uint32_t capacity() const { return numbers_.capacity(); }

  /// As of RecordPool.
  template <typename F>
  void each_memory(F&& f) {
    f(aliases_.memory(), numbers_.reach() * sizeof(Alias<Key>),
      numbers_.touched() * sizeof(Alias<Key>));
  }

  std::size_t memory_bytes() const { return numbers_.live() * sizeof(Alias<Key>); }

 private:
  NumberPool numbers_;
  ReservedArray<Alias<Key>> aliases_;
};

}  // namespace uct::core
