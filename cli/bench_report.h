/// What a workload found, for people and for programs.
///
/// Included by bench.cc. docs/json.md lists the keys.
/// Threads   pure functions.
#pragma once

#include "bench/workloads/workload.h"
#include "cli/bench_machine.h"
#include "cli/output.h"
#include "cli/terminal.h"

namespace uct::cli {

/// A workload that was run, and with what. Holds references: it lives as long as a call.
struct BenchRun {
  const bench::Workload& workload;
  const bench::Options& options;
  const bench::Result& result;
  const BenchMachine& machine;
};

/// Gives     true when there is any figure to print.
bool has_figures(const bench::Result& result);

/// Appends the question, the machine, what was run, and a table of the figures.
void append_bench_text(Text& out, const BenchRun& run, Style style);

/// Appends one object and a line end.
void append_bench_json(Text& out, const BenchRun& run);

}  // namespace uct::cli
