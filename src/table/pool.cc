#include "table/pool.h"

#include <algorithm>

namespace uct::core {

namespace {

/// `full_words` of a chunk that has no free number, and `pairless_words` of one without pairs.
constexpr std::uint64_t kAllWords = ~std::uint64_t{0};

}  // namespace

bool NumberPool::reserve(std::uint32_t capacity) {
  capacity_ = (capacity + kChunk - 1) / kChunk * kChunk;
  return chunks_.reserve(capacity_ / kChunk) && units_.reserve(unit_of(capacity_) + 1);
}

std::uint32_t NumberPool::take() {
  first_with_room_ = skip_full(first_with_room_, &Chunk::full_words);
  if (first_with_room_ == capacity_ / kChunk) return kNone;
  const Chunk& chunk = chunks_[first_with_room_];
  const auto word = static_cast<unsigned>(std::countr_one(chunk.full_words));
  const auto bit = static_cast<unsigned>(std::countr_one(chunk.used[word]));
  occupy(first_with_room_, word, std::uint64_t{1} << bit, 1);
  return first_with_room_ * kChunk + word * 64 + bit;
}

std::uint32_t NumberPool::take_pair() {
  first_with_pair_ = skip_full(first_with_pair_, &Chunk::pairless_words);
  if (first_with_pair_ == capacity_ / kChunk) return kNone;
  Chunk& chunk = chunks_[first_with_pair_];
  const auto word = static_cast<unsigned>(std::countr_one(chunk.pairless_words));
  const auto bit = static_cast<unsigned>(std::countr_zero(pairs_in(~chunk.used[word])));
  chunk.second[word] |= std::uint64_t{2} << bit;
  ++pairs_;
  occupy(first_with_pair_, word, std::uint64_t{3} << bit, 2);
  return first_with_pair_ * kChunk + word * 64 + bit;
}

/// Gives     the first chunk from `first` on that has a word whose bit in `full` is not set, or the
///           number of chunks.
std::uint32_t NumberPool::skip_full(std::uint32_t first, std::uint64_t Chunk::*full) const {
  const std::uint32_t end = capacity_ / kChunk;
  while (first != end && chunks_[first].*full == kAllWords) ++first;
  return first;
}

/// Gives     a bit for each even place that is free together with the next.
std::uint64_t NumberPool::pairs_in(std::uint64_t free) {
  constexpr std::uint64_t kEvenPlaces = 0x5555555555555555;
  return free & free >> 1 & kEvenPlaces;
}

/// Notes what is left of a word that has changed.
void NumberPool::note_room(Chunk& chunk, unsigned word) {
  const std::uint64_t free = ~chunk.used[word];
  const auto note = [word](std::uint64_t& words, bool is_full) {
    words = (words & ~(std::uint64_t{1} << word)) | std::uint64_t{is_full} << word;
  };
  note(chunk.full_words, free == 0);
  note(chunk.pairless_words, pairs_in(free) == 0);
}

/// Takes `count` places, which are free.
void NumberPool::occupy(std::uint32_t place, unsigned word, std::uint64_t bits,
                        std::uint32_t count) {
  Chunk& chunk = chunks_[place];
  chunk.used[word] |= bits;
  note_room(chunk, word);
  if (chunk.live == 0) wake(place);
  chunk.live += count;
  live_ += count;
}

/// A chunk has a live number again.
void NumberPool::wake(std::uint32_t chunk) {
  chunk_count_ = std::max(chunk_count_, chunk + 1);
  const std::uint32_t place = unit_of(chunk * kChunk);
  Unit& unit = units_[place];
  if (unit.live_chunks++ != 0) return;
  if (unit.touched) --idle_units_;
  unit.touched = true;
  unit_count_ = std::max(unit_count_, place + 1);
}

void NumberPool::free(std::uint32_t number) {
  const std::uint32_t place = number / kChunk;
  Chunk& chunk = chunks_[place];
  const unsigned word = number % kChunk / 64;
  const std::uint64_t first = std::uint64_t{1} << (number % 64);
  const std::uint64_t second = chunk.second[word] & first << 1;
  const std::uint32_t count = second != 0 ? 2 : 1;
  chunk.used[word] &= ~(first | second);
  chunk.second[word] &= ~second;
  note_room(chunk, word);
  live_ -= count;
  pairs_ -= count - 1;
  chunk.live -= count;
  first_with_room_ = std::min(first_with_room_, place);
  if ((chunk.pairless_words >> word & 1) == 0) first_with_pair_ = std::min(first_with_pair_, place);
  if (chunk.live != 0) return;
  if (--units_[unit_of(number)].live_chunks == 0) ++idle_units_;
  while (chunk_count_ > 0 && chunks_[chunk_count_ - 1].live == 0) --chunk_count_;
}

NumberPool::Range NumberPool::range_of(std::uint32_t unit) const {
  if (unit < kUnitChunks) return {unit * kChunk, kChunk};
  const std::uint32_t first = (unit - (kUnitChunks - 1)) * kLargeUnit;
  return {first, std::min(kLargeUnit, capacity_ - first)};
}

NumberPool::Range NumberPool::retire() {
  if (idle_units_ == 0) return {};
  for (std::uint32_t place = unit_count_; place-- > 0;) {
    Unit& unit = units_[place];
    if (!is_idle(unit)) continue;
    const Range range = range_of(place);
    // As many connections as now, and a few more, must find room below: memory that comes and goes
    // with every connection would cost more than it saves. Where there are pairs, each may be one.
    const std::uint32_t needed = pairs_ == 0 ? live_ : 2 * (live_ - pairs_);
    const bool has_room = needed + range.count / 4 <= range.first;
    if (!has_room && live_ != 0) continue;
    unit.touched = false;
    --idle_units_;
    while (unit_count_ > 0 && !units_[unit_count_ - 1].touched) --unit_count_;
    forget_generations(range);
    set_open(range, false);
    return range;
  }
  return {};
}

void NumberPool::reopen(Range retired) {
  set_open(retired, true);
  first_with_room_ = std::min(first_with_room_, retired.first / kChunk);
  first_with_pair_ = std::min(first_with_pair_, retired.first / kChunk);
}

/// Chunks without a live number pass for full while they rest.
void NumberPool::set_open(Range range, bool open) {
  const std::uint32_t end = (range.first + range.count) / kChunk;
  for (std::uint32_t place = range.first / kChunk; place < end; ++place) {
    chunks_[place].full_words = open ? 0 : kAllWords;
    chunks_[place].pairless_words = chunks_[place].full_words;
  }
}

std::uint8_t NumberPool::next_generation(std::uint32_t number, std::uint8_t last) {
  Chunk& chunk = chunks_[number / kChunk];
  const std::uint8_t before = last != 0 ? last : chunk.generation_base;
  const auto generation = static_cast<std::uint8_t>(before == 255 ? 1 : before + 1);
  const auto ahead = static_cast<std::uint8_t>(generation - chunk.generation_base);
  if (ahead > chunk.generation_top) chunk.generation_top = ahead;
  return generation;
}

void NumberPool::forget_generations(Range given_back) {
  const std::uint32_t end = (given_back.first + given_back.count) / kChunk;
  for (std::uint32_t place = given_back.first / kChunk; place < end; ++place) {
    Chunk& chunk = chunks_[place];
    chunk.generation_base = static_cast<std::uint8_t>(chunk.generation_base + chunk.generation_top);
    chunk.generation_top = 0;
  }
}

std::uint32_t NumberPool::next_live(std::uint32_t number) const {
  const std::uint32_t end = chunk_count_ * kChunk;
  while (number < end) {
    const Chunk& chunk = chunks_[number / kChunk];
    if (chunk.live == 0) {
      number = (number / kChunk + 1) * kChunk;
      continue;
    }
    const std::uint64_t rest = names(chunk, number % kChunk / 64) >> (number % 64);
    if (rest != 0) return number + static_cast<std::uint32_t>(std::countr_zero(rest));
    number = (number / 64 + 1) * 64;
  }
  return kNone;
}

}  // namespace uct::core
