/// Ports given to subscribers in blocks, so that one log line a block says who had them.
///
/// A NAT that picks ports one by one must log each; with blocks it logs when a block is given and
/// when it comes back, or nothing at all when arithmetic says whose a block is (RFC 7422; RFC 6888
/// REQ-14). A block is a run of ports of one external address, in all protocols alike:
///
///   | below the range | block 0: N ports | block 1 | ... | last block | fewer than N: never used |
///
/// Dynamic         a subscriber without a free port gets a free block of its address, chosen at
///                 random, up to blocks_max; the block returns when none of its ports is used and
///                 none rests (nat/hold_down.h).
/// Deterministic   subscriber number s has block s % B of address s / B, where B is the number of
///                 blocks an address has: RFC 7422 section 2, the sequential algorithm.
///
/// Within a subscriber's blocks every free port is equally likely. An outsider who knows the block
/// guesses among its N ports, not among 64 thousand: that is the price.
///
/// Relies on nat/pool.h for addresses, nat/port_set.h, nat/hold_down.h.
/// Threads   none of its own: the caller locks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "nat/pool.h"

namespace uct::core {

/// A block, by the number of its address and its number there.
struct BlockPlace {
  std::uint32_t address = 0;
  std::uint32_t block = 0;

  bool operator==(const BlockPlace&) const = default;
};

/// Where the blocks of each address lie, and whose they are when arithmetic says so. O(1) all.
class BlockPlan {
 public:
  /// Requires  block_ports is a power of two, and the range has as many at least
  BlockPlan(PortRange ports, std::uint32_t block_ports, std::uint32_t addresses);

  /// Gives     blocks of each address; RFC 7422 calls this the compression ratio.
  std::uint32_t blocks_each() const { return blocks_each_; }
  std::uint64_t blocks() const { return std::uint64_t{blocks_each_} * addresses_; }
  std::uint32_t block_ports() const { return std::uint32_t{1} << shift_; }

  PortRange ports_of(std::uint32_t block) const;

  /// Gives     none for a port that no block has.
  std::optional<std::uint32_t> block_of(std::uint16_t port) const;

  /// Requires  subscriber < blocks()
  BlockPlace place_of(std::uint32_t subscriber) const {
    return {subscriber / blocks_each_, subscriber % blocks_each_};
  }
  /// The way back.
  std::uint32_t subscriber_of(BlockPlace place) const {
    return place.address * blocks_each_ + place.block;
  }

 private:
  std::uint32_t first_;        ///< port of block 0
  std::uint32_t shift_;        ///< a block has 2^shift ports
  std::uint32_t blocks_each_;  ///< of an address
  std::uint32_t addresses_;
};

/// What a log needs.
struct BlockEvent {
  bool assigned = false;  ///< otherwise returned
  Address subscriber;
  Address address;
  PortRange ports;
};

/// The sizes that a block may have.
inline constexpr std::uint32_t kBlockPortsMin = 64;
inline constexpr std::uint32_t kBlockPortsMax = 4096;

struct BlockConfig {
  std::vector<AddressRange> addresses;
  PortRange ports{1024, 65535};     ///< RFC 7422 section 2 reserves those below
  std::uint32_t block_ports = 512;  ///< power of two
  std::uint32_t blocks_max = 4;     ///< of a subscriber, at the same time
  /// In use by a subscriber at the same time, all protocols together: RFC 6888 REQ-4.
  std::uint32_t ports_max = std::numeric_limits<std::uint32_t>::max();
  /// When the address of a subscriber has no free block. `elsewhere` may split a subscriber.
  Overflow overflow = Overflow::refuse;
  /// 0 is right for deterministic blocks, whose ports stay with the subscriber (REQ-8 B).
  std::uint32_t hold_down_ms = kHoldDownMs;
  std::uint32_t held_max = std::numeric_limits<std::uint32_t>::max();
  HashKey key{};
  std::vector<AddressRange> subscribers;            ///< if any: deterministic, and only for these
  std::function<void(const BlockEvent&)> on_event;  ///< may be empty; must not call back
};

struct BlockStats {
  std::uint64_t blocks = 0;
  std::uint64_t assigned = 0;
  std::uint64_t subscribers = 0;  ///< that have a block
};

class PortBlocks {
 public:
  /// Gives     the blocks, or none and what is wrong.
  static std::unique_ptr<PortBlocks> make(const BlockConfig& config, PoolError& error);

  /// Takes a port of one of the subscriber's blocks, or of a new block.
  ///
  /// Gives     a refusal only when a quota is reached or nothing is free that the subscriber may
  ///           have. `paired` of the request is not looked at: its blocks say where a subscriber
  ///           is.
  /// Cost      O(blocks of the subscriber), each as PortSet::take_in(); a new block O(1) and some
  ///           allocations; releases as Pool::take() does
  PortGrant take(const PortRequest& request, std::uint64_t now_ms, std::uint64_t random);

  /// Gives a port back, as Pool::free() does.
  bool free(const Address& address, Protocol protocol, std::uint16_t port, std::uint64_t now_ms,
            Hold hold = Hold::rest);

  /// Frees what has rested long enough, at most `limit` ports of each protocol; gives how many.
  std::uint32_t release(std::uint64_t now_ms, std::uint32_t limit);

  /// Gives     whose a port is: for ever when deterministic, else who has the block now.
  std::optional<Address> subscriber_of(const Address& address, std::uint16_t port) const;

  const BlockPlan& plan() const { return plan_; }
  const AddressBook& addresses() const { return addresses_; }
  PortStats stats(PortSpace space) const;
  BlockStats block_stats() const { return {plan_.blocks(), blocks_.size(), subscribers_.size()}; }
  std::uint64_t refused(Refusal refusal) const {
    return refused_[static_cast<std::size_t>(refusal)];
  }

 private:
  struct Block {
    BlockPlace place;
    Address subscriber;
    std::uint32_t taken = 0;  ///< ports used or resting, all protocols
    std::array<std::unique_ptr<PortSet>, kPortSpaces> sets;  ///< made when first used
  };
  struct Subscriber {
    std::vector<Block*> blocks;
    std::uint32_t used = 0;  ///< ports, all protocols
  };
  struct KeyedHash {
    HashKey key;
    std::size_t operator()(const Address& address) const { return subscriber_hash(address, key); }
  };
  struct Space {
    std::uint64_t used = 0;
    std::uint64_t free = 0;
  };

  PortBlocks(const BlockConfig& config, AddressBook addresses, AddressBook subscribers);

  PortGrant refuse(Refusal refusal);
  PortGrant granted(Block& block, Subscriber& subscriber, std::size_t space, std::uint16_t port);
  PortSet& set_of(Block& block, std::size_t space);
  std::optional<PortGrant> take_of_own(Subscriber& subscriber, std::size_t space,
                                       const PortWish& wish, std::uint64_t random);
  Refusal find_block(const Address& subscriber, const Subscriber* state, std::uint64_t random,
                     BlockPlace& place);
  Refusal find_address(const Address& subscriber, const Subscriber* state, std::uint32_t& address);
  void assign(const Address& subscriber, BlockPlace place);
  void give_back(std::size_t space, PortPlace place);
  void return_block(Block& block);
  void report(bool assigned, const Block& block) const;
  std::uint32_t release(std::size_t space, std::uint64_t now_ms, std::uint32_t limit);

  static std::uint32_t number_of(BlockPlace place) { return place.address << 16 | place.block; }
  bool deterministic() const { return known_.count() != 0; }

  BlockConfig config_;
  AddressBook addresses_;
  AddressBook known_;  ///< subscribers with deterministic blocks
  BlockPlan plan_;
  std::unordered_map<std::uint32_t, Block> blocks_;  ///< the assigned ones, by number_of()
  std::unordered_map<Address, Subscriber, KeyedHash> subscribers_;
  std::vector<FreeIndexes> free_blocks_;  ///< by address; dynamic only. Of size 0: all are free
  FreeIndexes with_room_;                 ///< addresses that have a free block; dynamic only
  std::vector<HoldDown> held_;            ///< by PortSpace
  std::array<Space, kPortSpaces> spaces_{};
  std::array<std::uint64_t, kRefusals> refused_{};
};

}  // namespace uct::core
