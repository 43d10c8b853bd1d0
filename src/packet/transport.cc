#include "packet/transport.h"

#include <algorithm>
#include <array>
#include <bit>

#include "base/bytes.h"
#include "packet/tcp_header.h"

namespace uct::core {

namespace {

constexpr std::uint32_t kTcpHeaderMin = 20;
constexpr std::uint32_t kUdpHeader = 8;
constexpr std::uint32_t kSctpHeader = 12;
constexpr std::uint32_t kSctpChunkMin = 4;
constexpr std::uint32_t kDccpHeaderMin = 12;

std::uint32_t size_of(const TransportSource& source) {
  return static_cast<std::uint32_t>(source.bytes.size());
}

void read_ports(const std::byte* header, ParsedPacket& out) {
  out.source_port = load_be16(header);
  out.destination_port = load_be16(header + 2);
}

/// A datagram shorter than the IP payload is summed over its own length (RFC 768), or over all of
/// the payload, as Linux and Open vSwitch do (docs/differences.md).
bool udp_checksum_ok(const TransportSource& source, std::uint32_t length) {
  const TransportSource datagram{source.bytes.first(length), source.ip, true};
  return transport_checksum_ok(datagram, length) ||
         (length < source.bytes.size() && transport_checksum_ok(source, size_of(source)));
}

/// Gives     whether the chunks of an SCTP packet end exactly where it ends (RFC 9260 section 3.2).
bool chunks_fit(Bytes chunks) {
  std::size_t at = 0;
  while (at < chunks.size()) {
    if (chunks.size() - at < kSctpChunkMin) return false;
    const std::size_t length = load_be16(&chunks[at + 2]);
    if (length < kSctpChunkMin || length > chunks.size() - at) return false;
    at += (length + 3) / 4 * 4;
  }
  return !chunks.empty();
}

}  // namespace

std::uint8_t read_window_scale(Bytes options) {
  // Kept apart from kNoWindowScale, which a SYN may not say: RFC 7323 section 2.3 makes 14 of it.
  constexpr std::uint8_t kWindowScaleMost = kNoWindowScale - 1;
  std::size_t at = 0;
  while (at < options.size()) {
    const std::uint8_t kind = load_u8(&options[at]);
    if (kind == 0) break;
    if (kind == 1) {
      ++at;
      continue;
    }
    if (at + 1 >= options.size()) break;
    const std::uint8_t length = load_u8(&options[at + 1]);
    if (length < 2 || at + length > options.size()) break;
    if (kind == 3 && length == 3) return std::min(load_u8(&options[at + 2]), kWindowScaleMost);
    at += length;
  }
  return kNoWindowScale;
}

bool transport_checksum_ok(const TransportSource& source, std::uint32_t covered) {
  const Bytes addresses(source.ip.addresses, std::size_t{2} * source.ip.address_size());
  const std::uint64_t pseudo = pseudo_header_sum(addresses, source.ip.protocol, size_of(source));
  return ones_sum(source.bytes.first(covered), pseudo) == 0xffff;
}

Reason parse_tcp(const TransportSource& source, ParsedPacket& out) {
  const std::byte* header = source.bytes.data();
  if (source.bytes.size() < kTcpHeaderMin) return Reason::tcp_header_cut;
  const std::uint32_t header_size = (load_u8(header + 12) >> 4) * 4U;
  if (header_size < kTcpHeaderMin || header_size > source.bytes.size()) {
    return Reason::tcp_header_length;
  }
  if (source.verify_checksum && !transport_checksum_ok(source, size_of(source))) {
    return Reason::tcp_checksum;
  }
  read_ports(header, out);
  if (out.source_port == 0 || out.destination_port == 0) return Reason::port_zero;
  out.tcp_flags = load_u8(header + 13);
  if (!tcp_flags_are_sane(out.tcp_flags)) return Reason::tcp_flags;
  out.seq = load_be32(header + 4);
  out.ack = load_be32(header + 8);
  out.window = load_be16(header + 14);
  out.payload_size = size_of(source) - header_size;
  out.window_scale = kNoWindowScale;
  if ((out.tcp_flags & tcp_flag::kSyn) != 0) {
    out.window_scale =
        read_window_scale(source.bytes.subspan(kTcpHeaderMin, header_size - kTcpHeaderMin));
  }
  return Reason::none;
}

Reason parse_udp(const TransportSource& source, const ParseOptions& options, ParsedPacket& out) {
  const std::byte* header = source.bytes.data();
  if (source.bytes.size() < kUdpHeader) return Reason::udp_header_cut;
  const std::uint32_t length = load_be16(header + 4);
  const bool first_fragment = source.ip.part == FragmentPart::first;
  if (length < kUdpHeader || (length > source.bytes.size() && !first_fragment)) {
    return Reason::udp_length;
  }
  const bool has_checksum = load_be16(header + 6) != 0;
  if (!has_checksum && source.ip.family == Family::ipv6 && !options.udp6_zero_checksum) {
    return Reason::udp_checksum_missing;
  }
  if (has_checksum && source.verify_checksum && !udp_checksum_ok(source, length)) {
    return Reason::udp_checksum;
  }
  read_ports(header, out);
  return out.destination_port == 0 ? Reason::port_zero : Reason::none;  // rule U1
}

Reason parse_udplite(const TransportSource& source, ParsedPacket& out) {
  const std::byte* header = source.bytes.data();
  if (source.bytes.size() < kUdpHeader) return Reason::udp_header_cut;
  std::uint32_t coverage = load_be16(header + 4);
  if (coverage == 0) coverage = size_of(source);
  const bool first_fragment = source.ip.part == FragmentPart::first;
  if (coverage < kUdpHeader || (coverage > source.bytes.size() && !first_fragment)) {
    return Reason::udplite_coverage;
  }
  if (source.verify_checksum &&
      (load_be16(header + 6) == 0 || !transport_checksum_ok(source, coverage))) {
    return Reason::udplite_checksum;  // there is always one (RFC 3828 section 3.1)
  }
  read_ports(header, out);
  return out.destination_port == 0 ? Reason::port_zero : Reason::none;
}

Reason parse_sctp(const TransportSource& source, ParsedPacket& out) {
  const std::byte* header = source.bytes.data();
  if (source.bytes.size() < kSctpHeader) return Reason::sctp_header_cut;
  if (source.verify_checksum) {
    const std::uint32_t stored = __builtin_bswap32(load_be32(header + 8));
    if (sctp_crc32c(source.bytes, 8) != stored) return Reason::sctp_checksum;
  }
  read_ports(header, out);
  if (out.source_port == 0 || out.destination_port == 0) return Reason::port_zero;
  if (source.ip.part == FragmentPart::whole && !chunks_fit(source.bytes.subspan(kSctpHeader))) {
    return Reason::sctp_chunk;
  }
  return Reason::none;
}

Reason parse_dccp(const TransportSource& source, ParsedPacket& out) {
  const std::byte* header = source.bytes.data();
  if (source.bytes.size() < kDccpHeaderMin) return Reason::dccp_header_cut;
  const std::uint32_t header_size = load_u8(header + 4) * 4U;
  if (header_size < kDccpHeaderMin || header_size > source.bytes.size()) {
    return Reason::dccp_header_cut;
  }
  if (source.verify_checksum) {
    const std::uint32_t coverage = load_u8(header + 5) & 0xf;  // RFC 4340 section 9.2
    const std::uint32_t covered =
        coverage == 0 ? size_of(source) : header_size + (coverage - 1) * 4;
    if (covered > source.bytes.size() || !transport_checksum_ok(source, covered)) {
      return Reason::dccp_checksum;
    }
  }
  read_ports(header, out);
  return out.destination_port == 0 ? Reason::port_zero : Reason::none;
}

}  // namespace uct::core
