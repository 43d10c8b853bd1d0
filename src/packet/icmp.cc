#include "packet/icmp.h"

#include <cstring>

#include "base/bytes.h"

namespace uct::core {

namespace {

constexpr std::uint32_t kIcmpHeader = 8;
/// What every error quotes behind the inner IP header at least (RFC 792; rules E1, E2).
constexpr std::uint32_t kQuoteMin = 8;

void set(ParsedPacket& out, Fate fate, Reason reason) {
  out.fate = fate;
  out.reason = reason;
}
void invalid(ParsedPacket& out, Reason reason) { set(out, Fate::invalid, reason); }

enum class IcmpClass : std::uint8_t { query, reply, error, discovery, redirect, listener, unknown };

/// RFC 792, RFC 950.
IcmpClass classify_icmp(std::uint8_t type) {
  switch (type) {
    case 8:
    case 13:
    case 15:
    case 17:
      return IcmpClass::query;
    case 0:
    case 14:
    case 16:
    case 18:
      return IcmpClass::reply;
    case 3:
    case 4:
    case 5:
    case 11:
    case 12:
      return IcmpClass::error;
    default:
      return IcmpClass::unknown;
  }
}

/// RFC 4443 (all types below 128 are errors, known or not), RFC 4861, RFC 2710, RFC 3810, RFC 4286,
/// RFC 4620.
IcmpClass classify_icmpv6(std::uint8_t type) {
  if (type < 128) return IcmpClass::error;
  switch (type) {
    case 128:
    case 139:
      return IcmpClass::query;
    case 129:
    case 140:
      return IcmpClass::reply;
    case 130:
    case 131:
    case 132:
    case 143:
    case 151:
    case 152:
    case 153:
      return IcmpClass::listener;
    case 133:
    case 134:
    case 135:
    case 136:
      return IcmpClass::discovery;
    case 137:
      return IcmpClass::redirect;
    default:
      return IcmpClass::unknown;
  }
}

bool is_node_information(std::uint8_t type) { return type == 139 || type == 140; }

/// Fills the tuple of a query or reply. Node information has a nonce where others have an id
/// (RFC 4620 section 4), and codes that a reply does not repeat.
void read_query(const std::byte* header, Kind kind, ParsedPacket& out) {
  const std::uint8_t type = load_u8(header);
  const bool nonce = kind == Kind::icmpv6 && is_node_information(type);
  out.kind = kind;
  out.source_port = nonce ? 0 : load_be16(header + 4);
  out.destination_port = static_cast<std::uint16_t>(type << 8);
}

/// Reads the quoted transport header, of which only the first eight bytes need to be there.
Reason read_quoted_transport(const std::byte* header, const IpView& inner, ParsedPacket& out) {
  out.kind = kind_of(static_cast<Protocol>(inner.protocol), inner.family);
  out.protocol = inner.protocol;
  out.source_port = 0;
  out.destination_port = 0;
  if (out.kind == Kind::other) return Reason::none;
  if (out.kind == Kind::icmp || out.kind == Kind::icmpv6) {
    const std::uint8_t type = load_u8(header);
    const IcmpClass inner_class =
        out.kind == Kind::icmp ? classify_icmp(type) : classify_icmpv6(type);
    if (inner_class != IcmpClass::query && inner_class != IcmpClass::reply) {
      return Reason::icmp_quote_malformed;  // nobody answers an error with an error
    }
    read_query(header, out.kind, out);
    return Reason::none;
  }
  out.source_port = load_be16(header);
  out.destination_port = load_be16(header + 2);
  out.has_quoted_seq = out.kind == Kind::tcp;
  if (out.has_quoted_seq) out.seq = load_be32(header + 4);
  return Reason::none;
}

void copy_addresses(const IpView& ip, ParsedPacket& out) {
  const std::uint32_t size = ip.address_size();
  std::memset(out.source, 0, sizeof(out.source));
  std::memset(out.destination, 0, sizeof(out.destination));
  std::memcpy(out.source, ip.addresses, size);
  std::memcpy(out.destination, ip.addresses + size, size);
}

/// Reads the packet that an error quotes into the tuple of `out`.
Reason read_quote(const TransportSource& source, ParsedPacket& out) {
  const Bytes quote = source.bytes.subspan(kIcmpHeader);
  const IpSource from{quote, static_cast<std::uint32_t>(quote.size()), false, true};
  IpView inner;
  const Family family = source.ip.family;
  const Reason reason = family == Family::ipv4 ? parse_ipv4(from, inner) : parse_ipv6(from, inner);
  if (reason == Reason::frame_cut) return Reason::icmp_quote_cut;
  if (reason != Reason::none) return Reason::icmp_quote_malformed;
  if (quote.size() < inner.transport_offset + kQuoteMin) return Reason::icmp_quote_cut;
  const std::uint32_t size = inner.address_size();
  if (std::memcmp(inner.addresses, source.ip.addresses + size, size) != 0) {
    return Reason::icmp_quote_address;
  }
  if (inner.part == FragmentPart::later) return Reason::icmp_quote_unknown;  // it has no ports
  copy_addresses(inner, out);
  return read_quoted_transport(quote.data() + inner.transport_offset, inner, out);
}

void read_error(const TransportSource& source, ParsedPacket& out) {
  out.has_quoted_seq = false;
  const Reason reason = read_quote(source, out);
  if (reason != Reason::none) return invalid(out, reason);
  set(out, Fate::error, Reason::none);
}

/// Gives     whether a redirect has the option that quotes the packet it is about (RFC 4861
///           sections 4.5 and 4.6.3). One without is refused, as both references do
///           (docs/differences.md).
bool quotes_redirected_packet(Bytes message) {
  constexpr std::size_t kRedirectHeader = 40;
  constexpr std::uint8_t kRedirectedHeader = 4;
  for (std::size_t at = kRedirectHeader; at + 8 <= message.size();) {
    const std::size_t length = load_u8(&message[at + 1]) * std::size_t{8};
    if (length == 0 || length > message.size() - at) return false;
    if (load_u8(&message[at]) == kRedirectedHeader) return true;
    at += length;
  }
  return false;
}

void read_by_class(const TransportSource& source, IcmpClass icmp_class, Kind kind,
                   ParsedPacket& out) {
  const std::byte* header = source.bytes.data();
  const std::uint8_t type = load_u8(header);
  switch (icmp_class) {
    case IcmpClass::query:
    case IcmpClass::reply:
      if (load_u8(header + 1) != 0 && !(kind == Kind::icmpv6 && is_node_information(type))) {
        return invalid(out, Reason::icmp_code);  // rule I1
      }
      read_query(header, kind, out);
      return set(out, Fate::track, Reason::none);
    case IcmpClass::error:
      return read_error(source, out);
    case IcmpClass::discovery:
      return set(out, Fate::untracked, Reason::neighbour_or_router_discovery);
    case IcmpClass::listener:
      return set(out, Fate::untracked, Reason::multicast_listener);
    case IcmpClass::redirect:
      if (!quotes_redirected_packet(source.bytes)) return invalid(out, Reason::icmpv6_redirect);
      return set(out, Fate::untracked, Reason::neighbour_or_router_discovery);
    case IcmpClass::unknown:
      break;
  }
  invalid(out, Reason::icmp_type);
}

}  // namespace

void parse_icmp(const TransportSource& source, ParsedPacket& out) {
  if (source.bytes.size() < kIcmpHeader) return invalid(out, Reason::icmp_header_cut);
  if (source.verify_checksum) {
    // Zero has two forms in one's complement (RFC 1071); a message of nothing but zeros sums to the
    // other one. Linux takes it, too.
    const std::uint16_t sum = ones_sum(source.bytes);
    if (sum != 0xffff && sum != 0) return invalid(out, Reason::icmp_checksum);
  }
  read_by_class(source, classify_icmp(load_u8(source.bytes.data())), Kind::icmp, out);
}

void parse_icmpv6(const TransportSource& source, ParsedPacket& out) {
  if (source.bytes.size() < kIcmpHeader) return invalid(out, Reason::icmp_header_cut);
  const auto size = static_cast<std::uint32_t>(source.bytes.size());
  if (source.verify_checksum && !transport_checksum_ok(source, size)) {
    return invalid(out, Reason::icmp_checksum);
  }
  read_by_class(source, classify_icmpv6(load_u8(source.bytes.data())), Kind::icmpv6, out);
}

}  // namespace uct::core
