/// Reads the text of a scenario file.
///
/// Threads   none.
#pragma once

#include <string>
#include <string_view>

#include "tests/support/scenario.h"

namespace uct::scenario {

struct ParseResult {
  Scenario scenario;
  std::string error;     ///< empty when all is well
  std::size_t line = 0;  ///< of the error, counted from 1
};

/// Gives     the scenario, or the first mistake and its line.
ParseResult parse(std::string_view text);

}  // namespace uct::scenario
