/// Plays a sequence on a Tracker and on the naive model, and finds where they differ.
///
/// Included by tests/model.
/// Threads   none.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tests/support/tracker_operations.h"

namespace uct::model {

struct Difference {
  std::size_t operation = 0;  ///< at which it showed, counted from 0
  std::string text;
};

/// Gives     nothing when tracker and model agree all the way.
std::optional<Difference> play(const Sequence& sequence);

/// Gives     the shortest part of a failing sequence that still fails, with its difference, as
///           lines to read.
std::string shrunk_failure(const Sequence& sequence, const Difference& difference);

}  // namespace uct::model
