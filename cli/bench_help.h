/// The words of `uct bench --help`, and the list of the workloads.
///
/// Included by bench_options.cc. The help is written by hand, in groups and within 80 columns; a
/// test checks that every option and every workload stand in it.
/// Threads   constants and pure functions.
#pragma once

#include <string>
#include <string_view>

namespace uct::cli {

std::string_view bench_help();

/// Gives     every workload with its question and an example, as `uct bench list` prints it.
std::string bench_list();

}  // namespace uct::cli
