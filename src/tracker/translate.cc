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

/// Sees to it that packets of reply tuples are in the shards of their connections before any shard
/// is visited, so that the packets of a connection keep their order, whichever tuple they carry.
///
/// Those whose entry was the only one that could be theirs went on when it was guessed: it is
/// theirs or there is none, and the connection's shard will say which. All others are looked up,
/// and all are once this call has entered reply tuples since: one of those may be meant. (While
/// another thread moves the entries of a bucket, the right one may be missed and a wrong one have
/// its tag, by one chance in ten thousand: then the packet is behind some of its burst.)
void Pipeline::resolve(Block& block) {
  std::uint32_t unsure = block.unsure;
  if (block.entered != aliases_entered_) {
    unsure = block.keyed;
    for (std::uint32_t left = block.redirected; left != 0; left &= left - 1) {
      const auto i = static_cast<std::size_t>(std::countr_zero(left));
      block.shard[i] = static_cast<std::uint8_t>(tracker_.shard_number(block.hash[i]));
      block.guess[i] = kNoNumber;
    }
    block.redirected = 0;
  }
  // Most of the others are right, too: to see that needs no lock.
  std::uint32_t unknown = 0;
  for (; unsure != 0; unsure &= unsure - 1) {
    const auto i = static_cast<std::size_t>(std::countr_zero(unsure));
    const bool is_right =
        (block.v6 >> i & 1) != 0 ? go_as_guessed<KeyV6>(block, i) : go_as_guessed<KeyV4>(block, i);
    unknown |= std::uint32_t{!is_right} << i;
  }
  if (unknown != 0) look_up(block, unknown);
}

/// Gives     whether the entry that was guessed for a packet is its own; and sends it on when it is
///           a reply tuple's. What it reads may change under its eyes, as in Index::guess(): the
///           connection's shard is asked again, under its lock.
template <typename Key>
[[gnu::always_inline]] inline bool Pipeline::go_as_guessed(Block& block, std::size_t i) const {
  const std::uint32_t entry = block.guess[i];
  if (entry == kNoNumber || (entry & kV6Bit) != kFamilyBit<Key>) return false;
  const auto& words = block.template words<Key>(i);
  if ((entry & kAliasBit) == 0) {
    const auto& records = family_of<Key>(tracker_.shards[block.shard[i]]).records;
    return has_words(records.record(entry & kNumberBits).key, words);
  }
  const AliasPlace place = tracker_.place_of(entry);
  if (!has_words(tracker_.translated_at<Key>(place).reply, words)) return false;
  follow<Key>(block, i, entry);
  return true;
}

/// Sends a packet on to the connection of a reply tuple.
template <typename Key>
void Pipeline::follow(Block& block, std::size_t i, std::uint32_t alias) const {
  const AliasPlace place = tracker_.place_of(alias);
  block.redirected |= 1U << i;
  block.shard[i] = static_cast<std::uint8_t>(place.shard);
  block.guess[i] = place.number | kFamilyBit<Key>;
}

void Pipeline::look_up(Block& block, std::uint32_t which) {
  while (which != 0) {
    const std::uint8_t number = block.shard[static_cast<std::size_t>(std::countr_zero(which))];
    const std::uint32_t mine = which & same_byte(block.shard, number);
    which &= ~mine;
    Shard& shard = tracker_.shards[number];
    const SpinlockGuard guard(shard.lock, !tracker_.config.exclusive);
    if (shard.aliases == 0) continue;
    look_up_family<KeyV4>(shard, block, mine & ~block.v6);
    look_up_family<KeyV6>(shard, block, mine & block.v6);
  }
}

template <typename Key>
void Pipeline::look_up_family(Shard& shard, Block& block, std::uint32_t which) {
  for (; which != 0; which &= which - 1) {
    const auto i = static_cast<std::size_t>(std::countr_zero(which));
    Key key;
    std::memcpy(&key, block.template words<Key>(i), sizeof(key));
    const std::uint32_t entry = tracker_.find_entry(shard, key, block.hash[i]);
    if (entry == kNoNumber) continue;
    block.guess[i] = entry;
    if ((entry & kAliasBit) == 0) continue;
    if (is_entered(tracker_.translated_at<Key>(tracker_.place_of(entry)))) {
      follow<Key>(block, i, entry);
    }
  }
}

/// The connection of a reply tuple is gone: the packet is judged where its tuple belongs.
template <typename Key>
void Pipeline::turn_back(Block& block, std::size_t i) {
  block.redirected &= ~(1U << i);
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
  return item.from == family.records.beside(number).sides.origin() ? Direction::original
                                                                   : Direction::reply;
}

/// Gives     whether a packet of a translated connection may prolong it (RFC 4787 REQ-6).
template <typename Key>
bool Pipeline::may_refresh(Shard& shard, Kind kind, std::uint32_t number, Direction direction) {
  FamilyPool<Key>& family = shard.family<Key>();
  const std::uint16_t nat = family.records.beside(number).nat;
  if (nat == 0 || kind == Kind::tcp) return true;
  const NatEntry* entry = tracker_.nats.find(static_cast<NatId>(nat));
  if (entry->spec.mapping->inbound_refresh) return true;
  const bool from_inside = family.use(number).source != kNoNumber;
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
  const Translated<Key>& other = family.records.beside(number);
  Translation tuple;
  if (direction == Direction::original) {
    tuple = tuple_of(other.reply, other.sides.origin());
  } else if (item.by_reply) {
    tuple = tuple_of(record.key, end_of(record.body, Direction::reply));
  } else {  // a reply seen inside
    tuple = tuple_of(other.reply, 1 - other.sides.origin());
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
  const Translated<Key>& other = family.records.beside(number);
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
    quote = tuple_of(other.reply, other.sides.origin());
    destination = words_of(other.reply, other.sides.origin());
    if (source == words_of(record.key, 1 - origin)) {
      source = words_of(other.reply, 1 - other.sides.origin());
    }
  } else if (quoted == Direction::original) {
    quote = tuple_of(record.key, origin);
    destination = words_of(record.key, origin);
    if (other.sides.destination() || source == words_of(other.reply, 1 - other.sides.origin())) {
      source = words_of(record.key, 1 - origin);
    }
  } else {
    quote = tuple_of(other.reply, 1 - other.sides.origin());
    destination = words_of(other.reply, 1 - other.sides.origin());
    if (other.sides.source() || source == words_of(record.key, origin)) {
      source = words_of(other.reply, other.sides.origin());
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
  template void Pipeline::follow<Key>(Block&, std::size_t, std::uint32_t) const;                \
  template void Pipeline::turn_back<Key>(Block&, std::size_t);
UCT_INSTANTIATE(KeyV4)
UCT_INSTANTIATE(KeyV6)
#undef UCT_INSTANTIATE

}  // namespace uct::core
