/// Which options each workload takes, and an example of it.
///
/// A workload reads an options structure that all share and passes over what it has no use for; a
/// command line that asks for it all the same would be answered by figures of something else.
/// Included by bench_options.cc, bench_help.cc and bench_report.cc. A test checks that every
/// workload has an entry.
/// Threads   constants.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace uct::cli {

struct BenchEntry {
  std::string_view workload;
  std::string_view options;  ///< with blanks between; --json and --help belong to all
  std::string_view example;
  std::uint64_t connections = 1'000'000;        ///< if not given
  std::uint64_t connections_max = 400'000'000;  ///< uct::kMaxConnectionsLimit

  /// Gives     the options one by one.
  std::vector<std::string_view> option_names() const;
  bool takes(std::string_view option) const;
};

/// Gives     null for an unknown name.
const BenchEntry* find_bench_entry(std::string_view workload);

}  // namespace uct::cli
