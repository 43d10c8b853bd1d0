/// Connections as conntrack-tools 1.4.7 prints them: `conntrack -L` with accounting on.
///
///     tcp      6 118 TIME_WAIT src=.. dst=.. sport=.. dport=.. packets=5 bytes=270 src=.. ..
///     packets=5 bytes=269 [ASSURED] mark=0 use=1                              (all on one line)
///
/// Included by report.cc and event_lines.cc. Compared byte by byte with what the program printed of
/// a kernel's table (format_conntrack_test.cc).
/// Threads   pure functions.
#pragma once

#include <uct/events.h>

#include "cli/output.h"

namespace uct::cli {

/// Appends the line of `conntrack -L`, with its end.
void append_conntrack(Text& out, const ConnectionInfo& info, Timestamp now);

/// Appends the line of `conntrack -E`, with its end.
///
/// As there, what is new or updated shows its whole timeout and no counters; what is destroyed
/// shows its counters, and a timeout only when some of it was left.
void append_conntrack(Text& out, const Event& event);

/// Gives     whole seconds until the connection expires, as both forms of other programs show them.
std::uint64_t seconds_left(const ConnectionInfo& info, Timestamp now);

}  // namespace uct::cli
