#include "cli/bench_machine.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>
#include <fstream>
#include <thread>

namespace uct::cli {

namespace {

std::string compiler() {
#if defined(__clang__)
  return fmt::format("Clang {}.{}.{}", __clang_major__, __clang_minor__, __clang_patchlevel__);
#else
  return fmt::format("GCC {}.{}.{}", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#endif
}

/// Gives     what /proc/cpuinfo says of the first processor; ARM kernels name no model there.
std::string cpu_model() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("model name")) continue;
    const std::size_t colon = line.find(": ");
    if (colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

constexpr bool is_slow_build() {
#if defined(__OPTIMIZE__) && !UCT_DEBUG_CHECKS
  return false;
#else
  return true;
#endif
}

}  // namespace

BenchMachine this_machine() {
  return {.commit = UCT_COMMIT,
          .compiler = compiler(),
          .cpu = cpu_model(),
          .cores = std::thread::hardware_concurrency(),
          .date = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr))),
          .slow_build = is_slow_build()};
}

}  // namespace uct::cli
