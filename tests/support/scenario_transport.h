/// The transport part of a scenario's packet: header, payload, checksum.
///
/// Threads   none.
#pragma once

#include <cstdint>

#include "tests/support/scenario.h"
#include "tests/support/scenario_bytes.h"

namespace uct::scenario {

struct Ends {
  Address source;
  Address destination;
};

/// Gives     the header and payload that the statement describes, checksum included.
/// Requires  `quoted`: the packet that an ICMP error is about, cut as wanted; else empty.
Bytes make_transport(const Statement& statement, const Ends& ends, std::uint32_t sequence_shift,
                     const Bytes& quoted);

}  // namespace uct::scenario
