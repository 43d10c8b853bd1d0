#include "packet/ip.h"

#include "base/bytes.h"

namespace uct::core {

namespace {

constexpr std::uint32_t kIpv4HeaderMin = 20;
constexpr std::uint32_t kIpv6Header = 40;
constexpr std::uint32_t kDatagramMax = 65535;

/// Extension headers that are stepped over at most. RFC 8200 section 4.1 names seven, each once but
/// for one; more are somebody's test of our patience.
constexpr unsigned kMaxExtensions = 12;

// Mobility, host identity and shim headers are not stepped over: nothing ever follows them (RFC
// 6275 section 6.1.1), so that they are tracked as protocols of their own.

enum NextHeader : std::uint8_t {
  kHopByHop = 0,
  kRouting = 43,
  kFragment = 44,
  kAuthentication = 51,
  kNoNext = 59,
  kDestination = 60,
};

bool has_length_in_eights(std::uint8_t type) {
  return type == kHopByHop || type == kRouting || type == kDestination;
}

/// A packet longer than what is there: was it cut by the capture, or does its header lie?
Reason too_long(const IpSource& source, std::uint32_t size, Reason lie) {
  return size <= source.wire_size ? Reason::capture_cut : lie;
}

/// Offset and length must describe a piece of one datagram (RFC 791, RFC 8200 section 4.5).
Reason classify_fragment(std::uint32_t offset, bool more, std::uint32_t length, IpView& view) {
  if (offset == 0 && !more) return Reason::none;
  if (offset + length > kDatagramMax || length == 0 || (more && length % 8 != 0)) {
    return Reason::fragment_malformed;
  }
  view.part = offset == 0 ? FragmentPart::first : FragmentPart::later;
  view.fragment_offset = static_cast<std::uint16_t>(offset);
  view.fragment_size = static_cast<std::uint16_t>(length);
  view.more_fragments = more;
  return Reason::none;
}

struct ExtensionWalk {
  std::uint8_t type;
  std::uint32_t offset;
};

Reason read_fragment_header(const std::byte* header, std::uint32_t payload_end,
                            std::uint32_t offset, IpView& view) {
  const std::uint16_t field = load_be16(header + 2);
  view.fragment_id = load_be32(header + 4);
  return classify_fragment(field & 0xfff8U, (field & 1) != 0, payload_end - offset - 8, view);
}

/// Walks the chain of extension headers from `walk` to the transport or the first one hidden.
Reason walk_extensions(const IpSource& source, std::uint32_t end, ExtensionWalk& walk,
                       IpView& view) {
  for (unsigned count = 0; count < kMaxExtensions; ++count) {
    const bool known =
        has_length_in_eights(walk.type) || walk.type == kFragment || walk.type == kAuthentication;
    if (!known) return Reason::none;
    if (walk.offset + 8 > end) return Reason::ipv6_extension_header;
    const std::byte* header = source.bytes.data() + walk.offset;
    std::uint32_t length = 8;
    if (walk.type == kFragment) {
      const Reason reason = read_fragment_header(header, view.size, walk.offset, view);
      if (reason != Reason::none && !source.quoted) return reason;
      if ((load_be16(header + 2) & 0xfff8U) != 0) view.part = FragmentPart::later;
    } else if (walk.type == kAuthentication) {
      length = (load_u8(header + 1) + 2U) * 4;  // RFC 4302 section 2.2
    } else {
      length = (load_u8(header + 1) + 1U) * 8;
    }
    if (walk.offset + length > end) return Reason::ipv6_extension_header;
    walk = {load_u8(header), walk.offset + length};
    if (view.part == FragmentPart::later) return Reason::none;  // what follows is payload
  }
  return Reason::ipv6_extension_header;
}

}  // namespace

Reason parse_ipv4(const IpSource& source, IpView& view) {
  const std::byte* header = source.bytes.data();
  if (source.bytes.size() < kIpv4HeaderMin) return Reason::frame_cut;
  if (load_u8(header) >> 4 != 4 && !source.quoted) return Reason::ip_version_mismatch;
  const std::uint32_t header_size = (load_u8(header) & 0xfU) * 4;
  if (header_size < kIpv4HeaderMin || header_size > source.wire_size) {
    return Reason::ipv4_header_length;
  }
  if (header_size > source.bytes.size()) return Reason::frame_cut;
  view.size = load_be16(header + 2);
  if (!source.quoted) {
    if (view.size < header_size) return Reason::ipv4_total_length;
    if (view.size > source.bytes.size()) {
      return too_long(source, view.size, Reason::ipv4_total_length);
    }
    if (source.verify_checksum && ones_sum(source.bytes.first(header_size)) != 0xffff) {
      return Reason::ipv4_checksum;
    }
  }
  view.family = Family::ipv4;
  view.protocol = load_u8(header + 9);
  view.transport_offset = header_size;
  view.addresses = header + 12;
  const std::uint16_t field = load_be16(header + 6);
  if ((field & 0x3fff) == 0) [[likely]]
    return Reason::none;
  view.fragment_id = load_be16(header + 4);
  const std::uint32_t payload = view.size < header_size ? 0 : view.size - header_size;
  const Reason reason =
      classify_fragment((field & 0x1fffU) * 8, (field & 0x2000) != 0, payload, view);
  if (source.quoted) {
    if ((field & 0x1fff) != 0) view.part = FragmentPart::later;
    return Reason::none;
  }
  return reason;
}

Reason parse_ipv6(const IpSource& source, IpView& view) {
  const std::byte* header = source.bytes.data();
  if (source.bytes.size() < kIpv6Header) return Reason::frame_cut;
  if (load_u8(header) >> 4 != 6 && !source.quoted) return Reason::ip_version_mismatch;
  view.size = kIpv6Header + load_be16(header + 4);
  if (!source.quoted && view.size > source.bytes.size()) {
    return too_long(source, view.size, Reason::ipv6_payload_length);
  }
  view.family = Family::ipv6;
  view.addresses = header + 8;
  ExtensionWalk walk{load_u8(header + 6), kIpv6Header};
  const auto there = static_cast<std::uint32_t>(source.bytes.size());
  const Reason reason = walk_extensions(source, source.quoted ? there : view.size, walk, view);
  if (reason != Reason::none) return reason;
  if (walk.type == kNoNext && view.part != FragmentPart::later) {
    return Reason::ipv6_no_next_header;
  }
  view.protocol = walk.type;
  view.transport_offset = walk.offset;
  return Reason::none;
}

}  // namespace uct::core
