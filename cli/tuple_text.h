/// Addresses, tuples and protocols for people.
///
/// Included by the table and by the packet lines.
/// Threads   pure functions.
#pragma once

#include <string_view>

#include <uct/connection.h>

#include "cli/output.h"

namespace uct::cli {

/// Appends an address as to_string(Address) writes it, without making a string.
void append_address(Text& out, const Address& address);

/// Appends `10.0.0.1:40000 -> 10.0.0.2:80`, `[::1]:40000 -> [::2]:80`, `10.0.0.1 -> 10.0.0.2 type 8
/// id 7`, or two addresses.
void append_tuple(Text& out, const Tuple& tuple);

/// Appends `tcp`, `icmpv6` or a number.
void append_protocol(Text& out, Protocol protocol);

/// Gives     the name of a state of ConnectionInfo::state for this protocol.
std::string_view state_name(Protocol protocol, std::uint8_t state);

}  // namespace uct::cli
