/// Plays a sequence on a Tracker that translates and on the naive model, and finds where they
/// differ.
///
/// Included by tests/model.
/// Threads   none.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tests/support/nat_operations.h"

namespace uct::model {

struct NatDifference {
  std::size_t operation = 0;  ///< at which it showed, counted from 0
  std::string text;
};

/// What sequences came to: a test of random operations is worth what they reach.
struct NatReach {
  std::uint64_t opened = 0;      ///< translated connections
  std::uint64_t refused = 0;     ///< openings that nothing was free for
  std::uint64_t rewritten = 0;   ///< packets of connections, compared with ones made anew
  std::uint64_t errors = 0;      ///< errors, likewise
  std::uint64_t wrong_side = 0;  ///< packets refused for their tuple
};

/// Gives     nothing when tracker and model agree all the way; adds to `reach`.
std::optional<NatDifference> play(const NatSequence& sequence, NatReach& reach);

/// Gives     the shortest part of a failing sequence that still fails, with its difference, as
///           lines to read.
std::string shrunk_failure(const NatSequence& sequence, const NatDifference& difference);

}  // namespace uct::model
