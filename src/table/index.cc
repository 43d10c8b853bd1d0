#include "table/index.h"

#include "base/annotations.h"

namespace uct::core {

namespace {

/// Overflow buckets that are kept when none is in use (4 KiB).
constexpr std::uint32_t kOverflowKept = 64;

}  // namespace

bool Index::reserve(std::uint32_t max_entries) {
  const auto most = static_cast<std::size_t>(max_entries / kGrowLoad) + kMinBuckets + 1;
  const std::size_t overflow = std::min<std::size_t>(most / 2 + 64, kMaxOverflow);
  if (!homes_.reserve(most) || !overflow_.reserve(overflow)) return false;
  overflow_used_ = 1;
  set_buckets(kMinBuckets);
  return true;
}

InsertResult Index::append(std::uint32_t home, std::uint16_t tag, std::uint32_t number) {
  Bucket* bucket = &homes_[home];
  unsigned length = 1;
  for (; bucket->next() != 0; ++length) bucket = &overflow_[bucket->next()];
  if (bucket->count() == kSlots) {
    if (length == kChainMax) return InsertResult::chain_full;
    const std::uint32_t place = take_overflow_bucket();
    if (place == 0) return InsertResult::no_memory;
    bucket->set_next(place);
    bucket = &overflow_[place];
    longest_chain_ = std::max(longest_chain_, length + 1);
  }
  bucket->append(tag, number);
  return InsertResult::done;
}

void Index::erase(std::uint64_t hash, std::uint32_t number) {
  const std::uint16_t tag = tag_of(hash);
  Bucket* holder = nullptr;
  unsigned slot = 0;
  Bucket* before_last = nullptr;
  Bucket* last = &homes_[home(hash)];
  while (true) {
    for (SlotMask mask = match(*last, tag); holder == nullptr && !mask.empty(); mask.drop_first()) {
      if (last->numbers[mask.first()] != number) continue;
      holder = last;
      slot = mask.first();
    }
    if (last->next() == 0) break;
    before_last = last;
    last = &overflow_[last->next()];
  }
  if (holder == nullptr) return;
  // The chain's last entry fills the hole, so that only its last bucket has free slots.
  const unsigned remaining = last->count() - 1;
  holder->tags[slot] = last->tags[remaining];
  holder->numbers[slot] = last->numbers[remaining];
  last->set_count(remaining);
  if (remaining == 0 && before_last != nullptr) {
    free_overflow_bucket(before_last->next());
    before_last->set_next(0);
  }
  --entries_;
  if (entries_ < shrink_at_) merge_last();
}

/// Sends for what the next split works on: no packet has a reason to look there. The home that will
/// be split was sent for a split ago, the home behind it is now.
void Index::prefetch_split() const {
  const std::uint32_t low = buckets() - std::bit_floor(buckets());
  __builtin_prefetch(homes_.data() + low + 1, 1, 3);
  __builtin_prefetch(homes_.data() + buckets(), 1, 3);
  const std::uint32_t next = homes_[low].next();
  if (next != 0) __builtin_prefetch(&overflow_[next], 1, 3);
}

unsigned Index::take_chain(std::uint32_t home, Entry* entries) {
  unsigned count = 0;
  Bucket* bucket = &homes_[home];
  while (true) {
    for (unsigned slot = 0; slot < bucket->count(); ++slot) {
      entries[count++] = {bucket->tags[slot], bucket->numbers[slot]};
    }
    const std::uint32_t next = bucket->next();
    if (bucket != &homes_[home]) {
      free_overflow_bucket(static_cast<std::uint32_t>(bucket - overflow_.data()));
    }
    if (next == 0) break;
    bucket = &overflow_[next];
  }
  homes_[home].link = 0;
  return count;
}

void Index::grow_by_one() {
  homes_[buckets()].link = 0;
  set_buckets(buckets() + 1);
}

void Index::merge_last() {
  if (buckets() <= kMinBuckets) return;
  const std::uint32_t last = buckets() - 1;
  const std::uint32_t partner = last - std::bit_floor(last);
  if (!join(homes_[partner], homes_[last]) && !merge_chains(partner, last)) return;
  set_buckets(last);
}

bool Index::shrink() {
  const std::uint32_t before = homes_touched_ + overflow_touched_;
  homes_touched_ = static_cast<std::uint32_t>(homes_.release_tail(buckets(), homes_touched_));
  if (overflow_live_ == 0) {
    overflow_used_ = 1;
    overflow_free_ = 0;
    overflow_touched_ =
        static_cast<std::uint32_t>(overflow_.release_tail(kOverflowKept, overflow_touched_));
  }
  return homes_touched_ + overflow_touched_ != before;
}

/// Gives     false, with nothing changed, when the two chains are too long to be one: to be tried
///           again when more entries have left.
bool Index::merge_chains(std::uint32_t partner, std::uint32_t last) {
  Entry entries[kChainMax * kSlots];
  const unsigned count = take_chain(last, entries);
  for (unsigned i = 0; i < count; ++i) {
    if (append(partner, entries[i].tag, entries[i].number) == InsertResult::done) continue;
    Entry back[kChainMax * kSlots];
    const unsigned all = take_chain(partner, back);
    const unsigned own = all - i;
    for (unsigned j = 0; j < own; ++j) append(partner, back[j].tag, back[j].number);
    for (unsigned j = 0; j < count; ++j) append(last, entries[j].tag, entries[j].number);
    return false;
  }
  return true;
}

void Index::set_buckets(std::uint32_t count) {
  const std::uint64_t mask = 2 * std::bit_floor(count) - 1;
  shape_.store(mask << 32 | count, std::memory_order_relaxed);
  homes_touched_ = std::max(homes_touched_, count);
  grow_at_ = static_cast<std::uint32_t>(count * kGrowLoad);
  shrink_at_ = count <= kMinBuckets ? 0 : static_cast<std::uint32_t>(count * kShrinkLoad);
}

std::uint32_t Index::take_overflow_bucket() {
  std::uint32_t place = overflow_free_;
  if (place != 0) {
    overflow_free_ = overflow_[place].next();
  } else {
    if (overflow_used_ >= overflow_.capacity()) return 0;
    place = overflow_used_++;
    overflow_touched_ = std::max(overflow_touched_, overflow_used_);
  }
  overflow_[place].link = 0;
  ++overflow_live_;
  return place;
}

void Index::free_overflow_bucket(std::uint32_t place) {
  overflow_[place].link = 0;
  overflow_[place].set_next(overflow_free_);
  overflow_free_ = place;
  --overflow_live_;
}

}  // namespace uct::core
