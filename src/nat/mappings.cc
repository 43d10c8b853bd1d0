#include "nat/mappings.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace uct::core {

namespace {

Reason reason_of(Refusal refusal) {
  switch (refusal) {
    case Refusal::port_quota:
    case Refusal::block_quota:
      return Reason::nat_quota;
    case Refusal::subscriber_unknown:
      return Reason::nat_not_inside;
    default:
      return Reason::nat_exhausted;
  }
}

template <typename Words>
void copy_words(const Words& from, std::uint32_t (&to)[4]) {
  std::memcpy(to, from.data(), sizeof(to));
}

std::array<std::uint32_t, 4> words_of(const std::uint32_t (&from)[4]) {
  return {from[0], from[1], from[2], from[3]};
}

std::array<std::uint32_t, 4> words_of(const Address& address) {
  std::array<std::uint32_t, 4> words;
  std::memcpy(words.data(), address.bytes.data(), sizeof(words));
  return words;
}

}  // namespace

// --- found --------------------------------------------------------------------------------------

std::uint64_t Mappings::hash_of(const Endpoint& endpoint, bool external) const {
  const std::uint64_t words[3] = {endpoint.address[0] | std::uint64_t{endpoint.address[1]} << 32,
                                  endpoint.address[2] | std::uint64_t{endpoint.address[3]} << 32,
                                  endpoint.port | std::uint64_t{endpoint.zone} << 16 |
                                      std::uint64_t{endpoint.protocol} << 32 |
                                      std::uint64_t{external} << 40};
  return siphash13(words, secret_);
}

std::uint64_t Mappings::hash_of(std::uint32_t mapping, const Words& address) const {
  const std::uint64_t words[3] = {address[0] | std::uint64_t{address[1]} << 32,
                                  address[2] | std::uint64_t{address[3]} << 32,
                                  mapping | std::uint64_t{1} << 48};
  return siphash13(words, secret_);
}

std::uint32_t Mappings::find_internal(const Endpoint& internal) {
  return by_internal_.find(hash_of(internal, false),
                           [&](std::uint32_t number) UCT_NO_THREAD_SAFETY_ANALYSIS {
                             return mappings_[number].internal == internal;
                           });
}

std::uint32_t Mappings::find_external(const Endpoint& external) {
  return by_external_.find(hash_of(external, true),
                           [&](std::uint32_t number) UCT_NO_THREAD_SAFETY_ANALYSIS {
                             return mappings_[number].external == external;
                           });
}

std::uint32_t Mappings::find_remote(std::uint32_t mapping, const Words& address) {
  return by_remote_.find(hash_of(mapping, address),
                         [&](std::uint32_t number) UCT_NO_THREAD_SAFETY_ANALYSIS {
                           const Remote& remote = remotes_[number];
                           return remote.mapping == mapping && remote.address == address;
                         });
}

// --- held ---------------------------------------------------------------------------------------

Address Mappings::address_of(const Words& words) const {
  Address address;
  address.family = family_;
  std::memcpy(address.bytes.data(), words.data(), family_ == Family::ipv4 ? 4 : 16);
  return address;
}

bool Mappings::is_outside(const Opening& opening) const {
  if (opening.from_outside) return true;
  return !inside_.empty() && !inside_.contains(address_of(words_of(opening.packet.source)));
}

Reason Mappings::open(const Opening& opening, std::uint64_t now_ms, NatRandom& random,
                      Translation& tuple, MappingUse& use) {
  use = {};
  const Address destination = address_of(words_of(opening.packet.destination));
  const bool outside = is_outside(opening);
  const bool to_pool = external_->index_of(destination).has_value();
  if (!to_pool && (outside || exempt_.contains(destination))) return Reason::none;
  // A query from inside names its sender's identifier, which says nothing about whom it is for.
  const bool has_mapping = has_number(opening.packet);
  if (to_pool && (!has_mapping || (!outside && has_identifier(opening.packet.kind)))) {
    return Reason::nat_unmapped;
  }
  if (!has_mapping) {
    const std::uint64_t hash =
        subscriber_hash(address_of(words_of(opening.packet.source)), secret_);
    copy_words(words_of(external_->at(bounded(hash, external_->count()))), tuple.source);
    return Reason::none;
  }
  const SpinlockGuard guard(lock_);
  MappingUse held;
  Reason reason = Reason::memory_full;
  try {
    reason = open_locked(opening, outside, to_pool, now_ms, random, tuple, held);
  } catch (const std::bad_alloc&) {
  }
  if (reason == Reason::none) {
    use = held;
  } else {
    close_locked(held, now_ms, Hold::free_now);
  }
  return reason;
}

Reason Mappings::open_locked(const Opening& opening, bool outside, bool to_pool,
                             std::uint64_t now_ms, NatRandom& random, Translation& tuple,
                             MappingUse& use) {
  const ParsedPacket& packet = opening.packet;
  if (!outside) {
    const Endpoint internal{words_of(packet.source), packet.source_port, opening.zone,
                            packet.protocol};
    const PortWish wish{packet.source_port, spec_.keep_port && !opening.fresh_port,
                        spec_.keep_class, spec_.keep_parity};
    if (const Reason reason = find_or_make(internal, wish, now_ms, random, use.source);
        reason != Reason::none) {
      return reason;
    }
    const Endpoint& external = mappings_[use.source].external;
    copy_words(external.address, tuple.source);
    tuple.source_port = external.port;
    if (spec_.filtering == NatFiltering::address_dependent) {
      const Reason reason = note_remote(use.source, words_of(packet.destination), use.remote);
      if (reason != Reason::none) return reason;
    }
  }
  if (!to_pool) return Reason::none;
  const bool by_id = has_identifier(packet.kind);
  const Endpoint external{words_of(packet.destination),
                          by_id ? packet.source_port : packet.destination_port, 0, packet.protocol};
  const Reason reason = let_in(external, opening, tuple, use.destination);
  if (reason != Reason::none) return reason;
  const Endpoint& internal = mappings_[use.destination].internal;
  copy_words(internal.address, tuple.destination);
  (by_id ? tuple.source_port : tuple.destination_port) = internal.port;
  return Reason::none;
}

/// Holds the mapping of an internal end.
Reason Mappings::find_or_make(const Endpoint& internal, const PortWish& wish, std::uint64_t now_ms,
                              NatRandom& random, std::uint32_t& number) {
  std::uint32_t found = find_internal(internal);
  if (found == kNoNumber) {
    PortRequest request;
    request.subscriber = address_of(internal.address);
    request.protocol = static_cast<Protocol>(internal.protocol);
    request.wish = wish;
    const PortGrant grant = take_port(request, now_ms, random.next());
    if (!grant) return reason_of(grant.refusal);
    if (const Reason reason = make_mapping(internal, grant, found); reason != Reason::none) {
      free_port({words_of(grant.address), grant.port, 0, internal.protocol}, now_ms,
                Hold::free_now);
      return reason;
    }
  }
  ++mappings_[found].uses;
  number = found;
  return Reason::none;
}

Reason Mappings::make_mapping(const Endpoint& internal, const PortGrant& grant,
                              std::uint32_t& number) {
  number = mappings_.take();
  if (number == kNoNumber) return Reason::memory_full;
  mappings_[number] = {
      internal, {words_of(grant.address), grant.port, 0, internal.protocol}, 0, 0, false};
  const auto enter = [&](Index& index, std::uint64_t hash,
                         bool external) UCT_NO_THREAD_SAFETY_ANALYSIS {
    return index.insert(hash, number, [&](std::uint32_t other) UCT_NO_THREAD_SAFETY_ANALYSIS {
      return hash_of(external ? mappings_[other].external : mappings_[other].internal, external);
    }) == InsertResult::done;
  };
  const std::uint64_t hash = hash_of(internal, false);
  if (enter(by_internal_, hash, false)) {
    if (enter(by_external_, hash_of(mappings_[number].external, true), true)) return Reason::none;
    by_internal_.erase(hash, number);
  }
  mappings_.give_back(number);
  return Reason::memory_full;
}

/// Holds the mapping that a packet is sent to, if the filter lets it in.
Reason Mappings::let_in(const Endpoint& external, const Opening& opening, const Translation& tuple,
                        std::uint32_t& number) {
  const std::uint32_t found = find_external(external);
  if (found == kNoNumber || mappings_[found].internal.zone != opening.zone) {
    return Reason::nat_unmapped;
  }
  const bool may_pass = mappings_[found].is_requested ||
                        spec_.filtering == NatFiltering::endpoint_independent ||
                        (spec_.filtering == NatFiltering::address_dependent &&
                         find_remote(found, words_of(tuple.source)) != kNoNumber);
  if (!may_pass) return Reason::nat_filtered;
  ++mappings_[found].uses;
  number = found;
  return Reason::none;
}

/// Holds a note that a mapping has a connection to an address.
Reason Mappings::note_remote(std::uint32_t mapping, const Words& address, std::uint32_t& number) {
  std::uint32_t found = find_remote(mapping, address);
  if (found == kNoNumber) {
    found = remotes_.take();
    if (found == kNoNumber) return Reason::memory_full;
    remotes_[found] = {address, mapping, 0, 0};
    const InsertResult result = by_remote_.insert(
        hash_of(mapping, address), found, [&](std::uint32_t other) UCT_NO_THREAD_SAFETY_ANALYSIS {
          return hash_of(remotes_[other].mapping, remotes_[other].address);
        });
    if (result != InsertResult::done) {
      remotes_.give_back(found);
      return Reason::memory_full;
    }
  }
  ++remotes_[found].uses;
  number = found;
  return Reason::none;
}

// --- asked for ----------------------------------------------------------------------------------

Mappings::Endpoint Mappings::internal_end(const NatRequestedMapping& wanted) const {
  return {words_of(wanted.internal), wanted.port, wanted.zone,
          static_cast<std::uint8_t>(wanted.protocol)};
}

Reason Mappings::add(const NatRequestedMapping& wanted, std::uint64_t now_ms, NatRandom& random,
                     NatEndpoint& external) {
  const bool is_inside = inside_.empty() || inside_.contains(wanted.internal);
  if (wanted.internal.family != family_ || !is_inside) return Reason::nat_not_inside;
  PortWish wish{wanted.port, spec_.keep_port, spec_.keep_class, spec_.keep_parity};
  if (wanted.wish != 0) {
    wish.port = wanted.wish;
    wish.keep_port = true;
  }
  const SpinlockGuard guard(lock_);
  std::uint32_t number = kNoNumber;
  try {
    const Reason reason = find_or_make(internal_end(wanted), wish, now_ms, random, number);
    if (reason != Reason::none) return reason;
  } catch (const std::bad_alloc&) {
    return Reason::memory_full;
  }
  Mapping& mapping = mappings_[number];
  if (mapping.is_requested) --mapping.uses;  // it was asked for before
  mapping.is_requested = true;
  external = {address_of(mapping.external.address), mapping.external.port};
  return Reason::none;
}

bool Mappings::remove(const NatRequestedMapping& wanted, std::uint64_t now_ms) {
  const SpinlockGuard guard(lock_);
  const std::uint32_t number = find_internal(internal_end(wanted));
  if (number == kNoNumber || !mappings_[number].is_requested) return false;
  mappings_[number].is_requested = false;
  if (--mappings_[number].uses == 0) drop(number, now_ms, Hold::rest);
  return true;
}

// --- given back ---------------------------------------------------------------------------------

void Mappings::close(const MappingUse& use, std::uint64_t now_ms, Hold hold) {
  if (use.empty()) return;
  const SpinlockGuard guard(lock_);
  close_locked(use, now_ms, hold);
}

void Mappings::close_locked(const MappingUse& use, std::uint64_t now_ms, Hold hold) {
  if (use.remote != kNoNumber) {
    Remote& remote = remotes_[use.remote];
    if (--remote.uses == 0) {
      by_remote_.erase(hash_of(remote.mapping, remote.address), use.remote);
      remotes_.give_back(use.remote);
    }
  }
  for (const std::uint32_t number : {use.source, use.destination}) {
    if (number != kNoNumber && --mappings_[number].uses == 0) drop(number, now_ms, hold);
  }
}

void Mappings::drop(std::uint32_t number, std::uint64_t now_ms, Hold hold) {
  const Mapping& mapping = mappings_[number];
  by_internal_.erase(hash_of(mapping.internal, false), number);
  by_external_.erase(hash_of(mapping.external, true), number);
  free_port(mapping.external, now_ms, hold);
  mappings_.give_back(number);
}

bool Mappings::is_alone(const MappingUse& use) {
  const SpinlockGuard guard(lock_);
  return use.source != kNoNumber && mappings_[use.source].uses == 1;
}

PortGrant Mappings::take_port(const PortRequest& request, std::uint64_t now_ms,
                              std::uint64_t random) {
  return std::visit([&](const auto& any) { return any->take(request, now_ms, random); }, ports_);
}

void Mappings::free_port(const Endpoint& external, std::uint64_t now_ms, Hold hold) {
  const Address address = address_of(external.address);
  const auto free = [&](Hold how) UCT_NO_THREAD_SAFETY_ANALYSIS {
    std::visit(
        [&](const auto& any) {
          any->free(address, static_cast<Protocol>(external.protocol), external.port, now_ms, how);
        },
        ports_);
  };
  try {
    free(hold);
  } catch (const std::bad_alloc&) {
    free(Hold::free_now);  // no memory to let it rest
  }
}

NatStats Mappings::stats() {
  NatStats stats;
  const SpinlockGuard guard(lock_);
  stats.mappings = by_internal_.entries();
  const auto add = [&](const PortStats& ports) {
    stats.ports += ports.ports;
    stats.used += ports.used;
    stats.held += ports.held;
    stats.free += ports.free;
  };
  std::visit(
      [&](const auto& any) {
        for (std::size_t space = 0; space < kPortSpaces; ++space) {
          add(any->stats(static_cast<PortSpace>(space)));
        }
      },
      ports_);
  if (const auto* blocks = std::get_if<std::unique_ptr<PortBlocks>>(&ports_)) {
    const BlockStats of = (*blocks)->block_stats();
    stats.blocks = of.blocks;
    stats.blocks_assigned = of.assigned;
    stats.subscribers = of.subscribers;
  }
  return stats;
}

}  // namespace uct::core
