// Opening translated connections, those of a block together. Each step takes all of them, so that
// memory answers many requests at once:
//
//   choose    a first candidate for each, and the buckets of the reply tuples are sent for
//   take      the reply tuples are entered, one by one; each says where its connection will be
//   enter     the connections, shard by shard
//   finish    the packets are rewritten; or what was taken is given back
//
// Between the steps no lock is held. Packets that have the tuple of one that opens wait behind it.
#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "nat/choice.h"
#include "nat/rewrite_tcp.h"
#include "tracker/pipeline.h"
#include "tracker/tuples.h"

namespace uct::core {

namespace {

Translation tuple_of(const ParsedPacket& packet) {
  Translation tuple;
  std::memcpy(tuple.source, packet.source, sizeof(tuple.source));
  std::memcpy(tuple.destination, packet.destination, sizeof(tuple.destination));
  tuple.source_port = packet.source_port;
  tuple.destination_port = packet.destination_port;
  return tuple;
}

/// Fills the addresses of a packet that the express lane read: it needs none but its key's.
template <typename Key>
void fill_addresses(const Key& key, unsigned from, ParsedPacket& packet) {
  std::memset(packet.source, 0, sizeof(packet.source));  // all of it is hashed
  std::memset(packet.destination, 0, sizeof(packet.destination));
  std::memcpy(packet.source, key.address[from].data(), sizeof(key.address[0]));
  std::memcpy(packet.destination, key.address[1 - from].data(), sizeof(key.address[0]));
}

/// Fills the key that the packet has with another tuple; gives as make_key().
template <typename Key>
unsigned make_key_with(const ParsedPacket& packet, const Translation& tuple, Zone zone, Key& key) {
  if (packet.kind == Kind::other || has_identifier(packet.kind)) {
    ParsedPacket other = packet;
    std::memcpy(other.source, tuple.source, sizeof(other.source));
    std::memcpy(other.destination, tuple.destination, sizeof(other.destination));
    other.source_port = tuple.source_port;  // the destination's are an ICMP query's type and code
    return core::make_key(other, zone, key);
  }
  typename Key::Address source;
  typename Key::Address destination;
  std::memcpy(source.data(), tuple.source, sizeof(source));
  std::memcpy(destination.data(), tuple.destination, sizeof(destination));
  const Ports ports{big_endian(tuple.source_port), big_endian(tuple.destination_port)};
  return make_ported_key(source, destination, ports, zone, packet.kind, key);
}

/// Gives     what of a tuple that end `from` of `key` sends is another in `reply` from `origin`. An
///           identifier is the originator's.
template <typename Key>
std::uint8_t changed_sides(const Key& key, unsigned from, const Key& reply, unsigned origin) {
  const bool identified = has_identifier(key.kind);
  const bool ported = !identified && key.kind != Kind::other;
  const bool source = key.address[from] != reply.address[origin] ||
                      (identified && key.port[0] != reply.port[0]) ||
                      (ported && key.port[from] != reply.port[origin]);
  const bool destination = key.address[1 - from] != reply.address[1 - origin] ||
                           (ported && key.port[1 - from] != reply.port[1 - origin]);
  return static_cast<std::uint8_t>((source ? Sides::kSource : 0) |
                                   (destination ? Sides::kDestination : 0));
}

/// Gives     the lowest `count` bits that are set, or all of them.
std::uint32_t lowest_bits(std::uint32_t bits, std::size_t count) {
  std::uint32_t higher = bits;
  for (; count != 0 && higher != 0; --count) higher &= higher - 1;
  return bits ^ higher;
}

std::size_t lowest(std::uint32_t bits) { return static_cast<std::size_t>(std::countr_zero(bits)); }

}  // namespace

template <typename Key>
struct Pipeline::NatOpening {
  std::optional<NatChoice> choice;  ///< none where mapping is endpoint-independent
  bool has_candidate = false;       ///< the choice made one that was not tried yet

  Translation tuple{};      ///< of the packet that opens it
  Key reply{};              ///< the key of that
  std::uint64_t hash = 0;   ///< and its hash
  std::uint8_t origin = 0;  ///< the end of `reply` that stands for the originator
  bool changes = true;      ///< it is another tuple than the packet's own
  bool is_taken = false;    ///< its alias is entered
  AliasPlace place{};       ///< of the connection that is to be; kNone when there is no number
  Translated<Key>* other = nullptr;  ///< under its number
  MappingUse use{};                  ///< what it holds of the spec's mappings
  Reason reason = Reason::none;      ///< why it is not opened
  bool is_open = false;
  bool is_late = false;  ///< the packet belongs to another one's connection after all
  /// Whoever has the tuple is not finished yet, or opened this very connection: try again.
  bool has_twin = false;
};

/// Gives     whether connections that this packet opens are to be translated.
bool Pipeline::is_to_be_translated(const ParsedPacket& packet) const {
  return nat_ != nullptr && nat_->plan.is_for(packet.family);
}

/// Opens the connections that packets of the block wait for.
///
/// Gives     the packets that are to be decided now.
std::uint32_t Pipeline::open_translated(Block& block) {
  const std::uint32_t which = std::exchange(opening_, 0);
  opening_hashes_.clear();
  const std::uint32_t again =
      open_family<KeyV4>(block, which & ~block.v6) | open_family<KeyV6>(block, which & block.v6);
  return again | std::exchange(behind_, 0);
}

template <typename Key>
std::uint32_t Pipeline::open_family(Block& block, std::uint32_t which) {
  if (which == 0) return 0;
  gave_back_ = false;
  taken_hashes_.clear();
  entering_hashes_.clear();
  static_assert(std::is_trivially_destructible_v<NatOpening<Key>>);
  alignas(NatOpening<Key>) std::byte memory[kBlock * sizeof(NatOpening<Key>)];  // see run()
  auto* const openings = reinterpret_cast<NatOpening<Key>*>(memory);
  begin(block, openings, which);
  enter_connections(block, openings, take_tuples(block, openings, which));
  std::uint32_t again = 0;
  for (std::uint32_t left = which; left != 0; left &= left - 1) {
    const std::size_t i = lowest(left);
    if (!finish_opening(block.items[i], block.first + i, openings[i])) again |= 1U << i;
  }
  return again;
}

// ---- choose -------------------------------------------------------------------------------------

template <typename Key>
void Pipeline::begin(Block& block, NatOpening<Key>* openings, std::uint32_t which) {
  for (std::uint32_t left = which; left != 0; left &= left - 1) {
    const std::size_t i = lowest(left);
    new (openings + i) NatOpening<Key>;  // with () all of its bytes would be cleared first
    take_number(block, i, openings[i]);
    fill_addresses(block.items[i].template key<Key>(), block.items[i].from, block.items[i].parsed);
  }
  if (nat_->mappings != nullptr) return;
  std::uint64_t nonce = tracker_.take_nonces(static_cast<std::uint32_t>(std::popcount(which)));
  while (which != 0) {
    const std::uint32_t group = lowest_bits(which, kHashLanes);
    choose_first(block, openings, group, nonce);
    hash_replies(openings, group);
    nonce += kHashLanes;
    which ^= group;
  }
}

/// Takes over the number that was reserved for the packet's connection.
template <typename Key>
void Pipeline::take_number(Block& block, std::size_t i, NatOpening<Key>& opening) {
  Item& item = block.items[i];
  const std::uint32_t guess = std::exchange(item.guess, kNoNumber);
  opening.place = {block.shard[i], guess == kNoNumber ? NumberPool::kNone : guess & ~kV6Bit};
  if (guess == kNoNumber) return;
  opening.other = &tracker_.translated_at<Key>(opening.place);
  set_hash(*opening.other, item.hash);
}

/// Makes the first candidates of at most kHashLanes openings.
template <typename Key>
void Pipeline::choose_first(Block& block, NatOpening<Key>* openings, std::uint32_t which,
                            std::uint64_t nonce) {
  std::array<const ParsedPacket*, kHashLanes> packets;
  std::array<NatDraw, kHashLanes> draws;
  std::size_t count = 0;
  for (std::uint32_t left = which; left != 0; left &= left - 1) {
    packets[count++] = &block.items[lowest(left)].parsed;
  }
  draw(nat_->plan, std::span(packets).first(count), tracker_.config.hash_key, nonce, draws.data());
  for (const NatDraw* next = draws.data(); which != 0; which &= which - 1) {
    const std::size_t i = lowest(which);
    make_choice(*next++, block.items[i], openings[i]);
    choose_next(block.items[i], openings[i]);
  }
}

template <typename Key>
void Pipeline::make_choice(const NatDraw& draw, const Item& item, NatOpening<Key>& opening) const {
  opening.choice.emplace(nat_->plan, item.parsed, request_.zone, tracker_.config.hash_key, draw,
                         tracker_.crowds);
}

/// Makes the next candidate, if there is one, but for its hash.
template <typename Key>
void Pipeline::choose_next(const Item& item, NatOpening<Key>& opening) const {
  opening.has_candidate = opening.choice->next(opening.tuple);
  if (opening.has_candidate) make_reply(item, opening);
}

/// Hashes the reply tuples of candidates side by side, and sends for their buckets.
template <typename Key>
void Pipeline::hash_replies(NatOpening<Key>* openings, std::uint32_t which) {
  HashKeys<Key::kWords> keys;
  alignas(64) std::uint64_t hashes[kHashLanes];
  std::array<NatOpening<Key>*, kHashLanes> group;
  std::size_t count = 0;
  for (; which != 0; which &= which - 1) {
    NatOpening<Key>& opening = openings[lowest(which)];
    if (!opening.has_candidate) continue;
    key_words(opening.reply, keys[count]);
    group[count++] = &opening;
  }
  if (count == 0) return;
  for (std::size_t i = count; i < kHashLanes; ++i) std::memset(keys[i], 0, sizeof(keys[i]));
  hash_lanes(keys, tracker_.config.hash_key, hashes);
  for (std::size_t i = 0; i < count; ++i) {
    group[i]->hash = hashes[i];
    __builtin_prefetch(home_bucket(tracker_.shard_of(hashes[i]), hashes[i]), 1, 3);
  }
}

template <typename Key>
void Pipeline::begin_again(const Item& item, NatOpening<Key>& opening) {
  const ParsedPacket* const packet = &item.parsed;
  NatDraw draw;
  core::draw(nat_->plan, {&packet, 1}, tracker_.config.hash_key, tracker_.take_nonces(1), &draw);
  make_choice(draw, item, opening);
  next_candidate(item, opening);
}

template <typename Key>
void Pipeline::next_candidate(const Item& item, NatOpening<Key>& opening) {
  choose_next(item, opening);
  if (opening.has_candidate) opening.hash = hash_key(opening.reply, tracker_.config.hash_key);
}

/// Fills the key of the tuple that was chosen.
template <typename Key>
void Pipeline::make_reply(const Item& item, NatOpening<Key>& opening) const {
  opening.origin = static_cast<std::uint8_t>(
      make_key_with(item.parsed, opening.tuple, request_.zone, opening.reply));
}

// ---- take ---------------------------------------------------------------------------------------

/// Gives     those whose connections are still to be entered.
template <typename Key>
std::uint32_t Pipeline::take_tuples(Block& block, NatOpening<Key>* openings, std::uint32_t which) {
  std::uint32_t waiting = which;
  for (; which != 0; which &= which - 1) {
    const std::size_t i = lowest(which);
    NatOpening<Key>& opening = openings[i];
    if (taken_hashes_.has(block.hash[i])) {  // the tuple of another's replies
      opening.is_late = true;
      if (opening.has_candidate) opening.choice->give_back(opening.tuple);
      gave_back_ = true;
      waiting ^= 1U << i;
      continue;
    }
    take_tuple(block.items[i], block.first + i, opening);
    if (opening.is_taken) {
      ++aliases_entered_;
      taken_hashes_.add(opening.hash);
      entering_hashes_.add(block.hash[i]);
    }
    if (opening.changes) continue;
    enter_connections(block, openings, 1U << i);  // no alias keeps its tuple from the next one
    waiting ^= 1U << i;
  }
  return waiting;
}

template <typename Key>
void Pipeline::take_tuple(Item& item, std::size_t place, NatOpening<Key>& opening) {
  if (opening.place.number == NumberPool::kNone) {
    opening.reason = Reason::memory_full;
  } else if (nat_->mappings != nullptr) {
    opening.reason = choose_mapped(item, opening);
  } else {
    opening.reason = choose(item, opening);
  }
  opening.is_taken = opening.reason == Reason::none && opening.changes;
  if (opening.is_taken &&
      check_rewrite(bytes_of(burst_[place]), item.parsed, opening.tuple) != RewriteRefusal::none) {
    opening.reason = Reason::nat_impossible;
    leave_reply(opening);
  }
}

/// Enters an alias for the first candidate that is free.
template <typename Key>
Reason Pipeline::choose(Item& item, NatOpening<Key>& opening) {
  if (!opening.has_candidate && gave_back_) begin_again(item, opening);
  while (true) {
    for (; opening.has_candidate; next_candidate(item, opening)) {
      const Reason reason = enter_reply(item, opening);
      if (reason == Reason::none) return reason;
      if (reason == Reason::nat_exhausted) continue;
      opening.choice->give_back(opening.tuple);
      gave_back_ = true;
      return reason;
    }
    if (!tracker_.remove_due(now_ms_)) return Reason::nat_exhausted;
    begin_again(item, opening);  // a crowd does not know what expired
  }
}

/// Likewise where mapping is endpoint-independent.
template <typename Key>
Reason Pipeline::choose_mapped(Item& item, NatOpening<Key>& opening) {
  // A port that the pool calls free is in use only by what the pool knows nothing of, such as
  // connections of the gateway itself.
  constexpr int kTries = 8;
  Mappings& mappings = *nat_->mappings;
  NatRandom random(tracker_.config.hash_key, tracker_.take_nonces(1));
  Mappings::Opening wanted{item.parsed, request_.zone, request_.from_outside};
  Reason reason = Reason::nat_exhausted;
  for (int i = 0; i < kTries; ++i) {
    opening.tuple = tuple_of(item.parsed);
    reason = mappings.open(wanted, now_ms_, random, opening.tuple, opening.use);
    opening.has_twin = false;
    if (tracker_.may_try_again(reason, now_ms_)) continue;
    if (reason != Reason::none) return reason;
    make_reply(item, opening);
    opening.hash = hash_key(opening.reply, tracker_.config.hash_key);
    reason = enter_reply(item, opening);
    if (reason == Reason::none && opening.changes) {
      if (!opening.use.empty()) opening.other->nat = static_cast<std::uint16_t>(nat_->id);
      return reason;
    }
    const bool again = reason == Reason::nat_exhausted && mappings.is_alone(opening.use);
    mappings.close(opening.use, now_ms_, Hold::free_now);
    if (!again) return reason;
    wanted.fresh_port = true;
  }
  return reason;
}

/// Enters an alias for the tuple that was chosen.
///
/// Gives     Reason::none; `opening.changes` is false when the tuple stays what it is. Or
///           nat_exhausted when another connection has it.
template <typename Key>
Reason Pipeline::enter_reply(Item& item, NatOpening<Key>& opening) {
  if (equal(opening.reply, item.template key<Key>())) {
    if (opening.origin != item.from) return Reason::nat_exhausted;  // the tuple of its own replies
    opening.changes = false;
    return Reason::none;
  }
  if (entering_hashes_.has(opening.hash)) return Reason::nat_exhausted;  // one before it opens it
  opening.other->reply = opening.reply;
  opening.other->reply.generation = tracker_.generation_at<Key>(opening.place);
  std::optional<TrackerCore::Holder> holder;
  const Reason reason =
      tracker_.enter_alias(opening.reply, opening.hash, now_ms_, opening.place, holder);
  if (reason != Reason::nat_exhausted) return reason;
  if (!holder) return reason;
  const bool has_equals = opening.choice && opening.choice->has_equals();
  if (!has_equals && tracker_.remove_expired(*holder, opening.reply, now_ms_)) {
    return tracker_.enter_alias(opening.reply, opening.hash, now_ms_, opening.place, holder);
  }
  opening.has_twin = !holder->is_entered || holder->hash == item.hash;
  return reason;
}

/// Gives back what was taken.
template <typename Key>
void Pipeline::leave_reply(NatOpening<Key>& opening) {
  tracker_.drop_alias<Key>(opening.place);
  if (opening.other->nat != 0) nat_->mappings->close(opening.use, now_ms_, Hold::free_now);
  opening.is_taken = false;
  gave_back_ = true;
}

// ---- enter --------------------------------------------------------------------------------------

template <typename Key>
void Pipeline::enter_connections(Block& block, NatOpening<Key>* openings, std::uint32_t which) {
  while (which != 0) {
    const std::uint8_t number = block.shard[lowest(which)];
    const std::uint32_t mine = which & same_byte(block.shard, number);
    which &= ~mine;
    Shard& shard = tracker_.shards[number];
    {
      const SpinlockGuard guard(shard.lock, !tracker_.config.exclusive);
      for (std::uint32_t left = mine; left != 0; left &= left - 1) {
        const std::size_t i = lowest(left);
        enter_connection(shard, block.items[i], block.first + i, openings[i]);
      }
      has_orphans_ = shard.orphans.count() != 0;
    }
    if (has_orphans_) [[unlikely]]
      tracker_.drop_orphans(shard);
  }
}

template <typename Key>
void Pipeline::enter_connection(Shard& shard, Item& item, std::size_t place,
                                NatOpening<Key>& opening) {
  opening.is_late = opening.reason == Reason::none
                        ? exists<Key>(shard, item)
                        : opening.has_twin && opening.reason == Reason::nat_exhausted;
  if (!opening.is_late) {
    if (opening.reason == Reason::none) open_connection(shard, item, place, opening);
    if (opening.reason == Reason::nat_impossible) reject(place, opening.reason);
    verdicts_[place].reason = opening.reason;
    count_verdict(shard, verdicts_[place]);
  }
  if (opening.is_open || opening.is_taken || opening.place.number == NumberPool::kNone) return;
  shard.family<Key>().records.put_back(std::exchange(opening.place.number, NumberPool::kNone));
}

template <typename Key>
void Pipeline::open_connection(Shard& shard, Item& item, std::size_t place,
                               NatOpening<Key>& opening) {
  std::uint32_t number = opening.place.number;
  opening.reason = commit<Key>(shard, item, context_for(item, place), number);
  if (opening.reason != Reason::none) return;
  opening.is_open = true;
  if (opening.changes) note_translation<Key>(shard, item, place, opening);
  announce<Key>(shard, item, place, number);
}

/// Notes that a connection which was just entered is translated, and how.
template <typename Key>
void Pipeline::note_translation(Shard& shard, const Item& item, std::size_t place,
                                NatOpening<Key>& opening) {
  FamilyPool<Key>& family = shard.family<Key>();
  Record<Key>& record = family.records.record(opening.place.number);
  record.body.status |= status::kTranslated;
  Translated<Key>& other = *opening.other;
  if (other.nat != 0) family.use(opening.place.number) = opening.use;
  other.sides = Sides::of(item.from, opening.origin,
                          changed_sides(record.key, item.from, opening.reply, opening.origin));
  const TupleSteps steps = steps_between(record.key, opening.reply);
  other.addresses_step = steps.addresses;
  other.tuple_step = steps.tuple;
  set_entered(other);
  verdicts_[place].state |= translated_state(other.sides);
}

// ---- finish -------------------------------------------------------------------------------------

/// Gives     false when the packet is to be decided again.
template <typename Key>
bool Pipeline::finish_opening(const Item& item, std::size_t place, NatOpening<Key>& opening) {
  if (opening.is_taken && opening.is_open) {
    static_cast<void>(rewrite(bytes_of(burst_[place]), item.parsed, opening.tuple));  // was checked
  } else if (opening.is_taken) {
    leave_reply(opening);
  }
  if (!opening.is_open && opening.place.number != NumberPool::kNone) {
    tracker_.put_back_number<Key>(opening.place);
  }
  if (opening.is_late) return false;
  if (opening.reason != Reason::none) {
    count_reason(opening.reason);
    nat_->refusals.count(opening.reason);
  }
  return true;
}

}  // namespace uct::core
