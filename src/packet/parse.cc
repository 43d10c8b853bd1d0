#include "packet/parse.h"

#include <cstring>

#include "packet/icmp.h"
#include "packet/ip.h"
#include "packet/link.h"
#include "packet/transport.h"

namespace uct::core {

namespace {

void invalid(ParsedPacket& out, Reason reason) {
  out.fate = Fate::invalid;
  out.reason = reason;
}

void fill_from_ip(const IpView& ip, std::uint32_t network_offset, ParsedPacket& out) {
  const std::uint32_t size = ip.address_size();
  if (ip.family == Family::ipv4) {
    std::memset(out.source, 0, sizeof(out.source));
    std::memset(out.destination, 0, sizeof(out.destination));
  }
  std::memcpy(out.source, ip.addresses, size);
  std::memcpy(out.destination, ip.addresses + size, size);
  out.family = ip.family;
  out.protocol = ip.protocol;
  out.part = ip.part;
  if (ip.part != FragmentPart::whole) {
    out.fragment_id = ip.fragment_id;
    out.fragment_offset = ip.fragment_offset;
    out.fragment_size = ip.fragment_size;
    out.more_fragments = ip.more_fragments;
  }
  out.ip_size = ip.size;
  out.transport_offset = network_offset + ip.transport_offset;
  out.transport_size = ip.size - ip.transport_offset;
  out.has_quoted_seq = false;
}

/// Sets kind and ports; gives what is wrong.
Reason parse_ported(const TransportSource& source, const ParseOptions& options, ParsedPacket& out) {
  switch (static_cast<Protocol>(source.ip.protocol)) {
    case Protocol::tcp:
      out.kind = Kind::tcp;
      return parse_tcp(source, out);
    case Protocol::udp:
      out.kind = Kind::udp;
      return parse_udp(source, options, out);
    case Protocol::udplite:
      out.kind = Kind::udplite;
      return parse_udplite(source, out);
    case Protocol::sctp:
      out.kind = Kind::sctp;
      return parse_sctp(source, out);
    case Protocol::dccp:
      out.kind = Kind::dccp;
      return parse_dccp(source, out);
    default:
      break;
  }
  out.kind = Kind::other;
  out.source_port = 0;
  out.destination_port = 0;
  return Reason::none;
}

void parse_transport(const TransportSource& source, const ParseOptions& options,
                     ParsedPacket& out) {
  const auto protocol = static_cast<Protocol>(source.ip.protocol);
  if (protocol == Protocol::icmp && source.ip.family == Family::ipv4) {
    return parse_icmp(source, out);
  }
  if (protocol == Protocol::icmpv6 && source.ip.family == Family::ipv6) {
    return parse_icmpv6(source, out);
  }
  out.reason = parse_ported(source, options, out);
  out.fate = out.reason == Reason::none ? Fate::track : Fate::invalid;
}

/// Gives     what the header says it is, when the link layer leaves it open.
Announced by_version(Bytes packet) {
  if (packet.empty()) return Announced::nothing;
  const auto version = static_cast<std::uint8_t>(packet[0]) >> 4;
  if (version == 4) return Announced::ipv4;
  return version == 6 ? Announced::ipv6 : Announced::nothing;
}

}  // namespace

void parse(const Packet& packet, const ParseOptions& options, ParsedPacket& out) noexcept {
  const Bytes frame(packet.data, packet.size);
  out.part = FragmentPart::whole;  // until its IP header says otherwise
  LinkView link = parse_link(frame, packet.link);
  if (link.announced == Announced::either) {
    link.announced = by_version(frame);
    link.reason = Reason::not_ip;
  }
  if (link.announced == Announced::nothing) {
    out.fate = Fate::untracked;
    out.reason = link.reason;
    return;
  }
  if (packet.ip_checksum == ChecksumStatus::bad && link.announced == Announced::ipv4) {
    return invalid(out, Reason::ipv4_checksum);  // IPv6 has none that could be bad
  }
  const std::uint32_t wire_size = packet.wire_size > packet.size ? packet.wire_size : packet.size;
  const IpSource source{frame.subspan(link.network_offset), wire_size - link.network_offset,
                        packet.ip_checksum != ChecksumStatus::good, false};
  IpView ip;
  const Reason reason =
      link.announced == Announced::ipv4 ? parse_ipv4(source, ip) : parse_ipv6(source, ip);
  if (reason != Reason::none) return invalid(out, reason);
  fill_from_ip(ip, link.network_offset, out);
  if (ip.part == FragmentPart::later) {
    out.fate = Fate::fragment;
    out.reason = Reason::none;
    return;
  }
  const bool verify =
      packet.transport_checksum != ChecksumStatus::good && ip.part == FragmentPart::whole;
  const TransportSource transport{
      source.bytes.subspan(ip.transport_offset, ip.size - ip.transport_offset), ip, verify};
  parse_transport(transport, options, out);
  if (packet.transport_checksum == ChecksumStatus::bad && out.fate != Fate::invalid) {
    invalid(out, Reason::transport_checksum);
  }
}

}  // namespace uct::core
