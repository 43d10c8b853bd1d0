#include "cli/bench_plan.h"

#include <array>

namespace uct::cli {

namespace {

constexpr std::array<std::string_view, 10> kGroupNames = {
    "size", "setup", "crr", "scaling", "latency", "single", "memory", "flood", "collide", "nat"};

constexpr std::uint64_t k1k = 1000;
constexpr std::uint64_t k10k = 10'000;
constexpr std::uint64_t k100k = 100'000;
constexpr std::uint64_t k1m = 1'000'000;
constexpr std::uint64_t k2m = 2'000'000;
constexpr std::uint64_t k4m = 4'000'000;
constexpr std::uint64_t k10m = 10'000'000;

/// Beyond, the design of 2016 takes minutes to fill and tells nothing new.
constexpr std::uint64_t k2016Max = k4m;

constexpr std::uint64_t kPackets = 8'000'000;
constexpr std::uint64_t kQuickPackets = 1'000'000;

class Plan {
 public:
  explicit Plan(bool quick) : quick_(quick), packets_(quick ? kQuickPackets : kPackets) {}

  std::vector<Measurement> take(std::optional<BenchGroup> only) {
    for (std::size_t i = 0; i < kGroupNames.size(); ++i) {
      const auto group = static_cast<BenchGroup>(i);
      if (!only || *only == group) add_group(group);
    }
    return std::move(measurements_);
  }

 private:
  void add_group(BenchGroup group) {
    switch (group) {
      case BenchGroup::size:
        return add_sizes();
      case BenchGroup::setup:
        return add_setup();
      case BenchGroup::crr:
        return add_crr();
      case BenchGroup::scaling:
        return add_scaling();
      case BenchGroup::latency:
        return add_latency();
      case BenchGroup::single:
        return add_single();
      case BenchGroup::memory:
        return add_memory();
      case BenchGroup::flood:
        return add_flood();
      case BenchGroup::collide:
        return add_collide();
      case BenchGroup::nat:
        return add_nat();
    }
  }

  void add_sizes() {
    const std::vector<std::uint64_t> sizes =
        quick_ ? std::vector<std::uint64_t>{k10k, k100k, k1m}
               : std::vector<std::uint64_t>{k1k, k10k, k100k, k1m, k4m, k10m};
    for (const std::uint64_t size : sizes) {
      for (const Subject subject :
           {Subject::uct, Subject::rte_hash, Subject::floor, Subject::design_2016}) {
        if (subject == Subject::design_2016 && size > k2016Max) continue;
        add({.workload = "established", .subject = subject, .connections = size});
      }
    }
    for (const Subject subject : {Subject::uct, Subject::rte_hash}) {
      add({.workload = "established", .subject = subject, .ipv6 = true});
    }
  }

  void add_setup() {
    for (const Subject subject : {Subject::uct, Subject::rte_hash, Subject::design_2016}) {
      add({.group = BenchGroup::setup, .workload = "setup", .subject = subject});
    }
  }

  void add_crr() {
    for (const Subject subject : {Subject::uct, Subject::design_2016}) {
      add({.group = BenchGroup::crr, .workload = "crr", .subject = subject});
    }
  }

  void add_scaling() {
    const auto pair = [this](std::string_view workload, std::string_view variant) {
      for (const unsigned threads : {1U, 2U}) {
        add({.group = BenchGroup::scaling,
             .workload = workload,
             .threads = threads,
             .variant = variant});
      }
    };
    for (const std::string_view variant : {"steered", "unsteered", "exclusive"}) {
      pair("established", variant);
    }
    // Whoever opens a connection decides where it lives: there is no unsteered opening.
    for (const std::string_view variant : {"steered", "exclusive"}) pair("setup", variant);
  }

  void add_latency() {
    add({.group = BenchGroup::latency, .workload = "sweep", .packets = quick_ ? k1m : 0});
    add({.group = BenchGroup::latency, .workload = "grow", .connections = k2m});
  }

  void add_single() {
    for (const Subject subject : {Subject::uct, Subject::design_2016}) {
      add({.group = BenchGroup::single,
           .workload = "established",
           .subject = subject,
           .variant = "single"});
    }
  }

  void add_memory() {
    for (const bool ipv6 : {false, true}) {
      for (const Subject subject : {Subject::uct, Subject::design_2016}) {
        if (ipv6 && subject != Subject::uct) continue;
        add({.group = BenchGroup::memory, .workload = "memory", .subject = subject, .ipv6 = ipv6});
      }
    }
  }

  void add_flood() {
    for (const Subject subject : {Subject::uct, Subject::design_2016}) {
      add({.group = BenchGroup::flood,
           .workload = "flood",
           .subject = subject,
           .connections = k100k,
           .packets = quick_ ? k1m : 0});
    }
  }

  void add_collide() {
    add({.group = BenchGroup::collide, .workload = "collide", .connections = quick_ ? k100k : k1m});
  }

  /// Plain packets and the design of 2016 take turns with translated ones in the same process.
  void add_nat() {
    for (const std::uint64_t connections : {k10k, k1m}) {
      add({.group = BenchGroup::nat,
           .workload = "nat",
           .connections = connections,
           .packets = quick_ ? k1m : 0});
    }
  }

  void add(Measurement measurement) {
    if (measurement.workload == "established") measurement.packets = packets_;
    measurements_.push_back(measurement);
  }

  bool quick_;
  std::uint64_t packets_;
  std::vector<Measurement> measurements_;
};

/// Where memory is touched for the first time while the clock runs, the first run of a process
/// also pays for what a hypervisor took from the idle machine and must find again: four times the
/// work itself was seen, and it is no part of either design. The median of three runs is without
/// it; what the system takes to clear a page is in every run.
bool grows_while_timed(std::string_view workload) {
  return workload == "setup" || workload == "crr" || workload == "nat";
}

}  // namespace

std::span<const std::string_view> bench_group_names() { return kGroupNames; }

std::string_view name(BenchGroup group) { return kGroupNames[static_cast<std::size_t>(group)]; }

std::string_view name(Subject subject) {
  switch (subject) {
    case Subject::uct:
      return "uct";
    case Subject::design_2016:
      return "2016";
    case Subject::rte_hash:
      return "rte_hash";
    case Subject::floor:
      return "floor";
  }
  return "";
}

std::string short_size(std::uint64_t count) {
  if (count != 0 && count % k1m == 0) return std::to_string(count / k1m) + "M";
  if (count != 0 && count % k1k == 0) return std::to_string(count / k1k) + "k";
  return std::to_string(count);
}

std::string Measurement::label() const {
  std::string text(workload);
  text += " " + std::string(name(subject)) + " " + short_size(connections);
  if (ipv6) text += " IPv6";
  if (!variant.empty()) text += " " + std::string(variant);
  if (group == BenchGroup::scaling) {
    text += " " + std::to_string(threads) + (threads == 1 ? " thread" : " threads");
  }
  return text;
}

std::vector<std::string> Measurement::arguments() const {
  std::vector<std::string> words;
  if (subject != Subject::rte_hash) words.emplace_back("bench");
  words.emplace_back(subject == Subject::floor ? "floor" : workload);
  words.insert(words.end(), {"--connections", std::to_string(connections)});
  if (packets != 0) words.insert(words.end(), {"--packets", std::to_string(packets)});
  if (threads != 1) words.insert(words.end(), {"--threads", std::to_string(threads)});
  if (subject == Subject::design_2016) words.insert(words.end(), {"--target", "2016"});
  if (ipv6) words.emplace_back("--ipv6");
  if (!variant.empty() && variant != "steered") words.push_back("--" + std::string(variant));
  // These two are one run by nature and have no such option.
  const bool has_runs = workload != "sweep" && workload != "memory";
  if (has_runs) words.insert(words.end(), {"--runs", grows_while_timed(workload) ? "3" : "1"});
  words.emplace_back("--json");
  return words;
}

std::vector<Measurement> plan_measurements(bool quick, std::optional<BenchGroup> only) {
  return Plan(quick).take(only);
}

}  // namespace uct::cli
