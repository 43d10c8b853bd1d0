// Translated connections on the packet path. A packet of a reply tuple is sent on to the shard of
// its connection; an opening chooses its tuple while no lock is held; packets are rewritten under
// the lock of their connection, which is in their caches then.
#include <cstring>

#include "nat/choice.h"
#include "tracker/pipeline.h"

namespace uct::core {

namespace {

bool has_identifier(Kind kind) { return kind == Kind::icmp || kind == Kind::icmpv6; }

/// The tuple of packets of a key that end `from` sends.
template <typename Key>
Translation tuple_of(const Key& key, unsigned from) {
  Translation tuple;
  std::memcpy(tuple.source, key.address[from].data(), sizeof(key.address[0]));
  std::memcpy(tuple.destination, key.address[1 - from].data(), sizeof(key.address[0]));
  if (has_identifier(key.kind)) {
    tuple.source_port = key.port[0];
  } else if (key.kind != Kind::other) {
    tuple.source_port = big_endian(key.port[from]);
    tuple.destination_port = big_endian(key.port[1 - from]);
  }
  return tuple;
}

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

/// The packet with another tuple, as far as keys go.
ParsedPacket with_tuple(const ParsedPacket& packet, const Translation& tuple) {
  ParsedPacket other = packet;
  std::memcpy(other.source, tuple.source, sizeof(other.source));
  std::memcpy(other.destination, tuple.destination, sizeof(other.destination));
  other.source_port = tuple.source_port;
  // Of an ICMP query this is type and code.
  if (!has_identifier(packet.kind)) other.destination_port = tuple.destination_port;
  return other;
}

bool same_end(const std::uint32_t (&a)[4], std::uint16_t a_port, const std::uint32_t (&b)[4],
              std::uint16_t b_port) {
  return std::memcmp(a, b, sizeof(a)) == 0 && a_port == b_port;
}

/// Hides from the compiler what it knows of a value, lest it makes branches of it.
std::uint64_t opaque(std::uint64_t value) {
  asm("" : "+r"(value));
  return value;
}

std::span<std::byte> bytes_of(const Packet& packet) { return {packet.data, packet.size}; }

/// The source address of the packet itself, where parsed.source is that of one it quotes.
std::array<std::uint32_t, 4> outer_source(const Packet& packet, const ParsedPacket& parsed) {
  const bool v4 = parsed.family == Family::ipv4;
  const std::byte* ip =
      packet.data + parsed.transport_offset - (parsed.ip_size - parsed.transport_size);
  std::array<std::uint32_t, 4> words{};
  std::memcpy(words.data(), ip + (v4 ? 12 : 8), v4 ? 4 : 16);
  return words;
}

template <typename Key>
std::array<std::uint32_t, 4> words_of(const Key& key, unsigned end) {
  std::array<std::uint32_t, 4> words{};
  std::memcpy(words.data(), key.address[end].data(), sizeof(key.address[0]));
  return words;
}

}  // namespace

// ---- from a reply tuple to its connection -------------------------------------------------------

/// Sends the packets of reply tuples on before any shard is visited, so that the packets of a
/// connection keep their order, whichever tuple they carry.
void Pipeline::resolve(Block& block) {
  std::uint32_t waiting = block.keyed;
  while (waiting != 0) {
    const std::uint8_t number = block.shard[static_cast<std::size_t>(std::countr_zero(waiting))];
    const std::uint32_t mine = waiting & same_byte(block.shard, number);
    waiting &= ~mine;
    Shard& shard = tracker_.shards[number];
    const SpinlockGuard guard(shard.lock, !tracker_.config.exclusive);
    if (shard.aliases == 0) continue;
    resolve_family<KeyV4>(shard, block, mine & ~block.v6);
    resolve_family<KeyV6>(shard, block, mine & block.v6);
  }
}

template <typename Key>
void Pipeline::resolve_family(Shard& shard, Block& block, std::uint32_t which) {
  // Kept here, because the compiler takes any byte that is written to a block for one of these.
  const FamilyPool<Key>& family = shard.family<Key>();
  const Record<Key>* const records = &family.records.record(0);
  const std::uint32_t capacity = family.records.capacity();
  const Translated<Key>* const translated = family.translated.data();
  const Shard* const shards = tracker_.shards.get();
  std::uint32_t redirected = 0;
  for (; which != 0; which &= which - 1) {
    const auto i = static_cast<std::size_t>(std::countr_zero(which));
    const auto& words = block.template words<Key>(i);
    const auto is_mine = [&](std::uint32_t number) {
      return (number & kV6Bit) == kFamilyBit<Key> &&
             has_words(records[number & ~kV6Bit].key, words);
    };
    std::uint32_t entry = block.guess[i];
    if ((entry & ~kV6Bit) >= capacity || !is_mine(entry)) [[unlikely]] {
      entry = shard.index.find(block.hash[i], is_mine);
      if (entry == kNoNumber) continue;
      block.guess[i] = entry;
    }
    const std::uint32_t number = entry & ~kV6Bit;
    const Record<Key>& record = records[number];
    const Body& body = record.body;
    const AliasBody& alias = body.alias;
    // Which side a packet comes from nobody can predict: bits choose, not branches.
    const bool is_alias = ((body.status & status::kAlias) != 0) & (alias.linked != 0);
    if (!(is_alias | ((body.status & status::kTranslated) != 0))) continue;
    const auto choose = [mask = opaque(0 - std::uint64_t{is_alias})](std::uint64_t yes,
                                                                     std::uint64_t no) {
      return no ^ ((yes ^ no) & mask);
    };
    const auto home = static_cast<std::uint8_t>(choose(alias.shard, block.shard[i]));
    const auto home_number = static_cast<std::uint32_t>(choose(alias.number, entry));
    const auto next = choose(record_address<Key>(shards[home], home_number & ~kV6Bit),
                             reinterpret_cast<std::uintptr_t>(translated + number));
    prefetch_lines<sizeof(Record<Key>)>(reinterpret_cast<const void*>(next));
    redirected |= std::uint32_t{is_alias} << i;
    block.hash[i] = choose(alias.hash(), block.hash[i]);
    block.shard[i] = home;
    block.guess[i] = home_number;
    block.home[i] = {alias.generation, alias.sides};
    block.alias[i] = number;
    block.alias_generation[i] = record.key.generation;
  }
  block.redirected |= redirected;
}

template <typename Key>
void Pipeline::send_on(Block& block, std::size_t i, std::uint32_t number,
                       const Record<Key>& alias) {
  const AliasBody& home = alias.body.alias;
  block.alias[i] = number;
  block.alias_generation[i] = alias.key.generation;
  block.redirected |= 1U << i;
  block.hash[i] = home.hash();
  block.shard[i] = home.shard;
  block.guess[i] = home.number;
  block.home[i] = {home.generation, home.sides};
}

/// The connection of a reply tuple is gone: the packet is judged where its tuple belongs.
template <typename Key>
void Pipeline::turn_back(Block& block, std::size_t i) {
  block.redirected &= ~(1U << i);
  block.astray |= 1U << i;
  block.hash[i] = siphash13<Key::kWords>(block.template words<Key>(i), tracker_.config.hash_key);
  block.shard[i] = static_cast<std::uint8_t>(tracker_.shard_number(block.hash[i]));
  block.guess[i] = kNoNumber;
}

// ---- opening ------------------------------------------------------------------------------------

/// Gives     whether connections that this packet opens are to be translated.
bool Pipeline::is_to_be_translated(const ParsedPacket& packet) const {
  if (nat_ == nullptr) return false;
  const std::optional<Family> family = family_of(nat_->spec);
  return !family || *family == packet.family;
}

bool Pipeline::open_translated(Block& block, std::size_t i) {
  return (block.v6 >> i & 1) != 0 ? open_translated_of<KeyV6>(block, i)
                                  : open_translated_of<KeyV4>(block, i);
}

/// Enters the record of the tuple that was chosen.
///
/// Gives     Reason::none; `opening.changes` is false when the tuple stays what it is. Or
///           nat_exhausted when another connection has it.
template <typename Key>
Reason Pipeline::enter_reply(const Item& item, const Key& key, NatOpening<Key>& opening) {
  opening.origin = static_cast<std::uint8_t>(
      core::make_key(with_tuple(item.parsed, opening.tuple), request_.zone, opening.reply));
  if (equal(opening.reply, key)) {
    if (opening.origin != item.from) return Reason::nat_exhausted;  // the tuple of its own replies
    opening.changes = false;
    return Reason::none;
  }
  const std::uint64_t hash = hash_key(opening.reply, tracker_.config.hash_key);
  AliasBody holder{};
  holder.number = kNoNumber;
  const Reason reason = tracker_.enter_alias(opening.reply, hash, now_ms_, opening.place, holder);
  if (reason != Reason::nat_exhausted) return reason;
  if (tracker_.remove_expired(holder, opening.reply, now_ms_)) {
    return tracker_.enter_alias(opening.reply, hash, now_ms_, opening.place, holder);
  }
  const bool unfinished = holder.number != kNoNumber && holder.linked == 0;
  opening.has_twin = unfinished || (holder.linked != 0 && holder.hash() == item.hash);
  return reason;
}

/// Chooses a tuple and enters its record; gives what enter_reply() does.
template <typename Key>
Reason Pipeline::choose(const Item& item, const Key& key, NatOpening<Key>& opening) {
  if (nat_->mappings != nullptr) return choose_mapped(item, key, opening);
  do {
    NatChoice choice(nat_->spec, item.parsed, request_.zone, tracker_.config.hash_key,
                     tracker_.nat_nonce.fetch_add(1, std::memory_order_relaxed), tracker_.crowds);
    while (choice.next(opening.tuple)) {
      const Reason reason = enter_reply(item, key, opening);
      if (reason == Reason::none) return reason;
      if (reason == Reason::nat_exhausted) continue;
      choice.give_back(opening.tuple);
      return reason;
    }
  } while (tracker_.remove_due(now_ms_));  // a crowd does not know what expired
  return Reason::nat_exhausted;
}

/// Likewise where mapping is endpoint-independent.
template <typename Key>
Reason Pipeline::choose_mapped(const Item& item, const Key& key, NatOpening<Key>& opening) {
  // A port that the pool calls free is in use only by what the pool knows nothing of, such as
  // connections of the gateway itself.
  constexpr int kTries = 8;
  Mappings& mappings = *nat_->mappings;
  NatRandom random(tracker_.config.hash_key,
                   tracker_.nat_nonce.fetch_add(1, std::memory_order_relaxed));
  Mappings::Opening wanted{item.parsed, request_.zone, request_.from_outside};
  Reason reason = Reason::nat_exhausted;
  for (int i = 0; i < kTries; ++i) {
    opening.tuple = tuple_of(item.parsed);
    reason = mappings.open(wanted, now_ms_, random, opening.tuple, opening.use);
    const bool may_be_held_by_expired =
        reason == Reason::nat_exhausted || reason == Reason::nat_quota;
    opening.has_twin = false;
    if (may_be_held_by_expired && tracker_.remove_due(now_ms_)) continue;
    if (reason != Reason::none) return reason;
    reason = enter_reply(item, key, opening);
    if (reason == Reason::none && opening.changes) {
      if (!opening.use.empty()) opening.place.nat = static_cast<std::uint16_t>(nat_->id);
      return reason;
    }
    const bool again = reason == Reason::nat_exhausted && mappings.is_alone(opening.use);
    mappings.close(opening.use, now_ms_, Hold::free_now);
    if (!again) return reason;
    wanted.fresh_port = true;
  }
  return reason;
}

/// Takes back what choose() entered: the packet is what it was.
template <typename Key>
void Pipeline::leave_reply(const Item& item, std::size_t place, const NatOpening<Key>& opening,
                           Reason reason) {
  tracker_.drop_alias(opening.place);
  if (opening.place.nat != 0) nat_->mappings->close(opening.use, now_ms_, Hold::free_now);
  if (reason == Reason::nat_impossible) return;  // it was not rewritten
  static_cast<void>(rewrite(bytes_of(burst_[place]), item.parsed, tuple_of(item.parsed)));
}

/// Gives     what its reply tuple says of a connection that was just entered.
template <typename Key>
AliasBody Pipeline::home_of(Shard& shard, const Item& item) {
  FamilyPool<Key>& family = shard.family<Key>();
  const std::uint32_t number = item.guess & ~kV6Bit;
  return {static_cast<std::uint32_t>(item.hash),
          static_cast<std::uint32_t>(item.hash >> 32),
          item.guess,
          shard.number,
          1,
          family.records.record(number).key.generation,
          family.translated[number].sides};
}

/// Opens the connection of packet i, whose shard is not locked.
///
/// Gives     false when another thread was faster: the packet is one of its connection then.
template <typename Key>
bool Pipeline::open_translated_of(Block& block, std::size_t i) {
  Item& item = block.items[i];
  const std::size_t place = block.first + i;
  fill_addresses(item.template key<Key>(), item.from, item.parsed);
  NatOpening<Key> opening;
  Reason reason = choose(item, item.template key<Key>(), opening);
  const bool entered = reason == Reason::none && opening.changes;
  if (entered &&
      rewrite(bytes_of(burst_[place]), item.parsed, opening.tuple) != RewriteRefusal::none) {
    reason = Reason::nat_impossible;
  }
  AliasBody home{};
  bool opened = false;
  bool late = false;
  {
    Shard& shard = tracker_.shards[block.shard[i]];
    const SpinlockGuard guard(shard.lock, !tracker_.config.exclusive);
    const bool by_twin = reason == Reason::nat_exhausted && opening.has_twin;
    late = by_twin || (reason == Reason::none && exists<Key>(shard, item));
    if (!late) {
      if (reason == Reason::none) reason = enter_translated<Key>(shard, item, place, opening);
      opened = reason == Reason::none;
      if (reason == Reason::nat_impossible) reject(place, reason);
      verdicts_[place].reason = reason;
      count_verdict(shard, verdicts_[place]);
    }
    has_orphans_ = shard.orphans.count() != 0;
    if (opened && entered) home = home_of<Key>(shard, item);
  }
  if (opened && entered) {
    tracker_.link_alias<Key>(opening.place, home);
  } else if (entered) {
    leave_reply(item, place, opening, reason);
  }
  if (late) return false;
  if (reason != Reason::none) {
    count_reason(reason);
    nat_->refusals.count(reason);
  }
  return true;
}

// ---- packets of translated connections ----------------------------------------------------------

/// Gives     the direction of a packet, or of the packet that an error quotes.
template <typename Key>
Direction Pipeline::direction_in(Shard& shard, const Item& item, std::uint32_t number) {
  FamilyPool<Key>& family = shard.family<Key>();
  if (!item.by_reply) return direction_of(family.records.record(number).body, item.from);
  return item.from == family.translated[number].sides.origin ? Direction::original
                                                             : Direction::reply;
}

/// Gives     whether a packet of a translated connection may prolong it (RFC 4787 REQ-6).
template <typename Key>
bool Pipeline::may_refresh(Shard& shard, Kind kind, std::uint32_t number, Direction direction) {
  FamilyPool<Key>& family = shard.family<Key>();
  const std::uint16_t nat = family.translated[number].nat;
  if (nat == 0 || kind == Kind::tcp) return true;
  const NatEntry* entry = tracker_.nats.find(static_cast<NatId>(nat));
  if (entry->spec.mapping->inbound_refresh) return true;
  const bool from_inside = family.uses[number].source != kNoNumber;
  return from_inside == (direction == Direction::original);
}

/// Rewrites an accepted packet of a connection that may be translated, and says so in its verdict.
template <typename Key>
void Pipeline::translate(Shard& shard, const Item& item, std::size_t place, std::uint32_t number,
                         Direction direction) {
  FamilyPool<Key>& family = shard.family<Key>();
  const Record<Key>& record = family.records.record(number);
  if ((record.body.status & status::kTranslated) == 0) [[likely]]
    return;
  const Translated<Key>& other = family.translated[number];
  Translation tuple;
  if (direction == Direction::original) {
    tuple = tuple_of(other.reply, other.sides.origin);
  } else if (item.by_reply) {
    tuple = tuple_of(record.key, end_of(record.body, Direction::reply));
  } else {  // a reply seen inside
    tuple = tuple_of(other.reply, 1U - other.sides.origin);
  }
  if (rewrite(bytes_of(burst_[place]), item.parsed, tuple) != RewriteRefusal::none) {
    return reject(place, Reason::nat_impossible);
  }
  verdicts_[place].state |= translated_state(other.sides);
}

/// Likewise an error about such a connection. `quoted` is the direction of the packet it quotes.
template <typename Key>
void Pipeline::translate_error(Shard& shard, const Item& item, std::size_t place,
                               std::uint32_t number, Direction quoted) {
  FamilyPool<Key>& family = shard.family<Key>();
  const Record<Key>& record = family.records.record(number);
  if ((record.body.status & status::kTranslated) == 0) return;
  const Translated<Key>& other = family.translated[number];
  const unsigned origin = end_of(record.body, Direction::original);
  // What the originator sent and a router behind it quotes was never translated.
  if (!item.by_reply && quoted == Direction::original && !request_.inside_view) return;
  if (item.by_reply && quoted == Direction::reply) return reject(place, Reason::nat_tuple_side);
  // The receiver must find its own packet in the quote. Of who sent the error, the ends of the
  // connection show themselves as they do elsewhere; what stands on a translated side hides
  // behind its address, as the connection does; other routers stay themselves.
  auto source = outer_source(burst_[place], item.parsed);
  Translation quote;
  std::array<std::uint32_t, 4> destination;
  if (quoted == Direction::original && !item.by_reply) {  // seen inside
    quote = tuple_of(other.reply, other.sides.origin);
    destination = words_of(other.reply, other.sides.origin);
    if (source == words_of(record.key, 1 - origin)) {
      source = words_of(other.reply, 1U - other.sides.origin);
    }
  } else if (quoted == Direction::original) {
    quote = tuple_of(record.key, origin);
    destination = words_of(record.key, origin);
    if (other.sides.destination() || source == words_of(other.reply, 1U - other.sides.origin)) {
      source = words_of(record.key, 1 - origin);
    }
  } else {
    quote = tuple_of(other.reply, 1U - other.sides.origin);
    destination = words_of(other.reply, 1U - other.sides.origin);
    if (other.sides.source() || source == words_of(record.key, origin)) {
      source = words_of(other.reply, other.sides.origin);
    }
  }
  if (rewrite_error(bytes_of(burst_[place]), item.parsed, quote, source, destination) !=
      RewriteRefusal::none) {
    return reject(place, Reason::nat_impossible);
  }
  verdicts_[place].state |= translated_state(other.sides);
}

/// Notes the other tuple of a connection that was just entered.
template <typename Key>
void Pipeline::note_translation(Shard& shard, const Item& item, std::size_t place,
                                std::uint32_t number, const NatOpening<Key>& opening) {
  FamilyPool<Key>& family = shard.family<Key>();
  Record<Key>& record = family.records.record(number);
  record.body.status |= status::kTranslated;
  const Translation before = tuple_of(record.key, item.from);
  const Translation after = tuple_of(opening.reply, opening.origin);
  Translated<Key>& other = family.translated[number];
  other.reply = opening.reply;
  other.alias = opening.place.number;
  other.alias_generation = opening.place.generation;
  other.nat = opening.place.nat;
  if (other.nat != 0) family.uses[number] = opening.use;
  const bool source = !same_end(before.source, before.source_port, after.source, after.source_port);
  const bool destination = !same_end(before.destination, before.destination_port, after.destination,
                                     after.destination_port);
  other.sides = {opening.origin,
                 static_cast<std::uint8_t>((source ? Sides::kSource : 0) |
                                           (destination ? Sides::kDestination : 0))};
  verdicts_[place].state |= translated_state(other.sides);
}

#define UCT_INSTANTIATE(Key)                                                                     \
  template void Pipeline::note_translation<Key>(Shard&, const Item&, std::size_t, std::uint32_t, \
                                                const NatOpening<Key>&);                         \
  template void Pipeline::translate<Key>(Shard&, const Item&, std::size_t, std::uint32_t,        \
                                         Direction);                                             \
  template void Pipeline::translate_error<Key>(Shard&, const Item&, std::size_t, std::uint32_t,  \
                                               Direction);                                       \
  template bool Pipeline::may_refresh<Key>(Shard&, Kind, std::uint32_t, Direction);              \
  template Direction Pipeline::direction_in<Key>(Shard&, const Item&, std::uint32_t);            \
  template void Pipeline::send_on<Key>(Block&, std::size_t, std::uint32_t, const Record<Key>&);  \
  template void Pipeline::turn_back<Key>(Block&, std::size_t);
UCT_INSTANTIATE(KeyV4)
UCT_INSTANTIATE(KeyV6)
#undef UCT_INSTANTIATE

}  // namespace uct::core
