/// All workloads and rivals in one run, a table of goals, and pictures: `uct bench compare`.
///
/// Included by bench.cc.
/// Threads   one call at a time; the measurements are processes of their own.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "cli/bench_plan.h"
#include "cli/bench_rounds.h"

namespace uct::cli {

struct CompareOptions {
  std::string folder = "bench/results";
  std::optional<unsigned> rounds;  ///< nothing: 5, or 1 when quick
  bool quick = false;
  std::optional<BenchGroup> only;

  unsigned round_count() const;
};

/// A command line, understood or not.
struct ParsedCompare {
  CompareOptions options;
  std::optional<int> exit_code;  ///< set when there is nothing to do but to print `message`
  std::string message;           ///< help for standard output (exit 0), else an error
};

/// Reads what follows `uct bench compare`.
ParsedCompare parse_compare(std::span<const char* const> arguments);

/// Measures with these programs, writes results into the folder, prints the goals.
///
/// Gives     an exit code: 0 also when goals are missed.
int compare(const CompareOptions& options, const BenchPrograms& programs);

/// Does what the arguments after `uct bench compare` ask. Gives the exit code.
int bench_compare(std::span<const char* const> arguments);

}  // namespace uct::cli
