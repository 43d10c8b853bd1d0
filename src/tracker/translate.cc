// Translated connections on the packet path. A packet of a reply tuple is sent on to the shard of
// its connection; packets are rewritten under the lock of their connection, which is in their
// caches then. How they are opened is in open_translated.cc.
#include <cstring>

#include "tracker/pipeline.h"
#include "tracker/tuples.h"

namespace uct::core {

namespace {

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
  block.aliased = 0;
  for (std::uint32_t i = 0; i < kBlock; ++i) {
    block.aliased |= (block.guess[i] / kAliasBit & 1) << i;
  }
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

/// Connections and reply tuples in loops of their own: which of them a packet meets nobody can
/// predict.
template <typename Key>
void Pipeline::resolve_family(Shard& shard, Block& block, std::uint32_t which) {
  // Kept here, because the compiler takes any byte that is written to a block for one of these.
  const FamilyPool<Key>& family = shard.family<Key>();
  const Alias<Key>* const aliases = family.aliases.data();
  const Record<Key>* const records = &family.records.record(0);
  const std::uint32_t alias_capacity = family.aliases.capacity();
  const std::uint32_t capacity = family.records.capacity();
  std::uint32_t elsewhere = 0;
  for (std::uint32_t left = which & ~block.aliased; left != 0; left &= left - 1) {
    const auto i = static_cast<std::size_t>(std::countr_zero(left));
    const std::uint32_t number = block.guess[i] ^ kFamilyBit<Key>;
    const bool is_guess =
        number < capacity && has_words(records[number].key, block.template words<Key>(i));
    elsewhere |= std::uint32_t{!is_guess} << i;
  }
  for (std::uint32_t left = which & block.aliased; left != 0; left &= left - 1) {
    const auto i = static_cast<std::size_t>(std::countr_zero(left));
    const std::uint32_t number = block.guess[i] ^ kFamilyBit<Key> ^ kAliasBit;
    if (number < alias_capacity && has_words(aliases[number].key, block.template words<Key>(i)))
        [[likely]] {
      if (aliases[number].home.is_linked()) send_on(block, i, number, aliases[number]);
    } else {
      elsewhere |= 1U << i;
    }
  }
  for (; elsewhere != 0; elsewhere &= elsewhere - 1) {
    const auto i = static_cast<std::size_t>(std::countr_zero(elsewhere));
    const auto& words = block.template words<Key>(i);
    const std::uint32_t entry = shard.index.find(block.hash[i], [&](std::uint32_t other) {
      return (other & kV6Bit) == kFamilyBit<Key> && has_words(key_of_entry(family, other), words);
    });
    if (entry == kNoNumber) continue;
    block.guess[i] = entry;
    const std::uint32_t number = entry & kNumberBits;
    if ((entry & kAliasBit) != 0 && aliases[number].home.is_linked()) {
      send_on(block, i, number, aliases[number]);
    }
  }
}

template <typename Key>
void Pipeline::send_on(Block& block, std::size_t i, std::uint32_t number, const Alias<Key>& alias) {
  const Home& home = alias.home;
  prefetch_entry<false>(family_of<Key>(tracker_.shards[home.shard]), home.number);
  block.alias[i] = number;
  block.alias_generation[i] = alias.key.generation;
  block.redirected |= 1U << i;
  block.hash[i] = home.hash;
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

#define UCT_INSTANTIATE(Key)                                                                    \
  template void Pipeline::translate<Key>(Shard&, const Item&, std::size_t, std::uint32_t,       \
                                         Direction);                                            \
  template void Pipeline::translate_error<Key>(Shard&, const Item&, std::size_t, std::uint32_t, \
                                               Direction);                                      \
  template bool Pipeline::may_refresh<Key>(Shard&, Kind, std::uint32_t, Direction);             \
  template Direction Pipeline::direction_in<Key>(Shard&, const Item&, std::uint32_t);           \
  template void Pipeline::send_on<Key>(Block&, std::size_t, std::uint32_t, const Alias<Key>&);  \
  template void Pipeline::turn_back<Key>(Block&, std::size_t);
UCT_INSTANTIATE(KeyV4)
UCT_INSTANTIATE(KeyV6)
#undef UCT_INSTANTIATE

}  // namespace uct::core
