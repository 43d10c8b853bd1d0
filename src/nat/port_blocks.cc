#include "nat/port_blocks.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace uct::core {

BlockPlan::BlockPlan(PortRange ports, std::uint32_t block_ports, std::uint32_t addresses)
    : first_(ports.first),
      shift_(static_cast<std::uint32_t>(std::countr_zero(block_ports))),
      blocks_each_(ports.count() >> shift_),
      addresses_(addresses) {}

PortRange BlockPlan::ports_of(std::uint32_t block) const {
  const std::uint32_t first = first_ + (block << shift_);
  return {static_cast<std::uint16_t>(first), static_cast<std::uint16_t>(first + block_ports() - 1)};
}

std::optional<std::uint32_t> BlockPlan::block_of(std::uint16_t port) const {
  if (port < first_ || (port - first_) >> shift_ >= blocks_each_) return std::nullopt;
  return (port - first_) >> shift_;
}

std::unique_ptr<PortBlocks> PortBlocks::make(const BlockConfig& config, PoolError& error) {
  AddressBook addresses, subscribers;
  error = addresses.add(config.addresses);
  if (error != PoolError::none) return nullptr;
  error = subscribers.add(config.subscribers);
  if (error == PoolError::too_many_addresses) error = PoolError::too_many_subscribers;
  if (error != PoolError::none) return nullptr;
  if (addresses.count() == 0) {
    error = PoolError::no_addresses;
  } else if (addresses.count() > kPoolAddressesMax) {
    error = PoolError::too_many_addresses;
  } else if (config.ports.first > config.ports.last) {
    error = PoolError::port_range_backward;
  } else if (!std::has_single_bit(config.block_ports) || config.block_ports < kBlockPortsMin ||
             config.block_ports > kBlockPortsMax || config.block_ports > config.ports.count()) {
    error = PoolError::block_size_invalid;
  } else if (BlockPlan(config.ports, config.block_ports, addresses.count()).blocks() <
             subscribers.count()) {
    error = PoolError::too_many_subscribers;
  }
  if (error != PoolError::none) return nullptr;
  return std::unique_ptr<PortBlocks>(
      new PortBlocks(config, std::move(addresses), std::move(subscribers)));
}

PortBlocks::PortBlocks(const BlockConfig& config, AddressBook addresses, AddressBook subscribers)
    : config_(config),
      addresses_(std::move(addresses)),
      known_(std::move(subscribers)),
      plan_(config.ports, config.block_ports, addresses_.count()),
      subscribers_(0, KeyedHash{config.key}),
      held_(kPortSpaces, HoldDown(config.hold_down_ms, config.held_max)) {
  for (Space& space : spaces_) space.free = plan_.blocks() * plan_.block_ports();
  if (deterministic()) return;
  free_blocks_.resize(addresses_.count());
  with_room_ = FreeIndexes(addresses_.count());
  with_room_.fill(0, addresses_.count());
}

// --- taking -------------------------------------------------------------------------------------

PortGrant PortBlocks::refuse(Refusal refusal) {
  ++refused_[static_cast<std::size_t>(refusal)];
  return {refusal, {}, 0};
}

PortSet& PortBlocks::set_of(Block& block, std::size_t space) {
  std::unique_ptr<PortSet>& set = block.sets[space];
  if (!set) set = std::make_unique<PortSet>(plan_.ports_of(block.place.block));
  return *set;
}

PortGrant PortBlocks::granted(Block& block, Subscriber& subscriber, std::size_t space,
                              std::uint16_t port) {
  ++block.taken;
  ++subscriber.used;
  ++spaces_[space].used;
  --spaces_[space].free;
  return {Refusal::none, addresses_.at(block.place.address), port};
}

PortGrant PortBlocks::take(const PortRequest& request, std::uint64_t now_ms, std::uint64_t random) {
  const auto which = port_space(request.protocol);
  if (!which) return refuse(Refusal::protocol_without_ports);
  const auto space = static_cast<std::size_t>(*which);
  release(space, now_ms, kReleaseEachCall);
  auto found = subscribers_.find(request.subscriber);
  if (found != subscribers_.end()) {
    if (found->second.used >= config_.ports_max) return refuse(Refusal::port_quota);
    if (auto grant = take_of_own(found->second, space, request.wish, random)) return *grant;
  } else if (config_.ports_max == 0) {
    return refuse(Refusal::port_quota);
  }
  // Another block is needed, so what is due counts: the last port of one may be among it, in any
  // protocol, and with it the subscriber's own last block.
  release(now_ms, std::numeric_limits<std::uint32_t>::max());
  found = subscribers_.find(request.subscriber);
  Subscriber* state = found == subscribers_.end() ? nullptr : &found->second;
  if (state != nullptr) {
    if (auto grant = take_of_own(*state, space, request.wish, random)) return *grant;
  }
  BlockPlace place;
  const Refusal refusal = find_block(request.subscriber, state, random, place);
  if (refusal != Refusal::none) return refuse(refusal);
  assign(request.subscriber, place);
  return *take_of_own(subscribers_.at(request.subscriber), space, request.wish, random);
}

std::optional<PortGrant> PortBlocks::take_of_own(Subscriber& subscriber, std::size_t space,
                                                 const PortWish& wish, std::uint64_t random) {
  if (wish.keep_port) {
    for (Block* block : subscriber.blocks) {
      if (set_of(*block, space).take_exact(wish.port)) {
        return granted(*block, subscriber, space, wish.port);
      }
    }
  }
  for (const PortFilter& filter : filters_of(wish)) {
    std::uint32_t count = 0;
    for (Block* block : subscriber.blocks) count += set_of(*block, space).available_in(filter);
    if (count == 0) continue;
    std::uint32_t rank = bounded(random, count);
    for (Block* block : subscriber.blocks) {
      PortSet& set = set_of(*block, space);
      const std::uint32_t here = set.available_in(filter);
      if (rank < here) {
        return granted(*block, subscriber, space, set.take_ranked(filter, rank));
      }
      rank -= here;
    }
  }
  return std::nullopt;
}

Refusal PortBlocks::find_block(const Address& subscriber, const Subscriber* state,
                               std::uint64_t random, BlockPlace& place) {
  if (deterministic()) {
    const auto number = known_.index_of(subscriber);
    if (!number) return Refusal::subscriber_unknown;
    if (state != nullptr || config_.blocks_max == 0) return Refusal::block_quota;
    place = plan_.place_of(*number);
    return Refusal::none;
  }
  if ((state == nullptr ? 0 : state->blocks.size()) >= config_.blocks_max) {
    return Refusal::block_quota;
  }
  const Refusal refusal = find_address(subscriber, state, place.address);
  if (refusal != Refusal::none) return refusal;
  FreeIndexes& free_blocks = free_blocks_[place.address];
  if (free_blocks.size() == 0) {
    free_blocks = FreeIndexes(plan_.blocks_each());
    free_blocks.fill(0, plan_.blocks_each());
  }
  // The halves of the random number change places: the port is chosen by its upper bits.
  place.block = free_blocks.select(bounded(std::rotl(random, 32), free_blocks.count()));
  return Refusal::none;
}

Refusal PortBlocks::find_address(const Address& subscriber, const Subscriber* state,
                                 std::uint32_t& address) {
  const std::uint64_t hash = subscriber_hash(subscriber, config_.key);
  address =
      state != nullptr ? state->blocks.front()->place.address : bounded(hash, addresses_.count());
  if (with_room_.contains(address)) return Refusal::none;
  if (config_.overflow == Overflow::refuse) return Refusal::address_exhausted;
  if (with_room_.count() == 0) return Refusal::pool_exhausted;
  address = with_room_.select(bounded(hash << 32, with_room_.count()));
  return Refusal::none;
}

void PortBlocks::assign(const Address& subscriber, BlockPlace place) {
  Block& block = blocks_[number_of(place)];
  block.place = place;
  block.subscriber = subscriber;
  subscribers_[subscriber].blocks.push_back(&block);
  if (!deterministic()) {
    FreeIndexes& free_blocks = free_blocks_[place.address];
    free_blocks.erase(place.block);
    if (free_blocks.count() == 0) with_room_.erase(place.address);
  }
  report(true, block);
}

// --- giving back --------------------------------------------------------------------------------

bool PortBlocks::free(const Address& address, Protocol protocol, std::uint16_t port,
                      std::uint64_t now_ms, Hold hold) {
  const auto which = port_space(protocol);
  const auto index = addresses_.index_of(address);
  const auto number = plan_.block_of(port);
  if (!which || !index || !number) return false;
  const auto space = static_cast<std::size_t>(*which);
  const auto found = blocks_.find(number_of({*index, *number}));
  if (found == blocks_.end()) return false;
  Block& block = found->second;
  if (!block.sets[space] || !block.sets[space]->is_taken(port)) return false;
  const PortPlace place{static_cast<std::uint16_t>(*index), port};
  if (hold == Hold::rest) held_[space].hold(place, now_ms);  // may throw: it is still in use then
  --spaces_[space].used;
  --subscribers_.at(block.subscriber).used;
  if (hold == Hold::free_now) give_back(space, place);
  release(space, now_ms, kReleaseEachCall);
  return true;
}

void PortBlocks::give_back(std::size_t space, PortPlace place) {
  Block& block = blocks_.at(number_of({place.address, *plan_.block_of(place.port)}));
  block.sets[space]->free(place.port);
  ++spaces_[space].free;
  if (--block.taken == 0) return_block(block);
}

void PortBlocks::return_block(Block& block) {
  const BlockPlace place = block.place;
  const auto owner = subscribers_.find(block.subscriber);
  std::erase(owner->second.blocks, &block);
  if (owner->second.blocks.empty()) subscribers_.erase(owner);
  if (!deterministic()) {
    FreeIndexes& free_blocks = free_blocks_[place.address];
    if (free_blocks.count() == 0) with_room_.insert(place.address);
    free_blocks.insert(place.block);
  }
  report(false, block);
  blocks_.erase(number_of(place));
}

void PortBlocks::report(bool assigned, const Block& block) const {
  if (!config_.on_event) return;
  config_.on_event({assigned, block.subscriber, addresses_.at(block.place.address),
                    plan_.ports_of(block.place.block)});
}

std::uint32_t PortBlocks::release(std::size_t space, std::uint64_t now_ms, std::uint32_t limit) {
  return held_[space].release(now_ms, limit, [&](PortPlace place) { give_back(space, place); });
}

std::uint32_t PortBlocks::release(std::uint64_t now_ms, std::uint32_t limit) {
  std::uint32_t released = 0;
  for (std::size_t space = 0; space < kPortSpaces; ++space) {
    released += release(space, now_ms, limit);
  }
  return released;
}

// --- questions ----------------------------------------------------------------------------------

std::optional<Address> PortBlocks::subscriber_of(const Address& address, std::uint16_t port) const {
  const auto index = addresses_.index_of(address);
  const auto number = plan_.block_of(port);
  if (!index || !number) return std::nullopt;
  const BlockPlace place{*index, *number};
  if (deterministic()) {
    const std::uint32_t subscriber = plan_.subscriber_of(place);
    if (subscriber >= known_.count()) return std::nullopt;
    return known_.at(subscriber);
  }
  const auto found = blocks_.find(number_of(place));
  if (found == blocks_.end()) return std::nullopt;
  return found->second.subscriber;
}

PortStats PortBlocks::stats(PortSpace which) const {
  const auto space = static_cast<std::size_t>(which);
  return {plan_.blocks() * plan_.block_ports(), spaces_[space].used, held_[space].size(),
          spaces_[space].free};
}

}  // namespace uct::core
