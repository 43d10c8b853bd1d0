#include "nat/pool.h"

#include <algorithm>
#include <utility>

namespace uct::core {

std::optional<PortSpace> port_space(Protocol protocol) {
  switch (protocol) {
    case Protocol::tcp:
      return PortSpace::tcp;
    case Protocol::udp:
      return PortSpace::udp;
    case Protocol::udplite:
      return PortSpace::udplite;
    case Protocol::sctp:
      return PortSpace::sctp;
    case Protocol::dccp:
      return PortSpace::dccp;
    case Protocol::icmp:
    case Protocol::icmpv6:
      return PortSpace::icmp;
    default:
      return std::nullopt;
  }
}

// --- addresses ----------------------------------------------------------------------------------

PoolError AddressBook::add(const AddressRange& range) {
  if (!is_range(range)) return PoolError::address_range_backward;
  const AddressNumber first = number_of(range.first), last = number_of(range.last);
  if (!spans_.empty() && range.first.family != family_) return PoolError::address_families_mixed;
  const auto next =
      std::upper_bound(spans_.begin(), spans_.end(), last,
                       [](AddressNumber at, const Span& span) { return at < span.first; });
  if (next != spans_.begin() && std::prev(next)->last >= first) {
    return PoolError::address_ranges_overlap;
  }
  if (last - first >= kCountMax - count_) return PoolError::too_many_addresses;
  family_ = range.first.family;
  spans_.insert(next, {first, last, 0});
  count_ = 0;
  for (Span& span : spans_) {
    span.index = count_;
    count_ += static_cast<std::uint32_t>(span.last - span.first) + 1;
  }
  return PoolError::none;
}

PoolError AddressBook::add(const std::vector<AddressRange>& ranges) {
  for (const AddressRange& range : ranges) {
    if (const PoolError error = add(range); error != PoolError::none) return error;
  }
  return PoolError::none;
}

Address AddressBook::at(std::uint32_t index) const {
  const auto next =
      std::upper_bound(spans_.begin(), spans_.end(), index,
                       [](std::uint32_t at, const Span& span) { return at < span.index; });
  const Span& span = *std::prev(next);
  return address_of(span.first + (index - span.index), family_);
}

std::optional<std::uint32_t> AddressBook::index_of(const Address& address) const {
  if (address.family != family_) return std::nullopt;
  const AddressNumber number = number_of(address);
  const auto next =
      std::upper_bound(spans_.begin(), spans_.end(), number,
                       [](AddressNumber at, const Span& span) { return at < span.first; });
  if (next == spans_.begin() || std::prev(next)->last < number) return std::nullopt;
  const Span& span = *std::prev(next);
  return span.index + static_cast<std::uint32_t>(number - span.first);
}

std::uint64_t subscriber_hash(const Address& subscriber, const HashKey& key) {
  std::uint64_t words[3] = {0, 0, static_cast<std::uint64_t>(subscriber.family)};
  for (unsigned byte = 0; byte < bytes_of(subscriber.family); ++byte) {
    words[byte / 8] |= std::uint64_t{subscriber.bytes[byte]} << (byte % 8 * 8);
  }
  return siphash13(words, key);
}

// --- the pool -----------------------------------------------------------------------------------

std::unique_ptr<Pool> Pool::make(const PoolConfig& config, PoolError& error) {
  AddressBook addresses;
  error = addresses.add(config.addresses);
  if (error != PoolError::none) return nullptr;
  if (addresses.count() == 0) error = PoolError::no_addresses;
  if (addresses.count() > kPoolAddressesMax) error = PoolError::too_many_addresses;
  if (config.ports.first > config.ports.last || config.icmp_ids.first > config.icmp_ids.last) {
    error = PoolError::port_range_backward;
  }
  if (error != PoolError::none) return nullptr;
  return std::unique_ptr<Pool>(new Pool(config, std::move(addresses)));
}

Pool::Space::Space(const FreeIndexes& all_addresses, HoldDown empty, PortRange ports)
    : sets(all_addresses.size()),
      with_room(all_addresses),
      held(std::move(empty)),
      range(ports),
      free(std::uint64_t{all_addresses.size()} * ports.count()) {}

Pool::Pool(const PoolConfig& config, AddressBook addresses)
    : addresses_(std::move(addresses)), key_(config.key), overflow_(config.overflow) {
  const std::uint32_t count = addresses_.count();
  FreeIndexes all(count);
  all.fill(0, count);
  for (std::size_t space = 0; space < kPortSpaces; ++space) {
    const bool is_icmp = static_cast<PortSpace>(space) == PortSpace::icmp;
    const PortRange range = is_icmp ? config.icmp_ids : config.ports;
    spaces_.emplace_back(all, HoldDown(config.hold_down_ms, config.held_max), range);
  }
}

std::uint32_t Pool::choose_address(const Address& subscriber) const {
  return bounded(subscriber_hash(subscriber, key_), addresses_.count());
}

PortGrant Pool::refuse(Refusal refusal) {
  ++refused_[static_cast<std::size_t>(refusal)];
  return {refusal, {}, 0};
}

/// Gives     an address with a free port for the request, or none and why.
std::optional<std::uint32_t> Pool::find_room(Space& space, const PortRequest& request,
                                             std::uint64_t now_ms, Refusal& refusal) {
  const std::uint64_t hash = subscriber_hash(request.subscriber, key_);
  std::optional<std::uint32_t> index;
  if (request.paired) index = addresses_.index_of(*request.paired);
  if (!index) index = bounded(hash, addresses_.count());
  if (space.with_room.contains(*index)) return index;
  release(space, now_ms, std::numeric_limits<std::uint32_t>::max());
  if (space.with_room.contains(*index)) return index;
  refusal = Refusal::address_exhausted;
  if (overflow_ == Overflow::refuse) return std::nullopt;
  refusal = Refusal::pool_exhausted;
  if (space.with_room.count() == 0) return std::nullopt;
  // The lower half of the hash says which of those with room. A walk from the full address would
  // meet more full ones the fuller the pool.
  return space.with_room.select(bounded(hash << 32, space.with_room.count()));
}

PortGrant Pool::take(const PortRequest& request, std::uint64_t now_ms, std::uint64_t random) {
  const auto which = port_space(request.protocol);
  if (!which) return refuse(Refusal::protocol_without_ports);
  Space& space = spaces_[static_cast<std::size_t>(*which)];
  release(space, now_ms, kReleaseEachCall);
  Refusal refusal = Refusal::none;
  const auto index = find_room(space, request, now_ms, refusal);
  if (!index) return refuse(refusal);
  std::unique_ptr<PortSet>& set = space.sets[*index];
  if (!set) set = std::make_unique<PortSet>(space.range);
  const auto port = set->take_like(request.wish, random);
  if (set->available() == 0) space.with_room.erase(*index);
  ++space.used;
  --space.free;
  return {Refusal::none, addresses_.at(*index), *port};
}

bool Pool::free(const Address& address, Protocol protocol, std::uint16_t port, std::uint64_t now_ms,
                Hold hold) {
  const auto which = port_space(protocol);
  const auto index = addresses_.index_of(address);
  if (!which || !index) return false;
  Space& space = spaces_[static_cast<std::size_t>(*which)];
  if (!space.sets[*index] || !space.sets[*index]->is_taken(port)) return false;
  const PortPlace place{static_cast<std::uint16_t>(*index), port};
  if (hold == Hold::rest) {
    space.held.hold(place, now_ms);  // may throw, and the port is still in use then
  } else {
    give_back(space, place);
  }
  --space.used;
  release(space, now_ms, kReleaseEachCall);
  return true;
}

void Pool::give_back(Space& space, PortPlace place) {
  PortSet& set = *space.sets[place.address];
  if (set.available() == 0) space.with_room.insert(place.address);
  set.free(place.port);
  ++space.free;
}

std::uint32_t Pool::release(Space& space, std::uint64_t now_ms, std::uint32_t limit) {
  return space.held.release(now_ms, limit, [&](PortPlace place) { give_back(space, place); });
}

std::uint32_t Pool::release(std::uint64_t now_ms, std::uint32_t limit) {
  std::uint32_t released = 0;
  for (Space& space : spaces_) released += release(space, now_ms, limit);
  return released;
}

void Pool::shrink() {
  for (Space& space : spaces_) {
    for (std::unique_ptr<PortSet>& set : space.sets) {
      if (set && set->used() == 0) set.reset();
    }
  }
}

PortStats Pool::stats(PortSpace which) const {
  const Space& space = spaces_[static_cast<std::size_t>(which)];
  return {std::uint64_t{addresses_.count()} * space.range.count(), space.used, space.held.size(),
          space.free};
}

PortStats Pool::stats() const {
  PortStats sum;
  for (std::size_t which = 0; which < kPortSpaces; ++which) {
    const PortStats one = stats(static_cast<PortSpace>(which));
    sum.ports += one.ports;
    sum.used += one.used;
    sum.held += one.held;
    sum.free += one.free;
  }
  return sum;
}

std::size_t Pool::memory_bytes() const {
  std::size_t bytes = sizeof(*this);
  for (const Space& space : spaces_) {
    bytes += sizeof(space) + space.sets.capacity() * sizeof(space.sets[0]) +
             space.with_room.memory_bytes() + space.held.memory_bytes();
    for (const auto& set : space.sets) bytes += set ? set->memory_bytes() : 0;
  }
  return bytes;
}

}  // namespace uct::core
