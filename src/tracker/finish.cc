// A shard's packets of a block: its lock, the end of the express lane, and what is counted. Whoever
// does not pass the lane is decided in decide.cc.
#include <array>
#include <bit>

#include "base/choose.h"
#include "base/processor.h"
#include "nat/rewrite_tcp.h"
#include "tracker/pipeline.h"

namespace uct::core {

namespace {

// The flags new, est, rel, rpl and inv of a shard's packets are counted side by side in one word:
// a block's 32 packets fit a field of 12 bits many times over.
constexpr unsigned kCountedFlags = 5;
constexpr unsigned kFieldBits = 12;

constexpr std::array<std::uint64_t, 1U << kCountedFlags> make_flag_fields() {
  std::array<std::uint64_t, 1U << kCountedFlags> fields{};
  for (std::size_t flags = 0; flags < fields.size(); ++flags) {
    for (unsigned bit = 0; bit < kCountedFlags; ++bit) {
      fields[flags] |= std::uint64_t{flags >> bit & 1} << (bit * kFieldBits);
    }
  }
  return fields;
}
constexpr auto kFlagFields = make_flag_fields();

std::uint64_t fields_of(StateFlags state) {
  return kFlagFields[static_cast<unsigned>(state) % kFlagFields.size()];
}

/// Counts the verdicts of `which`.
inline void count(PacketTally& tally, const Verdict* verdicts, std::uint32_t which) {
  tally.packets += static_cast<unsigned>(std::popcount(which));
  std::uint64_t fields = 0;
  for (; which != 0; which &= which - 1) {
    fields += fields_of(verdicts[std::countr_zero(which)].state);
  }
  const auto field = [&](unsigned flag) {
    return fields >> (flag * kFieldBits) & ((1U << kFieldBits) - 1);
  };
  tally.new_ += field(0);
  tally.established += field(1);
  tally.related += field(2);
  tally.reply += field(3);
  tally.invalid += field(4);
}

}  // namespace

/// What the end of the express lane needs of one shard and family, read once a visit.
template <typename Key>
struct Pipeline::Lane {
  Lane(const Pipeline& pipeline, Shard& shard) UCT_REQUIRES(shard.lock)
      : records(&shard.family<Key>().records.record(0)),
        colds(&shard.family<Key>().records.cold(0)),
        timeouts(pipeline.tracker_.policies.timeouts(TimeoutClass::tcp_established)),
        capacity(shard.family<Key>().records.capacity()),
        pairs(capacity / 2),
        now(static_cast<std::uint32_t>(shard.now_ms)),
        handle(handle_base<Key>(shard)),
        verdicts(pipeline.passed_.data()) {}

  Record<Key>* records;
  Cold* colds;
  const std::atomic<std::uint32_t>* timeouts;
  std::uint32_t capacity;
  std::uint32_t pairs;  ///< half of that
  std::uint32_t now;
  std::uint64_t handle;     ///< what all of the shard and family have in common
  const Verdict* verdicts;  ///< by direction, but for the handle
};

/// Lets a packet of a plainly established connection pass when nothing but windows, counters and
/// the deadline changes.
///
/// Gives     false, and changes nothing, when it needs a closer look.
template <typename Key>
[[gnu::always_inline]] inline bool Pipeline::go_on(const Lane<Key>& lane, std::uint32_t number,
                                                   Body& body, Direction direction,
                                                   const ExpressItem& item) {
  const std::uint32_t timeout = lane.timeouts[body.policy].load(std::memory_order_relaxed);
  // A deadline that has passed (0 or huge as a number without sign), or that would come nearer than
  // it was, is for the timer wheel.
  if (body.deadline - lane.now - 1 >= timeout) return false;
  if (!tcp::update_established(body, direction, item.segment)) return false;
  count_packet(body, lane.colds[number], direction, item.ip_size);
  body.timeout = timeout;
  body.deadline = lane.now + timeout;
  return true;
}

/// Lets packet i pass when the number that was guessed is its connection's.
///
/// Gives     as go_on().
template <typename Key>
[[gnu::always_inline]] inline bool Pipeline::pass(const Lane<Key>& lane, Block& block,
                                                  std::size_t i, Verdict& verdict) {
  const std::uint32_t number = block.guess[i] ^ kFamilyBit<Key>;
  if (number >= lane.capacity) return false;
  // What lies at the number is believed only now, under the lock: the key of a place without
  // connection is equal to no packet's.
  Record<Key>& record = lane.records[number];
  Body& body = record.body;
  if (!has_words(record.key, block.template words<Key>(i)) || !tcp::is_plainly_established(body)) {
    return false;
  }
  const ExpressItem& item = block.lane[i];
  const Direction direction = direction_of(body, item.from);
  if (!go_on(lane, number, body, direction, item)) return false;
  verdict = lane.verdicts[static_cast<unsigned>(direction)];
  verdict.connection = make_handle(lane.handle, number, record.key.generation, block.hash[i]);
  return true;
}

/// Likewise a packet of a translated connection, by the tuple of its side, and gives it the other
/// one. Without branches on the side, which nobody can predict.
template <typename Key>
[[gnu::always_inline]] inline bool Pipeline::pass_translated(const Lane<Key>& lane, Block& block,
                                                             std::size_t i, std::byte* frame,
                                                             Verdict& verdict) {
  // Half of an even number; an odd one, which has nothing beside it, becomes more than any half.
  const std::uint32_t pair = std::rotr(block.guess[i] ^ kFamilyBit<Key>, 1);
  if (pair >= lane.pairs) return false;
  const std::uint32_t number = 2 * pair;
  Record<Key>& record = lane.records[number];
  Body& body = record.body;
  // First of all: what lies beside a record is another connection's while it is not translated.
  if (!tcp::is_plainly_established<status::kTranslated>(body)) return false;
  const Translated<Key>& other = (&record)[1].beside;
  const unsigned by_reply = block.redirected >> i & 1;
  const auto own = reinterpret_cast<std::uintptr_t>(&record.key);
  const auto reply = reinterpret_cast<std::uintptr_t>(&other.reply);
  const auto* carried = reinterpret_cast<const Key*>(core::choose(by_reply != 0, reply, own));
  const auto* becomes = reinterpret_cast<const Key*>(core::choose(by_reply != 0, own, reply));
  if (!has_words(*carried, block.template words<Key>(i))) return false;
  const ExpressItem& item = block.lane[i];
  // What carries the tuple of the other side is for the long way to refuse.
  if (item.from != other.sides.sender(by_reply)) return false;
  const auto direction = static_cast<Direction>(by_reply);
  if (!go_on(lane, number, body, direction, item)) return false;
  rewrite_tcp(frame + express::kEthernetHeader, *becomes, other.sides.sender_of_other(by_reply),
              {other.addresses_step, other.tuple_step}, by_reply != 0);
  verdict = lane.verdicts[static_cast<unsigned>(direction)];
  verdict.state |= translated_state(other.sides);
  verdict.connection = make_handle(lane.handle, number, record.key.generation, other.hash);
  return true;
}

/// Lets the packets of `which` pass one by one. A function by itself, so that the compiler has all
/// registers for it: inside its caller it spilled most of what it computes.
///
/// Gives     those that are left from the first that needs a closer look on.
template <typename Key>
[[gnu::noinline]] std::uint32_t Pipeline::pass_all(const Lane<Key>& lane, Block& block,
                                                   std::uint32_t which, Verdict* verdicts) {
  while (which != 0) {
    const auto i = static_cast<std::size_t>(std::countr_zero(which));
    if (!pass(lane, block, i, verdicts[i])) [[unlikely]]
      break;
    which &= which - 1;
  }
  return which;
}

/// Likewise those of translated connections.
template <typename Key>
[[gnu::always_inline]] inline std::uint32_t Pipeline::pass_all_translated_body(
    const Lane<Key>& lane, Block& block, std::uint32_t which, Verdict* verdicts) {
  const Packet* const packets = &burst_[block.first];
  while (which != 0) {
    const auto i = static_cast<std::size_t>(std::countr_zero(which));
    if (!pass_translated(lane, block, i, packets[i].data, verdicts[i])) break;
    which &= which - 1;
  }
  return which;
}

template <typename Key>
[[gnu::noinline]] std::uint32_t Pipeline::pass_all_translated(const Lane<Key>& lane, Block& block,
                                                              std::uint32_t which,
                                                              Verdict* verdicts) {
  return pass_all_translated_body(lane, block, which, verdicts);
}

template <typename Key>
UCT_FOR_AVX2_BMI2 [[gnu::noinline]] std::uint32_t Pipeline::pass_all_translated_avx2_bmi2(
    const Lane<Key>& lane, Block& block, std::uint32_t which, Verdict* verdicts) {
  return pass_all_translated_body(lane, block, which, verdicts);
}

/// Lets packets of one family through the lane, whether their connections are translated or not.
///
/// Gives     those that are left from the first that needs a closer look on.
template <typename Key>
std::uint32_t Pipeline::run_lane(Shard& shard, Block& block, std::uint32_t which,
                                 Verdict* verdicts) {
  const Lane<Key> lane(*this, shard);
  if (!tracker_.has_aliases() || request_.inside_view) {
    return pass_all(lane, block, which, verdicts);
  }
  // Mostly a packet is of the same kind as the one before.
  std::uint32_t left = which;
  for (int in_vain = 0; left != 0 && in_vain < 2;) {
    const std::uint32_t before = left;
    if (!tries_translated_) {
      left = pass_all(lane, block, left, verdicts);
    } else if (avx2_bmi2_) {
      left = pass_all_translated_avx2_bmi2(lane, block, left, verdicts);
    } else {
      left = pass_all_translated(lane, block, left, verdicts);
    }
    in_vain = left == before ? in_vain + 1 : 0;
    tries_translated_ ^= left != 0;
  }
  return left;
}

/// Gives a packet of a reply tuple the hash of its connection, if it is here.
void Pipeline::take_hash(Shard& shard, Block& block, std::size_t i) {
  const auto take = [&]<typename Key>(const FamilyPool<Key>& family) {
    const std::uint32_t number = block.guess[i] & ~kV6Bit;
    if (number >= family.records.capacity()) return;
    block.hash[i] = guess_hash(family.records.beside(number));
  };
  if ((block.v6 >> i & 1) != 0) {
    take(shard.v6);
  } else {
    take(shard.v4);
  }
}

/// Decides the packets of one shard among those of a block, in their order.
///
/// Gives     those that another shard goes on with.
std::uint32_t Pipeline::finish_shard(Block& block, std::uint32_t number, std::uint32_t which) {
  sent_on_ = 0;
  visit_shard(block, number, which);
  if (has_orphans_) [[unlikely]]
    tracker_.drop_orphans(tracker_.shards[number]);
  return sent_on_;
}

/// Decides them under the shard's lock, but for those that open translated connections and those
/// behind them.
void Pipeline::visit_shard(Block& block, std::uint32_t number, std::uint32_t which) {
  Shard& shard = tracker_.shards[number];
  const SpinlockGuard guard(shard.lock, !tracker_.config.exclusive);
  enter_shard(shard);
  shard.tally.bytes += block.bytes;
  block.bytes = 0;
  Verdict* const verdicts = &verdicts_[block.first];
  std::uint32_t left = which;
  std::uint32_t elsewhere = 0;
  while (left != 0) {
    // Runs of one kind: passengers of the lane of IPv4 or IPv6, or one packet of the long way.
    const std::uint32_t first = left & (0U - left);
    const bool v6 = (block.v6 & first) != 0;
    const std::uint32_t alike = block.plain & (v6 ? block.v6 : ~block.v6);
    if ((alike & first) != 0) {
      const std::uint32_t stop = left & ~alike;  // the run ends before the lowest of these
      const std::uint32_t run = left & (stop == 0 ? ~0U : (stop & (0U - stop)) - 1);
      const std::uint32_t rest = v6 ? run_lane<KeyV6>(shard, block, run, verdicts)
                                    : run_lane<KeyV4>(shard, block, run, verdicts);
      left = (left & ~run) | rest;
      if (rest == 0) continue;
    }
    const std::uint32_t packet = left & (0U - left);
    left &= left - 1;
    const auto i = static_cast<std::size_t>(std::countr_zero(packet));
    if ((block.redirected & packet) != 0) take_hash(shard, block, i);
    if (opening_hashes_.has(block.hash[i])) {
      elsewhere |= packet;
      behind_ |= packet;
      continue;
    }
    const Step step = decide(shard, block, i);
    if (step == Step::decided) [[likely]]
      continue;
    elsewhere |= packet;
    if (step == Step::sent_on) {
      sent_on_ |= packet;
    } else {
      opening_ |= packet;
      opening_hashes_.add(block.hash[i]);
    }
  }
  count(shard.tally, verdicts, which & ~elsewhere);
  has_orphans_ = shard.orphans.count() != 0;
}

void Pipeline::count_verdict(Shard& shard, const Verdict& verdict) {
  count(shard.tally, &verdict, 1);
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

}  // namespace uct::core
