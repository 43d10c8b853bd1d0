#include "cli/bench_report.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "cli/bench_catalogue.h"
#include "cli/summary.h"

namespace uct::cli {

namespace {

using bench::Options;
using bench::Result;

std::string_view name_of(bench::TargetKind target) {
  return target == bench::TargetKind::uct ? "uct" : "2016";
}

/// The variants that are on or off, by the names of their options.
std::vector<std::string_view> variants_on(const Options& options) {
  std::vector<std::string_view> on;
  if (options.ipv6) on.push_back("ipv6");
  if (options.udp) on.push_back("udp");
  if (options.zipf) on.push_back("zipf");
  if (options.single) on.push_back("single");
  if (options.unsteered) on.push_back("unsteered");
  if (options.exclusive) on.push_back("exclusive");
  return on;
}

bool takes(const BenchRun& run, std::string_view option) {
  const BenchEntry* entry = find_bench_entry(run.workload.name);
  return entry != nullptr && entry->takes(option);
}

// ---- the table -------------------------------------------------------------------------------

std::string counted(double value) {
  Text text;
  if (value < 0) text.push_back('-');
  append_count(text, static_cast<std::uint64_t>(std::llround(std::abs(value))));
  return std::string(view(text));
}

/// Gives     four digits or so of a small number, all whole ones of a large one.
std::string figure(double value) {
  if (!std::isfinite(value)) return "none";
  if (std::abs(value) >= 1000) return counted(value);
  return fmt::format("{:.{}f}", value, std::abs(value) >= 100 ? 1 : 2);
}

struct Row {
  std::string label;
  std::string value;
  std::string_view unit;
};

class Table {
 public:
  void add(std::string label, const std::optional<double>& value, std::string_view unit) {
    if (!value) return;
    const bool is_count = unit.empty() && std::trunc(*value) == *value;
    rows_.push_back({std::move(label), is_count ? counted(*value) : figure(*value), unit});
  }

  void append_to(Text& out) const {
    std::size_t label_width = 0;
    std::size_t value_width = 0;
    for (const Row& row : rows_) {
      label_width = std::max(label_width, row.label.size());
      value_width = std::max(value_width, row.value.size());
    }
    for (const Row& row : rows_) {
      fmt::format_to(fmt::appender(out), "  {:<{}}  {:>{}}{}{}\n", row.label, label_width,
                     row.value, value_width, row.unit.empty() ? "" : " ", row.unit);
    }
  }

 private:
  std::vector<Row> rows_;
};

/// A time with the driver in it, the driver's by itself, and what is left.
void add_time(Table& table, const std::string& of, const std::optional<double>& all,
              const std::optional<double>& driver) {
  table.add("time " + of, all, "ns");
  if (!all || !driver) return;
  table.add("  the driver by itself", driver, "ns");
  table.add("  the difference: net of the driver", *all - *driver, "ns");
}

/// Gives     the unit of a figure that one workload alone has, which its name tells.
std::string_view unit_of(std::string_view name) {
  if (name.ends_with("_ns") || name.find("ns_per_") != std::string_view::npos) return "ns";
  if (name.ends_with("_bytes")) return "bytes";
  if (name.ends_with("_percent")) return "%";
  return "";
}

void append_figures(Text& out, const BenchRun& run) {
  const Result& result = run.result;
  const std::string on_thread = run.options.threads > 1 ? " on each thread" : "";
  Table table;
  add_time(table, "a packet" + on_thread, result.ns_per_packet, result.driver_ns_per_packet);
  table.add("packets, all threads", result.mpps_total, "M/s");
  add_time(table, "a connection" + on_thread, result.ns_per_connection,
           result.driver_ns_per_connection);
  table.add("connections, all threads", result.connections_per_second, "/s");
  table.add("memory a connection", result.bytes_per_connection, "bytes");
  table.add("one call of process(), median", result.p50_ns, "ns");
  table.add("  99 % take at most", result.p99_ns, "ns");
  table.add("  99.9 %", result.p999_ns, "ns");
  table.add("  99.99 %", result.p9999_ns, "ns");
  table.add("  the longest", result.max_ns, "ns");
  for (const Result::Extra& extra : result.extra) {
    table.add(extra.name, extra.value, unit_of(extra.name));
  }
  table.append_to(out);
}

void append_label(Text& out, std::string_view label, Style style) {
  append(out, "  ");
  style.paint(out, Color::bold, label);
  fmt::format_to(fmt::appender(out), "{:{}}", "", 10 - std::min<std::size_t>(9, label.size()));
}

void append_machine(Text& out, const BenchMachine& machine, Style style) {
  append_label(out, "machine", style);
  fmt::format_to(fmt::appender(out), "{}, {} {}, {}\n", machine.cpu, machine.cores,
                 machine.cores == 1 ? "core" : "cores", machine.date);
  append_label(out, "build", style);
  fmt::format_to(fmt::appender(out), "{}, {}\n", machine.commit, machine.compiler);
}

void append_asked(Text& out, const BenchRun& run, Style style) {
  const Options& options = run.options;
  append_label(out, "run", style);
  const auto to = fmt::appender(out);
  fmt::format_to(to, "{} connections, {} {}", counted(static_cast<double>(options.connections)),
                 options.threads, options.threads == 1 ? "thread" : "threads");
  if (takes(run, "--runs")) {
    fmt::format_to(
        to, ", {}",
        options.runs == 1 ? "1 run" : "median of " + std::to_string(options.runs) + " runs");
  }
  if (takes(run, "--target")) fmt::format_to(to, ", target {}", name_of(options.target));
  if (options.shards != 0) fmt::format_to(to, ", {} shards", options.shards);
  for (const std::string_view variant : variants_on(options)) fmt::format_to(to, ", {}", variant);
  if (!options.file.empty()) fmt::format_to(to, ", {}", options.file);
  append(out, "\n");
}

/// Appends what makes the figures tell of something else than the question.
void append_warnings(Text& out, const BenchRun& run, Style style) {
  const auto warn = [&](std::string_view words) {
    append_label(out, "but", style);
    style.paint(out, Color::yellow, words);
    append(out, "\n");
  };
  if (run.machine.slow_build) {
    warn("this build is not optimised or checks itself: these are not the figures of a release");
  }
  if (run.machine.cores != 0 && run.options.threads > run.machine.cores) {
    warn("there are more threads than cores: the figures tell of the scheduler too");
  }
}

// ---- the object ------------------------------------------------------------------------------

using Json = nlohmann::ordered_json;

void set(Json& object, const char* key, const std::optional<double>& value) {
  if (value) object[key] = std::round(*value * 100) / 100;
}

void set_asked(Json& object, const BenchRun& run) {
  const Options& options = run.options;
  object["workload"] = run.workload.name;
  object["connections"] = options.connections;
  if (options.packets != 0) object["packets"] = options.packets;
  object["threads"] = options.threads;
  if (takes(run, "--runs")) object["runs"] = options.runs;
  if (takes(run, "--target")) object["target"] = name_of(options.target);
  if (options.shards != 0) object["shards"] = options.shards;
  for (const std::string_view variant : variants_on(options)) object[std::string(variant)] = true;
  if (!options.file.empty()) object["file"] = options.file;
}

void set_figures(Json& object, const Result& result) {
  set(object, "ns_per_packet", result.ns_per_packet);
  set(object, "driver_ns_per_packet", result.driver_ns_per_packet);
  set(object, "mpps_total", result.mpps_total);
  set(object, "ns_per_connection", result.ns_per_connection);
  set(object, "driver_ns_per_connection", result.driver_ns_per_connection);
  set(object, "connections_per_second", result.connections_per_second);
  set(object, "bytes_per_connection", result.bytes_per_connection);
  set(object, "p50_ns", result.p50_ns);
  set(object, "p99_ns", result.p99_ns);
  set(object, "p999_ns", result.p999_ns);
  set(object, "p9999_ns", result.p9999_ns);
  set(object, "max_ns", result.max_ns);
  for (const Result::Extra& extra : result.extra) set(object, extra.name.c_str(), extra.value);
  if (!result.wrong.empty()) object["wrong"] = result.wrong;
}

void set_machine(Json& object, const BenchMachine& machine) {
  object["commit"] = machine.commit;
  object["compiler"] = machine.compiler;
  object["cpu"] = machine.cpu;
  object["cores"] = machine.cores;
  object["date"] = machine.date;
  if (machine.slow_build) object["slow_build"] = true;
}

}  // namespace

bool has_figures(const Result& result) {
  return result.ns_per_packet || result.ns_per_connection || result.mpps_total ||
         result.connections_per_second || result.bytes_per_connection || result.p50_ns ||
         result.max_ns || !result.extra.empty();
}

void append_bench_text(Text& out, const BenchRun& run, Style style) {
  style.paint(out, Color::bold, run.workload.name);
  fmt::format_to(fmt::appender(out), ": {}\n", run.workload.question);
  append_machine(out, run.machine, style);
  append_asked(out, run, style);
  append_warnings(out, run, style);
  append(out, "\n");
  append_figures(out, run);
}

void append_bench_json(Text& out, const BenchRun& run) {
  Json object;
  set_asked(object, run);
  set_figures(object, run.result);
  set_machine(object, run.machine);
  // A file's name may hold bytes that are no UTF-8.
  append(out, object.dump(-1, ' ', false, Json::error_handler_t::replace));
  append(out, "\n");
}

}  // namespace uct::cli
