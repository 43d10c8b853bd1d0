/// A program started for what it prints: a measurement that starts with clean memory, or gnuplot.
///
/// A measurement in the process of the one before would find its pages, its free lists and its
/// branches learnt; a child finds none of that.
/// Relies on nothing here; used by bench_rounds.cc and bench_plots.cc.
/// Threads   one call at a time.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace uct::cli {

/// How a program ended.
struct Ended {
  bool absent = false;  ///< there is no such program
  std::string output;   ///< of standard output
  std::string failure;  ///< why it did not end well; empty when it ended with 0
};

/// Runs a program to its end. A name without a slash is looked for in PATH. Its standard input is
/// empty.
///
/// folder    where it runs; empty for here
Ended run_program(const std::string& program, const std::vector<std::string>& arguments,
                  const std::string& folder = {});

/// What a measurement printed as a JSON object, by key.
struct BenchFigures {
  std::map<std::string, double, std::less<>> numbers;
  std::map<std::string, std::string, std::less<>> words;  ///< `true` for what is true
  std::string failure;  ///< why the numbers are not to be believed, or not there

  /// Gives     the word, or `fallback`.
  std::string word(std::string_view key, std::string_view fallback) const;
};

/// Reads the last line that is a JSON object, and adds what the driver does not take part in:
/// net_ns_per_packet and net_ns_per_connection, the times less those of the driver. Whom the same
/// driver asked in turns with the tracker has them too: net_plain_..., net_rival_...
BenchFigures read_figures(std::string_view output);

/// Runs a measurement and reads its figures.
BenchFigures measure(const std::string& program, const std::vector<std::string>& arguments);

}  // namespace uct::cli
