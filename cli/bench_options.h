/// What `uct bench` was asked to do.
///
/// Included by bench.cc. bench_options.cc alone sees the command line library, whose header takes
/// seconds to compile.
/// Threads   values only.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bench/workloads/workload.h"

namespace uct::cli {

/// A command line, understood or not.
struct ParsedBench {
  const bench::Workload* workload = nullptr;  ///< set unless `exit_code` is
  bench::Options options;
  bool json = false;
  std::optional<int> exit_code;  ///< set when there is nothing to do but to print `message`
  std::string message;           ///< help or list for standard output (exit 0), else an error
};

/// Reads what follows `uct bench`.
ParsedBench parse_bench(std::span<const char* const> arguments);

/// Gives     the names of the options, for the test that help, man page and completion have them.
std::vector<std::string> bench_option_names();

/// Reads `5`, `10k`, `1M` and `1G`, powers of ten.
///
/// Gives     nothing when `text` is none of these, or beyond 64 bits.
std::optional<std::uint64_t> parse_count(std::string_view text);

/// Gives     the shortest form that parse_count reads: `1500`, `10k`, `4M`.
std::string short_count(std::uint64_t count);

}  // namespace uct::cli
