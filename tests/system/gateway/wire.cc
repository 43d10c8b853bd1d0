#include "wire.h"

#include <algorithm>

namespace uct::gateway {

namespace {

constexpr std::uint8_t kIcmp = static_cast<std::uint8_t>(Protocol::icmp);
constexpr std::uint8_t kIcmpv6 = static_cast<std::uint8_t>(Protocol::icmpv6);

std::size_t size_of(Family family) { return family == Family::ipv4 ? 4 : 16; }

std::uint32_t sum16(ConstBytes bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) sum += get16(bytes, i);
  if (bytes.size() % 2 != 0) sum += get8(bytes, bytes.size() - 1) << 8;
  return sum;
}

bool read_ipv4(ConstBytes packet, IpHeader& header) {
  if (packet.size() < kIpv4Size) return false;
  header.family = Family::ipv4;
  header.header_size = (get8(packet, 0) & 0xf) * 4U;
  header.total_size = get16(packet, 2);
  const unsigned fragment = get16(packet, 6);
  header.dont_fragment = (fragment & kIpv4DontFragment) != 0;
  header.later_fragment = (fragment & kIpv4OffsetMask) != 0;
  header.hop_limit = get8(packet, 8);
  header.protocol = get8(packet, 9);
  header.source = get_address(packet, 12, Family::ipv4);
  header.destination = get_address(packet, 16, Family::ipv4);
  header.transport = header.header_size;
  return header.header_size >= kIpv4Size;
}

/// Steps over the extension headers that RFC 8200 section 4.1 has in front of an upper layer.
void skip_extensions(ConstBytes packet, IpHeader& header) {
  constexpr std::array<unsigned, 3> kCountedIn8 = {0, 43, 60};  // hop-by-hop, routing, destination
  for (int steps = 0; steps < 8 && header.transport + 8 <= packet.size(); ++steps) {
    const std::size_t at = header.transport;
    if (header.protocol == kIpv6FragmentHeader) {
      header.later_fragment = (get16(packet, at + 2) >> 3) != 0;
      header.transport += 8;
    } else if (std::find(kCountedIn8.begin(), kCountedIn8.end(), header.protocol) !=
               kCountedIn8.end()) {
      header.transport += (get8(packet, at + 1) + 1) * 8U;
    } else {
      return;
    }
    header.protocol = get8(packet, at);
    if (header.later_fragment) return;
  }
}

bool read_ipv6(ConstBytes packet, IpHeader& header) {
  if (packet.size() < kIpv6Size) return false;
  header.family = Family::ipv6;
  header.header_size = kIpv6Size;
  header.total_size = kIpv6Size + get16(packet, 4);
  header.dont_fragment = true;
  header.protocol = get8(packet, 6);
  header.hop_limit = get8(packet, 7);
  header.source = get_address(packet, 8, Family::ipv6);
  header.destination = get_address(packet, 24, Family::ipv6);
  header.transport = kIpv6Size;
  skip_extensions(packet, header);
  return true;
}

void read_transport(ConstBytes packet, IpHeader& header) {
  if (header.later_fragment || header.transport + 4 > packet.size()) return;
  if (header.protocol == kIcmp || header.protocol == kIcmpv6) {
    header.icmp_type = get8(packet, header.transport);
  } else if (has_ports(Protocol{static_cast<std::uint8_t>(header.protocol)})) {
    header.source_port = static_cast<std::uint16_t>(get16(packet, header.transport));
    header.destination_port = static_cast<std::uint16_t>(get16(packet, header.transport + 2));
  }
}

}  // namespace

unsigned get8(ConstBytes bytes, std::size_t at) { return std::to_integer<unsigned>(bytes[at]); }

unsigned get16(ConstBytes bytes, std::size_t at) {
  return get8(bytes, at) << 8 | get8(bytes, at + 1);
}

void put8(Bytes bytes, std::size_t at, unsigned value) {
  bytes[at] = static_cast<std::byte>(value & 0xff);
}

void put16(Bytes bytes, std::size_t at, unsigned value) {
  put8(bytes, at, value >> 8);
  put8(bytes, at + 1, value);
}

void put32(Bytes bytes, std::size_t at, std::uint32_t value) {
  put16(bytes, at, value >> 16);
  put16(bytes, at + 2, value);
}

void copy(ConstBytes from, Bytes to, std::size_t at) {
  std::copy(from.begin(), from.end(), to.subspan(at, from.size()).begin());
}

Address get_address(ConstBytes bytes, std::size_t at, Family family) {
  Address address;
  address.family = family;
  for (std::size_t i = 0; i < size_of(family); ++i) {
    address.bytes[i] = static_cast<std::uint8_t>(get8(bytes, at + i));
  }
  return address;
}

void put_address(Bytes bytes, std::size_t at, const Address& address) {
  copy(std::as_bytes(std::span(address.bytes)).first(size_of(address.family)), bytes, at);
}

std::optional<IpHeader> read_ip(ConstBytes packet) {
  IpHeader header;
  if (packet.empty()) return {};
  const bool read =
      get8(packet, 0) >> 4 == 4 ? read_ipv4(packet, header) : read_ipv6(packet, header);
  if (!read || header.total_size > packet.size() || header.header_size > header.total_size) {
    return {};
  }
  read_transport(packet.first(header.total_size), header);
  return header;
}

void take_hop(Bytes packet, Family family) {
  if (family == Family::ipv6) {
    put8(packet, 7, get8(packet, 7) - 1);
    return;
  }
  put8(packet, 8, get8(packet, 8) - 1);
  const unsigned sum = get16(packet, 10) + 0x100;  // the word of the hop limit is 0x100 less
  put16(packet, 10, (sum & 0xffff) + (sum >> 16));
}

unsigned internet_checksum(ConstBytes bytes, std::uint32_t start) {
  std::uint32_t sum = start + sum16(bytes);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

std::uint32_t pseudo_header(const Address& source, const Address& destination, std::size_t size,
                            unsigned protocol) {
  return sum16(std::as_bytes(std::span(source.bytes))) +
         sum16(std::as_bytes(std::span(destination.bytes))) + static_cast<std::uint32_t>(size) +
         protocol;
}

}  // namespace uct::gateway
