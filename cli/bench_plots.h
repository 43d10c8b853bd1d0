/// Pictures of a comparison: data, a gnuplot script and an SVG for each.
///
/// Data and scripts are left beside the pictures, so that they can be drawn anew or otherwise.
/// Relies on bench_rounds.h and, when there is one, the program gnuplot; used by bench_compare.cc.
/// Threads   make_plots() is a pure function; write_plots() one call at a time.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/bench_rounds.h"

namespace uct::cli {

struct Plot {
  std::string_view name;  ///< of its files: name.tsv, name.gnuplot, name.svg
  std::string data;       ///< columns with tabs between; `-` where nothing was measured
  std::string script;     ///< reads name.tsv and writes name.svg where it runs
};

/// Gives     the plots that there are figures for: cost-by-connections, scaling, latency.
std::vector<Plot> make_plots(std::span<const Measured> measured);

struct PlotsWritten {
  std::vector<std::string> files;  ///< names in the folder
  std::string problem;             ///< what is missing, and why; empty when nothing is
};

/// Writes data and scripts into the folder and runs gnuplot on each.
PlotsWritten write_plots(const std::string& folder, std::span<const Plot> plots);

/// Writes a whole file. Gives false when it could not.
bool write_file(const std::string& path, std::string_view content);

}  // namespace uct::cli
