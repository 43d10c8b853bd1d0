/// The command `uct track`.
///
/// Included by main.cc.
/// Threads   to be called once at a time.
#pragma once

#include <span>

namespace uct::cli {

/// Runs `uct track` with what follows it on the command line.
///
/// Gives     the exit code (exit_codes.h).
int track(std::span<const char* const> arguments);

}  // namespace uct::cli
