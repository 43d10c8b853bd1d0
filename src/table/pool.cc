#include "table/pool.h"

namespace uct::core {

bool NumberPool::reserve(std::uint32_t capacity) {
  capacity_ = (capacity + kChunk - 1) / kChunk * kChunk;
  return chunks_.reserve(capacity_ / kChunk);
}

std::uint32_t NumberPool::take() {
  constexpr std::uint64_t kAll = ~std::uint64_t{0};
  while (true) {
    if (first_with_room_ == capacity_ / kChunk) return kNone;
    Chunk& chunk = chunks_[first_with_room_];
    if (chunk.full_words == kAll) {
      ++first_with_room_;
      continue;
    }
    const auto word = static_cast<unsigned>(std::countr_one(chunk.full_words));
    const auto bit = static_cast<unsigned>(std::countr_one(chunk.used[word]));
    chunk.used[word] |= std::uint64_t{1} << bit;
    if (chunk.used[word] == kAll) chunk.full_words |= std::uint64_t{1} << word;
    ++chunk.live;
    ++live_;
    if (first_with_room_ == chunk_count_) ++chunk_count_;
    return first_with_room_ * kChunk + word * 64 + bit;
  }
}

bool NumberPool::free(std::uint32_t number) {
  const std::uint32_t place = number / kChunk;
  Chunk& chunk = chunks_[place];
  const unsigned word = number % kChunk / 64;
  chunk.used[word] &= ~(std::uint64_t{1} << (number % 64));
  chunk.full_words &= ~(std::uint64_t{1} << word);
  --chunk.live;
  --live_;
  if (place < first_with_room_) first_with_room_ = place;
  if (chunk.live != 0) return false;
  while (chunk_count_ > 0 && chunks_[chunk_count_ - 1].live == 0) --chunk_count_;
  return true;
}

std::uint8_t NumberPool::next_generation(std::uint32_t number, std::uint8_t last) {
  Chunk& chunk = chunks_[number / kChunk];
  const std::uint8_t before = last != 0 ? last : chunk.generation_base;
  const auto generation = static_cast<std::uint8_t>(before == 255 ? 1 : before + 1);
  const auto ahead = static_cast<std::uint8_t>(generation - chunk.generation_base);
  if (ahead > chunk.generation_top) chunk.generation_top = ahead;
  return generation;
}

void NumberPool::forget_generations(std::uint32_t number) {
  Chunk& chunk = chunks_[number / kChunk];
  chunk.generation_base = static_cast<std::uint8_t>(chunk.generation_base + chunk.generation_top);
  chunk.generation_top = 0;
}

std::uint32_t NumberPool::next_live(std::uint32_t number) const {
  const std::uint32_t end = chunk_count_ * kChunk;
  while (number < end) {
    const Chunk& chunk = chunks_[number / kChunk];
    if (chunk.live == 0) {
      number = (number / kChunk + 1) * kChunk;
      continue;
    }
    const std::uint64_t rest = chunk.used[number % kChunk / 64] >> (number % 64);
    if (rest != 0) return number + static_cast<std::uint32_t>(std::countr_zero(rest));
    number = (number / 64 + 1) * 64;
  }
  return kNone;
}

}  // namespace uct::core
