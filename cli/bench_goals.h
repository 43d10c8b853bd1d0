/// The goals that the project set itself, and whether measurements meet them.
///
/// A goal compares two figures of the same run of `uct bench compare`, or a figure with a number.
/// Relies on bench_rounds.h; used by bench_compare_report.cc.
/// Threads   values and pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/bench_rounds.h"

namespace uct::cli {

/// Where a figure stands: the median over a measurement's rounds.
struct FigureOf {
  BenchGroup group = BenchGroup::size;
  std::string_view label;   ///< of the measurement; empty for none
  std::string_view figure;  ///< a key of its JSON
};

enum class GoalKind : std::uint8_t {
  cost,     ///< uct's time / the rival's is at most `must`
  speed,    ///< the rival's time / uct's is at least `must`
  speedup,  ///< two threads do at least `must` times what one does: 2 x its time / theirs
  limit,    ///< uct's figure is at most `must`, whatever the rival's is
  least,    ///< uct's figure is at least `must`, whatever the rival's is
};

struct Goal {
  std::string_view work;
  std::string_view rival;
  GoalKind kind = GoalKind::cost;
  FigureOf of_uct;
  FigureOf of_rival;
  double rival_constant = 0;  ///< the rival's figure where it is known and not measured
  std::string_view unit;      ///< of both figures: ns, B or %
  double must = 0;
  double stretch = 0;  ///< 0: there is none
};

std::span<const Goal> bench_goals();

/// A goal with its figures. What was not measured is not set.
struct Judged {
  Goal goal;
  std::optional<double> of_uct;
  std::optional<double> of_rival;
  std::optional<double> ratio;  ///< as the kind says; for limit and least, uct's / the rival's
  std::optional<bool> meets_must;
  bool meets_stretch = false;
};

/// Gives     the goals whose measurement was planned, in their order.
std::vector<Judged> judge(std::span<const Measured> measured);

/// Gives     `0.62x`, or `-`.
std::string ratio_text(const Judged& judged);

/// Gives     `<= 0.75x`, `>= 10x`, `<= 128 B`, `>= 90 %`, or `-` for a bound of 0.
std::string bound_text(const Goal& goal, double bound);

/// Gives     `yes`, `yes, stretch too`, `no` or `not measured`.
std::string_view met_text(const Judged& judged);

/// Gives     a figure with its unit, times in the unit that reads best: `28.1 ns`, `31 us`.
std::string figure_text(double value, std::string_view unit);

}  // namespace uct::cli
