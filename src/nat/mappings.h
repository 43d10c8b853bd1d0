/// The endpoint-independent mappings of one spec: which external address and port stands for an
/// internal one, and who may come in by it.
///
/// A mapping is made by the first connection of an internal address and port, and ends with the
/// last one, whether that was opened from inside or, as far as the filter lets it, from outside;
/// or it is asked for, and ends when it is no more.
/// Connections hold it by a MappingUse; with address-dependent filtering they also hold the remote
/// address that they are with.
///
/// Relies on table/index.h for finding, nat/pool.h and nat/port_blocks.h for ports; used by
/// tracker.
/// Threads   guarded by a lock of its own, under which no other is taken.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <variant>

#include <uct/nat.h>
#include <uct/reason.h>
#include <uct/result.h>

#include "base/spinlock.h"
#include "nat/address_set.h"
#include "nat/choice.h"
#include "nat/numbered_records.h"
#include "nat/pool.h"
#include "nat/port_blocks.h"
#include "nat/rewrite.h"
#include "packet/parsed_packet.h"
#include "table/index.h"

namespace uct::core {

/// What a connection holds of the mappings of its spec, by number; kNoNumber where nothing.
struct MappingUse {
  std::uint32_t source = kNoNumber;       ///< of who opened it
  std::uint32_t destination = kNoNumber;  ///< of who it was opened to
  std::uint32_t remote = kNoNumber;       ///< that `source` has a connection to this address

  bool empty() const { return source == kNoNumber && destination == kNoNumber; }
};

class Mappings {
 public:
  /// Makes the mappings of `spec`, which has some and was checked by check_nat().
  ///
  /// capacity  of the tracker: there are never more mappings than connections
  /// Errors    nat_ranges_overlap, nat_pool_too_large, nat_block_size, nat_blocks_too_few,
  ///           nat_address_range, nat_family, memory_unavailable
  static Result<std::unique_ptr<Mappings>> make(const NatSpec& spec, const HashKey& secret,
                                                std::uint32_t capacity);

  /// A packet that opens a connection.
  struct Opening {
    const ParsedPacket& packet;
    Zone zone = 0;
    bool from_outside = false;  ///< the caller says so; the spec may know better
    bool fresh_port = false;    ///< the port that would be kept was tried before
  };

  /// Finds or makes the mappings for a connection and holds them.
  ///
  /// Gives     Reason::none, the packet's new tuple, and what is held for it, to be closed once;
  ///           an empty use where the packet is none of this spec's business. Or why it is refused
  ///           (nat_exhausted, nat_quota, nat_unmapped, nat_filtered, nat_not_inside, memory_full),
  ///           and then nothing is held.
  Reason open(const Opening& opening, std::uint64_t now_ms, NatRandom& random, Translation& tuple,
              MappingUse& use);

  /// Gives back what a connection held. Ports nobody uses any more rest, unless `hold` says that
  /// they were never seen outside.
  void close(const MappingUse& use, std::uint64_t now_ms, Hold hold);

  /// Makes a mapping that nothing but remove() ends, or takes over the one that is there.
  ///
  /// Requires  a protocol with ports
  /// Gives     Reason::none and its external end, or why there is none, as open().
  Reason add(const NatRequestedMapping& wanted, std::uint64_t now_ms, NatRandom& random,
             NatEndpoint& external);

  /// Ends what add() began; connections may use it on.
  ///
  /// Gives     false when there is no such mapping.
  bool remove(const NatRequestedMapping& wanted, std::uint64_t now_ms);

  /// Gives     whether nobody but this connection uses its source's mapping.
  bool is_alone(const MappingUse& use);

  /// Gives     everything but what the caller counts: refusals.
  NatStats stats();

 private:
  using Words = std::array<std::uint32_t, 4>;

  /// An address and port on one side, and what must be equal besides.
  struct Endpoint {
    Words address{};
    std::uint16_t port = 0;
    Zone zone = 0;  ///< internal ones only: inner address spaces of two zones may overlap
    std::uint8_t protocol = 0;

    bool operator==(const Endpoint&) const = default;
  };

  struct Mapping {
    Endpoint internal;
    Endpoint external;
    std::uint32_t uses = 0;
    std::uint32_t next_free = 0;
    bool is_requested = false;  ///< by add(), which is a use by itself
  };

  /// An address that a mapping has connections to.
  struct Remote {
    Words address{};
    std::uint32_t mapping = 0;
    std::uint32_t uses = 0;
    std::uint32_t next_free = 0;
  };

  using Ports = std::variant<std::unique_ptr<Pool>, std::unique_ptr<PortBlocks>>;

  Mappings(const NatSpec& spec, const HashKey& secret, Ports ports);
  bool reserve(std::uint32_t capacity);
  Error add_ranges();

  Address address_of(const Words& words) const;
  Endpoint internal_end(const NatRequestedMapping& wanted) const;
  bool is_outside(const Opening& opening) const;
  Reason open_locked(const Opening& opening, bool outside, bool to_pool, std::uint64_t now_ms,
                     NatRandom& random, Translation& tuple, MappingUse& use) UCT_REQUIRES(lock_);
  Reason find_or_make(const Endpoint& internal, const PortWish& wish, std::uint64_t now_ms,
                      NatRandom& random, std::uint32_t& number) UCT_REQUIRES(lock_);
  Reason make_mapping(const Endpoint& internal, const PortGrant& grant, std::uint32_t& number)
      UCT_REQUIRES(lock_);
  Reason let_in(const Endpoint& external, const Opening& opening, const Translation& tuple,
                std::uint32_t& number) UCT_REQUIRES(lock_);
  Reason note_remote(std::uint32_t mapping, const Words& address, std::uint32_t& number)
      UCT_REQUIRES(lock_);
  void close_locked(const MappingUse& use, std::uint64_t now_ms, Hold hold) UCT_REQUIRES(lock_);
  void drop(std::uint32_t number, std::uint64_t now_ms, Hold hold) UCT_REQUIRES(lock_);
  PortGrant take_port(const PortRequest& request, std::uint64_t now_ms, std::uint64_t random)
      UCT_REQUIRES(lock_);
  void free_port(const Endpoint& external, std::uint64_t now_ms, Hold hold) UCT_REQUIRES(lock_);

  std::uint64_t hash_of(const Endpoint& endpoint, bool external) const;
  std::uint64_t hash_of(std::uint32_t mapping, const Words& address) const;
  std::uint32_t find_internal(const Endpoint& internal) UCT_REQUIRES(lock_);
  std::uint32_t find_external(const Endpoint& external) UCT_REQUIRES(lock_);
  std::uint32_t find_remote(std::uint32_t mapping, const Words& address) UCT_REQUIRES(lock_);

  const NatMapping spec_;
  const HashKey& secret_;
  const Family family_;
  const AddressBook* external_;  ///< that of `ports_`, which never changes
  AddressSet inside_;
  AddressSet exempt_;

  Spinlock lock_;
  Ports ports_ UCT_GUARDED_BY(lock_);
  NumberedRecords<Mapping> mappings_ UCT_GUARDED_BY(lock_);
  NumberedRecords<Remote> remotes_ UCT_GUARDED_BY(lock_);
  Index by_internal_ UCT_GUARDED_BY(lock_);
  Index by_external_ UCT_GUARDED_BY(lock_);
  Index by_remote_ UCT_GUARDED_BY(lock_);
};

}  // namespace uct::core
