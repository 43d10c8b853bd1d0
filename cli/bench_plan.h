/// What `uct bench compare` measures: groups of measurements, each a command line.
///
/// Relies on nothing here; used by everything of the comparison. A measurement's label is its name
/// in tables, and what bench_goals.cc refers to.
/// Threads   values and pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace uct::cli {

/// Measurements that answer one question; they are run in turn, so that a neighbour on the machine
/// who makes noise hits all alike.
enum class BenchGroup : std::uint8_t {
  size,
  setup,
  crr,
  scaling,
  latency,
  single,
  memory,
  flood,
  collide,
  nat,
};

/// The names of the groups, in their order.
std::span<const std::string_view> bench_group_names();
std::string_view name(BenchGroup group);

/// Who is measured.
enum class Subject : std::uint8_t {
  uct,
  design_2016,  ///< the design of 2016, in this program
  rte_hash,     ///< DPDK's table, in a program of its own beside this one
  floor,        ///< the machine: two prefetched random lines a packet
};

std::string_view name(Subject subject);

struct Measurement {
  BenchGroup group = BenchGroup::size;
  std::string_view workload;
  Subject subject = Subject::uct;
  std::uint64_t connections = 1'000'000;
  std::uint64_t packets = 0;  ///< 0: the workload's own number
  unsigned threads = 1;
  bool ipv6 = false;
  std::string_view variant = {};  ///< single, steered, unsteered or exclusive; empty for none

  /// Gives     its name, unlike all others of its group: `established uct 1M IPv6`.
  std::string label() const;

  /// Gives     what to give to the program: one run, or the median of a few, as JSON.
  std::vector<std::string> arguments() const;
};

/// Gives     1k, 100k, 4M for round numbers.
std::string short_size(std::uint64_t count);

/// Gives     the measurements in the order of their groups.
///
/// quick     fewer sizes and packets, for a look
/// only      one group, or all
std::vector<Measurement> plan_measurements(bool quick, std::optional<BenchGroup> only);

}  // namespace uct::cli
