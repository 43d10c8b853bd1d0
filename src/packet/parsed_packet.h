/// What the parser found in one packet: everything that the rooms behind it need, and no more.
///
/// Filled by packet/parse.h, read by conn (key), proto (state machines), frag and tracker.
/// Threads   a value; belongs to whoever parses.
#pragma once

#include <cstddef>
#include <cstdint>

#include <uct/key.h>
#include <uct/reason.h>

namespace uct::core {

/// Which room handles the packet next.
enum class Fate : std::uint8_t {
  track,      ///< look up the connection of its tuple
  error,      ///< an ICMP or ICMPv6 error: the tuple below is the quoted packet's, as quoted
  fragment,   ///< a fragment without transport header: follow its datagram
  untracked,  ///< `reason` says why it is none of a tracker's business
  invalid,    ///< `reason` says what is wrong with it
};

/// Protocols that are told apart by their key.
enum class Kind : std::uint8_t {
  none,   ///< no packet has it: a record without a connection, which memory that reads as zero is
  other,  ///< the key is the address pair and the protocol number
  tcp,
  udp,
  udplite,
  sctp,
  dccp,
  icmp,    ///< queries and their replies, by id
  icmpv6,  ///< likewise
};

/// Gives     the kind of a protocol; ICMP of the other family is a protocol like any other.
constexpr Kind kind_of(Protocol protocol, Family family) {
  switch (protocol) {
    case Protocol::tcp:
      return Kind::tcp;
    case Protocol::udp:
      return Kind::udp;
    case Protocol::udplite:
      return Kind::udplite;
    case Protocol::sctp:
      return Kind::sctp;
    case Protocol::dccp:
      return Kind::dccp;
    case Protocol::icmp:
      return family == Family::ipv4 ? Kind::icmp : Kind::other;
    case Protocol::icmpv6:
      return family == Family::ipv6 ? Kind::icmpv6 : Kind::other;
    default:
      return Kind::other;
  }
}

enum class FragmentPart : std::uint8_t {
  whole,  ///< not a fragment (an IPv6 atomic fragment, RFC 6946, counts as whole)
  first,  ///< offset 0 and more to come: tracked by its ports, transport checksum not verifiable
  later,  ///< any other: fate is `fragment`
};

/// TCP flag bits, as in the header's 14th byte (RFC 9293 section 3.1).
namespace tcp_flag {
inline constexpr std::uint8_t kFin = 0x01, kSyn = 0x02, kRst = 0x04, kPsh = 0x08, kAck = 0x10,
                              kUrg = 0x20, kEce = 0x40, kCwr = 0x80;
}

inline constexpr std::uint8_t kNoWindowScale = 0xff;

struct ParsedPacket {
  Fate fate = Fate::invalid;
  Reason reason = Reason::none;
  Kind kind = Kind::other;
  Family family = Family::ipv4;
  std::uint8_t protocol = 0;  ///< IANA number of the transport (of the quoted one for an error)
  FragmentPart part = FragmentPart::whole;  ///< set for every packet, invalid ones too

  // TCP (for an error: only `seq`, and only when `has_quoted_seq`).
  std::uint8_t tcp_flags = 0;
  std::uint8_t window_scale = kNoWindowScale;  ///< RFC 7323 shift as sent; only read from SYNs
  bool has_quoted_seq = false;  ///< an error that quotes TCP: `seq` is the quoted number
  std::uint16_t window = 0;     ///< as sent, unscaled
  std::uint32_t seq = 0;
  std::uint32_t ack = 0;
  std::uint32_t payload_size = 0;  ///< TCP bytes behind its header

  // The tuple. Addresses as they stand in memory (network order); of IPv4 only word 0
  // counts. Ports in host order. ICMP queries: source_port = id, destination_port = type << 8 |
  // code. Kind::other: both ports 0.
  std::uint32_t source[4] = {};
  std::uint32_t destination[4] = {};
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;

  std::uint32_t fragment_id = 0;       ///< this and the next three when part is not `whole`
  std::uint16_t fragment_offset = 0;   ///< bytes of its datagram in front of it
  std::uint16_t fragment_size = 0;     ///< bytes of its datagram in it
  bool more_fragments = false;         ///< it is not the last
  std::uint32_t ip_size = 0;           ///< bytes of the IP packet, header included; padding
                                       ///< excluded
  std::uint32_t transport_offset = 0;  ///< from Packet::data to the transport header
  std::uint32_t transport_size = 0;    ///< bytes from there to the end of the IP packet
};

/// Gives     whether ICMP queries are tracked by an identifier, in the place of the source port.
constexpr bool has_identifier(Kind kind) { return kind == Kind::icmp || kind == Kind::icmpv6; }

/// Gives     whether the packet has ports or an identifier, which a translation may change.
///           ICMPv6 node information (types 139, 140) has a nonce in its place, RFC 4620 section 4.
constexpr bool has_number(const ParsedPacket& packet) {
  constexpr std::uint16_t kNodeInformation = 139 << 8;  // no other query has a higher type
  if (packet.kind == Kind::icmpv6) return packet.destination_port < kNodeInformation;
  return packet.kind != Kind::other;
}

}  // namespace uct::core
