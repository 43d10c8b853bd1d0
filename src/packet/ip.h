/// IPv4 and IPv6 headers, of packets and of what ICMP errors quote.
///
/// Relies on base; called by parse.cc and icmp.cc.
/// Threads   pure functions.
#pragma once

#include "base/checksum.h"
#include "packet/parsed_packet.h"

namespace uct::core {

/// What is known about the bytes that a header is read from.
struct IpSource {
  Bytes bytes;              ///< from the IP header to the end of what was captured
  std::uint32_t wire_size;  ///< bytes from there to the end of the frame on the wire
  bool verify_checksum;     ///< of the IPv4 header
  bool quoted;              ///< the packet may be cut anywhere behind its headers
};

/// An IP header, read and checked.
struct IpView {
  Family family = Family::ipv4;
  std::uint8_t protocol = 0;
  FragmentPart part = FragmentPart::whole;
  std::uint32_t fragment_id = 0;
  std::uint16_t fragment_offset = 0;  ///< bytes; this and the next two when part is not `whole`
  std::uint16_t fragment_size = 0;    ///< bytes of the datagram in this fragment
  bool more_fragments = false;
  std::uint32_t size = 0;                ///< of the whole packet, header included
  std::uint32_t transport_offset = 0;    ///< from the IP header
  const std::byte* addresses = nullptr;  ///< source and destination, 4 or 16 bytes each

  std::uint32_t address_size() const { return family == Family::ipv4 ? 4 : 16; }
};

/// Gives     Reason::none and the view, or what is wrong.
Reason parse_ipv4(const IpSource& source, IpView& view);
Reason parse_ipv6(const IpSource& source, IpView& view);

}  // namespace uct::core
