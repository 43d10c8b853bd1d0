// What mappings are made of, from a spec.
#include <algorithm>
#include <utility>

#include "nat/mappings.h"

namespace uct::core {

namespace {

/// RFC 6888 REQ-8 is about seconds; no rest is longer than a month.
constexpr std::int64_t kHoldDownMaxMs = std::int64_t{30} * 24 * 3600 * 1000;

Error error_of(PoolError error) {
  switch (error) {
    case PoolError::none:
      return Error::none;
    case PoolError::no_addresses:
    case PoolError::address_range_backward:
      return Error::nat_address_range;
    case PoolError::address_ranges_overlap:
      return Error::nat_ranges_overlap;
    case PoolError::address_families_mixed:
      return Error::nat_family;
    case PoolError::too_many_addresses:
      return Error::nat_pool_too_large;
    case PoolError::port_range_backward:
      return Error::nat_port_range;
    case PoolError::block_size_invalid:
      return Error::nat_block_size;
    case PoolError::too_many_subscribers:
      return Error::nat_blocks_too_few;
  }
  return Error::nat_address_range;
}

std::vector<AddressRange> external_ranges(const NatSpec& spec) {
  std::vector<AddressRange> ranges = {{spec.source->first, spec.source->last}};
  ranges.insert(ranges.end(), spec.mapping->more.begin(), spec.mapping->more.end());
  return ranges;
}

std::uint32_t hold_down_ms(const NatMapping& mapping) {
  return static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(mapping.hold_down.count(), 0, kHoldDownMaxMs));
}

HashKey pool_key(const HashKey& secret) {
  // Another function than that of the table: what the one shows says nothing about the other.
  return {secret[0] ^ 0x5bd1e995'9d3c6f21, secret[1] ^ 0x27d4eb2f'165667c5};
}

PortRange ports_of(const NatRange& range) {
  if (!range.has_ports()) return {1024, 65535};
  return {range.port_first, range.port_last};
}

std::unique_ptr<PortBlocks> make_blocks(const NatSpec& spec, const HashKey& secret,
                                        PoolError& error) {
  const NatMapping& mapping = *spec.mapping;
  BlockConfig config;
  config.addresses = external_ranges(spec);
  config.ports = ports_of(*spec.source);
  config.block_ports = mapping.blocks->ports;
  config.blocks_max = mapping.blocks->blocks_max;
  config.ports_max = mapping.blocks->ports_max;
  config.overflow = mapping.overflow ? Overflow::elsewhere : Overflow::refuse;
  config.hold_down_ms = hold_down_ms(mapping);
  config.key = pool_key(secret);
  if (mapping.blocks->deterministic) config.subscribers = mapping.inside;
  return PortBlocks::make(config, error);
}

std::unique_ptr<Pool> make_pool(const NatSpec& spec, const HashKey& secret, PoolError& error) {
  PoolConfig config;
  config.addresses = external_ranges(spec);
  config.ports = ports_of(*spec.source);
  if (spec.source->has_ports()) config.icmp_ids = config.ports;
  config.overflow = spec.mapping->overflow ? Overflow::elsewhere : Overflow::refuse;
  config.hold_down_ms = hold_down_ms(*spec.mapping);
  config.key = pool_key(secret);
  return Pool::make(config, error);
}

}  // namespace

Result<std::unique_ptr<Mappings>> Mappings::make(const NatSpec& spec, const HashKey& secret,
                                                 std::uint32_t capacity) {
  const std::optional<NatBlocks>& blocks = spec.mapping->blocks;
  if (blocks && blocks->deterministic && spec.mapping->inside.empty()) {
    return Error::nat_blocks_too_few;
  }
  PoolError error = PoolError::none;
  Ports ports;
  if (blocks) {
    ports = make_blocks(spec, secret, error);
  } else {
    ports = make_pool(spec, secret, error);
  }
  if (error != PoolError::none) return error_of(error);
  std::unique_ptr<Mappings> mappings(new Mappings(spec, secret, std::move(ports)));
  if (const Error wrong = mappings->add_ranges(); wrong != Error::none) return wrong;
  if (!mappings->reserve(capacity)) return Error::memory_unavailable;
  return mappings;
}

Mappings::Mappings(const NatSpec& spec, const HashKey& secret, Ports ports)
    : spec_(*spec.mapping),
      secret_(secret),
      family_(spec.source->first.family),
      external_(std::visit([](const auto& any) { return &any->addresses(); }, ports)),
      inside_(family_),
      exempt_(family_),
      ports_(std::move(ports)) {}

Error Mappings::add_ranges() {
  for (const auto& [ranges, set] :
       {std::pair{&spec_.inside, &inside_}, {&spec_.exempt, &exempt_}}) {
    for (const AddressRange& range : *ranges) {
      if (!is_range(range)) return Error::nat_address_range;
      if (range.first.family != family_) return Error::nat_family;
      set->add(range);
    }
  }
  return Error::none;
}

bool Mappings::reserve(std::uint32_t capacity) {
  const SpinlockGuard guard(lock_);
  if (spec_.filtering == NatFiltering::address_dependent &&
      !(by_remote_.reserve(capacity) && remotes_.reserve(capacity))) {
    return false;
  }
  return mappings_.reserve(capacity) && by_internal_.reserve(capacity) &&
         by_external_.reserve(capacity);
}

}  // namespace uct::core
