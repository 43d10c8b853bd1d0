/// The numbers behind a verdict, for a person who asks why.
///
/// Included by tracker.h. Tracker::process fills one for each packet when the caller passes room
/// for them; without, nothing of this is computed.
/// Threads   values only; safe everywhere.
#pragma once

#include <cstdint>

#include <uct/connection.h>
#include <uct/key.h>

namespace uct {

/// What TCP window tracking compared. Sequence numbers wrap: compare them modulo 2^32.
struct TcpNumbers {
  bool judged = false;    ///< the numbers below were compared
  std::uint32_t seq = 0;  ///< first sequence number of the segment
  std::uint32_t end = 0;  ///< the one after its last (SYN and FIN count one each)
  std::uint32_t ack = 0;
  std::uint32_t window = 0;    ///< as announced by the segment, scaled, in bytes
  std::uint32_t seq_low = 0;   ///< older segments are duplicates that change nothing
  std::uint32_t seq_high = 0;  ///< the right edge: seq must not be beyond it
  std::uint32_t ack_low = 0;   ///< older acknowledgements are duplicates that change nothing
  std::uint32_t ack_high = 0;  ///< the highest acknowledgement that is let pass
  std::uint32_t exact = 0;     ///< the sequence number at which a reset closes
};

struct Explanation {
  bool has_tuple = false;  ///< the packet was parsed up to its transport header
  Tuple tuple;             ///< as the packet carries it; of the quoted packet for an ICMP error
  bool found = false;      ///< a live connection was there before this packet
  Direction direction = Direction::original;  ///< of the packet, when there is a connection
  std::uint8_t state_before = 0;              ///< see ConnectionInfo::state; valid when `found`
  std::uint8_t state_after = 0;               ///< valid when the verdict has a connection
  bool committed = false;                     ///< this packet entered the connection in the table
  TcpNumbers tcp;
  std::uint32_t sctp_tag = 0;           ///< the verification tag that the packet carries
  std::uint32_t sctp_tag_expected = 0;  ///< and the one its association has
};

}  // namespace uct
