/// Between whom a packet travels, where that is not plain: what it becomes when it is translated,
/// one of several that the tracker may choose, and the ends that an earlier packet left with.
///
///   as e:2000>s            becomes exactly this
///   as e-f:2000-2009>s     one of these hosts and of these ports, whichever the tracker chose
///   from@3, to@3           the sender and the receiver of the third packet as it left
///
/// Relies on scenario.h; used by scenario_packet.cc and by the parser.
/// Threads   none.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "tests/support/scenario.h"
#include "tests/support/scenario_bytes.h"

namespace uct::scenario {

/// One end of an earlier packet: "from@3" or "to@3".
struct EarlierEnd {
  bool source = false;     ///< its sender, not its receiver
  std::size_t number = 0;  ///< counted from 1
};

/// Gives     nothing for the name of a host.
std::optional<EarlierEnd> earlier_end(std::string_view text);

/// Gives     whether `as` leaves something for the tracker to choose.
bool is_open(const Statement& statement);

/// Makes "host" or "host:port" one end of a packet; of an ICMP query the port is its id.
void set_end(const Scenario& scenario, const std::string& text, bool source, Statement& statement);

/// Gives     an end of a packet in the words that set_end() takes.
std::string end_text(const Statement& statement, bool source);

/// Gives     the statement of the packet that this one must become, which is made anew, with
///           checksums of its own. `as` is not open.
Statement as_translated(const Scenario& scenario, const Statement& statement);

/// Puts in place of an open `as` what the tracker chose: the ends that stand in `frame`, whose
/// network and transport headers begin at these offsets.
///
/// Gives     what is wrong when that is none of those allowed; empty otherwise.
std::string settle_ends(const Scenario& scenario, const Bytes& frame, std::size_t network,
                        std::size_t transport, Statement& statement);

}  // namespace uct::scenario
