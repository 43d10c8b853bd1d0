// Stages without locks: parse, key, hash, prefetch; and the order in which shards are taken. What
// happens to a packet under its shard's lock is in decide.cc.
#include "tracker/pipeline.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/processor.h"

namespace uct::core {

namespace {

/// Calls f(i) for every bit i of `bits`, lowest first.
template <typename F>
void for_each_bit(std::uint32_t bits, F&& f) {
  for (; bits != 0; bits &= bits - 1) f(static_cast<std::size_t>(std::countr_zero(bits)));
}

/// Gives     a place that differs between threads more often than not, without asking for an id:
///           their stacks lie apart.
std::size_t stripe() {
  const char here = 0;
  return (reinterpret_cast<std::uintptr_t>(&here) >> 16) % kCounterStripes;
}

void add(std::atomic<std::uint64_t>& counter, std::uint64_t amount) {
  if (amount != 0) counter.fetch_add(amount, std::memory_order_relaxed);
}

std::uint32_t wire_size_of(const Packet& packet) {
  return packet.wire_size != 0 ? packet.wire_size : packet.size;
}

/// One bit each: a compiler makes vectors of these where it makes none of shifts.
constexpr auto kBits = [] {
  std::array<std::uint32_t, 32> bits{};
  for (std::uint32_t i = 0; i < bits.size(); ++i) bits[i] = 1U << i;
  return bits;
}();

constexpr std::uint32_t kWholeGroup = (1U << kHashLanes) - 1;

}  // namespace

Pipeline::Pipeline(TrackerCore& tracker, const Request& request, Timestamp now,
                   std::span<Packet> burst, std::span<Verdict> verdicts,
                   std::span<Explanation> explanations)
    : tracker_(tracker),
      request_(request),
      now_ms_(tracker.ms_of(now)),
      burst_(burst),
      verdicts_(verdicts),
      explanations_(explanations),
      zone_(tracker.zones.entry(request.zone)),
      nat_(request.commit ? tracker.nats.find(request.nat) : nullptr),
      sequence_check_(zone_ == nullptr ? SequenceCheck::normal : tracker.zones.check(*zone_)),
      sets_label_(request.commit && request.label_mask != Label{}),
      express_(explanations.empty() && sequence_check_ == SequenceCheck::normal &&
               !(request.commit && (request.force || request.mark_mask != 0 || sets_label_))),
      avx2_bmi2_(has_avx2_bmi2()),
      tcp_tail_(last_word(request.zone, Kind::tcp)),
      strays_(tracker.stray_counters[stripe()]) {
  for (Verdict& verdict : passed_) {
    verdict.zone = request.zone;
    verdict.state = StateFlags::established | StateFlags::tracked;
  }
  passed_[static_cast<std::size_t>(Direction::reply)].state |= StateFlags::reply;
}

std::uint32_t shard_of(const TrackerCore& tracker, const Packet& packet, Zone zone) {
  ParsedPacket parsed;
  parse(packet, tracker.parse_options(), parsed);
  if (parsed.fate != Fate::track && parsed.fate != Fate::error) return 0;
  const auto shard = [&]<typename Key>(Key key) {
    make_key(parsed, zone, key);
    return tracker.shard_number(hash_key(key, tracker.config.hash_key));
  };
  return parsed.family == Family::ipv6 ? shard(KeyV6{}) : shard(KeyV4{});
}

void Pipeline::run() {
  // Bytes, so that nothing is initialised that the stages fill anyway: a call with one packet would
  // otherwise spend more on that than on the packet.
  alignas(Block) std::byte memory[2 * sizeof(Block)];
  Block* blocks = reinterpret_cast<Block*>(memory);
  prepare(blocks[0], 0);
  for (std::size_t current = 0; blocks[current].count != 0; current ^= 1) {
    prepare(blocks[current ^ 1], blocks[current].first + blocks[current].count);
    finish(blocks[current]);
  }
  if (stray_packets_ != 0) publish_strays();
}

void Pipeline::prepare(Block& block, std::size_t first) {
  block.first = first;
  block.count = 0;
  block.bytes = 0;
  block.keyed = 0;
  block.v6 = 0;
  block.express = 0;
  block.plain = 0;
  block.fragment = 0;
  block.redirected = 0;
  block.astray = 0;
  const std::size_t wanted = first < burst_.size() ? std::min(kBlock, burst_.size() - first) : 0;
  take_packets(block, wanted);
  for (std::size_t group = 0; group * kGroup < block.count; ++group) hash_group(block, group);
  send_for_buckets(block);
  guess_numbers(block);
}

/// Takes the packets of the block up to `end`, or up to a fragment.
void Pipeline::take_packets(Block& block, std::size_t end) {
  while (block.count < end) {
    if (express_) take_express(block, end);
    if (block.count < end && !take_long_way(block, block.count)) return;
  }
}

/// Takes packets up to `end`, or to the first that is not the express lane's.
void Pipeline::take_express(Block& block, std::size_t end) {
  const Packet* const packets = &burst_[block.first];
  const Zone zone = request_.zone;
  const std::uint64_t tail = tcp_tail_;
  const std::uint64_t before = std::uint64_t{1} << block.count;
  std::uint64_t bytes = 0;
  std::uint64_t v6 = 0;
  std::uint64_t plain = 0;
  std::size_t i = block.count;
  for (; i < end; ++i) {
    const Packet& packet = packets[i];
    if (!express::is_trusted_ethernet(packet)) break;
    if (!enter_express_v4(packet, tail, block.lane[i], block.words<KeyV4>(i))) {
      if (!enter_express_v6(packet, zone, block.lane[i], block.words<KeyV6>(i))) break;
      v6 |= std::uint64_t{1} << i;
    }
    bytes += wire_size_of(packet);
    plain |= std::uint64_t{is_plain_ack(block.lane[i])} << i;
  }
  const auto taken = static_cast<std::uint32_t>((std::uint64_t{1} << i) - before);
  block.count = i;
  block.keyed |= taken;
  block.express |= taken;
  block.plain |= static_cast<std::uint32_t>(plain);
  block.v6 |= static_cast<std::uint32_t>(v6);
  block.bytes += bytes;
}

/// A fragment comes after the fragments before it: it gets a block of its own.
bool Pipeline::take_long_way(Block& block, std::size_t i) {
  const std::size_t place = block.first + i;
  Item& item = block.items[i];
  parse(burst_[place], tracker_.parse_options(), item.parsed);
  const bool is_fragment = item.parsed.part != FragmentPart::whole;
  if (is_fragment && i != 0) [[unlikely]]
    return false;
  ++block.count;
  if (!explanations_.empty()) explanations_[place] = Explanation{};
  verdicts_[place] = Verdict{};
  verdicts_[place].zone = request_.zone;
  if (is_fragment) [[unlikely]] {
    block.fragment = 1;
    return false;
  }
  take_parsed(block, i);
  return true;
}

/// Goes on with a packet that was parsed: with its key, or with its verdict when it has none.
void Pipeline::take_parsed(Block& block, std::size_t i) {
  const std::size_t place = block.first + i;
  const ParsedPacket& parsed = block.items[i].parsed;
  switch (parsed.fate) {
    case Fate::track:
    case Fate::error:
    case Fate::fragment:
      block.bytes += wire_size_of(burst_[place]);
      return make_key(block, i);
    case Fate::untracked:
      verdicts_[place].reason = parsed.reason;
      ++stray_untracked_;
      return count_stray(place);
    case Fate::invalid:
      return reject_stray(place, parsed.reason);
  }
}

void Pipeline::make_key(Block& block, std::size_t i) {
  if (block.items[i].parsed.family == Family::ipv6) {
    block.v6 |= 1U << i;
    make_key_of<KeyV6>(block, i);
  } else {
    make_key_of<KeyV4>(block, i);
  }
}

template <typename Key>
void Pipeline::make_key_of(Block& block, std::size_t i) {
  Item& item = block.items[i];
  Key& key = item.template key<Key>();
  item.from = static_cast<std::uint8_t>(core::make_key(item.parsed, request_.zone, key));
  block.keyed |= 1U << i;
  key_words(key, block.template words<Key>(i));
  if (explanations_.empty()) return;
  Explanation& why = explanations_[block.first + i];
  why.has_tuple = true;
  why.tuple = make_tuple(key, item.from);
}

void Pipeline::hash_group(Block& block, std::size_t group) {
  const std::uint32_t keyed = block.keyed >> (group * kGroup) & kWholeGroup;
  const std::uint32_t v6 = block.v6 >> (group * kGroup) & kWholeGroup;
  if ((keyed & ~v6) != 0) hash_family<KeyV4>(block, group, keyed & ~v6);
  if (v6 != 0) hash_family<KeyV6>(block, group, v6);
}

void Pipeline::send_for_buckets(Block& block) {
  const Shard* const shards = tracker_.shards.get();
  for_each_bit(block.keyed, [&](std::size_t i) {
    const std::uint32_t number = tracker_.shard_number(block.hash[i]);
    const Bucket* const bucket = home_bucket(shards[number], block.hash[i]);
    __builtin_prefetch(bucket, 0, 3);
    block.bucket[i] = bucket;
    block.shard[i] = static_cast<std::uint8_t>(number);
    prefetch_shard(shards[number]);
  });
}

template <typename Key>
void Pipeline::hash_family(Block& block, std::size_t group, std::uint32_t which) {
  std::uint64_t* const out = &block.hash[group * kGroup];
  HashKeys<Key::kWords>& keys = block.template keys<Key>(group);
  if ((which & (which - 1)) == 0) {  // a key alone is hashed faster by itself
    const auto lane = static_cast<std::size_t>(std::countr_zero(which));
    out[lane] = siphash13<Key::kWords>(keys[lane], tracker_.config.hash_key);
    return;
  }
  for_each_bit(~which & kWholeGroup,
               [&](std::size_t lane) { std::memset(keys[lane], 0, sizeof(keys[lane])); });
  alignas(64) std::uint64_t hashes[kHashLanes];
  hash_lanes(keys, tracker_.config.hash_key, hashes);
  if (which == kWholeGroup) [[likely]] {
    std::memcpy(out, hashes, sizeof(hashes));
  } else {
    for_each_bit(which, [&](std::size_t lane) { out[lane] = hashes[lane]; });
  }
}

/// Looks into the buckets, which have come, for the probable numbers, and sends for their records.
/// Where a full bucket has none, the overflow bucket is sent for and looked into at the end: two or
/// three in a hundred, but each would otherwise wait for two lines from memory under the lock.
void Pipeline::guess_numbers(Block& block) {
  block.entered = aliases_entered_;
  if (tracker_.has_aliases()) [[unlikely]]
    return avx2_bmi2_ ? guess_among_aliases_avx2_bmi2(block) : guess_among_aliases(block);
  block.unsure = block.keyed;
  guess_entries(
      block, [&](const Shard& shard, std::size_t i) __attribute__((always_inline)) {
        const std::uint32_t number = guess_number(shard, *block.bucket[i], block.hash[i]);
        block.guess[i] = number;
        if (number == kNoNumber) [[unlikely]]
          return false;
        if ((block.v6 >> i & 1) != 0) {
          family_of<KeyV6>(shard).records.prefetch(number);
        } else {
          family_of<KeyV4>(shard).records.prefetch(number);
        }
        return true;
      });
}

/// Calls look(shard, i) for each packet that has a key, and again where it gave false and there is
/// another bucket.
///
/// Gives     those for which it gave true.
template <typename Look>
[[gnu::always_inline]] inline std::uint32_t Pipeline::guess_entries(Block& block, Look&& look) {
  const Shard* const shards = tracker_.shards.get();
  std::uint32_t late = 0;
  std::uint32_t found = block.keyed;
  const auto guess = [&](std::size_t i) {
    const Shard& shard = shards[block.shard[i]];
    if (look(shard, i)) [[likely]]
      return;
    found &= ~(1U << i);
    const Bucket* const next = next_bucket(shard, *block.bucket[i]);
    if (next == nullptr) return;
    __builtin_prefetch(next, 0, 3);
    block.bucket[i] = next;
    late |= 1U << i;
  };
  for_each_bit(block.keyed, guess);
  if (late == 0) return found;
  found |= late;
  for_each_bit(late, guess);  // a third bucket is too rare to wait for
  return found;
}

/// Likewise where there are reply tuples: an entry may stand for one, and names a place in another
/// shard, to which the packet goes on. Which entries do nobody can predict, since of a translated
/// connection's packets every other one is a reply: each step is taken for all alike. And all
/// buckets are looked into before the first record is sent for: a core has only so many lines under
/// way, and while it waits to send for another it looks into no bucket (78 ns a packet, not 65, at
/// 1 M connections).
[[gnu::always_inline]] inline void Pipeline::guess_among_aliases_body(Block& block) {
  std::uint32_t only = 0;
  const std::uint32_t found = guess_entries(
      block, [&](const Shard& shard, std::size_t i) __attribute__((always_inline)) {
        const auto [number, is_only] = guess_only(shard, *block.bucket[i], block.hash[i]);
        block.guess[i] = number;
        only |= std::uint32_t{is_only} << i;
        return number != kNoNumber;
      });
  const std::uint32_t shard_mask = (1U << tracker_.shard_bits) - 1;
  const std::uint32_t shard_bits = tracker_.shard_bits;
  std::uint32_t shards[kBlock];
  std::uint32_t numbers[kBlock];
  std::uint32_t aliased = 0;
  std::uint32_t v6 = 0;
  for (std::uint32_t i = 0; i < kBlock; ++i) {
    const std::uint32_t entry = block.guess[i];
    const std::uint32_t bits = entry & kNumberBits;
    const std::uint32_t is_alias = 0U - (entry / kAliasBit & 1);
    shards[i] = (bits & shard_mask & is_alias) | (block.shard[i] & ~is_alias);
    numbers[i] = (bits >> shard_bits << 1 & is_alias) | (bits & ~is_alias);
    aliased |= is_alias & kBits[i];
    v6 |= (0U - entry / kV6Bit) & kBits[i];
  }
  const auto send = [&]<typename Key>(Key, std::uint32_t which) __attribute__((always_inline)) {
    for (; which != 0; which &= which - 1) {
      const auto i = static_cast<std::size_t>(std::countr_zero(which));
      family_of<Key>(tracker_.shards[shards[i]]).records.prefetch_pair(numbers[i]);
    }
  };
  send(KeyV4{}, found & ~block.v6);
  send(KeyV6{}, found & block.v6);
  block.unsure = block.keyed & ~only;
  block.redirected = aliased & found & only & ~(v6 ^ block.v6);
  for_each_bit(block.redirected, [&](std::size_t i) {
    block.shard[i] = static_cast<std::uint8_t>(shards[i]);
    block.guess[i] = numbers[i] | (block.guess[i] & kV6Bit);
  });
}

void Pipeline::guess_among_aliases(Block& block) { guess_among_aliases_body(block); }

UCT_FOR_AVX2_BMI2 void Pipeline::guess_among_aliases_avx2_bmi2(Block& block) {
  guess_among_aliases_body(block);
}

void Pipeline::finish(Block& block) {
  if (block.fragment != 0) [[unlikely]]
    return finish_fragment(block);
  finish_shards(block, block.keyed);
}

/// Does all stages for the one packet of a block, which was parsed.
void Pipeline::finish_alone(Block& block) {
  take_parsed(block, 0);
  if (block.keyed == 0) return;
  hash_group(block, 0);
  send_for_buckets(block);
  guess_numbers(block);
  finish_shards(block, block.keyed);
}

void Pipeline::finish_shards(Block& block, std::uint32_t waiting) {
  if (tracker_.has_aliases()) [[unlikely]]
    resolve(block);
  while (waiting != 0) {
    const std::uint8_t shard = block.shard[static_cast<std::size_t>(std::countr_zero(waiting))];
    const std::uint32_t mine = waiting & same_byte(block.shard, shard);
    waiting &= ~mine;
    waiting |= finish_shard(block, shard, mine);
    if (waiting == 0 && opening_ != 0) waiting = open_translated(block);
  }
}

void Pipeline::reject_stray(std::size_t place, Reason reason) {
  reject(place, reason);
  count_reason(reason);
  count_stray(place);
}

void Pipeline::count_stray(std::size_t place) {
  ++stray_packets_;
  stray_bytes_ += wire_size_of(burst_[place]);
  if (verdicts_[place].state == StateFlags::untracked) {
    count_reason(verdicts_[place].reason);
  }
}

void Pipeline::count_reason(Reason reason) {
  if (reason != Reason::none) add(strays_.reasons[static_cast<std::size_t>(reason)], 1);
}

void Pipeline::publish_strays() {
  add(strays_.packets, stray_packets_);
  add(strays_.bytes, stray_bytes_);
  add(strays_.untracked, stray_untracked_);
  add(strays_.invalid, stray_packets_ - stray_untracked_);
}

}  // namespace uct::core
