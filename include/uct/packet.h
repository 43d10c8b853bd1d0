/// One packet of a burst, as the caller hands it in.
///
/// Included by data planes that call Tracker::process. The bytes stay the caller's.
/// Threads   a Packet and its bytes belong to the calling thread during the call.
#pragma once

#include <cstddef>
#include <cstdint>

namespace uct {

/// What the first byte of a packet is.
enum class LinkType : std::uint8_t {
  ethernet,         ///< Ethernet II, with any number (up to kMaxVlanTags) of 802.1Q/802.1ad tags
  raw_ip,           ///< an IPv4 or IPv6 header; its version field decides
  ipv4,             ///< an IPv4 header
  ipv6,             ///< an IPv6 header
  linux_cooked_v1,  ///< LINKTYPE_LINUX_SLL, 16 bytes in front of the packet
  linux_cooked_v2,  ///< LINKTYPE_LINUX_SLL2, 20 bytes in front of the packet
  null_host,        ///< BSD loopback: a 4-byte address family, in either byte order
  unsupported,      ///< anything else: the packet is `untracked`
};

/// VLAN tags that are stepped over in front of a packet; more make it `untracked`. Real stacks use
/// two (802.1ad); eight leaves room for labs and bounds the work.
inline constexpr unsigned kMaxVlanTags = 8;

/// What is known of a checksum before the library looks at it.
enum class ChecksumStatus : std::uint8_t {
  unknown,  ///< the library verifies it
  good,     ///< hardware verified it, or a trusted local sender left it to hardware
  bad,      ///< hardware found it wrong: the packet is invalid
};

/// A view of one packet's bytes.
struct Packet {
  std::byte* data = nullptr;    ///< first byte of the frame; owned by the caller, written only
                                ///< where a connection is translated
  std::uint32_t size = 0;       ///< bytes present at `data`
  std::uint32_t wire_size = 0;  ///< bytes the frame had on the wire; 0 means `size`. A capture
                                ///< cut by its snapshot length has more here than in `size`
  LinkType link = LinkType::ethernet;
  ChecksumStatus ip_checksum = ChecksumStatus::unknown;         ///< of the IPv4 header
  ChecksumStatus transport_checksum = ChecksumStatus::unknown;  ///< of TCP, UDP, ICMP, SCTP, ...
  std::uint64_t user = 0;  ///< the caller's own: a port, a number, a pointer. Not looked at; it
                           ///< comes back with a fragment that was held (fragments.h)
};

/// Packets that one call of Tracker::process takes at most. 256 lets two bursts of 32 overlap many
/// times over; longer ones gained nothing (docs/performance.md).
inline constexpr std::size_t kBurstMax = 256;

}  // namespace uct
