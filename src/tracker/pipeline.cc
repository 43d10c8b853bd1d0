// Stages without locks: parse, key, hash, prefetch; and the order in which shards are taken. What
// happens to a packet under its shard's lock is in decide.cc.
#include "tracker/pipeline.h"

#include <algorithm>
#include <bit>

#include "packet/parse.h"

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
      sequence_check_(zone_ == nullptr ? SequenceCheck::normal : tracker.zones.check(*zone_)),
      counters_(tracker.packet_counters[stripe()]) {}

void Pipeline::run() {
  // Bytes, so that nothing is initialised that the stages fill anyway: a call with one packet would
  // otherwise spend more on that than on the packet.
  alignas(Block) std::byte memory[2 * sizeof(Block)];
  Block* blocks = reinterpret_cast<Block*>(memory);
  prepare(blocks[0], 0);
  for (std::size_t current = 0; blocks[current].count != 0; current ^= 1) {
    prefetch_records(blocks[current]);
    prepare(blocks[current ^ 1], blocks[current].first + blocks[current].count);
    finish(blocks[current]);
  }
  publish_counters();
}

void Pipeline::prepare(Block& block, std::size_t first) {
  block.first = first;
  block.count = first < burst_.size() ? std::min(kBlock, burst_.size() - first) : 0;
  block.keyed = 0;
  block.follow = 0;
  const ParseOptions options{.udp6_zero_checksum = tracker_.config.udp6_zero_checksum};
  for (std::size_t i = 0; i < block.count; ++i) {
    const std::size_t place = first + i;
    Item& item = block.items[i];
    parse(burst_[place], options, item.parsed);
    if (item.parsed.fate == Fate::fragment) [[unlikely]] {
      // It follows what came before it and nothing else: a block of its own.
      block.count = i == 0 ? 1 : i;
      if (i != 0) break;
    }
    verdicts_[place] = Verdict{};
    verdicts_[place].zone = request_.zone;
    if (!explanations_.empty()) explanations_[place] = Explanation{};
    switch (item.parsed.fate) {
      case Fate::track:
      case Fate::error:
        make_key(block, i);
        break;
      case Fate::fragment:
        block.follow |= 1U << i;
        break;
      case Fate::untracked:
        verdicts_[place].reason = item.parsed.reason;
        break;
      case Fate::invalid:
        reject(place, item.parsed.reason);
        break;
    }
  }
  hash(block);
}

void Pipeline::make_key(Block& block, std::size_t i) {
  Item& item = block.items[i];
  const bool v6 = item.parsed.family == Family::ipv6;
  item.from = static_cast<std::uint8_t>(v6 ? core::make_key(item.parsed, request_.zone, item.v6)
                                           : core::make_key(item.parsed, request_.zone, item.v4));
  block.keyed |= 1U << i;
  if (explanations_.empty()) return;
  Explanation& why = explanations_[block.first + i];
  why.has_tuple = true;
  why.tuple = v6 ? make_tuple(item.v6, item.from) : make_tuple(item.v4, item.from);
}

void Pipeline::hash(Block& block) {
  std::uint32_t v6 = 0;
  for_each_bit(block.keyed, [&](std::size_t i) {
    if (block.items[i].parsed.family == Family::ipv6) v6 |= 1U << i;
  });
  hash_family<KeyV4>(block, block.keyed & ~v6);
  hash_family<KeyV6>(block, v6);
  for_each_bit(block.keyed, [&](std::size_t i) {
    const std::uint64_t hash = block.items[i].hash;
    const std::uint32_t shard = tracker_.shard_number(hash);
    block.shard[i] = static_cast<std::uint8_t>(shard);
    prefetch_bucket(tracker_.shards[shard], hash);
  });
}

template <typename Key>
void Pipeline::hash_family(Block& block, std::uint32_t which) {
  alignas(64) std::uint64_t words[Key::kWords][kHashLanes] = {};
  alignas(64) std::uint64_t hashes[kHashLanes];
  while (which != 0) {
    std::size_t lanes[kHashLanes];
    std::size_t used = 0;
    for (; used < kHashLanes && which != 0; which &= which - 1) {
      lanes[used] = static_cast<std::size_t>(std::countr_zero(which));
      std::uint64_t key[Key::kWords];
      key_words(block.items[lanes[used]].template key<Key>(), key);
      for (std::size_t w = 0; w < Key::kWords; ++w) words[w][used] = key[w];
      ++used;
    }
    if constexpr (Key::kWords == 2) {
      siphash13_lanes_2(words, tracker_.config.hash_key, hashes);
    } else {
      siphash13_lanes_5(words, tracker_.config.hash_key, hashes);
    }
    for (std::size_t lane = 0; lane < used; ++lane) block.items[lanes[lane]].hash = hashes[lane];
  }
}

void Pipeline::prefetch_records(const Block& block) {
  for_each_bit(block.keyed, [&](std::size_t i) {
    prefetch_record(tracker_.shards[block.shard[i]], block.items[i].hash);
  });
}

void Pipeline::finish(Block& block) {
  std::uint32_t waiting = block.keyed;
  while (waiting != 0) {
    const std::uint32_t shard = block.shard[static_cast<std::size_t>(std::countr_zero(waiting))];
    std::uint32_t mine = 0;
    for_each_bit(waiting, [&](std::size_t i) {
      mine |= static_cast<std::uint32_t>(block.shard[i] == shard) << i;
    });
    waiting &= ~mine;
    finish_shard(block, shard, mine);
  }
  if (block.follow != 0) follow_fragments(block);
  count(block);
}

void Pipeline::finish_shard(Block& block, std::uint32_t number, std::uint32_t which) {
  Shard& shard = tracker_.shards[number];
  const SpinlockGuard guard(shard.lock);
  enter_shard(shard);
  for (; which != 0; which &= which - 1) {
    const auto i = static_cast<std::size_t>(std::countr_zero(which));
    Item& item = block.items[i];
    if (item.parsed.family == Family::ipv6) {
      handle_v6(shard, item, block.first + i);
    } else {
      handle_v4(shard, item, block.first + i);
    }
  }
}

void Pipeline::enter_shard(Shard& shard) {
  if (now_ms_ < shard.now_ms) {
    ++shard.counters.clock_regressed;
    return;
  }
  if (now_ms_ - shard.swept_ms >= kTickHorizon / 2) [[unlikely]] {
    tracker_.catch_up(shard, now_ms_);
  }
  shard.now_ms = now_ms_;
}

void Pipeline::follow_fragments(Block& block) {
  for_each_bit(block.follow, [&](std::size_t i) {
    Item& item = block.items[i];
    const std::size_t place = block.first + i;
    const auto first = tracker_.fragments.follow(item.parsed, request_.zone, now_ms_);
    if (!first) return reject(place, Reason::fragment_without_first);
    if (first->reason != Reason::none && !is_refusal(first->reason)) {
      return reject(place, first->reason);
    }
    item.parsed.kind = first->kind;
    item.parsed.source_port = first->source_port;
    item.parsed.destination_port = first->destination_port;
    verdicts_[place].state = first->state;
    verdicts_[place].reason = first->reason;
    Block single;
    single.first = place;
    single.count = 1;
    single.keyed = 0;
    single.items[0] = item;
    make_key(single, 0);
    hash(single);
    finish_shard(single, single.shard[0], 1);
  });
}

void Pipeline::reject(std::size_t place, Reason reason) {
  verdicts_[place].state = StateFlags::invalid | StateFlags::tracked;
  verdicts_[place].reason = reason;
}

void Pipeline::count(const Block& block) {
  for (std::size_t i = 0; i < block.count; ++i) {
    const Packet& packet = burst_[block.first + i];
    const Verdict& verdict = verdicts_[block.first + i];
    bytes_ += packet.wire_size != 0 ? packet.wire_size : packet.size;
    const auto flags = static_cast<unsigned>(verdict.state);
    for (unsigned bit = 0; bit < kCountedFlags; ++bit) by_flag_[bit] += flags >> bit & 1;
    untracked_ += flags == 0;
    if (verdict.reason != Reason::none) [[unlikely]] {
      add(counters_.reasons[static_cast<std::size_t>(verdict.reason)], 1);
    }
  }
}

void Pipeline::publish_counters() {
  add(counters_.packets, burst_.size());
  add(counters_.bytes, bytes_);
  add(counters_.untracked, untracked_);
  add(counters_.new_, by_flag_[0]);
  add(counters_.established, by_flag_[1]);
  add(counters_.related, by_flag_[2]);
  add(counters_.reply, by_flag_[3]);
  add(counters_.invalid, by_flag_[4]);
}

}  // namespace uct::core
