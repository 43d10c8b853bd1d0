/// The command `uct bench`.
///
/// Included by main.cc.
/// Threads   to be called once at a time; workloads start and join threads of their own.
#pragma once

#include <span>

namespace uct::cli {

/// Runs `uct bench` with what follows it on the command line.
///
/// Gives     the exit code (exit_codes.h).
int bench(std::span<const char* const> arguments);

}  // namespace uct::cli
