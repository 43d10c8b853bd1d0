/// What a file's run came to, for people.
///
/// Included by report.cc.
/// Threads   pure functions.
#pragma once

#include "cli/run_facts.h"
#include "cli/terminal.h"

namespace uct::cli {

/// Appends packets by state, connections by protocol, what was invalid and why, speed and memory.
void append_summary(Text& out, const RunFacts& facts, Style style);

/// Appends a number in groups of three: `1,234,567`.
void append_count(Text& out, std::uint64_t count);

/// Appends `512 B`, `1.5 KiB`, `20.1 MiB`.
void append_size(Text& out, std::uint64_t bytes);

}  // namespace uct::cli
