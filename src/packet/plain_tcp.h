/// The commonest packet of all, read in one straight line: Ethernet, IPv4 without options or
/// fragments, TCP without SYN, checksums known to be good.
///
/// Relies on base; called by parse.cc first. Whatever it does not take goes through the layers,
/// which stay the plain version: parse_test.cc compares the two.
/// Threads   a pure function.
#pragma once

#include <uct/packet.h>

#include "base/bytes.h"
#include "packet/parsed_packet.h"

namespace uct::core {

/// Bytes up to the end of a TCP header without options: 14 + 20 + 20.
inline constexpr std::uint32_t kPlainTcpMin = 54;

inline bool has_plain_tcp_shape(const std::byte* frame) {
  return load_be16(frame + 12) == 0x0800 && load_u8(frame + 14) == 0x45 &&
         (load_be16(frame + 20) & 0x3fff) == 0 && load_u8(frame + 23) == 6;
}

/// Fills all that fate `track` names.
inline void fill_plain_tcp(const std::byte* frame, std::uint32_t ip_size, std::uint32_t header_size,
                           ParsedPacket& out) {
  out.fate = Fate::track;
  out.reason = Reason::none;
  out.kind = Kind::tcp;
  out.family = Family::ipv4;
  out.protocol = 6;
  out.part = FragmentPart::whole;
  out.tcp_flags = load_u8(frame + 47);
  out.window_scale = kNoWindowScale;
  out.has_quoted_seq = false;
  out.window = load_be16(frame + 48);
  out.seq = load_be32(frame + 38);
  out.ack = load_be32(frame + 42);
  out.payload_size = ip_size - 20 - header_size;
  std::memset(out.source, 0, sizeof(out.source));
  std::memset(out.destination, 0, sizeof(out.destination));
  std::memcpy(out.source, frame + 26, 4);
  std::memcpy(out.destination, frame + 30, 4);
  out.source_port = load_be16(frame + 34);
  out.destination_port = load_be16(frame + 36);
  out.fragment_id = 0;
  out.ip_size = ip_size;
  out.transport_offset = 34;
  out.transport_size = ip_size - 20;
}

/// Gives     false and leaves `out` alone when the packet is of another kind, or when anything at
///           all is wrong with it: the layers find out what.
inline bool parse_plain_tcp(const Packet& packet, ParsedPacket& out) {
  if (packet.link != LinkType::ethernet || packet.size < kPlainTcpMin) return false;
  if (packet.ip_checksum != ChecksumStatus::good) return false;
  if (packet.transport_checksum != ChecksumStatus::good) return false;
  const std::byte* frame = packet.data;
  if (!has_plain_tcp_shape(frame)) return false;
  const std::uint32_t ip_size = load_be16(frame + 16);
  const std::uint32_t header_size = (load_u8(frame + 46) >> 4) * 4U;
  if (ip_size > packet.size - 14 || header_size < 20 || ip_size < 20 + header_size) return false;
  if (load_be16(frame + 34) == 0 || load_be16(frame + 36) == 0) return false;
  // ACK, with FIN, PSH or URG as they please: no SYN, no RST (flags_are_sane takes all of them).
  constexpr std::uint8_t kDecides = tcp_flag::kSyn | tcp_flag::kRst | tcp_flag::kAck;
  if ((load_u8(frame + 47) & kDecides) != tcp_flag::kAck) return false;
  fill_plain_tcp(frame, ip_size, header_size, out);
  return true;
}

}  // namespace uct::core
