#include "cli/bench_plots.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <set>

#include "cli/output.h"

namespace uct::cli {

namespace {

constexpr std::string_view kMissing = "-";

// The colours are those of Okabe and Ito, which people see apart who do not see all colours; lines
// differ by their points too.
constexpr std::string_view kCommon = R"gnuplot(set datafile missing "-"
set encoding utf8
set grid ytics lc rgb "#d8d8d8"
set border 3
set tics nomirror
set key outside bottom center horizontal
)gnuplot";

void append_missing(Text& out, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) fmt::format_to(fmt::appender(out), "\t{}", kMissing);
}

/// The values of an axis with a logarithmic scale; by itself, gnuplot goes on to powers of ten.
class Extent {
 public:
  void include(double value) {
    if (value <= 0) return;  // noise below the driver's own time; not drawn
    low_ = low_ == 0 ? value : std::min(low_, value);
    high_ = std::max(high_, value);
  }

  void append_range(Text& script) const {
    fmt::format_to(fmt::appender(script), "set yrange [{:.4g}:{:.4g}]\n", low_ / 1.5, high_ * 1.5);
  }

 private:
  double low_ = 0;
  double high_ = 0;
};

/// Appends three columns: median, min, max.
bool append_spread(Text& out, Extent& extent, const Measured* measured, std::string_view figure,
                   double scale) {
  const std::optional<Spread> found = measured ? spread(*measured, figure) : std::nullopt;
  if (!found) {
    append_missing(out, 3);
    return false;
  }
  extent.include(found->min * scale);
  extent.include(found->max * scale);
  fmt::format_to(fmt::appender(out), "\t{:.4g}\t{:.4g}\t{:.4g}", found->median * scale,
                 found->min * scale, found->max * scale);
  return true;
}

std::string taken(const Text& text) { return std::string(view(text)); }

// ---- cost by connections -----------------------------------------------------------------------

constexpr std::string_view kCostName = "cost-by-connections";
constexpr std::string_view kCostFigure = "net_ns_per_packet";

struct Line {
  Subject subject;
  std::string_view title;
  std::string_view style;
};

constexpr std::array<Line, 4> kCostLines = {{
    {Subject::design_2016, "design of 2016", "lc rgb \"#D55E00\" pt 5"},
    {Subject::rte_hash, "DPDK rte\\\\_hash, bare", "lc rgb \"#009E73\" pt 9"},
    {Subject::uct, "uct, bytes to verdict", "lc rgb \"#0072B2\" pt 7"},
    {Subject::floor, "floor: two random lines", "lc rgb \"#606060\" pt 11"},
}};

constexpr std::string_view kCostScript =
    R"gnuplot(set terminal svg size 960,540 font "sans-serif,14" background "#ffffff"
set output "cost-by-connections.svg"
set title "What a packet of an established connection costs (TCP over IPv4, random connections)"
set bmargin 6
set logscale xy
set xlabel "connections"
set ylabel "ns a packet, driver taken off (median, min to max)"
set xrange [6e2:1.6e7]
set xtics ("1 k" 1e3, "10 k" 1e4, "100 k" 1e5, "1 M" 1e6, "4 M" 4e6, "10 M" 1e7)
set ytics (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000)
)gnuplot";

/// A row a size, three columns a line.
Plot make_cost_plot(std::span<const Measured> measured) {
  std::set<std::uint64_t> sizes;
  for (const Measured& one : measured) {
    if (one.what.group == BenchGroup::size && !one.what.ipv6) sizes.insert(one.what.connections);
  }
  std::array<bool, kCostLines.size()> has_figures{};
  Extent extent;
  Text data;
  append(data, "# connections");
  for (const Line& line : kCostLines) {
    const std::string_view who = name(line.subject);
    fmt::format_to(fmt::appender(data), "\t{0}_ns\t{0}_ns_min\t{0}_ns_max", who);
  }
  append(data, "\n");
  for (const std::uint64_t size : sizes) {
    fmt::format_to(fmt::appender(data), "{}", size);
    for (std::size_t i = 0; i < kCostLines.size(); ++i) {
      const Measurement what{
          .workload = "established", .subject = kCostLines[i].subject, .connections = size};
      const Measured* one = find(measured, BenchGroup::size, what.label());
      if (append_spread(data, extent, one, kCostFigure, 1)) has_figures[i] = true;
    }
    append(data, "\n");
  }
  Text script;
  append(script, kCommon);
  append(script, kCostScript);
  extent.append_range(script);
  std::string_view before = "plot ";
  for (std::size_t i = 0; i < kCostLines.size(); ++i) {
    if (!has_figures[i]) continue;
    const std::size_t column = 2 + 3 * i;
    fmt::format_to(fmt::appender(script),
                   "{}\"{}.tsv\" using 1:{}:{}:{} with yerrorlines lw 2 ps 0.9 {} title \"{}\"",
                   before, kCostName, column, column + 1, column + 2, kCostLines[i].style,
                   kCostLines[i].title);
    before = ", \\\n     ";
  }
  append(script, "\n");
  const bool any = before != "plot ";
  return any ? Plot{kCostName, taken(data), taken(script)} : Plot{};
}

// ---- scaling -----------------------------------------------------------------------------------

constexpr std::string_view kScalingName = "scaling";

constexpr std::string_view kScalingScript =
    R"gnuplot(set terminal svg size 960,480 font "sans-serif,14" background "#ffffff"
set output "scaling.svg"
set style data histogram
set style histogram clustered gap 1
set style fill solid 0.9 border -1
set boxwidth 0.92
set xtics scale 0
set yrange [0:*]
set offsets 0, 0, graph 0.12, 0
set multiplot layout 1,2 title "Two threads against one, at 1 M connections, driver taken off"
)gnuplot";

struct Panel {
  std::string_view workload;
  std::string_view figure;
  std::string_view unit;
};

constexpr std::array<Panel, 2> kPanels = {{
    {"established", "net_ns_per_packet", "established: M packets/s"},
    {"setup", "net_ns_per_connection", "opening: M connections/s"},
}};

/// Gives     millions a second of all threads together.
std::optional<double> throughput(std::span<const Measured> measured, const Panel& panel,
                                 std::string_view variant, unsigned threads) {
  const Measurement what{.group = BenchGroup::scaling,
                         .workload = panel.workload,
                         .threads = threads,
                         .variant = variant};
  const Measured* one = find(measured, BenchGroup::scaling, what.label());
  const std::optional<Spread> figure = one ? spread(*one, panel.figure) : std::nullopt;
  if (!figure || figure->median <= 0) return std::nullopt;
  return threads * 1e3 / figure->median;
}

/// Appends a block of rows, one a variant. Gives whether there are any.
bool append_panel(Text& data, std::span<const Measured> measured, const Panel& panel) {
  fmt::format_to(fmt::appender(data), "# {}\t1_thread\t2_threads\n", panel.unit);
  bool any = false;
  for (const std::string_view variant : {"steered", "unsteered", "exclusive"}) {
    const std::optional<double> one = throughput(measured, panel, variant, 1);
    const std::optional<double> two = throughput(measured, panel, variant, 2);
    if (!one || !two) continue;
    fmt::format_to(fmt::appender(data), "{}\t{:.4g}\t{:.4g}\n", variant, *one, *two);
    any = true;
  }
  append(data, "\n\n");  // gnuplot's sign for the end of a block
  return any;
}

/// A block a panel: throughput with one thread and with two.
Plot make_scaling_plot(std::span<const Measured> measured) {
  Text data;
  Text script;
  append(script, kCommon);
  append(script, kScalingScript);
  const auto to = fmt::appender(script);
  bool all = true;
  for (std::size_t i = 0; i < kPanels.size(); ++i) {
    all = append_panel(data, measured, kPanels[i]) && all;
    fmt::format_to(to, "set ylabel \"{}\"\n", kPanels[i].unit);
    fmt::format_to(to,
                   "plot \"scaling.tsv\" index {0} using 2:xtic(1) lc rgb \"#56B4E9\" title "
                   "\"1 thread\", \\\n"
                   "     \"\" index {0} using 3 lc rgb \"#0072B2\" title \"2 threads\", \\\n"
                   "     \"\" index {0} using ($0+0.17):3:(sprintf(\"%.2fx\", $3/$2)) with labels "
                   "offset 0,0.7 notitle\n",
                   i);
  }
  append(script, "unset multiplot\n");
  return all ? Plot{kScalingName, taken(data), taken(script)} : Plot{};
}

// ---- latency -----------------------------------------------------------------------------------

constexpr std::string_view kLatencyName = "latency";

struct Calls {
  std::string_view column;
  std::string_view label;   ///< of the measurement
  std::string_view prefix;  ///< of its figures
};

constexpr std::array<Calls, 4> kCalls = {{
    {"sweep", "sweep uct 1M", ""},
    {"sweep_quiet", "sweep uct 1M", "quiet_"},
    {"grow", "grow uct 2M", ""},
    {"grow_quiet", "grow uct 2M", "quiet_"},
}};

constexpr std::array<std::string_view, 5> kPercentiles = {"p50_ns", "p99_ns", "p999_ns", "p9999_ns",
                                                          "max_ns"};

/// The goal for the longest call, which the picture shows in any case; the script has it too.
constexpr double kMustLongestUs = 1000;

// The series stand a little beside each other, so that their ranges do not cover each other.
constexpr std::string_view kLatencyScript =
    R"gnuplot(set terminal svg size 960,540 font "sans-serif,14" background "#ffffff"
set output "latency.svg"
set title "How long a call with 32 packets takes"
set bmargin 6
set logscale y
set xrange [-0.4:4.4]
set xlabel "of all calls"
set ylabel "\302\265s a call (median of rounds, min to max)"
set format y "%g"
set xtics ("50 %%" 0, "99 %%" 1, "99.9 %%" 2, "99.99 %%" 3, "longest" 4)
$must << END
3 100
4 1000
END
plot "latency.tsv" using ($0-0.09):2:3:4 with yerrorlines lw 2 ps 0.9 lc rgb "#D55E00" pt 7 \
       title "1 M connections expire", \
     "" using ($0-0.03):5:6:7 with yerrorlines lw 1 ps 0.9 lc rgb "#E69F00" pt 6 \
       title "the same, at rest", \
     "" using ($0+0.03):8:9:10 with yerrorlines lw 2 ps 0.9 lc rgb "#0072B2" pt 5 \
       title "table grows to 2 M", \
     "" using ($0+0.09):11:12:13 with yerrorlines lw 1 ps 0.9 lc rgb "#56B4E9" pt 4 \
       title "the same, at rest", \
     $must using 1:2:(0.25) with xerrorbars lw 2 lc rgb "#000000" pt 0 title "goal: at most"
)gnuplot";

/// A row a percentile, three columns a series, in microseconds.
Plot make_latency_plot(std::span<const Measured> measured) {
  Text data;
  append(data, "# of_calls");
  for (const Calls& calls : kCalls) {
    fmt::format_to(fmt::appender(data), "\t{0}_us\t{0}_us_min\t{0}_us_max", calls.column);
  }
  append(data, "\n");
  bool all = true;
  Extent extent;
  extent.include(kMustLongestUs);
  for (const std::string_view percentile : kPercentiles) {
    append(data, percentile.substr(0, percentile.size() - 3));
    for (const Calls& calls : kCalls) {
      const Measured* one = find(measured, BenchGroup::latency, calls.label);
      const std::string figure = std::string(calls.prefix) + std::string(percentile);
      all = append_spread(data, extent, one, figure, 1e-3) && all;
    }
    append(data, "\n");
  }
  Text script;
  append(script, kCommon);
  extent.append_range(script);
  append(script, kLatencyScript);
  return all ? Plot{kLatencyName, taken(data), taken(script)} : Plot{};
}

// ---- files -------------------------------------------------------------------------------------

/// Draws one. Gives what went wrong, or nothing.
std::string draw(const std::string& folder, const std::string& script) {
  const Ended ended = run_program("gnuplot", {script}, folder);
  if (ended.absent) {
    return "no pictures: there is no gnuplot here (Debian: gnuplot-nox); run gnuplot on the "
           ".gnuplot files, in their folder";
  }
  return ended.failure.empty() ? "" : "gnuplot " + script + ": " + ended.failure;
}

}  // namespace

std::vector<Plot> make_plots(std::span<const Measured> measured) {
  std::vector<Plot> plots;
  for (const auto make : {make_cost_plot, make_scaling_plot, make_latency_plot}) {
    Plot plot = make(measured);
    if (!plot.name.empty()) plots.push_back(std::move(plot));
  }
  return plots;
}

PlotsWritten write_plots(const std::string& folder, std::span<const Plot> plots) {
  PlotsWritten written;
  for (const Plot& plot : plots) {
    const std::string stem(plot.name);
    for (const auto& [ending, content] :
         {std::pair(".tsv", &plot.data), std::pair(".gnuplot", &plot.script)}) {
      if (!write_file(folder + "/" + stem + ending, *content)) {
        written.problem = "cannot write " + folder + "/" + stem + ending;
        return written;
      }
      written.files.push_back(stem + ending);
    }
    const std::string problem = draw(folder, stem + ".gnuplot");
    if (problem.empty()) {
      written.files.push_back(stem + ".svg");
    } else {
      written.problem = problem;
    }
  }
  return written;
}

bool write_file(const std::string& path, std::string_view content) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(content.data(), static_cast<std::streamsize>(content.size()));
  file.close();
  return !file.fail();
}

}  // namespace uct::cli
