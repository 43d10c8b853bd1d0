/// Bytes to ParsedPacket: the one door into this room.
///
/// Relies on base; called by tracker for every packet. What a packet must look like, layer by
/// layer, is in link.cc, ip.cc, transport.cc and icmp.cc.
/// Threads   a pure function of its arguments.
#pragma once

#include <uct/packet.h>

#include "packet/parsed_packet.h"

namespace uct::core {

struct ParseOptions {
  bool udp6_zero_checksum = false;  ///< accept UDP over IPv6 without a checksum
};

/// Reads a packet's headers and checks every length and checksum on the way.
///
/// Gives     `out` filled as its fate needs; fields that its fate does not name are unspecified.
/// Errors    none: what is wrong with the packet is out.reason.
void parse(const Packet& packet, const ParseOptions& options, ParsedPacket& out) noexcept;

}  // namespace uct::core
