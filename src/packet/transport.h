/// TCP, UDP, UDP-Lite, SCTP and DCCP headers.
///
/// Relies on base; called by parse.cc. Each takes the bytes from the transport header to the end of
/// the IP packet and gives Reason::none or what is wrong.
/// Threads   pure functions.
#pragma once

#include "base/checksum.h"
#include "packet/ip.h"
#include "packet/parse.h"

namespace uct::core {

struct TransportSource {
  Bytes bytes;  ///< header and payload
  const IpView& ip;
  bool verify_checksum;  ///< false for fragments and where somebody else verified it
};

Reason parse_tcp(const TransportSource& source, ParsedPacket& out);
Reason parse_udp(const TransportSource& source, const ParseOptions& options, ParsedPacket& out);
Reason parse_udplite(const TransportSource& source, ParsedPacket& out);
Reason parse_sctp(const TransportSource& source, ParsedPacket& out);
Reason parse_dccp(const TransportSource& source, ParsedPacket& out);

/// Gives     whether the Internet checksum over pseudo header and the first `covered` bytes is
///           right.
bool transport_checksum_ok(const TransportSource& source, std::uint32_t covered);

}  // namespace uct::core
