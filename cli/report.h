/// What is printed of a file when its packets are through: connections and a summary.
///
/// Included by track.cc.
/// Threads   one thread at a time.
#pragma once

#include <uct/tracker.h>

#include "cli/run_facts.h"
#include "cli/terminal.h"
#include "cli/track_options.h"

namespace uct::cli {

/// Prints every live connection in the order in which they opened, in the form asked for.
///
/// Gives     how many.
/// Cost      16 bytes a connection, whatever the size of a line.
std::uint64_t print_connections(Output& out, const Tracker& tracker, Timestamp now,
                                const TrackOptions& options, Style style);

/// Prints the end of the file's section: summary, JSON line, or a count on standard error.
void print_ending(Output& out, const RunFacts& facts, const TrackOptions& options, Style style,
                  std::uint64_t shown);

}  // namespace uct::cli
