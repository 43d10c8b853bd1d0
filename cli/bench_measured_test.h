/// Measurements made up by hand, for the tests of the comparison.
///
/// Included by *_test.cc here.
/// Threads   values only.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "cli/bench_rounds.h"

namespace uct::cli::testing {

/// A measurement of the plan, by its label, with a round for each line of JSON.
inline Measured measured(BenchGroup group, std::string_view label,
                         const std::vector<std::string>& lines) {
  Measured result;
  for (const Measurement& what : plan_measurements(false, group)) {
    if (what.label() == label) result.what = what;
  }
  EXPECT_EQ(result.what.label(), label) << "the plan has no such measurement";
  for (const std::string& line : lines) result.rounds.push_back(read_figures(line));
  return result;
}

/// The same in a single round, of an established packet's cost without any driver.
inline Measured cost(std::string_view label, double ns) {
  return measured(BenchGroup::size, label, {"{\"ns_per_packet\":" + std::to_string(ns) + "}"});
}

inline bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace uct::cli::testing
