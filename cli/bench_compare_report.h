/// What `uct bench compare` writes: the goals for the terminal, results.md, results.json.
///
/// Relies on bench_goals.h; used by bench_compare.cc.
/// Threads   appends to the Text that it is given; asks the system for nothing.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/bench_goals.h"
#include "cli/bench_rounds.h"
#include "cli/output.h"

namespace uct::cli {

/// A comparison that was run.
struct Comparison {
  std::span<const Measured> measured;
  std::span<const Judged> judged;
  std::string command;  ///< that repeats it
  std::string kernel;   ///< name and release
  std::string memory;   ///< of the machine
  double load = 0;      ///< processes that wanted to run in the minute before
  unsigned rounds = 0;
  bool quick = false;
  std::vector<std::string> pictures;  ///< names of SVG files beside results.md
};

/// Gives     what a reader of the figures must know: rivals that are absent, measurements that
///           failed, a build or a run that is not made for citing.
std::vector<std::string> notes_on(const Comparison& comparison);

/// Appends the goals in columns with blanks between.
void append_goals_text(Text& out, std::span<const Judged> judged);

/// Appends a page in Markdown: the goals, then every figure with its range.
void append_results_markdown(Text& out, const Comparison& comparison);

/// Appends an object with everything, each round's figures included.
void append_results_json(Text& out, const Comparison& comparison);

}  // namespace uct::cli
