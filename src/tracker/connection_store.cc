// The life of one connection in its shard: entered, copied, told of, erased.
#include <bit>
#include <utility>

#include "tracker/tracker_core.h"

namespace uct::core {

namespace {

/// Gives     32 bits of a handle that differ between connections that live at the same time, while
///           no shard has more than eight million of a family, or four where they are translated.
std::uint32_t short_id(ConnectionHandle handle) {
  const auto value = static_cast<std::uint64_t>(handle);
  const auto number = static_cast<std::uint32_t>(value >> 24);  // the family in its top bit
  return std::rotl(number, 1) << 8 | static_cast<std::uint32_t>(value >> 56);
}

TcpPeerInfo tcp_peer(const Body& body, unsigned side) {
  TcpPeerInfo peer;
  const std::uint8_t scale = side == 0 ? body.scales & 0x0f : body.scales >> 4;
  peer.end = body.tcp.end[side];
  peer.max_end = body.tcp.max_end[side];
  peer.max_ack = body.tcp.max_ack[side];
  peer.window_scale_known = scale != kScaleUnknown && (body.status & status::kPickedUp) == 0;
  peer.window_scale = peer.window_scale_known ? scale : 0;
  const bool both = (body.scales & 0x0f) != kScaleUnknown && body.scales >> 4 != kScaleUnknown;
  peer.max_window = std::uint32_t{body.tcp.max_window[side]} << (both ? scale : 0);
  return peer;
}

/// Fills what stands in the body.
void copy_body(const Body& body, ConnectionInfo& info) {
  info.state = state_of(body);
  info.seen_reply = (body.status & status::kSeenReply) != 0;
  info.assured = (body.status & status::kAssured) != 0;
  info.picked_up = (body.status & status::kPickedUp) != 0;
  info.timeout = Duration(body.timeout);
  info.timeout_policy = static_cast<TimeoutPolicyId>(body.policy);
  if (info.protocol == Protocol::tcp) info.tcp = {tcp_peer(body, 0), tcp_peer(body, 1)};
}

ProtocolStats& stats_of(Shard& shard, Protocol protocol) UCT_REQUIRES(shard.lock) {
  return shard.counters.protocols[static_cast<std::size_t>(protocol_group(protocol))];
}

}  // namespace

template <typename Key>
Reason TrackerCore::take_record(Shard& shard, const Key& wanted, std::uint64_t hash,
                                std::uint32_t& number) {
  FamilyPool<Key>& family = shard.family<Key>();
  const bool is_new = number == NumberPool::kNone;
  if (is_new) number = family.records.take();
  if (number == NumberPool::kNone) return Reason::memory_full;
  Key& key = family.records.record(number).key;  // before the index, which may ask for its hash
  const std::uint8_t generation = key.generation;
  key = wanted;
  key.generation = generation;
  const Reason reason = enter_index(shard, hash, number | kFamilyBit<Key>);
  if (reason == Reason::none) return reason;
  key.kind = Kind::none;
  if (is_new) family.records.free(std::exchange(number, NumberPool::kNone));
  return reason;
}

Reason TrackerCore::enter_index(Shard& shard, std::uint64_t hash, std::uint32_t entry) {
  const InsertResult result =
      shard.index.insert(hash, entry, [&](std::uint32_t other) UCT_NO_THREAD_SAFETY_ANALYSIS {
        return (other & kV6Bit) != 0 ? hash_key(key_of_entry<KeyV6>(shard, other), config.hash_key)
                                     : hash_key(key_of_entry<KeyV4>(shard, other), config.hash_key);
      });
  if (result == InsertResult::done) return Reason::none;
  return result == InsertResult::chain_full ? Reason::bucket_full : Reason::memory_full;
}

template <typename Key>
Reason TrackerCore::insert(Shard& shard, const Opening<Key>& opening, std::uint32_t& number) {
  if (!take_place(shard)) return Reason::table_full;
  FamilyPool<Key>& family = shard.family<Key>();
  const Reason reason = enter_zone(shard, opening.zone)
                            ? take_record(shard, opening.key, opening.hash, number)
                            : Reason::zone_full;
  if (reason != Reason::none) {
    if (reason != Reason::zone_full) leave_zone(shard, opening.zone);
    give_place(shard);
    return reason;
  }
  Record<Key>& record = family.records.record(number);
  record.body.status = opening.from == 1 ? status::kOriginIsOne : std::uint8_t{0};
  record.body.policy = static_cast<std::uint8_t>(opening.policy);
  family.records.cold(number).start_ms = shard.now_ms;
  ++stats_of(shard, protocol_of(opening.key.kind, opening.key.port[0])).opened;
  return Reason::none;
}

template <typename Key>
void TrackerCore::erase(Shard& shard, std::uint32_t number, std::uint64_t hash,
                        DestroyCause cause) {
  FamilyPool<Key>& family = shard.family<Key>();
  if (config.events != nullptr) tell<Key>(shard, EventKind::destroyed, cause, number);
  Record<Key>& record = family.records.record(number);
  ProtocolStats& stats = stats_of(shard, protocol_of(record.key.kind, record.key.port[0]));
  ++(cause == DestroyCause::expired ? stats.expired : stats.removed);
  if ((record.body.status & status::kHasLabel) != 0) {
    shard.labels.free(family.records.cold(number).label_number);
  }
  ZoneTable::Entry* zone = zones.entry(record.key.zone);
  if (zone != nullptr) leave_zone(shard, *zone);
  give_place(shard);
  crowds.leaves(record.key);
  shard.index.erase(hash, number | kFamilyBit<Key>);
  if ((record.body.status & status::kTranslated) == 0) return family.records.free(number);
  // Its alias names the number, which nobody else gets until that is gone.
  record.key.kind = Kind::none;
  record.body.state = 0;
  const bool has_uses = family.records.beside(number).nat != 0;
  shard.orphans.push({number | kFamilyBit<Key>, has_uses ? family.use(number) : MappingUse{}});
}

template <typename Key>
ConnectionInfo TrackerCore::copy(Shard& shard, std::uint32_t number) const {
  const FamilyPool<Key>& family = shard.family<Key>();
  const Record<Key>& record = family.records.record(number);
  const Cold& cold = family.records.cold(number);
  const unsigned origin = end_of(record.body, Direction::original);
  ConnectionInfo info;
  info.handle = make_handle(handle_base<Key>(shard), number, record.key.generation,
                            hash_key(record.key, config.hash_key));
  info.id = short_id(info.handle);
  info.zone = record.key.zone;
  info.protocol = protocol_of(record.key.kind, record.key.port[0]);
  info.original = make_tuple(record.key, origin);
  if ((record.body.status & status::kTranslated) != 0) {
    const Translated<Key>& other = family.records.beside(number);
    info.reply = make_tuple(other.reply, 1 - other.sides.origin());
    info.source_translated = other.sides.source();
    info.destination_translated = other.sides.destination();
  } else {
    info.reply = make_tuple(record.key, 1 - origin);
  }
  copy_body(record.body, info);
  info.counters = {counters_of(record.body, cold, Direction::original),
                   counters_of(record.body, cold, Direction::reply)};
  info.start = timestamp_of_ms(cold.start_ms);
  // Ticks are near the shard's present, which tells their upper bits.
  const auto until =
      static_cast<std::int32_t>(distance(tick_of_ms(shard.now_ms), Tick{record.body.deadline}));
  info.expires = timestamp_of_ms(shard.now_ms + static_cast<std::uint64_t>(std::int64_t{until}));
  info.last_seen = info.expires - info.timeout;
  info.mark = cold.mark;
  if ((record.body.status & status::kHasLabel) != 0) {
    info.label = shard.labels[cold.label_number];
  }
  return info;
}

template <typename Key>
void TrackerCore::tell(Shard& shard, EventKind kind, DestroyCause cause,
                       std::uint32_t number) const {
  Event event;
  event.kind = kind;
  event.cause = cause;
  event.time = timestamp_of_ms(shard.now_ms);
  event.connection = copy<Key>(shard, number);
  config.events->on_event(event);
}

template Reason TrackerCore::take_record<KeyV4>(Shard&, const KeyV4&, std::uint64_t,
                                                std::uint32_t&);
template Reason TrackerCore::take_record<KeyV6>(Shard&, const KeyV6&, std::uint64_t,
                                                std::uint32_t&);
template Reason TrackerCore::insert<KeyV4>(Shard&, const Opening<KeyV4>&, std::uint32_t&);
template Reason TrackerCore::insert<KeyV6>(Shard&, const Opening<KeyV6>&, std::uint32_t&);
template void TrackerCore::erase<KeyV4>(Shard&, std::uint32_t, std::uint64_t, DestroyCause);
template void TrackerCore::erase<KeyV6>(Shard&, std::uint32_t, std::uint64_t, DestroyCause);
template ConnectionInfo TrackerCore::copy<KeyV4>(Shard&, std::uint32_t) const;
template ConnectionInfo TrackerCore::copy<KeyV6>(Shard&, std::uint32_t) const;
template void TrackerCore::tell<KeyV4>(Shard&, EventKind, DestroyCause, std::uint32_t) const;
template void TrackerCore::tell<KeyV6>(Shard&, EventKind, DestroyCause, std::uint32_t) const;

}  // namespace uct::core
