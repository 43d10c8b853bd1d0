#include "cli/bench_goals.h"

#include <fmt/format.h>

#include <cmath>

namespace uct::cli {

namespace {

constexpr std::string_view kPacket = "net_ns_per_packet";
constexpr std::string_view kConnection = "net_ns_per_connection";
constexpr std::string_view kPlainPacket = "net_plain_ns_per_packet";
constexpr std::string_view kRivalConnection = "net_rival_ns_per_connection";

constexpr FigureOf established(std::string_view label) {
  return {BenchGroup::size, label, kPacket};
}
constexpr FigureOf opening(std::string_view label) {
  return {BenchGroup::setup, label, kConnection};
}
constexpr FigureOf scaling(std::string_view label, std::string_view figure) {
  return {BenchGroup::scaling, label, figure};
}
constexpr FigureOf translation(std::string_view label, std::string_view figure) {
  return {BenchGroup::nat, label, figure};
}
constexpr FigureOf latency(std::string_view label, std::string_view figure) {
  return {BenchGroup::latency, label, figure};
}

/// Where nobody is beside the tracker.
constexpr FigureOf kNone;

/// What a connection of Open vSwitch's user space tracker takes: 369 bytes, by the sizes of its
/// structures.
constexpr double kOpenVSwitchBytes = 369;

constexpr Goal kGoals[] = {
    {"established, 10 k connections", "rte_hash", GoalKind::cost,
     established("established uct 10k"), established("established rte_hash 10k"), 0, "ns", 1.8,
     1.4},
    {"established, 100 k", "rte_hash", GoalKind::cost, established("established uct 100k"),
     established("established rte_hash 100k"), 0, "ns", 1.1, 0.85},
    {"established, 1 M", "rte_hash", GoalKind::cost, established("established uct 1M"),
     established("established rte_hash 1M"), 0, "ns", 0.75, 0.50},
    {"established, 4 M", "rte_hash", GoalKind::cost, established("established uct 4M"),
     established("established rte_hash 4M"), 0, "ns", 0.70, 0.45},
    {"established, 1 M, IPv6", "rte_hash, 40-byte keys", GoalKind::cost,
     established("established uct 1M IPv6"), established("established rte_hash 1M IPv6"), 0, "ns",
     0.65, 0.50},
    {"established, 1 M", "2016", GoalKind::speed, established("established uct 1M"),
     established("established 2016 1M"), 0, "ns", 10, 20},
    {"opening, 1 M, growth included", "2016", GoalKind::speed, opening("setup uct 1M"),
     opening("setup 2016 1M"), 0, "ns", 6, 10},
    {"opening, 1 M", "rte_hash insert", GoalKind::cost, opening("setup uct 1M"),
     opening("setup rte_hash 1M"), 0, "ns", 0.6, 0.35},
    {"connect, request, reply, close (8 packets)",
     "2016",
     GoalKind::speed,
     {BenchGroup::crr, "crr uct 1M", kConnection},
     {BenchGroup::crr, "crr 2016 1M", kConnection},
     0,
     "ns",
     5,
     8},
    {"2 threads, steered: established", "1 thread", GoalKind::speedup,
     scaling("established uct 1M steered 2 threads", kPacket),
     scaling("established uct 1M steered 1 thread", kPacket), 0, "ns", 1.8, 1.95},
    {"2 threads, steered: opening", "1 thread", GoalKind::speedup,
     scaling("setup uct 1M steered 2 threads", kConnection),
     scaling("setup uct 1M steered 1 thread", kConnection), 0, "ns", 1.8, 1.95},
    {"2 threads, unsteered: established", "1 thread", GoalKind::speedup,
     scaling("established uct 1M unsteered 2 threads", kPacket),
     scaling("established uct 1M unsteered 1 thread", kPacket), 0, "ns", 1.4, 1.7},
    {"memory a connection, IPv4, all included",
     "Open vSwitch",
     GoalKind::limit,
     {BenchGroup::memory, "memory uct 1M", "bytes_per_connection"},
     {},
     kOpenVSwitchBytes,
     "B",
     128,
     96},
    {"99.99 % of calls (32 packets) while 1 M connections expire", "at rest", GoalKind::limit,
     latency("sweep uct 1M", "p9999_ns"), latency("sweep uct 1M", "quiet_p9999_ns"), 0, "ns", 100e3,
     30e3},
    {"the longest call while 1 M connections expire", "at rest", GoalKind::limit,
     latency("sweep uct 1M", "max_ns"), latency("sweep uct 1M", "quiet_max_ns"), 0, "ns", 1e6, 0},
    {"99.99 % of calls while the table grows to 2 M", "at rest", GoalKind::limit,
     latency("grow uct 2M", "p9999_ns"), latency("grow uct 2M", "quiet_p9999_ns"), 0, "ns", 100e3,
     30e3},
    {"the longest call while the table grows to 2 M", "at rest", GoalKind::limit,
     latency("grow uct 2M", "max_ns"), latency("grow uct 2M", "quiet_max_ns"), 0, "ns", 1e6, 0},
    {"sweep, an expired connection",
     "",
     GoalKind::limit,
     latency("sweep uct 1M", "ns_per_expired"),
     {},
     0,
     "ns",
     30,
     15},
    {"established, translated, 10 k connections", "plain", GoalKind::cost,
     translation("nat uct 10k", kPacket), translation("nat uct 10k", kPlainPacket), 0, "ns", 1.4,
     0},
    {"established, translated, 1 M", "plain", GoalKind::cost, translation("nat uct 1M", kPacket),
     translation("nat uct 1M", kPlainPacket), 0, "ns", 1.4, 0},
    {"opening, translated, 1 M", "2016, plain", GoalKind::speed,
     translation("nat uct 1M", kConnection), translation("nat uct 1M", kRivalConnection), 0, "ns",
     3, 0},
    {"a new mapping at 99 % use of the ports", "at 10 %", GoalKind::cost,
     translation("nat uct 1M", "new_mapping_99_ns"), translation("nat uct 1M", "new_mapping_10_ns"),
     0, "ns", 2, 0},
    {"use of the ports at the first refusal", "", GoalKind::least,
     translation("nat uct 1M", "first_refusal_percent"), kNone, 0, "%", 100, 0},
    {"plain packets beside used up ports: speed kept", "", GoalKind::least,
     translation("nat uct 1M", "kept_percent"), kNone, 0, "%", 90, 0},
};

/// A figure in the unit that reads best.
struct Scaled {
  double value;
  std::string_view unit;
};

Scaled scale(double value, std::string_view unit) {
  if (unit != "ns" || std::abs(value) < 1e4) return {value, unit};
  return std::abs(value) < 1e6 ? Scaled{value / 1e3, "us"} : Scaled{value / 1e6, "ms"};
}

std::optional<double> median_of(std::span<const Measured> measured, const FigureOf& of) {
  const Measured* one = find(measured, of.group, of.label);
  if (one == nullptr) return std::nullopt;
  const std::optional<Spread> figure = spread(*one, of.figure);
  return figure ? std::optional(figure->median) : std::nullopt;
}

std::optional<double> ratio_of(const Judged& judged) {
  if (!judged.of_uct || !judged.of_rival) return std::nullopt;
  const bool inverse = judged.goal.kind == GoalKind::speed || judged.goal.kind == GoalKind::speedup;
  const double over = inverse ? *judged.of_rival : *judged.of_uct;
  const double under = inverse ? *judged.of_uct : *judged.of_rival;
  // Noise can take more off for the driver than the whole took: no ratio comes of that.
  if (over <= 0 || under <= 0) return std::nullopt;
  return (judged.goal.kind == GoalKind::speedup ? 2 : 1) * over / under;
}

Judged judge_one(const Goal& goal, std::span<const Measured> measured) {
  Judged judged;
  judged.goal = goal;
  judged.of_uct = median_of(measured, goal.of_uct);
  judged.of_rival = median_of(measured, goal.of_rival);
  if (goal.rival_constant != 0) judged.of_rival = goal.rival_constant;
  judged.ratio = ratio_of(judged);
  const bool by_itself = goal.kind == GoalKind::limit || goal.kind == GoalKind::least;
  const std::optional<double> value = by_itself ? judged.of_uct : judged.ratio;
  if (!value) return judged;
  const bool at_least = goal.kind != GoalKind::cost && goal.kind != GoalKind::limit;
  const auto meets = [&](double bound) { return at_least ? *value >= bound : *value <= bound; };
  judged.meets_must = meets(goal.must);
  judged.meets_stretch = goal.stretch != 0 && meets(goal.stretch);
  return judged;
}

}  // namespace

std::span<const Goal> bench_goals() { return kGoals; }

std::vector<Judged> judge(std::span<const Measured> measured) {
  std::vector<Judged> judged;
  for (const Goal& goal : kGoals) {
    const bool planned = find(measured, goal.of_uct.group, goal.of_uct.label) != nullptr;
    if (planned) judged.push_back(judge_one(goal, measured));
  }
  return judged;
}

std::string ratio_text(const Judged& judged) {
  if (!judged.ratio) return "-";
  return fmt::format("{:.{}f}x", *judged.ratio, *judged.ratio < 10 ? 2 : 1);
}

std::string bound_text(const Goal& goal, double bound) {
  if (bound == 0) return "-";
  switch (goal.kind) {
    case GoalKind::cost:
      return fmt::format("<= {:.2f}x", bound);
    case GoalKind::speed:
      return fmt::format(">= {:.0f}x", bound);
    case GoalKind::speedup:
      return fmt::format(">= {:.2f}x", bound);
    case GoalKind::limit:
    case GoalKind::least: {
      const Scaled scaled = scale(bound, goal.unit);
      const bool at_most = goal.kind == GoalKind::limit;
      return fmt::format("{} {:g} {}", at_most ? "<=" : ">=", scaled.value, scaled.unit);
    }
  }
  return {};
}

std::string_view met_text(const Judged& judged) {
  if (!judged.meets_must) return "not measured";
  if (!*judged.meets_must) return "no";
  return judged.meets_stretch ? "yes, stretch too" : "yes";
}

std::string figure_text(double value, std::string_view unit) {
  const Scaled scaled = scale(value, unit);
  const int decimals = std::abs(scaled.value) < 100 && unit != "B" ? 1 : 0;
  return fmt::format("{:.{}f} {}", scaled.value, decimals, scaled.unit);
}

}  // namespace uct::cli
