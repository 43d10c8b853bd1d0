#include "nat/port_set.h"

#include <algorithm>
#include <bit>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace uct::core {
namespace {

constexpr std::uint32_t kChildren = 32;
constexpr std::uint32_t kGroup = kChildren * 64;
constexpr std::uint64_t kEachByte = 0x0101010101010101;

using Sums = std::array<std::uint16_t, kChildren>;

#if defined(__SSE2__)

__m128i load(const std::uint16_t* at) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
}

/// Gives     a bit for each of 16 sums that is not above the one in all lanes of `rank`.
unsigned not_above(const std::uint16_t* sums, __m128i rank) {
  // There is no unsigned comparison: what is not above leaves 0 when `rank` is subtracted and the
  // difference stops at 0.
  const __m128i zero = _mm_setzero_si128();
  const __m128i low = _mm_cmpeq_epi16(_mm_subs_epu16(load(sums), rank), zero);
  const __m128i high = _mm_cmpeq_epi16(_mm_subs_epu16(load(sums + 8), rank), zero);
  return static_cast<unsigned>(_mm_movemask_epi8(_mm_packs_epi16(low, high)));
}

/// Gives     the last child whose sum is not above `rank`; sums rise and the first is 0.
std::uint32_t child_of(const Sums& sums, std::uint32_t rank) {
  const __m128i ranks = _mm_set1_epi16(static_cast<short>(rank));
  const std::uint64_t low = not_above(sums.data(), ranks);
  const std::uint64_t high = not_above(&sums[16], ranks);
  // Counted from below and not with std::bit_width, whose BSR takes longer than a TZCNT; in 64
  // bits, so that a zero is found although all 32 are set.
  return static_cast<std::uint32_t>(__builtin_ctzll(~(low | high << 16))) - 1;
}

/// Adds -1 (an index is gone) or 1 to the sums behind `child`.
template <int kChange>
void change(Sums& sums, std::uint32_t child) {
  const __m128i last = _mm_set1_epi16(static_cast<short>(child));
  __m128i lane = _mm_setr_epi16(0, 1, 2, 3, 4, 5, 6, 7);
  for (std::uint32_t i = 0; i < kChildren; i += 8) {
    const __m128i behind = _mm_cmpgt_epi16(lane, last);  // -1 where it is
    const __m128i old = load(&sums[i]);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(&sums[i]),
                     kChange < 0 ? _mm_add_epi16(old, behind) : _mm_sub_epi16(old, behind));
    lane = _mm_add_epi16(lane, _mm_set1_epi16(8));
  }
}

#else

std::uint32_t child_of(const Sums& sums, std::uint32_t rank) {
  std::uint32_t child = 0;
  for (std::uint32_t i = 1; i < kChildren; ++i) child += sums[i] <= rank ? 1 : 0;
  return child;
}

template <int kChange>
void change(Sums& sums, std::uint32_t child) {
  for (std::uint32_t i = 1; i < kChildren; ++i) {
    sums[i] = static_cast<std::uint16_t>(sums[i] + (i > child ? kChange : 0));
  }
}

#endif

std::uint32_t byte_at(std::uint64_t bytes, unsigned shift) {
  return static_cast<std::uint32_t>(bytes >> shift & 0xff);
}

/// Gives     in each byte the ones up to its end.
std::uint64_t ones_by_byte(std::uint64_t word) {
  word -= word >> 1 & kEachByte * 0x55;
  word = (word & kEachByte * 0x33) + (word >> 2 & kEachByte * 0x33);
  return ((word + (word >> 4)) & kEachByte * 0x0f) * kEachByte;
}

std::uint32_t count_ones(std::uint64_t word) {
  return static_cast<std::uint32_t>(ones_by_byte(word) >> 56);
}

/// Of each byte, the places of its ones from the lowest on, four bits each. 1 KiB.
constexpr std::array<std::uint32_t, 256> kPlaces = [] {
  std::array<std::uint32_t, 256> places{};
  for (unsigned byte = 0; byte < 256; ++byte) {
    unsigned rank = 0;
    for (unsigned bit = 0; bit < 8; ++bit) {
      if ((byte >> bit & 1) != 0) places[byte] |= bit << (4 * rank++);
    }
  }
  return places;
}();

/// Gives     the place of the one that has `rank` ones below it.
///
/// The byte by its sum, all eight at once within a word (S. Vigna, "Broadword implementation of
/// rank/select queries", 2008), then the bit from a table. The baseline has neither POPCNT nor
/// PDEP; PDEP is slow where it is microcode; to clear ones in a loop takes the longer the emptier
/// the set.
std::uint32_t bit_of(std::uint64_t word, std::uint32_t rank) {
  const std::uint64_t ones = ones_by_byte(word);
  // The sums are at most 64, so bit 7 of a byte of this is set when its sum is above `rank`; the
  // last one's is.
  const std::uint64_t above = (ones + (127 - rank) * kEachByte) & kEachByte * 0x80;
  const auto shift = static_cast<unsigned>(__builtin_ctzll(above)) - 7;
  rank -= byte_at(ones << 8, shift);
  return shift + (kPlaces[byte_at(word, shift)] >> (4 * rank) & 7);
}

}  // namespace

FreeIndexes::FreeIndexes(std::uint32_t size)
    : words_before_((size + kGroup - 1) / kGroup), words_((size + 63) / 64), size_(size) {
  static_assert(kSizeMax == kGroup * FreeIndexes::kChildren);
}

void FreeIndexes::fill(std::uint32_t from, std::uint32_t to) {
  while (from < to) {
    const std::uint32_t count = std::min(64 - from % 64, to - from);
    words_[from / 64] |= ~std::uint64_t{0} >> (64 - count) << (from % 64);
    from += count;
  }
  sum_up();
}

void FreeIndexes::sum_up() {
  count_ = 0;
  for (std::uint32_t group = 0; group < kChildren; ++group) {
    groups_[group] = static_cast<std::uint16_t>(count_);
    if (group >= words_before_.size()) continue;
    const std::uint32_t before = count_;
    for (std::uint32_t place = 0; place < kChildren; ++place) {
      words_before_[group][place] = static_cast<std::uint16_t>(count_ - before);
      const std::uint32_t word = group * kChildren + place;
      if (word < words_.size()) count_ += count_ones(words_[word]);
    }
  }
}

std::uint32_t FreeIndexes::select(std::uint32_t rank) const {
  const std::uint32_t group = child_of(groups_, rank);
  rank -= groups_[group];
  const Sums& before = words_before_[group];
  const std::uint32_t place = child_of(before, rank);
  const std::uint32_t word = group * kChildren + place;
  return word * 64 + bit_of(words_[word], rank - before[place]);
}

std::uint32_t FreeIndexes::take(std::uint32_t rank) {
  const std::uint32_t group = child_of(groups_, rank);
  rank -= groups_[group];
  change<-1>(groups_, group);
  Sums& before = words_before_[group];
  const std::uint32_t place = child_of(before, rank);
  rank -= before[place];
  change<-1>(before, place);
  std::uint64_t& word = words_[group * kChildren + place];
  const std::uint32_t bit = bit_of(word, rank);
  word &= ~(std::uint64_t{1} << bit);
  --count_;
  return (group * kChildren + place) * 64 + bit;
}

std::uint32_t FreeIndexes::rank(std::uint32_t index) const {
  if (index >= size_) return count_;
  const std::uint32_t word = index / 64;
  const std::uint64_t below = words_[word] & ((std::uint64_t{1} << (index % 64)) - 1);
  return groups_[index / kGroup] + words_before_[index / kGroup][word % kChildren] +
         count_ones(below);
}

void FreeIndexes::insert(std::uint32_t index) {
  words_[index / 64] |= std::uint64_t{1} << (index % 64);
  change<1>(words_before_[index / kGroup], index / 64 % kChildren);
  change<1>(groups_, index / kGroup);
  ++count_;
}

void FreeIndexes::erase(std::uint32_t index) {
  words_[index / 64] &= ~(std::uint64_t{1} << (index % 64));
  change<-1>(words_before_[index / kGroup], index / 64 % kChildren);
  change<-1>(groups_, index / kGroup);
  --count_;
}

std::size_t FreeIndexes::memory_bytes() const {
  return words_before_.capacity() * sizeof(Sums) + words_.capacity() * sizeof(std::uint64_t);
}

std::array<PortFilter, 3> filters_of(const PortWish& wish) {
  const PortRange range = wish.keep_class ? class_of(wish.port) : PortRange{};
  const Parity parity = wish.keep_parity ? parity_of(wish.port) : Parity::any;
  return {{{range, parity}, {range, Parity::any}, {}}};
}

PortSet::PortSet(PortRange range) : range_(range), base_(range.first & ~1U) {
  // Both halves begin at a word, so that a small range does not share one between them.
  const std::uint32_t pairs = (range.last - base_) / 2 + 1;
  odd_begin_ = (pairs + 63) / 64 * 64;
  free_ = FreeIndexes(2 * odd_begin_);
  free_.fill(range.first % 2, (range.last - base_) / 2 + 1);
  free_.fill(odd_begin_, odd_begin_ + (range.last + 1 - base_) / 2);
}

PortSet::Ranks PortSet::ranks_of(const PortFilter& filter) const {
  const std::uint32_t first = std::max(filter.range.first, range_.first);
  const std::uint32_t end = std::min(filter.range.last, range_.last) + 1U;
  Ranks ranks;
  if (first >= end) return ranks;
  if (filter.parity != Parity::odd) {
    ranks.even_first = free_.rank((first - base_ + 1) / 2);
    ranks.even_count = free_.rank((end - base_ + 1) / 2) - ranks.even_first;
  }
  if (filter.parity != Parity::even) {
    ranks.odd_first = free_.rank(odd_begin_ + (first - base_) / 2);
    ranks.odd_count = free_.rank(odd_begin_ + (end - base_) / 2) - ranks.odd_first;
  }
  return ranks;
}

std::uint32_t PortSet::available_in(const PortFilter& filter) const {
  const Ranks ranks = ranks_of(filter);
  return ranks.even_count + ranks.odd_count;
}

std::uint16_t PortSet::take_ranked(const Ranks& ranks, std::uint32_t rank) {
  return port_of(free_.take(rank < ranks.even_count ? ranks.even_first + rank
                                                    : ranks.odd_first + (rank - ranks.even_count)));
}

std::uint16_t PortSet::take_ranked(const PortFilter& filter, std::uint32_t rank) {
  return take_ranked(ranks_of(filter), rank);
}

std::optional<std::uint16_t> PortSet::take_in(const PortFilter& filter, std::uint64_t random) {
  const Ranks ranks = ranks_of(filter);
  const std::uint32_t count = ranks.even_count + ranks.odd_count;
  if (count == 0) return std::nullopt;
  return take_ranked(ranks, bounded(random, count));
}

std::optional<std::uint16_t> PortSet::take_like(const PortWish& wish, std::uint64_t random) {
  if (wish.keep_port && take_exact(wish.port)) return wish.port;
  if (wish.keep_class || wish.keep_parity) {
    for (const PortFilter& filter : filters_of(wish)) {
      if (const auto port = take_in(filter, random)) return port;
    }
  }
  return take(random);
}

bool PortSet::take_exact(std::uint16_t port) {
  if (!range_.contains(port) || !free_.contains(index_of(port))) return false;
  free_.erase(index_of(port));
  return true;
}

bool PortSet::free(std::uint16_t port) {
  if (!is_taken(port)) return false;
  free_.insert(index_of(port));
  return true;
}

}  // namespace uct::core
