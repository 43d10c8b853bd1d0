#include "cli/bench_rounds.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "cli/durations.h"
#include "cli/output.h"
#include "cli/terminal.h"

namespace uct::cli {

namespace {

constexpr std::string_view kRteHashName = "uct-bench-rte-hash";

/// A line on the terminal: which measurement of how many, and how long the rest takes.
class RoundsLine {
 public:
  explicit RoundsLine(std::size_t count) : count_(count), shown_(is_terminal(STDERR_FILENO)) {}
  RoundsLine(const RoundsLine&) = delete;
  RoundsLine& operator=(const RoundsLine&) = delete;
  ~RoundsLine() {
    if (!shown_) return;
    Output terminal(STDERR_FILENO);
    append(terminal.text(), "\r\x1b[K");
  }

  void begin(const Measurement& measurement, unsigned round) {
    const std::size_t done = done_++;
    if (!shown_) return;
    Text line;
    const auto to = fmt::appender(line);
    fmt::format_to(to, "{}/{}  ", done + 1, count_);
    if (done != 0) {
      const auto elapsed = Clock::now() - start_;
      const auto left = elapsed * (count_ - done) / done;
      append_duration(line, std::chrono::duration_cast<Duration>(left));
      append(line, " left  ");
    }
    fmt::format_to(to, "{}: {}, round {}", name(measurement.group), measurement.label(), round + 1);
    const unsigned width = std::max(terminal_width(STDERR_FILENO).value_or(80), 2U) - 1;
    Output terminal(STDERR_FILENO);
    append(terminal.text(), "\r");
    append(terminal.text(), view(line).substr(0, width));
    append(terminal.text(), "\x1b[K");
  }

 private:
  using Clock = std::chrono::steady_clock;

  std::size_t count_;
  bool shown_;
  std::size_t done_ = 0;
  Clock::time_point start_ = Clock::now();
};

void run_one(Measured& measured, const BenchPrograms& programs) {
  if (!measured.failure.empty()) return;
  const bool other = measured.what.subject == Subject::rte_hash;
  BenchFigures figures =
      measure(other ? programs.rte_hash : programs.uct, measured.what.arguments());
  if (figures.failure.empty()) {
    measured.rounds.push_back(std::move(figures));
  } else {
    measured.failure = std::move(figures.failure);
  }
}

/// Gives     the end of the group that begins at `first`.
std::size_t group_end(const std::vector<Measured>& measured, std::size_t first) {
  std::size_t end = first;
  while (end < measured.size() && measured[end].what.group == measured[first].what.group) ++end;
  return end;
}

}  // namespace

BenchPrograms installed_bench_programs() {
  BenchPrograms programs{.uct = "/proc/self/exe", .rte_hash = {}};
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink(programs.uct, error);
  const std::string beside = (self.parent_path() / kRteHashName).string();
  if (!error && ::access(beside.c_str(), X_OK) == 0) programs.rte_hash = beside;
  return programs;
}

std::optional<Spread> spread(const Measured& measured, std::string_view figure) {
  std::vector<double> values;
  for (const BenchFigures& round : measured.rounds) {
    const auto found = round.numbers.find(figure);
    if (found != round.numbers.end()) values.push_back(found->second);
  }
  if (values.empty()) return std::nullopt;
  std::sort(values.begin(), values.end());
  const std::size_t upper = values.size() / 2;
  const std::size_t lower = (values.size() - 1) / 2;
  return Spread{(values[lower] + values[upper]) / 2, values.front(), values.back()};
}

const Measured* find(std::span<const Measured> measured, BenchGroup group, std::string_view label) {
  const auto found = std::find_if(measured.begin(), measured.end(), [&](const Measured& one) {
    return one.what.group == group && one.what.label() == label;
  });
  return found == measured.end() ? nullptr : &*found;
}

std::vector<Measured> run_rounds(const std::vector<Measurement>& plan, unsigned rounds,
                                 const BenchPrograms& programs) {
  std::vector<Measured> measured;
  for (const Measurement& what : plan) {
    const bool absent = what.subject == Subject::rte_hash && programs.rte_hash.empty();
    measured.push_back({what, {}, std::string(absent ? kRteHashNotBuilt : "")});
  }
  RoundsLine line(plan.size() * rounds);
  for (std::size_t first = 0; first < measured.size(); first = group_end(measured, first)) {
    const std::size_t end = group_end(measured, first);
    for (unsigned round = 0; round < rounds; ++round) {
      for (std::size_t at = first; at < end; ++at) {
        line.begin(measured[at].what, round);
        run_one(measured[at], programs);
      }
    }
  }
  return measured;
}

}  // namespace uct::cli
