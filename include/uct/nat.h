/// Network address translation: what the addresses and ports of new connections become.
///
/// Included by tracker.h. A spec is given to a tracker once (Tracker::add_nat) and named by each
/// Request that commits. What was chosen for a connection holds for its life and is in its
/// ConnectionInfo: `reply` is what the responder's packets carry.
/// Threads   values only; safe everywhere.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include <uct/key.h>
#include <uct/time.h>
#include <uct/timeout_policy.h>

namespace uct {

/// Names a spec of one tracker.
enum class NatId : std::uint16_t {
  none = 0,  ///< connections keep their addresses and ports
};
inline constexpr std::size_t kMaxNatSpecs = 4096;

/// What one side of a connection may become.
struct NatRange {
  /// From first to last, both included and of one family. Both all zero: the address is kept, and
  /// the port changes only when another connection has it.
  Address first;
  Address last;
  /// From first to last, both included; of ICMP queries the id. 0 and 0: the source port is kept if
  /// it is free, and otherwise becomes one of its class (below 512, below 1024, all others) while
  /// that has a free one; the destination port is kept.
  std::uint16_t port_first = 0;
  std::uint16_t port_last = 0;

  bool has_ports() const { return port_first != 0 || port_last != 0; }
};

/// From first to last, both included and of one family.
struct AddressRange {
  Address first;
  Address last;

  bool operator==(const AddressRange&) const = default;
};

/// Gives     all addresses that begin with the first `bits` of `address`, those of the network and
///           of the broadcast included: behind a NAT they are as good as any.
///
/// Requires  bits <= 32, or 128 for IPv6; more counts as all
AddressRange prefix_range(const Address& address, unsigned bits);

/// By what an address is chosen from a range of several. Ports are always chosen so that nobody
/// outside can foresee them (RFC 6056), but that a port that is free and allowed is kept.
enum class NatSelection : std::uint8_t {
  hash,        ///< by a keyed hash of source and destination address
  persistent,  ///< by a keyed hash of the source address: a host keeps its external address
  random,      ///< at random, address and port: no port is kept
  prefix,      ///< the first bits become those of the range, which is a prefix; the rest stays
  npt,         ///< likewise, IPv6 only, and changed so that checksums stay (RFC 6296)
};

/// Who may open a connection to the external address and port of a mapping (RFC 4787 section 5).
enum class NatFiltering : std::uint8_t {
  endpoint_independent,  ///< anybody: as if there were no translation
  address_dependent,     ///< whom the internal address and port has a connection to, from any port
  address_and_port_dependent,  ///< nobody: only answers come in
};

/// Ports are given to internal addresses in blocks, so that one line a block in a log says who had
/// them (RFC 6888 REQ-14, RFC 7422).
struct NatBlocks {
  std::uint16_t ports = 512;       ///< of a block: a power of two from 64 to 4096
  std::uint16_t blocks_max = 4;    ///< of an internal address at the same time
  std::uint32_t ports_max = 2048;  ///< likewise, all protocols together (RFC 6888 REQ-4)
  /// Who has which block is arithmetic (RFC 7422 section 2) on NatMapping::inside, which must be
  /// given; each internal address has one block.
  bool deterministic = false;
};

/// Endpoint-independent mapping: all connections of an internal address and port have the same
/// external one, which nobody else has (RFC 4787 REQ-1 and REQ-3, RFC 5382, RFC 5508). A mapping
/// lives as long as one of its connections. All that an internal address does comes from the same
/// external address (paired pooling, RFC 4787 REQ-2). What inside hosts send to an external address
/// and port goes to who has it, and seems to come from outside (hairpinning, RFC 4787 REQ-9).
///
/// A packet from outside that nobody inside is behind is refused (nat_unmapped, nat_filtered);
/// whether it is for the gateway itself is the data plane's to know. A mapping ends when the last
/// of its connections is removed: sweeps do that, not the mere passing of time.
///
/// Protocols without ports are translated by address alone, as without mapping.
struct NatMapping {
  NatFiltering filtering = NatFiltering::endpoint_independent;
  std::vector<AddressRange> more;  ///< external addresses besides the source's range
  /// Where packets come from inside. None: from everywhere, unless Request::from_outside. Ranges
  /// here and in `exempt` are of the source's family, of any size, and may overlap.
  std::vector<AddressRange> inside;
  std::vector<AddressRange> exempt;  ///< destinations that see the internal address (REQ-6)
  // Wishes for the external port, which yield to what is free.
  bool keep_port = false;    ///< the internal one
  bool keep_class = false;   ///< below 1024 or not (RFC 4787 REQ-3a)
  bool keep_parity = false;  ///< even or odd (RFC 4787 REQ-4)
  /// When the external address of an internal one is full: another one, instead of a refusal.
  bool overflow = false;
  std::optional<NatBlocks> blocks;
  Duration hold_down = std::chrono::seconds(120);  ///< rest of a freed port (RFC 6888 REQ-8)
  /// Whether packets from outside prolong connections, other than of TCP (RFC 4787 REQ-6).
  bool inbound_refresh = true;
};

/// One or both sides of a connection are translated, in one commit.
///
/// A translated connection is found by the tuple that its originator sends and by the one that its
/// responder answers to. Its packets are rewritten in place, addresses, ports and checksums, and so
/// are the errors about it, within their quotes too. When nothing that the spec allows is free, the
/// packet is refused (Reason::nat_exhausted) and never passed on untranslated. A spec with IPv4
/// addresses leaves connections over IPv6 as they are, and the other way round.
///
/// With a mapping the spec also says who may come in: give it with packets of both sides.
struct NatSpec {
  std::optional<NatRange> source;
  std::optional<NatRange> destination;
  NatSelection selection = NatSelection::hash;
  /// Of the source, whose range must have addresses then and be the only side. Nothing: a port may
  /// be in use for several remote addresses and ports at once (endpoint-dependent mapping).
  std::optional<NatMapping> mapping;
};

/// Sets of behaviours that belong together.
enum class NatProfile : std::uint8_t {
  plain,  ///< endpoint-dependent, as in Linux and Open vSwitch: most connections for an address
  home,   ///< endpoint-independent mapping, address-dependent filtering; ports are kept
  cgn,    ///< endpoint-independent both, blocks with a quota, hold-down: RFC 6888
};

/// Gives     the spec of a profile that translates sources to `external`.
NatSpec make_nat_spec(NatProfile profile, const NatRange& external);

/// Gives     timeouts that the profile's RFCs ask for; of `plain` the defaults. For home and cgn:
///           TCP 2 h 4 min established and half closed, 4 min otherwise, after a reset too
///           (RFC 5382 REQ-5, RFC 7857 section 2), UDP 5 min (RFC 4787 REQ-5), ICMP 60 s (RFC 5508
///           REQ-2).
TimeoutPolicy make_nat_timeouts(NatProfile profile);

/// An internal address and port that is to have an external one whether it has connections or not:
/// what a subscriber asks for by PCP (the explicit mapping of RFC 6887 section 11) or UPnP, and
/// what an operator forwards. Anybody outside may come in by it, whatever the spec's filter. How
/// long it lasts is the caller's business, see Tracker::add_mapping. When it ends, its port rests
/// (NatMapping::hold_down). There are never more mappings than connections, theirs included.
struct NatRequestedMapping {
  Zone zone = 0;
  Protocol protocol = Protocol::tcp;  ///< one that has ports
  Address internal;
  std::uint16_t port = 0;
  std::uint16_t wish = 0;  ///< external port, which yields to what is free; 0 for any
};

/// An address and a port.
struct NatEndpoint {
  Address address;
  std::uint16_t port = 0;

  bool operator==(const NatEndpoint&) const = default;
};

/// Ports of a spec with mapping, all protocols together; used + held + free = ports.
struct NatStats {
  std::uint64_t mappings = 0;
  std::uint64_t ports = 0;
  std::uint64_t used = 0;
  std::uint64_t held = 0;  ///< rest, see NatMapping::hold_down; as of the latest opening
  std::uint64_t free = 0;
  std::uint64_t blocks = 0;           ///< there are
  std::uint64_t blocks_assigned = 0;  ///< somebody has
  std::uint64_t subscribers = 0;      ///< internal addresses that have a block

  // Packets refused since the start, by reason; of any spec.
  std::uint64_t exhausted = 0;
  std::uint64_t quota = 0;
  std::uint64_t unmapped = 0;
  std::uint64_t filtered = 0;
  std::uint64_t not_inside = 0;
};

}  // namespace uct
