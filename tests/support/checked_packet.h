/// Whole packets made from tuples, with every checksum right, to compare with byte for byte.
///
/// Written with scenario_bytes.h, apart from the library's own code. What a tracker should make of
/// a packet is made here anew from the other tuple, so that an equal packet has right checksums.
///
/// Included by nat_comparison.cc.
/// Threads   values only.
#pragma once

#include <cstdint>

#include <uct/key.h>

#include "tests/support/scenario_bytes.h"

namespace uct::test {

/// What a packet says beside its tuple. Each protocol takes what it has.
struct Content {
  std::uint8_t tcp_flags = 0x02;
  std::uint32_t seq = 0;
  std::uint32_t ack = 0;
  std::uint8_t sctp_chunk = 1;       ///< its type
  std::uint32_t sctp_tag = 0;        ///< in the header
  std::uint32_t sctp_announced = 0;  ///< by INIT and INIT ACK
  std::uint8_t payload = 0;          ///< bytes behind headers, where there may be some
  bool without_checksum = false;     ///< UDP over IPv4
};

/// Gives     an IP packet (no link header).
scenario::Bytes make_checked(const Tuple& tuple, const Content& content);

/// Gives     an ICMP error, destination unreachable, that quotes all of `quoted`.
scenario::Bytes make_checked_error(const Address& source, const Address& destination,
                                   const scenario::Bytes& quoted);

}  // namespace uct::test
