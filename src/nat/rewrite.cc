// First everything is checked, then written: a refused packet is as it was.
//
// An error is translated from the inside out: the quoted headers are written like those of any
// other packet, then the error's own checksum follows the bytes that differ, quoted checksums among
// them.
#include "nat/rewrite.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/bytes.h"
#include "base/checksum_update.h"
#include "packet/ip.h"

namespace uct::core {

namespace {

using WritableBytes = std::span<std::byte>;

constexpr std::size_t kIpv4Header = 20;
constexpr std::size_t kIpv6Header = 40;
constexpr std::size_t kIpv4Checksum = 10;
constexpr std::size_t kIcmpHeader = 8;
constexpr std::size_t kIcmpChecksum = 2;
/// Of a transport header, all that is ever written lies in its first bytes: TCP's checksum is last.
constexpr std::size_t kWrittenTransport = 20;
/// What any of them needs to be told by its ports or identifier, in a packet and in a quote.
constexpr std::size_t kTransportMin = 8;

template <typename T>
T load(const std::byte* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof(value));
  return value;
}

template <typename T>
void store(std::byte* bytes, T value) {
  std::memcpy(bytes, &value, sizeof(value));
}

/// What of a transport header depends on the tuple.
struct TransportFields {
  enum class Numbers : std::uint8_t { none, ports, identifier } numbers = Numbers::none;
  enum class Sum : std::uint8_t { none, internet, zero_is_none, crc32c } sum = Sum::none;
  std::uint8_t sum_at = 0;
  bool covers_addresses = true;  ///< by a pseudo header
};

/// Node information has a nonce where other ICMPv6 queries have an identifier (RFC 4620 section 4).
bool has_identifier(Kind kind, const std::byte* icmp) {
  const std::uint8_t type = load_u8(icmp);
  return kind == Kind::icmp || type == 128 || type == 129;
}

/// `header` is read only where there are at least kTransportMin bytes of it.
TransportFields fields_of(Kind kind, const std::byte* header) {
  using Numbers = TransportFields::Numbers;
  using Sum = TransportFields::Sum;
  switch (kind) {
    case Kind::tcp:
      return {Numbers::ports, Sum::internet, 16};
    case Kind::udp:
    case Kind::udplite:  // its coverage is at least the header (RFC 3828 section 3.1)
      return {Numbers::ports, Sum::zero_is_none, 6};
    case Kind::dccp:  // likewise (RFC 4340 section 9.2)
      return {Numbers::ports, Sum::internet, 6};
    case Kind::sctp:
      return {Numbers::ports, Sum::crc32c, 8, false};
    case Kind::icmp:
    case Kind::icmpv6:
      return {has_identifier(kind, header) ? Numbers::identifier : Numbers::none, Sum::internet,
              kIcmpChecksum, kind == Kind::icmpv6};
    case Kind::none:
    case Kind::other:
      break;
  }
  return {};
}

/// An IP packet whose lengths were checked, and how much of its transport may be written.
struct Place {
  std::byte* ip = nullptr;
  Family family = Family::ipv4;
  bool covers_destination = true;  ///< the pseudo header has the destination of the IP header
  WritableBytes transport;         ///< as far as it is there
  std::size_t transport_size = 0;  ///< of the whole packet; 0 where only later fragments tell
};

/// Steps over extension headers, up to the transport at `end`.
///
/// While a routing header has segments left, the transport's checksum is already made for the final
/// destination, which is not the one in the IP header (RFC 8200 section 8.1).
RewriteRefusal walk_extensions(const std::byte* ip, std::size_t end, Place& place) {
  constexpr std::uint8_t kRouting = 43;
  constexpr std::uint8_t kFragment = 44;
  std::uint8_t type = load_u8(ip + 6);
  for (std::size_t at = kIpv6Header; at + 8 <= end;) {
    if (type == static_cast<std::uint8_t>(Protocol::ah)) break;
    if (type == kRouting && load_u8(ip + at + 3) != 0) place.covers_destination = false;
    const std::size_t length = type == kFragment ? 8 : (load_u8(ip + at + 1) + std::size_t{1}) * 8;
    type = load_u8(ip + at);
    at += length;
  }
  const bool authenticated = type == static_cast<std::uint8_t>(Protocol::ah);
  return authenticated ? RewriteRefusal::authentication_header : RewriteRefusal::none;
}

/// Fills the place of the packet whose IP header is at `ip`, with its transport at `header_size`
/// and the rest of what is there behind it.
RewriteRefusal find_place(WritableBytes packet, Family family, std::size_t header_size,
                          Place& place) {
  const std::size_t header_min = family == Family::ipv4 ? kIpv4Header : kIpv6Header;
  if (header_size < header_min || header_size > packet.size()) return RewriteRefusal::frame_cut;
  place.ip = packet.data();
  place.family = family;
  place.transport = packet.subspan(header_size);
  if (family == Family::ipv6) return walk_extensions(place.ip, header_size, place);
  const bool authenticated = load_u8(place.ip + 9) == static_cast<std::uint8_t>(Protocol::ah);
  return authenticated ? RewriteRefusal::authentication_header : RewriteRefusal::none;
}

/// Likewise of the packet that the parser read, padding behind it excluded.
RewriteRefusal find_place(WritableBytes frame, const ParsedPacket& parsed, Place& place) {
  const std::size_t header_size = std::size_t{parsed.ip_size} - parsed.transport_size;
  if (parsed.transport_offset > frame.size() || header_size > parsed.transport_offset) {
    return RewriteRefusal::frame_cut;
  }
  WritableBytes packet = frame.subspan(parsed.transport_offset - header_size);
  packet = packet.first(std::min(packet.size(), std::size_t{parsed.ip_size}));
  place.transport_size = parsed.part == FragmentPart::whole ? parsed.transport_size : 0;
  return find_place(packet, parsed.family, header_size, place);
}

void write_word(std::byte* at, std::uint32_t now, ChecksumUpdate& update) {
  update.replace32(load<std::uint32_t>(at), now);
  store(at, now);
}

/// Writes the addresses and has the IPv4 header's checksum follow.
///
/// Gives     what changed of a pseudo header.
ChecksumUpdate write_addresses(const Place& place, std::span<const std::uint32_t, 4> source,
                               std::span<const std::uint32_t, 4> destination) {
  ChecksumUpdate update;
  if (place.family == Family::ipv4) {
    write_word(place.ip + 12, source[0], update);
    write_word(place.ip + 16, destination[0], update);
    std::byte* checksum = place.ip + kIpv4Checksum;
    store(checksum, update.apply(load<std::uint16_t>(checksum)));
    return update;
  }
  ChecksumUpdate not_covered;
  ChecksumUpdate& of_destination = place.covers_destination ? update : not_covered;
  for (std::size_t i = 0; i < 4; ++i) {
    write_word(place.ip + 8 + 4 * i, source[i], update);
    write_word(place.ip + 24 + 4 * i, destination[i], of_destination);
  }
  return update;
}

/// Gives     both ports as they stand in a header.
std::uint32_t ports_of(const Translation& to) {
  const std::uint16_t ports[2] = {big_endian(to.source_port), big_endian(to.destination_port)};
  std::uint32_t word;
  std::memcpy(&word, ports, sizeof(word));
  return word;
}

std::uint32_t little_endian(std::uint32_t value) {
  return std::endian::native == std::endian::little ? value : __builtin_bswap32(value);
}

/// Has an SCTP checksum follow the ports, which are still the old ones. Who computes it anew has to
/// compute the old one, too, to learn whether it was right. That is as fast for small packets,
/// slower from some 300 bytes on, and impossible without the payload, as in a quote.
void update_crc32c(const Place& place, std::uint32_t ports) {
  std::byte* checksum = place.transport.data() + 8;
  const std::uint32_t changed = little_endian(load<std::uint32_t>(place.transport.data()) ^ ports);
  const std::uint32_t change =
      crc32c_change(changed, static_cast<std::uint32_t>(place.transport_size));
  store(checksum, load<std::uint32_t>(checksum) ^ little_endian(change));
}

void update_checksum(const Place& place, const TransportFields& fields,
                     const ChecksumUpdate& update) {
  using Sum = TransportFields::Sum;
  if (place.transport.size() < fields.sum_at + std::size_t{2}) return;
  std::byte* at = place.transport.data() + fields.sum_at;
  const auto old = load<std::uint16_t>(at);
  if (fields.sum == Sum::zero_is_none && old == 0) return;
  std::uint16_t now = update.apply(old);
  if (fields.sum == Sum::zero_is_none && now == 0) now = 0xffff;
  store(at, now);
  // Without a pseudo header there may be nothing but zeros left, as of an echo reply whose
  // identifier became 0, and only 0xffff is right. For anything else both zeros are.
  if (now == 0 && !fields.covers_addresses && ones_sum(place.transport) == 0) {
    store(at, std::uint16_t{0xffff});
  }
}

/// Writes ports or identifier, and has the checksum follow them and what changed of the pseudo
/// header.
void write_transport(const Place& place, const TransportFields& fields, const Translation& to,
                     ChecksumUpdate pseudo) {
  using Numbers = TransportFields::Numbers;
  using Sum = TransportFields::Sum;
  ChecksumUpdate update;
  if (fields.covers_addresses) update.add(pseudo);
  std::byte* header = place.transport.data();
  if (fields.sum == Sum::crc32c && place.transport_size != 0 && place.transport.size() >= 12) {
    update_crc32c(place, ports_of(to));
  }
  if (fields.numbers == Numbers::ports) write_word(header, ports_of(to), update);
  if (fields.numbers == Numbers::identifier) {
    const std::uint16_t identifier = big_endian(to.source_port);
    update.replace16(load<std::uint16_t>(header + 4), identifier);
    store(header + 4, identifier);
  }
  if (fields.sum == Sum::internet || fields.sum == Sum::zero_is_none) {
    update_checksum(place, fields, update);
  }
}

/// TCP or UDP over an IPv4 header without options: most packets, in one straight line.
///
/// Requires  the frame is there up to the transport's checksum.
template <std::size_t kSumAt, bool kZeroIsNone>
void rewrite_plain(std::byte* transport, const Translation& to) {
  ChecksumUpdate update;
  std::byte* ip = transport - kIpv4Header;
  write_word(ip + 12, to.source[0], update);
  write_word(ip + 16, to.destination[0], update);
  store(ip + kIpv4Checksum, update.apply(load<std::uint16_t>(ip + kIpv4Checksum)));
  write_word(transport, ports_of(to), update);
  const auto old = load<std::uint16_t>(transport + kSumAt);
  if (kZeroIsNone && old == 0) return;
  const std::uint16_t now = update.apply(old);
  store(transport + kSumAt, kZeroIsNone && now == 0 ? std::uint16_t{0xffff} : now);
}

/// Finds what is to be written, for whatever the parser accepted and is not an error.
RewriteRefusal find_fields(WritableBytes frame, const ParsedPacket& parsed, const Translation& to,
                           Place& place, TransportFields& fields) {
  const bool later = parsed.part == FragmentPart::later;
  if (parsed.fate != Fate::track && !(parsed.fate == Fate::fragment && later)) {
    return RewriteRefusal::fate;
  }
  const RewriteRefusal refusal = find_place(frame, parsed, place);
  if (refusal != RewriteRefusal::none) return refusal;
  const Kind kind = later ? Kind::other : parsed.kind;
  if (kind != Kind::other && place.transport.size() < kTransportMin) {
    return RewriteRefusal::frame_cut;
  }
  fields = fields_of(kind, place.transport.data());
  if (fields.sum == TransportFields::Sum::crc32c && parsed.part == FragmentPart::first &&
      load<std::uint32_t>(place.transport.data()) != ports_of(to)) {
    return RewriteRefusal::sctp_fragment;
  }
  return RewriteRefusal::none;
}

/// Gives     whether a packet of `kind` has an IPv4 header without options, and is there up to
///           `needed` bytes of its transport.
bool is_plain(WritableBytes frame, const ParsedPacket& parsed, Kind kind, std::size_t needed) {
  return parsed.kind == kind && parsed.family == Family::ipv4 && parsed.fate == Fate::track &&
         parsed.ip_size - parsed.transport_size == kIpv4Header &&
         parsed.transport_offset >= kIpv4Header && frame.size() >= parsed.transport_offset + needed;
}
bool is_plain_tcp(WritableBytes frame, const ParsedPacket& parsed) {
  return is_plain(frame, parsed, Kind::tcp, 18);
}
bool is_plain_udp(WritableBytes frame, const ParsedPacket& parsed) {
  return is_plain(frame, parsed, Kind::udp, 8);
}

/// Gives     the bytes of an error that are packet by its own word (RFC 4884 section 4), else all.
std::size_t told_quote_size(Bytes message, Family family) {
  const std::uint8_t type = load_u8(message.data());
  const bool tells =
      family == Family::ipv4 ? type == 3 || type == 11 || type == 12 : type == 1 || type == 3;
  std::size_t told = 0;
  if (tells) {
    told = family == Family::ipv4 ? load_u8(&message[5]) * std::size_t{4}
                                  : load_u8(&message[4]) * std::size_t{8};
  }
  return told == 0 ? message.size() - kIcmpHeader : told;
}

struct Quote {
  Place place;
  TransportFields fields;
};

/// Reads the packet that an error quotes.
RewriteRefusal find_quote(WritableBytes message, Family family, Quote& found) {
  const WritableBytes quote = message.subspan(kIcmpHeader);
  const IpSource source{quote, static_cast<std::uint32_t>(quote.size()), false, true};
  IpView inner;
  const Reason reason =
      family == Family::ipv4 ? parse_ipv4(source, inner) : parse_ipv6(source, inner);
  if (reason != Reason::none) return RewriteRefusal::quote;
  Place& place = found.place;
  const RewriteRefusal refusal = find_place(quote, family, inner.transport_offset, place);
  if (refusal != RewriteRefusal::none) return refusal;
  if (inner.part == FragmentPart::later) return RewriteRefusal::none;
  const Kind kind = kind_of(static_cast<Protocol>(inner.protocol), family);
  if (kind == Kind::other) return RewriteRefusal::none;
  if (place.transport.size() < kTransportMin) return RewriteRefusal::quote;
  found.fields = fields_of(kind, place.transport.data());
  // Behind the quoted packet's own end, or the end that the error tells of, there is padding or an
  // extension, which has no checksum. Ports are there by any word.
  std::size_t end = std::min<std::size_t>(told_quote_size(message, family), inner.size);
  end = std::max(end, inner.transport_offset + kTransportMin) - inner.transport_offset;
  place.transport = place.transport.first(std::min(place.transport.size(), end));
  const bool has_size = inner.part == FragmentPart::whole && inner.size >= 12 &&
                        inner.transport_offset <= inner.size - 12;
  place.transport_size = has_size ? inner.size - inner.transport_offset : 0;
  return RewriteRefusal::none;
}

/// Writes the quoted headers.
///
/// Gives     what changed.
ChecksumUpdate write_quote(const Quote& quote, const Translation& to) {
  const Place& place = quote.place;
  const std::size_t ip_size = place.family == Family::ipv4 ? kIpv4Header : kIpv6Header;
  const Bytes ip(place.ip, ip_size);
  const Bytes transport =
      place.transport.first(std::min(place.transport.size(), kWrittenTransport));
  std::byte old[kIpv6Header + kWrittenTransport];
  std::byte* old_transport = old + kIpv6Header;
  std::copy(ip.begin(), ip.end(), old);
  std::copy(transport.begin(), transport.end(), old_transport);
  write_transport(place, quote.fields, to, write_addresses(place, to.source, to.destination));
  ChecksumUpdate update;
  update.replace({old, ip.size()}, ip);
  update.replace({old_transport, transport.size()}, transport);
  return update;
}

}  // namespace

RewriteRefusal rewrite(std::span<std::byte> frame, const ParsedPacket& parsed,
                       const Translation& to) noexcept {
  if (is_plain_tcp(frame, parsed)) {
    rewrite_plain<16, false>(frame.data() + parsed.transport_offset, to);
    return RewriteRefusal::none;
  }
  if (is_plain_udp(frame, parsed)) {
    rewrite_plain<6, true>(frame.data() + parsed.transport_offset, to);
    return RewriteRefusal::none;
  }
  Place place;
  TransportFields fields;
  const RewriteRefusal refusal = find_fields(frame, parsed, to, place, fields);
  if (refusal == RewriteRefusal::none) {
    write_transport(place, fields, to, write_addresses(place, to.source, to.destination));
  }
  return refusal;
}

RewriteRefusal check_rewrite(std::span<std::byte> frame, const ParsedPacket& parsed,
                             const Translation& to) noexcept {
  if (is_plain_tcp(frame, parsed) || is_plain_udp(frame, parsed)) return RewriteRefusal::none;
  Place place;
  TransportFields fields;
  return find_fields(frame, parsed, to, place, fields);
}

RewriteRefusal rewrite_error(std::span<std::byte> frame, const ParsedPacket& parsed,
                             const Translation& quoted,
                             std::span<const std::uint32_t, 4> outer_source,
                             std::span<const std::uint32_t, 4> outer_destination) noexcept {
  const bool unknown = parsed.fate == Fate::invalid && parsed.reason == Reason::icmp_quote_unknown;
  if (parsed.fate != Fate::error && !unknown) return RewriteRefusal::fate;
  Place outer;
  RewriteRefusal refusal = find_place(frame, parsed, outer);
  if (refusal != RewriteRefusal::none) return refusal;
  if (outer.transport.size() < kIcmpHeader) return RewriteRefusal::frame_cut;
  Quote quote;
  refusal = find_quote(outer.transport, parsed.family, quote);
  if (refusal != RewriteRefusal::none) return refusal;
  ChecksumUpdate update = write_quote(quote, quoted);
  const ChecksumUpdate pseudo = write_addresses(outer, outer_source, outer_destination);
  if (parsed.family == Family::ipv6) update.add(pseudo);
  std::byte* checksum = outer.transport.data() + kIcmpChecksum;
  store(checksum, update.apply(load<std::uint16_t>(checksum)));
  return RewriteRefusal::none;
}

}  // namespace uct::core
