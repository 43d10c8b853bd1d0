// Fuzzes the packet parser: any bytes as any link type, whole or cut by a capture.
//
// First bytes of an input: link type, what is known of the checksums, bytes that the wire had more.
// Promises checked: a reason exactly where there is no verdict to look for, everything found lies
// in the packet, every field that the fate names is written (the parse is repeated over other
// memory), bytes behind the IP packet change nothing, and both directions have one key.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include "conn/key.h"
#include "packet/parse.h"

namespace {

using uct::ChecksumStatus;
using uct::Packet;
using uct::Reason;
using uct::core::Fate;
using uct::core::FragmentPart;
using uct::core::Kind;
using uct::core::ParsedPacket;
using uct::core::ParseOptions;

constexpr std::size_t kPreamble = 3;

void check(bool promise) {
  if (!promise) std::abort();
}

bool is_accepted(const ParsedPacket& parsed) {
  return parsed.fate == Fate::track || parsed.fate == Fate::error || parsed.fate == Fate::fragment;
}

bool is_untracked_reason(Reason reason) {
  return reason == Reason::not_ip || reason == Reason::link_unsupported ||
         reason == Reason::neighbour_or_router_discovery || reason == Reason::multicast_listener;
}

/// Compares the fields that the fate names.
void check_same(const ParsedPacket& a, const ParsedPacket& b) {
  check(a.fate == b.fate && a.reason == b.reason);
  check(a.part == b.part);
  if (!is_accepted(a)) return;
  check(a.family == b.family && a.protocol == b.protocol && a.part == b.part);
  check(std::memcmp(a.source, b.source, sizeof(a.source)) == 0);
  check(std::memcmp(a.destination, b.destination, sizeof(a.destination)) == 0);
  check(a.ip_size == b.ip_size && a.transport_offset == b.transport_offset);
  check(a.transport_size == b.transport_size && a.has_quoted_seq == b.has_quoted_seq);
  if (a.part != FragmentPart::whole) {
    check(a.fragment_id == b.fragment_id && a.fragment_offset == b.fragment_offset);
    check(a.fragment_size == b.fragment_size && a.more_fragments == b.more_fragments);
  }
  if (a.fate == Fate::fragment) return;
  check(a.kind == b.kind && a.source_port == b.source_port);
  check(a.destination_port == b.destination_port);
  if (a.has_quoted_seq) check(a.seq == b.seq);
  if (a.fate != Fate::track || a.kind != Kind::tcp) return;
  check(a.tcp_flags == b.tcp_flags && a.window_scale == b.window_scale && a.window == b.window);
  check(a.seq == b.seq && a.ack == b.ack && a.payload_size == b.payload_size);
}

void check_places(const Packet& packet, const ParsedPacket& parsed) {
  check(parsed.transport_offset <= packet.size);
  check(parsed.transport_size <= packet.size - parsed.transport_offset);
  check(parsed.ip_size <= packet.size && parsed.ip_size >= parsed.transport_size + 20);
  if (parsed.fate == Fate::error) check(parsed.transport_size >= 8 + 20 + 8);
  if (parsed.has_quoted_seq) check(parsed.fate == Fate::error && parsed.kind == Kind::tcp);
  if (parsed.fate == Fate::track && parsed.kind == Kind::tcp) {
    check(parsed.transport_size >= 20 && parsed.payload_size <= parsed.transport_size - 20);
    check(parsed.source_port != 0 && parsed.destination_port != 0);
  }
  if (parsed.kind == Kind::other && parsed.fate != Fate::fragment) {
    check(parsed.source_port == 0 && parsed.destination_port == 0);
  }
  check((parsed.fate == Fate::fragment) == (parsed.part == FragmentPart::later));
}

template <typename Key>
void check_key(const ParsedPacket& parsed) {
  Key there;
  Key back;
  const unsigned from = uct::core::make_key(parsed, 7, there);
  const uct::Tuple tuple = uct::core::make_tuple(there, from);
  ParsedPacket again = uct::core::packet_of(tuple);
  check(uct::core::make_key(again, 7, back) == from && uct::core::equal(there, back));
  const ParsedPacket reverse = uct::core::packet_of(uct::core::make_tuple(there, 1 - from));
  const unsigned other = uct::core::make_key(reverse, 7, back);
  check(uct::core::equal(there, back));
  const bool to_itself = uct::core::make_tuple(there, 0) == uct::core::make_tuple(there, 1);
  check(to_itself || other == 1 - from);
}

ParsedPacket parse_over(std::uint8_t memory, const Packet& packet, const ParseOptions& options) {
  ParsedPacket parsed;
  // Values that each field can hold, and that differ between the two runs.
  parsed.source[3] = parsed.destination[3] = parsed.seq = parsed.ack = memory * 0x01010101U;
  parsed.transport_offset = parsed.transport_size = parsed.ip_size = parsed.seq;
  parsed.payload_size = parsed.fragment_id = parsed.seq;
  parsed.source_port = parsed.destination_port = parsed.window = memory;
  parsed.tcp_flags = parsed.window_scale = parsed.protocol = memory;
  parsed.has_quoted_seq = memory != 0;
  parsed.kind = memory != 0 ? Kind::icmpv6 : Kind::other;
  parsed.part = memory != 0 ? FragmentPart::later : FragmentPart::whole;
  uct::core::parse(packet, options, parsed);
  return parsed;
}

void check_padding(const Packet& packet, const ParseOptions& options, const ParsedPacket& parsed) {
  std::vector<std::byte> longer(packet.data, packet.data + packet.size);
  longer.resize(longer.size() + 7, std::byte{0x5a});
  Packet padded = packet;
  padded.data = longer.data();
  padded.size = static_cast<std::uint32_t>(longer.size());
  check_same(parsed, parse_over(0x33, padded, options));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < kPreamble) return 0;
  constexpr ChecksumStatus kStatus[4] = {ChecksumStatus::good, ChecksumStatus::unknown,
                                         ChecksumStatus::bad, ChecksumStatus::unknown};
  const ParseOptions options{.udp6_zero_checksum = (data[1] & 0x10) != 0};
  Packet packet;
  packet.data = const_cast<std::byte*>(reinterpret_cast<const std::byte*>(data + kPreamble));
  packet.size = static_cast<std::uint32_t>(size - kPreamble);
  packet.link = static_cast<uct::LinkType>(data[0] % 8);
  packet.ip_checksum = kStatus[data[1] & 3];
  packet.transport_checksum = kStatus[data[1] >> 2 & 3];
  packet.wire_size = data[2] == 0 ? 0 : packet.size + data[2] * 8U;
  const ParsedPacket parsed = parse_over(0, packet, options);
  check_same(parsed, parse_over(0xff, packet, options));
  check((parsed.reason == Reason::none) == is_accepted(parsed));
  if (parsed.fate == Fate::untracked) check(is_untracked_reason(parsed.reason));
  if (!is_accepted(parsed)) return 0;
  check_places(packet, parsed);
  check_padding(packet, options, parsed);
  if (parsed.fate == Fate::fragment) return 0;
  if (parsed.family == uct::Family::ipv4) {
    check_key<uct::core::KeyV4>(parsed);
  } else {
    check_key<uct::core::KeyV6>(parsed);
  }
  return 0;
}
