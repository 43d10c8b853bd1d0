/// The index of a shard: from the hash of a key to the number of its record.
///
/// A bucket is one cache line (table/bucket.h). The table grows and shrinks by one bucket at a time
/// (W. Litwin, "Linear hashing", 1980): with 2^k <= n < 2^(k+1) buckets, a hash's home is its low
/// k+1 bits if that is below n, else its low k bits; adding bucket n splits bucket n - 2^k. No
/// operation ever touches more than one home, so nothing stops the world.
///
/// A home that is full is chained to overflow buckets. At the load kept here 2 % of the entries lie
/// in one; a look-up that must go there prefetches it in a stage of its own. (A second home by
/// another hash, as in cuckoo tables, needs overflow counts, and the full hash of every guest when
/// its bucket is split; the chain needs neither. docs/table-layout.md)
///
/// Tags are bits 10 to 25 of the hash: while the table has between 2^10 and 2^26 buckets, the bit
/// by which a bucket splits is in the tag, and splitting reads no record.
///
/// Invariants
///   1. Every entry lies in the chain of home(hash).
///   2. Only the last bucket of a chain has free slots.
///   3. A chain has at most kChainMax buckets.
///
/// Relies on base; used by tracker.
/// Threads   guarded by the shard's lock; only home_bucket(), guess(), guess_only() and
///           next_bucket() may be called without it. The number of buckets is atomic for their
///           sake; without the lock nothing is concluded from it.
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>

#include "base/reserved_array.h"
#include "table/bucket.h"

namespace uct::core {

/// Buckets chained to one home, itself included. With a keyed hash and the load kept here, a chain
/// of 4 is already rarer than 10^-12; 16 buckets mean 160 keys chosen to collide.
inline constexpr unsigned kChainMax = 16;

/// Entries a bucket holds on average when the table grows, and below which it shrinks.
inline constexpr double kGrowLoad = 5.6;
inline constexpr double kShrinkLoad = 1.8;

/// No number of a record: the top bit of a number is its family, the rest stays below this.
inline constexpr std::uint32_t kNoNumber = 0xffffffff;

enum class InsertResult : std::uint8_t { done, chain_full, no_memory };

class Index {
 public:
  /// Gives     false when the system has no address space for `max_entries`.
  bool reserve(std::uint32_t max_entries);

  /// Gives     where a look-up of `hash` begins; to be prefetched, and to guess from.
  const Bucket* home_bucket(std::uint64_t hash) const { return &homes_[home(hash)]; }

  /// Gives     a number in `bucket` that probably belongs to `hash`, or kNoNumber. It may be stale
  ///           or wrong: check the record's key under the lock before you believe it.
  /// Threads   without the lock: memory stays mapped, and what is read is not believed.
  std::uint32_t guess(const Bucket& bucket, std::uint64_t hash) const {
#if defined(UCT_THREAD_SANITIZER)
    static_cast<void>(bucket);
    static_cast<void>(hash);
    return kNoNumber;  // it races by design; without guesses nothing but speed changes
#else
    const unsigned slot = guess_slot(bucket, tag_of(hash));
    return slot < kSlots ? bucket.numbers[slot] : kNoNumber;
#endif
  }

  /// Likewise, and whether any other number can be meant.
  struct OnlyGuess {
    std::uint32_t number;  ///< as of guess()
    bool
        is_only;  ///< `bucket` was the home, and the table knows no other of this hash: that number
                  ///< is its own, or it has none
  };
  OnlyGuess guess_only(const Bucket& bucket, std::uint64_t hash) const {
#if defined(UCT_THREAD_SANITIZER)
    return {guess(bucket, hash), false};
#else
    const SlotFound found = find_slot(bucket, tag_of(hash));
    return {found.first < kSlots ? bucket.numbers[found.first] : kNoNumber,
            !found.has_others && bucket.next() == 0};
#endif
  }

  /// Gives     the bucket that a look-up goes to after `bucket`, probably, or null.
  /// Threads   as guess().
  const Bucket* next_bucket(const Bucket& bucket) const {
#if defined(UCT_THREAD_SANITIZER)
    static_cast<void>(bucket);
    return nullptr;
#else
    const std::uint32_t next = bucket.next();
    return next != 0 && next < overflow_.capacity() ? &overflow_[next] : nullptr;
#endif
  }

  /// Finds the entry of `hash` for which is_wanted(number) holds.
  template <typename Predicate>
  std::uint32_t find(std::uint64_t hash, Predicate&& is_wanted) const {
    const std::uint16_t tag = tag_of(hash);
    const Bucket* bucket = &homes_[home(hash)];
    while (true) {
      for (SlotMask mask = match(*bucket, tag); !mask.empty(); mask.drop_first()) {
        const std::uint32_t number = bucket->numbers[mask.first()];
        if (is_wanted(number)) [[likely]]
          return number;
      }
      if (bucket->next() == 0) [[likely]]
        return kNoNumber;
      bucket = &overflow_[bucket->next()];
    }
  }

  /// Enters a number; the caller knows that its key is not in the table.
  ///
  /// `hash_of(number)` must give the hash of any number in the table; small tables ask it.
  template <typename HashOf>
  InsertResult insert(std::uint64_t hash, std::uint32_t number, HashOf&& hash_of) {
    const InsertResult result = append(home(hash), tag_of(hash), number);
    if (result == InsertResult::done) {
      ++entries_;
      if (entries_ > grow_at_) split(hash_of);
    }
    return result;
  }

  /// Takes an entry out.
  ///
  /// Requires  it is there.
  void erase(std::uint64_t hash, std::uint32_t number);

  /// Gives memory back that buckets no longer need.
  ///
  /// Gives     true when it did: call again, after others had the lock.
  /// Cost      two huge pages, or 32 small ones
  bool shrink();

  std::uint32_t entries() const { return entries_; }
  std::uint32_t buckets() const {
    return static_cast<std::uint32_t>(shape_.load(std::memory_order_relaxed));
  }
  std::uint32_t overflow_buckets() const { return overflow_live_; }
  std::uint32_t longest_chain() const { return longest_chain_; }
  std::size_t memory_bytes() const {
    return (std::size_t{homes_touched_} + overflow_touched_) * sizeof(Bucket);
  }

  /// Calls f(memory, bytes in use, bytes that use has given memory), both from its beginning, for
  /// what grows with the number of entries.
  template <typename F>
  void each_memory(F&& f) {
    f(homes_.memory(), std::size_t{buckets()} * sizeof(Bucket),
      std::size_t{homes_touched_} * sizeof(Bucket));
  }

  std::uint32_t home(std::uint64_t hash) const {
    // Without a branch: half of the hashes, or any other share, lie beyond the count.
    const std::uint64_t shape = shape_.load(std::memory_order_relaxed);
    const auto count = static_cast<std::uint32_t>(shape);
    const auto mask = static_cast<std::uint32_t>(shape >> 32);
    const std::uint32_t wide = static_cast<std::uint32_t>(hash) & mask;
    const std::uint32_t narrow = static_cast<std::uint32_t>(hash) & mask >> 1;
    return wide < count ? wide : narrow;
  }
  static std::uint16_t tag_of(std::uint64_t hash) {
    return static_cast<std::uint16_t>(hash >> kTagShift);
  }

 private:
  static constexpr unsigned kTagShift = 10;
  static constexpr std::uint32_t kMinBuckets = 8;

  struct Entry {
    std::uint16_t tag;
    std::uint32_t number;
  };

  /// Whether the bit by which buckets of this level split is in the tags.
  static bool bit_in_tag(std::uint32_t split_bit) {
    return split_bit >= (1U << kTagShift) && split_bit < (1U << (kTagShift + 16));
  }

  template <typename HashOf>
  void split(HashOf&& hash_of) {
    if (buckets() >= homes_.capacity()) return;
    const std::uint32_t split_bit = std::bit_floor(buckets());
    const std::uint32_t low = buckets() - split_bit;
    if (homes_[low].next() == 0 && bit_in_tag(split_bit)) {
      part(homes_[low], homes_[buckets()], static_cast<std::uint16_t>(split_bit >> kTagShift));
      set_buckets(buckets() + 1);
      return prefetch_split();
    }
    Entry entries[kChainMax * kSlots];
    const unsigned count = take_chain(low, entries);
    grow_by_one();
    for (unsigned i = 0; i < count; ++i) {
      const std::uint32_t low_hash = bit_in_tag(split_bit)
                                         ? std::uint32_t{entries[i].tag} << kTagShift
                                         : static_cast<std::uint32_t>(hash_of(entries[i].number));
      // Cannot fail: each half is no longer than the whole, whose overflow buckets were just freed.
      append((low_hash & split_bit) != 0 ? low + split_bit : low, entries[i].tag,
             entries[i].number);
    }
    prefetch_split();
  }

  InsertResult append(std::uint32_t home, std::uint16_t tag, std::uint32_t number);
  void prefetch_split() const;
  unsigned take_chain(std::uint32_t home, Entry* entries);
  void grow_by_one();
  void merge_last();
  bool merge_chains(std::uint32_t partner, std::uint32_t last);
  void set_buckets(std::uint32_t count);
  std::uint32_t take_overflow_bucket();
  void free_overflow_bucket(std::uint32_t place);

  ReservedArray<Bucket> homes_;
  ReservedArray<Bucket> overflow_;       ///< place 0 is never used: 0 means no next bucket
  std::atomic<std::uint64_t> shape_{0};  ///< home buckets in use; above, the mask of a wide home
  std::uint32_t entries_ = 0;
  std::uint32_t grow_at_ = 0;
  std::uint32_t shrink_at_ = 0;
  std::uint32_t overflow_live_ = 0;
  std::uint32_t overflow_used_ = 0;  ///< places ever used; the free list runs among them
  std::uint32_t overflow_free_ = 0;  ///< head of the free list through `link`, 0 when empty
  std::uint32_t longest_chain_ = 1;
  std::uint32_t homes_touched_ = 0;     ///< no bucket from here on has memory
  std::uint32_t overflow_touched_ = 0;  ///< likewise
};

}  // namespace uct::core
