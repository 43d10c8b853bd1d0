#include "answers.h"

#include <algorithm>

namespace uct::gateway {

namespace {

constexpr std::size_t kArpSize = 28;
constexpr unsigned kArpRequest = 1;
constexpr unsigned kArpReply = 2;
constexpr unsigned kIcmp = static_cast<unsigned>(Protocol::icmp);
constexpr unsigned kIcmpv6 = static_cast<unsigned>(Protocol::icmpv6);
constexpr unsigned kNeighbourSolicitation = 135;
constexpr unsigned kNeighbourAdvertisement = 136;
constexpr std::uint32_t kSolicitedOverride = 0x60000000;  // RFC 4861 section 4.4
constexpr std::size_t kAdvertisementSize = 32;            // with the option that carries the MAC
constexpr std::size_t kIcmpHeaderSize = 8;
// An error takes no more than this, whatever it quotes: RFC 1812 section 4.3.2.3, RFC 4443 2.4 c.
constexpr std::size_t kErrorMaxIpv4 = 576;
constexpr std::size_t kErrorMaxIpv6 = 1280;

/// The sender of `asked` becomes the receiver.
Frame frame_back(const Frame& asked, const Mac& mac, unsigned ether_type, std::size_t size) {
  Frame frame;
  frame.room.fill(std::byte{0});
  frame.size = kEthernetSize + size;
  copy(asked.bytes().subspan(6, 6), frame.bytes(), 0);
  copy(mac, frame.bytes(), 6);
  put16(frame.bytes(), 12, ether_type);
  return frame;
}

void put_ipv4(Bytes packet, const Address& source, const Address& destination, unsigned protocol) {
  put8(packet, 0, 0x45);
  put16(packet, 2, static_cast<unsigned>(packet.size()));
  put8(packet, 8, 64);
  put8(packet, 9, protocol);
  put_address(packet, 12, source);
  put_address(packet, 16, destination);
  put16(packet, 10, internet_checksum(packet.first(kIpv4Size)));
}

void put_ipv6(Bytes packet, const Address& source, const Address& destination, unsigned protocol,
              unsigned hop_limit) {
  put8(packet, 0, 0x60);
  put16(packet, 4, static_cast<unsigned>(packet.size() - kIpv6Size));
  put8(packet, 6, protocol);
  put8(packet, 7, hop_limit);
  put_address(packet, 8, source);
  put_address(packet, 24, destination);
}

void put_icmpv6_checksum(Bytes packet, const Address& source, const Address& destination) {
  const Bytes message = packet.subspan(kIpv6Size);
  put16(message, 2,
        internet_checksum(message, pseudo_header(source, destination, message.size(), kIcmpv6)));
}

Frame arp_answer(const Frame& asked, const Address& address, const Mac& mac) {
  Frame frame = frame_back(asked, mac, kEtherTypeArp, kArpSize);
  const Bytes arp = frame.packet();
  copy(asked.packet().first(8), arp, 0);  // kinds and sizes of both addresses
  put16(arp, 6, kArpReply);
  copy(mac, arp, 8);
  put_address(arp, 14, address);
  copy(asked.packet().subspan(8, 10), arp, 18);  // who asked
  return frame;
}

Frame advertisement(const Frame& asked, const Address& address, const Mac& mac) {
  Frame frame = frame_back(asked, mac, kEtherTypeIpv6, kIpv6Size + kAdvertisementSize);
  const Address asker = get_address(asked.packet(), 8, Family::ipv6);
  put_ipv6(frame.packet(), address, asker, kIcmpv6, 255);
  const Bytes message = frame.packet().subspan(kIpv6Size);
  put8(message, 0, kNeighbourAdvertisement);
  put32(message, 4, kSolicitedOverride);
  put_address(message, 8, address);
  put8(message, 24, 2);  // option: the MAC of the target,
  put8(message, 25, 1);  // 8 bytes long
  copy(mac, message, 26);
  put_icmpv6_checksum(frame.packet(), address, asker);
  return frame;
}

bool may_be_answered(const IpHeader& header) {
  if (header.family == Family::ipv4) {
    constexpr std::array<unsigned, 5> kErrors = {3, 4, 5, 11, 12};
    const bool is_error = header.protocol == kIcmp && std::find(kErrors.begin(), kErrors.end(),
                                                                header.icmp_type) != kErrors.end();
    return !is_error && !header.later_fragment;
  }
  const bool is_error = header.protocol == kIcmpv6 && header.icmp_type < 128;
  return !is_error;
}

}  // namespace

std::optional<Address> wanted_neighbour(const Frame& frame) {
  const ConstBytes packet = frame.packet();
  const unsigned ether_type = get16(frame.bytes(), 12);
  if (ether_type == kEtherTypeArp && packet.size() >= kArpSize && get16(packet, 6) == kArpRequest) {
    return get_address(packet, 24, Family::ipv4);
  }
  if (ether_type != kEtherTypeIpv6 || packet.size() < kIpv6Size + 24) return {};
  if (get8(packet, 6) != kIcmpv6 || get8(packet, kIpv6Size) != kNeighbourSolicitation) return {};
  return get_address(packet, kIpv6Size + 8, Family::ipv6);
}

Frame neighbour_answer(const Frame& asked, const Address& address, const Mac& mac) {
  return address.family == Family::ipv4 ? arp_answer(asked, address, mac)
                                        : advertisement(asked, address, mac);
}

std::optional<Frame> error_about(const Frame& frame, const IpHeader& header, RouterError error,
                                 std::size_t mtu, const Address& self) {
  if (!may_be_answered(header)) return {};
  const bool v4 = header.family == Family::ipv4;
  const std::size_t ip_size = v4 ? kIpv4Size : kIpv6Size;
  const std::size_t most = (v4 ? kErrorMaxIpv4 : kErrorMaxIpv6) - ip_size - kIcmpHeaderSize;
  const ConstBytes quote = frame.packet().first(std::min(header.total_size, most));
  Mac mac{};
  std::copy_n(frame.room.begin(), mac.size(), mac.begin());  // the frame came to us
  Frame answer = frame_back(frame, mac, v4 ? kEtherTypeIpv4 : kEtherTypeIpv6,
                            ip_size + kIcmpHeaderSize + quote.size());
  const Bytes message = answer.packet().subspan(ip_size);
  copy(quote, message, kIcmpHeaderSize);
  const bool too_big = error == RouterError::too_big;
  if (v4) {
    put8(message, 0, too_big ? 3 : 11);
    put8(message, 1, too_big ? 4 : 0);
    if (too_big) put16(message, 6, static_cast<unsigned>(mtu));
    put16(message, 2, internet_checksum(message));
    put_ipv4(answer.packet(), self, header.source, kIcmp);
  } else {
    put8(message, 0, too_big ? 2 : 3);
    if (too_big) put32(message, 4, static_cast<std::uint32_t>(mtu));
    put_ipv6(answer.packet(), self, header.source, kIcmpv6, 64);
    put_icmpv6_checksum(answer.packet(), self, header.source);
  }
  return answer;
}

std::vector<Frame> fragments_of(const Frame& frame, const IpHeader& header, std::size_t mtu) {
  if (header.header_size != kIpv4Size) return {};
  const ConstBytes packet = frame.packet().first(header.total_size);
  const ConstBytes payload = packet.subspan(kIpv4Size);
  const std::size_t piece = (mtu - kIpv4Size) / 8 * 8;
  const unsigned word = get16(packet, 6);
  std::vector<Frame> fragments;
  for (std::size_t done = 0; done < payload.size(); done += piece) {
    const std::size_t size = std::min(piece, payload.size() - done);
    const bool more = done + size < payload.size() || (word & kIpv4MoreFragments) != 0;
    Frame& fragment = fragments.emplace_back(frame);
    fragment.size = kEthernetSize + kIpv4Size + size;
    const Bytes out = fragment.packet();
    copy(payload.subspan(done, size), out, kIpv4Size);
    put16(out, 2, static_cast<unsigned>(kIpv4Size + size));
    put16(out, 6,
          (word & kIpv4OffsetMask) + static_cast<unsigned>(done / 8) +
              (more ? kIpv4MoreFragments : 0));
    put16(out, 10, 0);
    put16(out, 10, internet_checksum(out.first(kIpv4Size)));
  }
  return fragments;
}

}  // namespace uct::gateway
