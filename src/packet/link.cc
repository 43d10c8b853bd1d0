#include "packet/link.h"

#include "base/bytes.h"

namespace uct::core {

namespace {

constexpr std::uint16_t kEtherIpv4 = 0x0800;
constexpr std::uint16_t kEtherIpv6 = 0x86dd;

bool is_vlan(std::uint16_t type) {
  return type == 0x8100 || type == 0x88a8 || type == 0x9100;  // 802.1Q, 802.1ad and its forerunner
}

/// Follows VLAN tags from the EtherType at `type_offset` on.
LinkView by_ether_type(Bytes frame, std::uint32_t type_offset, std::uint32_t header_size) {
  if (frame.size() < header_size) return {Announced::nothing, 0, Reason::not_ip};
  std::uint16_t type = load_be16(frame.data() + type_offset);
  std::uint32_t offset = header_size;
  for (unsigned tags = 0; is_vlan(type); ++tags) {
    if (tags == kMaxVlanTags) return {Announced::nothing, 0, Reason::not_ip};
    if (frame.size() < offset + 4) return {Announced::nothing, 0, Reason::not_ip};
    type = load_be16(frame.data() + offset + 2);
    offset += 4;
  }
  if (type == kEtherIpv4) return {Announced::ipv4, offset, Reason::none};
  if (type == kEtherIpv6) return {Announced::ipv6, offset, Reason::none};
  return {Announced::nothing, 0, Reason::not_ip};
}

/// BSD loopback: the address family of the system that captured, in its byte order or the
/// network's.
LinkView by_address_family(Bytes frame) {
  if (frame.size() < 4) return {Announced::nothing, 0, Reason::not_ip};
  std::uint32_t family = load_be32(frame.data());
  if (family > 0xffff) family = __builtin_bswap32(family);
  switch (family) {
    case 2:
      return {Announced::ipv4, 4, Reason::none};
    case 10:  // Linux
    case 24:  // NetBSD, OpenBSD
    case 28:  // FreeBSD
    case 30:  // macOS
      return {Announced::ipv6, 4, Reason::none};
    default:
      return {Announced::nothing, 0, Reason::not_ip};
  }
}

}  // namespace

LinkView parse_link(Bytes frame, LinkType link) {
  switch (link) {
    case LinkType::ethernet:
      return by_ether_type(frame, 12, 14);
    case LinkType::linux_cooked_v1:
      return by_ether_type(frame, 14, 16);
    case LinkType::linux_cooked_v2:
      return by_ether_type(frame, 0, 20);
    case LinkType::null_host:
      return by_address_family(frame);
    case LinkType::raw_ip:
      return {Announced::either, 0, Reason::none};
    case LinkType::ipv4:
      return {Announced::ipv4, 0, Reason::none};
    case LinkType::ipv6:
      return {Announced::ipv6, 0, Reason::none};
    case LinkType::unsupported:
      break;
  }
  return {Announced::nothing, 0, Reason::link_unsupported};
}

}  // namespace uct::core
