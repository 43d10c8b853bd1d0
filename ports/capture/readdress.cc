#include "ports/capture/readdress.h"

#include <uct/packet.h>

namespace uct::capture {

namespace {

using Bytes = std::span<std::byte>;

constexpr std::uint32_t kStride = 4099;

constexpr std::uint8_t kIcmp = 1;
constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kUdp = 17;
constexpr std::uint8_t kDccp = 33;
constexpr std::uint8_t kIcmpv6 = 58;
constexpr std::uint8_t kUdpLite = 136;
constexpr std::uint8_t kNoNextHeader = 59;

unsigned u8(const std::byte& at) { return std::to_integer<unsigned>(at); }
std::uint16_t u16(const std::byte* at) {
  return static_cast<std::uint16_t>(u8(at[0]) << 8 | u8(at[1]));
}
std::uint32_t u32(const std::byte* at) { return std::uint32_t{u16(at)} << 16 | u16(at + 2); }

void put_u16(std::byte* at, std::uint32_t value) {
  at[0] = static_cast<std::byte>(value >> 8);
  at[1] = static_cast<std::byte>(value);
}
void put_u32(std::byte* at, std::uint32_t value) {
  put_u16(at, value >> 16);
  put_u16(at + 2, value);
}

// What a checksum over changed 32-bit words has to take in: ~m + m' for every 16-bit word.
class ChecksumChange {
 public:
  void replace(std::uint32_t before, std::uint32_t after) {
    before = ~before;
    sum_ += (before >> 16) + (before & 0xffff) + (after >> 16) + (after & 0xffff);
  }

  void add(const ChecksumChange& other) { sum_ += other.sum_; }

  // RFC 1624, equation 3: HC' = ~(~HC + ~m + m').
  std::uint16_t applied_to(std::uint16_t checksum) const {
    std::uint32_t sum = (~std::uint32_t{checksum} & 0xffff) + sum_;
    while (sum > 0xffff) sum = (sum >> 16) + (sum & 0xffff);
    return static_cast<std::uint16_t>(~sum);
  }

 private:
  std::uint32_t sum_ = 0;  ///< a few dozen 16-bit words go in at most: no overflow
};

void shift_ipv4(std::byte* address, std::uint32_t round, ChecksumChange& change) {
  const std::uint32_t before = u32(address);
  const std::uint32_t network = before >> 24;
  if (network == 0 || network == 127 || network >= 224) return;
  const std::uint32_t after = (before & 0xff000000) | ((before + round * kStride) & 0x00ffffff);
  put_u32(address, after);
  change.replace(before, after);
}

void shift_ipv6(std::byte* address, std::uint32_t round, ChecksumChange& change) {
  const std::uint32_t before = u32(address + 12);
  const bool low = (u32(address) | u32(address + 4) | u32(address + 8)) == 0;
  if (u8(address[0]) == 0xff || (low && before <= 1)) return;
  const std::uint32_t after = before + round * kStride;
  put_u32(address + 12, after);
  change.replace(before, after);
}

// Corrects the checksum of a segment for a change in what it covers, and adds the field's own
// change to that of the packet around.
void correct_transport(std::uint8_t protocol, Bytes segment, const ChecksumChange& change,
                       ChecksumChange& around) {
  std::size_t at = 0;
  switch (protocol) {
    case kTcp:
      at = 16;
      break;
    case kUdp:
    case kUdpLite:
    case kDccp:
      at = 6;
      break;
    case kIcmp:
    case kIcmpv6:
      at = 2;
      break;
    default:
      return;
  }
  if (segment.size() < at + 2) return;
  const std::uint16_t before = u16(&segment[at]);
  if (protocol == kUdp && before == 0) return;  // the sender left it out (RFC 768)
  std::uint16_t after = change.applied_to(before);
  if (protocol == kUdp && after == 0) after = 0xffff;
  put_u16(&segment[at], after);
  around.replace(before, after);
}

// The addresses and the header's own checksum. The sum over all of the header stays the same, so
// that an ICMP error which quotes it need not know.
bool shift_ipv4_header(Bytes packet, std::uint32_t round, ChecksumChange& change) {
  if (packet.size() < 20 || u8(packet[0]) >> 4 != 4) return false;
  shift_ipv4(&packet[12], round, change);
  shift_ipv4(&packet[16], round, change);
  put_u16(&packet[10], change.applied_to(u16(&packet[10])));
  return true;
}

bool shift_ipv6_header(Bytes packet, std::uint32_t round, ChecksumChange& change) {
  if (packet.size() < 40 || u8(packet[0]) >> 4 != 6) return false;
  shift_ipv6(&packet[8], round, change);
  shift_ipv6(&packet[24], round, change);
  return true;
}

bool quotes_a_packet(std::uint8_t protocol, const std::byte& type) {
  switch (u8(type)) {
    case 1:  // from here on ICMPv6: unreachable, too big, time exceeded, parameter problem
    case 2:
      return protocol == kIcmpv6;
    case 3:  // unreachable, source quench
    case 4:
      return true;
    case 5:  // redirect, time exceeded, parameter problem
    case 11:
    case 12:
      return protocol == kIcmp;
    default:
      return false;
  }
}

// `around` takes what changed for a checksum that covers the whole packet; it is null but for a
// packet in quotes, which quotes no other.
bool readdress_ipv4(Bytes packet, std::uint32_t round, ChecksumChange* around) {
  ChecksumChange addresses;
  if (!shift_ipv4_header(packet, round, addresses)) return false;
  const std::size_t header_size = (u8(packet[0]) & 15) * std::size_t{4};
  const bool first_fragment = (u16(&packet[6]) & 0x1fff) == 0;
  if (!first_fragment || header_size < 20 || packet.size() <= header_size) return true;
  const auto protocol = std::to_integer<std::uint8_t>(packet[9]);
  const Bytes segment = packet.subspan(header_size);
  ChecksumChange covered;
  if (protocol != kIcmp) {
    covered = addresses;
  } else if (around == nullptr && segment.size() > 8 && quotes_a_packet(kIcmp, segment[0])) {
    readdress_ipv4(segment.subspan(8), round, &covered);
  }
  ChecksumChange unused;
  correct_transport(protocol, segment, covered, around != nullptr ? *around : unused);
  return true;
}

// Steps over extension headers. Gives the protocol, with `packet` at its segment; kNoNextHeader
// where there is none or a later fragment hides it.
std::uint8_t step_to_transport(Bytes& packet) {
  auto next = std::to_integer<std::uint8_t>(packet[6]);
  packet = packet.subspan(40);
  while (packet.size() >= 8) {
    std::size_t size = (u8(packet[1]) + 1) * std::size_t{8};
    switch (next) {
      case 0:
      case 43:
      case 60:
      case 135:
        break;
      case 44:
        if ((u16(&packet[2]) & 0xfff8) != 0) return kNoNextHeader;
        size = 8;
        break;
      case 51:
        size = (u8(packet[1]) + 2) * std::size_t{4};
        break;
      default:
        return next;
    }
    if (size > packet.size()) return kNoNextHeader;
    next = std::to_integer<std::uint8_t>(packet[0]);
    packet = packet.subspan(size);
  }
  return kNoNextHeader;
}

bool readdress_ipv6(Bytes packet, std::uint32_t round, ChecksumChange* around) {
  ChecksumChange covered;
  if (!shift_ipv6_header(packet, round, covered)) return false;
  // An IPv6 header has no checksum of its own: what covers the packet sees its addresses change.
  if (around != nullptr) around->add(covered);
  const std::uint8_t protocol = step_to_transport(packet);
  if (around == nullptr && packet.size() > 8 && protocol == kIcmpv6 &&
      quotes_a_packet(kIcmpv6, packet[0])) {
    readdress_ipv6(packet.subspan(8), round, &covered);
  }
  ChecksumChange unused;
  correct_transport(protocol, packet, covered, around != nullptr ? *around : unused);
  return true;
}

}  // namespace

bool readdress(std::span<std::byte> frame, std::uint32_t round) {
  std::size_t at = 12;
  for (unsigned tags = 0; tags <= kMaxVlanTags && frame.size() >= at + 2; ++tags, at += 4) {
    switch (u16(&frame[at])) {
      case 0x0800:
        return readdress_ipv4(frame.subspan(at + 2), round, nullptr);
      case 0x86dd:
        return readdress_ipv6(frame.subspan(at + 2), round, nullptr);
      case 0x8100:
      case 0x88a8:
      case 0x9100:
        break;
      default:
        return false;
    }
  }
  return false;
}

}  // namespace uct::capture
