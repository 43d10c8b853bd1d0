/// Runs a plan of measurements in rounds, and holds what came of it.
///
/// Relies on bench_child.h and bench_plan.h; used by goals, plots and the report.
/// Threads   one run at a time; the rest are values and pure functions.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/bench_child.h"
#include "cli/bench_plan.h"

namespace uct::cli {

/// What there is to say of a rival that this build does not have.
inline constexpr std::string_view kRteHashNotBuilt =
    "not built: needs libdpdk-dev, configure with -DUCT_DPDK=ON";

/// The programs that measure.
struct BenchPrograms {
  std::string uct;
  std::string rte_hash;  ///< empty when it is not built
};

/// Gives     this program itself, and the other beside it if it is there.
BenchPrograms installed_bench_programs();

/// A measurement and the figures of its rounds.
struct Measured {
  Measurement what;
  std::vector<BenchFigures> rounds;
  std::string failure;  ///< why there are no more rounds; empty when nothing failed
};

/// A figure over the rounds.
struct Spread {
  double median = 0;
  double min = 0;
  double max = 0;
};

/// Gives     nothing when no round has the figure.
std::optional<Spread> spread(const Measured& measured, std::string_view figure);

/// Gives     null when it was not planned.
const Measured* find(std::span<const Measured> measured, BenchGroup group, std::string_view label);

/// Runs each group's measurements in turn, `rounds` times. One that fails is not run again.
/// On a terminal, standard error shows how far it is.
std::vector<Measured> run_rounds(const std::vector<Measurement>& plan, unsigned rounds,
                                 const BenchPrograms& programs);

}  // namespace uct::cli
