/// What a figure was measured with: the program and the machine.
///
/// Included by bench_report.h. bench_machine.cc alone is compiled with the commit's name, so that a
/// commit compiles no more than this anew.
/// Threads   reads files of the system when asked.
#pragma once

#include <string>

namespace uct::cli {

struct BenchMachine {
  std::string commit;       ///< of the build; "unknown" outside git
  std::string compiler;     ///< name and version
  std::string cpu;          ///< the model's name; "unknown" where the system does not tell
  unsigned cores = 0;       ///< processors that this process may run on
  std::string date;         ///< now, ISO 8601 in UTC
  bool slow_build = false;  ///< not optimised, or it checks itself on the way
};

BenchMachine this_machine();

}  // namespace uct::cli
