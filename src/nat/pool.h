/// The external addresses of a NAT and the ports of each, by protocol.
///
/// A subscriber is given the same external address for all it does (paired pooling: RFC 4787 REQ-2,
/// RFC 6888 REQ-2), chosen by a keyed hash of its own address, so that nothing has to be
/// remembered; then a free port of it. Of every port it holds: used + free + held = what there is.
///
/// The set of an address and protocol is made when first used (10 KiB, 5 us): a pool costs eight
/// bytes for each address and protocol before that, and at most 65536 x 6 x 10 KiB.
///
/// Relies on base and nat/port_set.h, nat/hold_down.h; used by the room's choice of a reply key.
/// Threads   none of its own: the caller locks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include <uct/key.h>
#include <uct/nat.h>

#include "base/siphash.h"
#include "nat/address_set.h"
#include "nat/hold_down.h"
#include "nat/port_set.h"

namespace uct::core {

/// What has ports of its own: one number may be in use in each at the same time.
enum class PortSpace : std::uint8_t { tcp, udp, udplite, sctp, dccp, icmp };
inline constexpr std::size_t kPortSpaces = 6;

/// Gives     none for a protocol without ports and identifiers.
std::optional<PortSpace> port_space(Protocol protocol);

/// What is wrong with a configuration.
enum class PoolError : std::uint8_t {
  none,
  no_addresses,            ///< nothing to translate to
  address_range_backward,  ///< ends before it begins, or in the other family
  address_ranges_overlap,  ///< an address would have two sets of ports, and give each port twice
  address_families_mixed,  ///< one pool is for one family
  too_many_addresses,      ///< more than kPoolAddressesMax, or 2^32 - 1 where only numbers are kept
  port_range_backward,     ///< ends before it begins
  block_size_invalid,      ///< not a power of two from 64 to 4096, or larger than the port range
  too_many_subscribers,    ///< more than there are deterministic blocks
};

/// Numbers addresses, those of all ranges in order of address: any ranges, contiguous or not (RFC
/// 6888 REQ-3).
class AddressBook {
 public:
  static constexpr std::uint64_t kCountMax = std::numeric_limits<std::uint32_t>::max();

  /// Adds a range; numbers given out before may change.
  ///
  /// Gives     what is wrong, and then leaves the book as it was.
  /// Cost      O(ranges)
  PoolError add(const AddressRange& range);

  /// Adds all.
  PoolError add(const std::vector<AddressRange>& ranges);

  std::uint32_t count() const { return count_; }

  /// Requires  index < count()
  /// Cost      O(log ranges), as for index_of()
  Address at(std::uint32_t index) const;

  std::optional<std::uint32_t> index_of(const Address& address) const;

 private:
  struct Span {
    AddressNumber first;
    AddressNumber last;
    std::uint32_t index;  ///< of the first
  };

  std::vector<Span> spans_;  ///< by address
  Family family_ = Family::ipv4;
  std::uint32_t count_ = 0;
};

/// Gives     the hash that pairs a subscriber with an external address: the upper half says which,
///           the lower which instead.
std::uint64_t subscriber_hash(const Address& subscriber, const HashKey& key);

/// Addresses in one pool: each has a bit that says whether it has room. A /16.
inline constexpr std::uint32_t kPoolAddressesMax = FreeIndexes::kSizeMax;

/// Ports released from their rest by a call that does something else, so that no packet waits for
/// thousands; Pool::release() does them all.
inline constexpr std::uint32_t kReleaseEachCall = 64;

/// What to do when the address of a subscriber has no free port.
enum class Overflow : std::uint8_t {
  refuse,     ///< strictly paired
  elsewhere,  ///< another address that has one, the same for the same subscriber while it has
};

struct PoolConfig {
  std::vector<AddressRange> addresses;
  PortRange ports{1024, 65535};  ///< of tcp, udp, udplite, sctp, dccp
  PortRange icmp_ids{0, 65535};  ///< query identifiers, RFC 5508 section 3
  Overflow overflow = Overflow::refuse;
  std::uint32_t hold_down_ms = kHoldDownMs;
  /// Ports of one protocol that rest at the same time, RFC 6888 REQ-8.
  std::uint32_t held_max = std::numeric_limits<std::uint32_t>::max();
  HashKey key{};  ///< secret: whoever knows it can tell which subscribers share an address
};

struct PortRequest {
  Address subscriber;  ///< the internal address
  Protocol protocol = Protocol::tcp;
  PortWish wish;
  /// The external address of mappings that the subscriber has, which pairs it better than its hash
  /// after an overflow.
  std::optional<Address> paired;
};

/// Why there is no port.
enum class Refusal : std::uint8_t {
  none,
  protocol_without_ports,
  address_exhausted,   ///< the subscriber's address has no free port, and overflow is refused
  pool_exhausted,      ///< no address has
  port_quota,          ///< the subscriber has as many ports as it may (nat/port_blocks.h)
  block_quota,         ///< it has as many blocks as it may, and they are full
  subscriber_unknown,  ///< deterministic blocks only: not in the ranges of subscribers
};
inline constexpr std::size_t kRefusals = 7;

struct PortGrant {
  Refusal refusal = Refusal::none;
  Address address;
  std::uint16_t port = 0;

  explicit operator bool() const { return refusal == Refusal::none; }
};

/// Of one protocol, or summed up. used + held + free = ports.
struct PortStats {
  std::uint64_t ports = 0;
  std::uint64_t used = 0;
  std::uint64_t held = 0;
  std::uint64_t free = 0;
};

class Pool {
 public:
  /// Gives     a pool, or none and what is wrong.
  static std::unique_ptr<Pool> make(const PoolConfig& config, PoolError& error);

  /// Takes a port.
  ///
  /// Gives     a refusal only when no port is free where one may be taken from; those that rest and
  ///           are due count as free. Every free port of the address that meets the wish is equally
  ///           likely.
  /// Cost      O(1) in ports and addresses, O(log ranges) for the address; releases what is due,
  ///           kReleaseEachCall at most, or all when the address would be full otherwise
  PortGrant take(const PortRequest& request, std::uint64_t now_ms, std::uint64_t random);

  /// Gives a port back. It rests first unless it is to be free now.
  ///
  /// Requires  it was taken and not freed since: one that rests cannot be told from one in use
  /// Gives     false when no such port was taken.
  bool free(const Address& address, Protocol protocol, std::uint16_t port, std::uint64_t now_ms,
            Hold hold = Hold::rest);

  /// Gives     the place of the address that a subscriber is paired with. O(1).
  std::uint32_t choose_address(const Address& subscriber) const;

  /// Frees what has rested long enough, at most `limit` ports of each protocol.
  ///
  /// Gives     how many
  std::uint32_t release(std::uint64_t now_ms, std::uint32_t limit);

  /// Gives the memory of sets that no port is taken of back. O(addresses).
  void shrink();

  const AddressBook& addresses() const { return addresses_; }
  PortStats stats(PortSpace space) const;
  PortStats stats() const;
  std::uint64_t refused(Refusal refusal) const {
    return refused_[static_cast<std::size_t>(refusal)];
  }
  std::size_t memory_bytes() const;

 private:
  /// All ports of one protocol.
  struct Space {
    Space(const FreeIndexes& all_addresses, HoldDown empty, PortRange ports);
    Space(Space&&) = default;

    std::vector<std::unique_ptr<PortSet>> sets;  ///< by address; none: all ports free
    FreeIndexes with_room;                       ///< addresses that have a free port
    HoldDown held;
    PortRange range;
    std::uint64_t used = 0;
    std::uint64_t free = 0;
  };

  Pool(const PoolConfig& config, AddressBook addresses);

  std::optional<std::uint32_t> find_room(Space& space, const PortRequest& request,
                                         std::uint64_t now_ms, Refusal& refusal);
  PortGrant refuse(Refusal refusal);
  void give_back(Space& space, PortPlace place);
  std::uint32_t release(Space& space, std::uint64_t now_ms, std::uint32_t limit);

  AddressBook addresses_;
  std::vector<Space> spaces_;  ///< by PortSpace
  std::array<std::uint64_t, kRefusals> refused_{};
  HashKey key_;
  Overflow overflow_;
};

}  // namespace uct::core
