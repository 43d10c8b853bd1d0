/// The workloads by name: what `uct bench` can run.
///
/// Relies on options.h; used by cli/bench.cc and by the smoke test. Each workload is a file of its
/// own, whose head says its question, its setup, and what would be cheating.
/// Threads   a workload starts and joins its own; run one at a time.
#pragma once

#include <span>
#include <string_view>

#include "bench/workloads/options.h"

namespace uct::bench {

struct Workload {
  std::string_view name;
  std::string_view question;  ///< one line for lists
  Result (*run)(const Options&);
};

std::span<const Workload> workloads();

/// Gives     null for an unknown name.
const Workload* find_workload(std::string_view name);

Result run_established(const Options& options);
Result run_setup(const Options& options);
Result run_crr(const Options& options);
Result run_mixed(const Options& options);
Result run_sweep(const Options& options);
Result run_grow(const Options& options);
Result run_memory(const Options& options);
Result run_flood(const Options& options);
Result run_collide(const Options& options);
Result run_nat(const Options& options);
Result run_replay(const Options& options);

/// The physical floor, in bench/peers/floor.cc: two prefetched random lines a packet.
Result run_floor(const Options& options);

}  // namespace uct::bench
