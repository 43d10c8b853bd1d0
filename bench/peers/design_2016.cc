#include "bench/peers/design_2016.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstring>
#include <limits>
#include <memory>
#include <new>

#include "conn/key.h"
#include "packet/parse.h"
#include "proto/protocol.h"

namespace uct::peers::design_2016 {

namespace {

using core::Fate;

constexpr TimeoutPolicy kTimeouts;

std::int64_t ms_of(Timestamp time) {
  return std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

std::size_t bucket_number(std::uint32_t hash) { return hash >> 24; }
static_assert(Design2016::kBuckets == 1 << (32 - 24));

// ---- rings ------------------------------------------------------------------------------------

void unlink(Link& link) {
  link.previous->next = link.next;
  link.next->previous = link.previous;
}

void push_back(Link& head, Link& link) {
  link.previous = head.previous;
  link.next = &head;
  head.previous->next = &link;
  head.previous = &link;
}

// ---- hash: 32 bits at a time through a multiplication, a rotation and another multiplication --

std::uint32_t mix(std::uint32_t hash, std::uint32_t word) {
  hash ^= std::rotl(word * 0x9e3779b1U, 16) * 0x85ebca77U;
  return std::rotl(hash, 11) * 5 + 0x27d4eb2fU;
}

std::uint32_t finish(std::uint32_t hash) {
  hash = (hash ^ hash >> 15) * 0x2c1b3c6dU;
  hash = (hash ^ hash >> 13) * 0x297a2d39U;
  return hash ^ hash >> 16;
}

std::uint32_t hash_endpoint(const Endpoint& endpoint, std::uint32_t hash) {
  for (const std::uint32_t word : endpoint.address) hash = mix(hash, word);
  return mix(hash, std::uint32_t{endpoint.port} << 16 | endpoint.icmp_type);
}

// ---- keys -------------------------------------------------------------------------------------

bool is_icmp(core::Kind kind) { return kind == core::Kind::icmp || kind == core::Kind::icmpv6; }

/// Gives     the type of the messages that answer messages of `type`.
std::uint8_t answering_type(core::Kind kind, std::uint8_t type) {
  const std::uint8_t query = core::icmp_query_type(kind, type);
  return type == query ? core::icmp_reply_type(kind, type) : query;
}

bool equal(const Key& a, const Key& b) { return std::memcmp(&a, &b, sizeof(Key)) == 0; }

// ---- verdicts ---------------------------------------------------------------------------------

void reject(Verdict& verdict, Reason reason) {
  verdict.state = StateFlags::invalid | StateFlags::tracked;
  verdict.reason = reason;
}

core::ProtocolContext context_of(const Packet& packet, const core::ParsedPacket& parsed) {
  core::ProtocolContext context;
  context.transport = packet.data + parsed.transport_offset;
  return context;
}

TimeoutClass timeout_class_of(const core::ParsedPacket& parsed, const Connection& connection) {
  return core::timeout_class(parsed.kind, connection.body);
}

void set_mark_and_label(Connection& connection, const Request& request) {
  connection.mark = (connection.mark & ~request.mark_mask) | (request.mark & request.mark_mask);
  for (std::size_t i = 0; i < connection.label.size(); ++i) {
    connection.label[i] = static_cast<std::uint8_t>((connection.label[i] & ~request.label_mask[i]) |
                                                    (request.label[i] & request.label_mask[i]));
  }
}

}  // namespace

Key make_key(const core::ParsedPacket& packet, Zone zone) {
  Key key{};
  const std::size_t words = packet.family == Family::ipv4 ? 1 : 4;
  std::copy_n(packet.source, words, key.source.address.begin());
  std::copy_n(packet.destination, words, key.destination.address.begin());
  key.source.port = packet.source_port;
  if (is_icmp(packet.kind)) {
    const auto type = static_cast<std::uint8_t>(packet.destination_port >> 8);
    key.destination.port = packet.source_port;
    key.source.icmp_type = type;
    key.destination.icmp_type = answering_type(packet.kind, type);
  } else {
    key.destination.port = packet.destination_port;
  }
  key.zone = zone;
  key.protocol = packet.protocol;
  key.family = packet.family;
  return key;
}

Key reversed(const Key& key) {
  Key back = key;
  std::swap(back.source, back.destination);
  return back;
}

std::uint32_t symmetric_hash(const Key& key, std::uint32_t basis) {
  const std::uint32_t ends =
      hash_endpoint(key.source, basis) ^ hash_endpoint(key.destination, basis);
  const std::uint32_t rest = std::uint32_t{key.zone} << 16 | std::uint32_t{key.protocol} << 8 |
                             static_cast<std::uint32_t>(key.family);
  return finish(mix(ends, rest));
}

// ---- ChainMap ---------------------------------------------------------------------------------

void ChainMap::insert(Connection& connection) {
  Connection*& head = chains_[connection.hash & mask()];
  connection.next_in_chain = head;
  head = &connection;
  ++size_;
  if (size_ / 2 >= chains_.size()) resize(wanted_chains());
}

void ChainMap::remove(Connection& connection) {
  Connection** place = &chains_[connection.hash & mask()];
  while (*place != &connection) place = &(*place)->next_in_chain;
  *place = connection.next_in_chain;
  --size_;
}

void ChainMap::shrink() {
  if (wanted_chains() < chains_.size()) resize(wanted_chains());
}

/// One to two connections a chain.
std::size_t ChainMap::wanted_chains() const {
  return std::bit_floor(std::max<std::size_t>(size_, 1));
}

void ChainMap::resize(std::size_t chain_count) {
  std::vector<Connection*> old(chain_count);
  old.swap(chains_);
  for (Connection* next : old) {
    while (Connection* const connection = next) {
      next = connection->next_in_chain;
      Connection*& head = chains_[connection->hash & mask()];
      connection->next_in_chain = head;
      head = connection;
    }
  }
}

// ---- Bucket -----------------------------------------------------------------------------------

Bucket::Bucket() {
  for (Link& head : expiry) head = {&head, &head};
}

Bucket::~Bucket() {
  for (Link& head : expiry) {
    while (head.next != &head) {
      auto* const connection = static_cast<Connection*>(head.next);
      unlink(*connection);
      delete connection;
    }
  }
}

// ---- packets ----------------------------------------------------------------------------------

void Design2016::process(std::span<const Packet> burst, const Request& request, Timestamp now,
                         std::span<Verdict> verdicts) {
  const Call call{request, ms_of(now)};
  for (std::size_t first = 0; first < burst.size(); first += kGroupMax) {
    const std::size_t count = std::min(kGroupMax, burst.size() - first);
    process_group(burst.subspan(first, count), call, verdicts.subspan(first, count));
  }
}

/// Extracts all keys, puts packets of a bucket together, then takes each bucket's lock once.
void Design2016::process_group(std::span<const Packet> group, const Call& call,
                               std::span<Verdict> verdicts) {
  // Bytes, so that a call with one packet does not pay for 32.
  alignas(Item) std::byte memory[kGroupMax * sizeof(Item)];
  Item* const items = reinterpret_cast<Item*>(memory);
  std::array<std::uint8_t, kBuckets> set_of{};  // by bucket: 1 + place in `sets`, or 0
  std::array<std::uint32_t, kGroupMax> sets;    // of packets of one bucket, a bit each
  std::size_t set_count = 0;
  for (std::size_t i = 0; i < group.size(); ++i) {
    std::construct_at(&items[i]);
    if (!extract(group[i], call, items[i], verdicts[i])) continue;
    std::uint8_t& set = set_of[bucket_number(items[i].hash)];
    if (set == 0) {
      sets[set_count++] = 0;
      set = static_cast<std::uint8_t>(set_count);
    }
    sets[set - 1U] |= 1U << i;
  }
  for (std::size_t s = 0; s < set_count; ++s) {
    std::uint32_t waiting = sets[s];
    const auto first = static_cast<std::size_t>(std::countr_zero(waiting));
    Bucket& bucket = buckets_[bucket_number(items[first].hash)];
    const core::SpinlockGuard guard(bucket.lock);
    for (; waiting != 0; waiting &= waiting - 1) {
      const auto i = static_cast<std::size_t>(std::countr_zero(waiting));
      decide(bucket, group[i], items[i], call, verdicts[i]);
    }
  }
}

/// Gives     false when the packet has no key: its verdict is final.
bool Design2016::extract(const Packet& packet, const Call& call, Item& item,
                         Verdict& verdict) const {
  verdict = Verdict{};
  verdict.zone = call.request.zone;
  core::parse(packet, core::ParseOptions{}, item.parsed);
  const core::ParsedPacket& parsed = item.parsed;
  const bool has_key = parsed.fate == Fate::track || parsed.fate == Fate::error;
  if (!has_key || parsed.part != core::FragmentPart::whole) [[unlikely]] {
    reject(verdict, has_key || parsed.fate == Fate::fragment ? Reason::fragment_without_first
                                                             : parsed.reason);
    return false;
  }
  item.key = make_key(parsed, call.request.zone);
  item.hash = symmetric_hash(item.key, basis_);
  return true;
}

void Design2016::decide(Bucket& bucket, const Packet& packet, const Item& item, const Call& call,
                        Verdict& verdict) {
  Found found = find(bucket, item, call.now_ms);
  if (item.parsed.fate == Fate::error) {
    if (found.connection == nullptr) return reject(verdict, Reason::icmp_quote_unknown);
    verdict.state = StateFlags::related | StateFlags::tracked;
    // The error travels against the packet that it quotes.
    if (found.direction == Direction::original) verdict.state |= StateFlags::reply;
  } else if (found.connection == nullptr ||
             !update_found(bucket, packet, item, call, found, verdict)) {
    found.connection = open_missing(bucket, packet, item, call, verdict);
  }
  if (found.connection == nullptr) return;
  if (call.request.commit && verdict.reason == Reason::none) {
    set_mark_and_label(*found.connection, call.request);
  }
  verdict.mark = found.connection->mark;
  verdict.label = found.connection->label;
}

/// Gives     false when the packet ended the connection and opens another.
bool Design2016::update_found(Bucket& bucket, const Packet& packet, const Item& item,
                              const Call& call, const Found& found, Verdict& verdict) {
  Connection& connection = *found.connection;
  const core::Update update =
      core::update(connection.body, found.direction, item.parsed, context_of(packet, item.parsed));
  if (update.effect == core::Effect::replace) {
    remove(bucket, connection);
    return false;
  }
  if (update.effect == core::Effect::reject) {
    reject(verdict, update.reason);
    return true;
  }
  verdict.state =
      StateFlags::tracked | (update.is_new ? StateFlags::new_ : StateFlags::established);
  if (found.direction == Direction::reply) verdict.state |= StateFlags::reply;
  if (update.effect == core::Effect::accept) {
    const TimeoutClass timeout_class = timeout_class_of(item.parsed, connection);
    connection.expiration_ms = call.now_ms + kTimeouts[timeout_class].count();
    unlink(connection);
    push_back(bucket.expiry[static_cast<std::size_t>(timeout_class)], connection);
  }
  return true;
}

/// Gives     the connection that the packet opened, or null.
Connection* Design2016::open_missing(Bucket& bucket, const Packet& packet, const Item& item,
                                     const Call& call, Verdict& verdict) {
  const core::ProtocolContext context = context_of(packet, item.parsed);
  const Reason reason = core::can_open(item.parsed, context);
  if (reason != Reason::none) {
    reject(verdict, reason);
    return nullptr;
  }
  verdict.state = StateFlags::new_ | StateFlags::tracked;
  if (!call.request.commit) return nullptr;
  // Looked at and counted apart, as there: threads may exceed the limit by one each.
  if (connection_count() >= connections_max_) {
    verdict.reason = Reason::table_full;
    return nullptr;
  }
  auto* const connection = new Connection{};
  connection->hash = item.hash;
  connection->key = item.key;
  connection->reply_key = reversed(item.key);
  core::open(connection->body, item.parsed, context);
  const TimeoutClass timeout_class = timeout_class_of(item.parsed, *connection);
  connection->expiration_ms = call.now_ms + kTimeouts[timeout_class].count();
  push_back(bucket.expiry[static_cast<std::size_t>(timeout_class)], *connection);
  bucket.map.insert(*connection);
  connection_count_.fetch_add(1, std::memory_order_relaxed);
  return connection;
}

/// An expired connection is passed over and waits for the cleaner.
Design2016::Found Design2016::find(const Bucket& bucket, const Item& item, std::int64_t now_ms) {
  for (Connection* connection = bucket.map.chain(item.hash); connection != nullptr;
       connection = connection->next_in_chain) {
    if (connection->hash != item.hash || connection->expiration_ms <= now_ms) continue;
    if (equal(connection->key, item.key)) return {connection, Direction::original};
    if (equal(connection->reply_key, item.key)) return {connection, Direction::reply};
  }
  return {nullptr, Direction::original};
}

void Design2016::remove(Bucket& bucket, Connection& connection) {
  unlink(connection);
  bucket.map.remove(connection);
  connection_count_.fetch_sub(1, std::memory_order_relaxed);
  delete &connection;
}

std::uint32_t Design2016::hash_of(const Packet& packet) const {
  core::ParsedPacket parsed;
  core::parse(packet, core::ParseOptions{}, parsed);
  if (parsed.fate != Fate::track && parsed.fate != Fate::error) return 0;
  return symmetric_hash(make_key(parsed, 0), basis_);
}

// ---- cleaner ----------------------------------------------------------------------------------

std::uint64_t Design2016::sweep(Timestamp now) {
  std::uint64_t removed = 0;
  for (Bucket& bucket : buckets_) removed += clean(bucket, ms_of(now));
  return removed;
}

std::uint64_t Design2016::clean_limit(std::size_t size) const {
  return std::max<std::uint64_t>({1, size / 10, connections_max_ / (kBuckets * 10)});
}

/// Cleans the bucket unless nothing in it can have expired since the last time: what was opened
/// meanwhile has at least the shortest timeout to live.
std::uint64_t Design2016::clean(Bucket& bucket, std::int64_t now_ms) {
  const std::lock_guard cleanup(bucket.cleanup);
  if (bucket.next_cleanup_ms > now_ms) return 0;
  const core::SpinlockGuard guard(bucket.lock);
  std::uint64_t removed = 0;
  const std::int64_t earliest_ms = clean_lists(bucket, now_ms, removed);
  if (earliest_ms > now_ms) bucket.map.shrink();
  bucket.next_cleanup_ms = std::min(earliest_ms, now_ms + kShortestDefaultTimeout.count());
  return removed;
}

/// Gives     the earliest expiration that is left, or that of the connection at which the limit
///           was reached.
std::int64_t Design2016::clean_lists(Bucket& bucket, std::int64_t now_ms, std::uint64_t& removed) {
  const std::uint64_t limit = clean_limit(bucket.map.size());
  std::int64_t earliest_ms = std::numeric_limits<std::int64_t>::max();
  for (Link& head : bucket.expiry) {
    while (head.next != &head) {
      auto& connection = static_cast<Connection&>(*head.next);
      if (connection.expiration_ms > now_ms || removed == limit) {
        earliest_ms = std::min(earliest_ms, connection.expiration_ms);
        break;
      }
      remove(bucket, connection);
      ++removed;
    }
  }
  return earliest_ms;
}

}  // namespace uct::peers::design_2016
