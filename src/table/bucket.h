/// One cache line of the index, and how a tag is looked for in it.
///
///   | tag 0..9: 16 bits each | number 0..9: 32 bits each | next bucket 28 bits, count 4 bits |
///
/// Slots 0 to count-1 are in use; a search compares all tags at once and then looks only at the
/// numbers of those that match. `next` leads to an overflow bucket of the same home, 0 means none.
/// Included by table/index.h and its tests.
/// Threads   guarded by the lock of the shard that owns the index.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace uct::core {

/// Ten slots: 10 x (2 + 4) bytes and one link fill the line.
inline constexpr unsigned kSlots = 10;

struct alignas(64) Bucket {
  std::uint16_t tags[kSlots];
  std::uint32_t numbers[kSlots];
  std::uint32_t link;

  unsigned count() const { return link & 0xf; }
  std::uint32_t next() const { return link >> 4; }
  void set_count(unsigned count) { link = (link & ~0xfU) | count; }
  void set_next(std::uint32_t next) { link = next << 4 | (link & 0xf); }

  void append(std::uint16_t tag, std::uint32_t number) {
    const unsigned slot = count();
    tags[slot] = tag;
    numbers[slot] = number;
    set_count(slot + 1);
  }
};
static_assert(sizeof(Bucket) == 64, "one cache line");

/// Moves the entries of a bucket without overflow whose tags have `bit` to another, and keeps the
/// rest. Without a branch: half of them go, and nobody can guess which.
inline void part(Bucket& bucket, Bucket& other, std::uint16_t bit) {
  const Bucket whole = bucket;
  unsigned counts[2] = {0, 0};
  Bucket* const halves[2] = {&bucket, &other};
  for (unsigned slot = 0; slot < whole.count(); ++slot) {
    const unsigned goes = (whole.tags[slot] & bit) != 0 ? 1 : 0;
    halves[goes]->tags[counts[goes]] = whole.tags[slot];
    halves[goes]->numbers[counts[goes]] = whole.numbers[slot];
    ++counts[goes];
  }
  bucket.link = counts[0];
  other.link = counts[1];
}

/// Moves all entries of `other` to `bucket`.
///
/// Gives     false, with nothing changed, when they do not fit or one of them has overflow.
inline bool join(Bucket& bucket, Bucket& other) {
  const unsigned count = other.count();
  if (bucket.next() != 0 || other.next() != 0 || bucket.count() + count > kSlots) return false;
  for (unsigned slot = 0; slot < count; ++slot) {
    bucket.append(other.tags[slot], other.numbers[slot]);
  }
  other.link = 0;
  return true;
}

/// Highest number of overflow buckets that `link` can address.
inline constexpr std::uint32_t kMaxOverflow = (1U << 28) - 1;

/// The slots whose tag matched: two bits for each slot, as a byte mask of 16-bit lanes comes.
class SlotMask {
 public:
  explicit SlotMask(std::uint32_t bits) : bits_(bits) {}
  bool empty() const { return bits_ == 0; }
  unsigned first() const { return static_cast<unsigned>(std::countr_zero(bits_)) / 2; }
  void drop_first() {
    bits_ &= bits_ - 1;
    bits_ &= bits_ - 1;
  }

 private:
  std::uint32_t bits_;
};

/// The plain version, compiled and tested beside the other one everywhere.
inline SlotMask match_scalar(const Bucket& bucket, std::uint16_t tag) {
  std::uint32_t bits = 0;
  const unsigned count = std::min(bucket.count(), kSlots);
  for (unsigned slot = 0; slot < count; ++slot) {
    if (bucket.tags[slot] == tag) bits |= 3U << (2 * slot);
  }
  return SlotMask(bits);
}

/// Gives     the slot of the first tag that matches, or a number from kSlots on. Whether the slot
///           is in use is not asked: for guesses only.
inline unsigned guess_slot_scalar(const Bucket& bucket, std::uint16_t tag) {
  unsigned slot = 0;
  while (slot < kSlots && bucket.tags[slot] != tag) ++slot;
  return slot;
}

/// Where a tag was found, among the slots in use.
struct SlotFound {
  unsigned first;   ///< kSlots when there is none
  bool has_others;  ///< there are more of them
};

inline SlotFound find_slot_scalar(const Bucket& bucket, std::uint16_t tag) {
  const unsigned count = std::min(bucket.count(), kSlots);
  const auto next = [&](unsigned slot) {
    while (slot < count && bucket.tags[slot] != tag) ++slot;
    return slot < count ? slot : kSlots;
  };
  const unsigned first = next(0);
  return {first, first != kSlots && next(first + 1) != kSlots};
}

#if defined(__SSE2__)
/// Gives     a bit for each matching tag: bits 0 to 7 are slots 0 to 7, bits 14 and 15 slots 8 and
///           9; what is between repeats.
inline unsigned match_bits(const Bucket& bucket, std::uint16_t tag) {
  const __m128i wanted = _mm_set1_epi16(static_cast<short>(tag));
  __m128i low;
  __m128i high;
  std::memcpy(&low, bucket.tags, sizeof(low));        // tags 0 to 7
  std::memcpy(&high, bucket.tags + 2, sizeof(high));  // tags 2 to 9, of which the last two count
  const __m128i both = _mm_packs_epi16(_mm_cmpeq_epi16(low, wanted), _mm_cmpeq_epi16(high, wanted));
  return static_cast<unsigned>(_mm_movemask_epi8(both));
}

inline unsigned guess_slot(const Bucket& bucket, std::uint16_t tag) {
  const auto first = static_cast<unsigned>(std::countr_zero(match_bits(bucket, tag) | 1U << 16));
  return first < 8 ? first : first - 6;
}

inline SlotFound find_slot(const Bucket& bucket, std::uint16_t tag) {
  // By count, the bits of the slots in use.
  static constexpr std::uint16_t kInUse[16] = {0x0000, 0x0001, 0x0003, 0x0007, 0x000f, 0x001f,
                                               0x003f, 0x007f, 0x00ff, 0x40ff, 0xc0ff};
  const unsigned bits = match_bits(bucket, tag) & kInUse[bucket.count()];
  const auto first = static_cast<unsigned>(std::countr_zero(bits | 1U << 16));
  return {first < 8 ? first : first - 6, (bits & (bits - 1)) != 0};
}

/// SSE2 is in every x86-64 processor: ten tags in two overlapping loads of eight.
inline SlotMask match(const Bucket& bucket, std::uint16_t tag) {
  const __m128i wanted = _mm_set1_epi16(static_cast<short>(tag));
  __m128i low;
  __m128i high;
  std::memcpy(&low, bucket.tags, sizeof(low));        // tags 0 to 7
  std::memcpy(&high, bucket.tags + 2, sizeof(high));  // tags 2 to 9, of which the last two count
  const auto low_bits = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi16(low, wanted)));
  const auto high_bits = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi16(high, wanted)));
  const std::uint32_t all = low_bits | (high_bits >> 12 << 16);
  return SlotMask(all & ((1U << (2 * std::min(bucket.count(), kSlots))) - 1));
}
#else
inline SlotMask match(const Bucket& bucket, std::uint16_t tag) { return match_scalar(bucket, tag); }
inline unsigned guess_slot(const Bucket& bucket, std::uint16_t tag) {
  return guess_slot_scalar(bucket, tag);
}
inline SlotFound find_slot(const Bucket& bucket, std::uint16_t tag) {
  return find_slot_scalar(bucket, tag);
}
#endif

}  // namespace uct::core
