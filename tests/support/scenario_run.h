/// Plays a scenario on a Tracker of its own and compares what happens with what the file expects.
///
/// One file is played several times: with IPv4 and IPv6 addresses when its hosts have both, once
/// with a clock and sequence numbers that wrap around on the way, and once with all packets of one
/// moment in one burst, on a tracker without locks. The expectations are the same for all.
/// Threads   none.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/scenario.h"

namespace uct::scenario {

/// One way to play a scenario.
struct Variant {
  std::string name;
  Family family = Family::ipv4;
  std::int64_t base_ns = 0;          ///< the tracker's time at 0 ms of the file
  std::uint32_t sequence_shift = 0;  ///< added to every TCP sequence and acknowledgement number
  bool bursts = false;               ///< and no locks: Config::exclusive
};

/// Gives     every way in which this scenario can be played; the plain one first.
std::vector<Variant> variants(const Scenario& scenario);

struct Mismatch {
  std::size_t line = 0;
  std::string expected;
  std::string got;
  std::string why;  ///< the reason's sentence and the numbers behind it; may be empty
};

struct RunResult {
  std::vector<Mismatch> mismatches;
  std::vector<std::string> updated;  ///< the file's lines, with what was true in place
};

RunResult run(const Scenario& scenario, const Variant& variant);

/// Gives     the mismatches as a diff with file and line numbers.
std::string describe(const std::string& path, const Scenario& scenario, const Variant& variant,
                     const std::vector<Mismatch>& mismatches);

}  // namespace uct::scenario
