#include "cli/bench_plots.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/bench_measured_test.h"

namespace uct::cli::testing {
namespace {

std::vector<Measured> some_sizes() {
  return {cost("established uct 1k", 4), cost("established uct 1M", 24),
          cost("established rte_hash 1M", 40)};
}

std::vector<Measured> all_latencies() {
  const std::string line = R"({"p50_ns":800,"p99_ns":2000,"p999_ns":5000,"p9999_ns":21000,
      "max_ns":300000,"quiet_p50_ns":500,"quiet_p99_ns":1000,"quiet_p999_ns":3000,
      "quiet_p9999_ns":9000,"quiet_max_ns":100000})";
  std::string one_line = line;
  std::erase(one_line, '\n');
  return {measured(BenchGroup::latency, "sweep uct 1M", {one_line}),
          measured(BenchGroup::latency, "grow uct 2M", {one_line})};
}

std::vector<Measured> all_scalings() {
  std::vector<Measured> all;
  for (const Measurement& what : plan_measurements(false, BenchGroup::scaling)) {
    const std::string ns = what.threads == 1 ? "20" : "25";
    const std::string line = "{\"ns_per_packet\":" + ns + ",\"ns_per_connection\":" + ns + "}";
    all.push_back({what, {read_figures(line)}, {}});
  }
  return all;
}

TEST(BenchPlots, CostHasARowASizeAndMarksWhatIsMissing) {
  const std::vector<Plot> plots = make_plots(some_sizes());
  ASSERT_EQ(plots.size(), 1U);
  EXPECT_EQ(plots[0].name, "cost-by-connections");
  EXPECT_EQ(plots[0].data,
            "# connections\t2016_ns\t2016_ns_min\t2016_ns_max\trte_hash_ns\trte_hash_ns_min\t"
            "rte_hash_ns_max\tuct_ns\tuct_ns_min\tuct_ns_max\tfloor_ns\tfloor_ns_min\t"
            "floor_ns_max\n"
            "1000\t-\t-\t-\t-\t-\t-\t4\t4\t4\t-\t-\t-\n"
            "1000000\t-\t-\t-\t40\t40\t40\t24\t24\t24\t-\t-\t-\n");
}

TEST(BenchPlots, CostDrawsOnlyWhoHasFigures) {
  const std::string script = make_plots(some_sizes())[0].script;
  EXPECT_TRUE(contains(script, "\"cost-by-connections.tsv\" using 1:8:9:10"));
  EXPECT_TRUE(contains(script, "title \"uct, bytes to verdict\""));
  EXPECT_FALSE(contains(script, "design of 2016"));
  EXPECT_TRUE(contains(script, "set yrange [2.667:60]"));
}

TEST(BenchPlots, CostShowsTheRangeOfTheRounds) {
  const std::vector<Measured> all = {
      measured(BenchGroup::size, "established uct 1M",
               {R"({"ns_per_packet":24})", R"({"ns_per_packet":30})", R"({"ns_per_packet":23})"})};
  EXPECT_TRUE(contains(make_plots(all)[0].data, "\t24\t23\t30\t"));
}

TEST(BenchPlots, ScalingIsThroughputOfAllThreads) {
  const std::vector<Plot> plots = make_plots(all_scalings());
  ASSERT_EQ(plots.size(), 1U);
  EXPECT_EQ(plots[0].data,
            "# established: M packets/s\t1_thread\t2_threads\n"
            "steered\t50\t80\nunsteered\t50\t80\nexclusive\t50\t80\n\n\n"
            "# opening: M connections/s\t1_thread\t2_threads\n"
            "steered\t50\t80\nexclusive\t50\t80\n\n\n");
}

TEST(BenchPlots, LatencyIsInMicroseconds) {
  const std::vector<Plot> plots = make_plots(all_latencies());
  ASSERT_EQ(plots.size(), 1U);
  EXPECT_TRUE(contains(plots[0].data, "\np9999\t21\t21\t21\t9\t9\t9\t21\t21\t21\t9\t9\t9\n"));
  EXPECT_TRUE(contains(plots[0].script, "set yrange [0.3333:1500]")) << "the goal is in view";
}

TEST(BenchPlots, WithoutFiguresThereIsNothingToDraw) {
  EXPECT_TRUE(make_plots({}).empty());
  std::vector<Measured> half = all_latencies();
  half.pop_back();
  EXPECT_TRUE(make_plots(half).empty());
}

TEST(BenchPlots, GnuplotUnderstandsTheScripts) {
  if (run_program("gnuplot", {"--version"}).absent) GTEST_SKIP() << "no gnuplot here";
  std::vector<Measured> all = some_sizes();
  for (const Measured& one : all_latencies()) all.push_back(one);
  for (const Measured& one : all_scalings()) all.push_back(one);
  const std::string folder = ::testing::TempDir() + "bench_plots";
  std::filesystem::create_directories(folder);
  const PlotsWritten written = write_plots(folder, make_plots(all));
  EXPECT_EQ(written.problem, "");
  EXPECT_EQ(written.files.size(), 9U);
  for (const char* name : {"cost-by-connections", "scaling", "latency"}) {
    std::ostringstream svg;
    svg << std::ifstream(folder + "/" + name + ".svg").rdbuf();
    EXPECT_TRUE(contains(svg.str(), "</svg>")) << name;
    const Ended drawn =
        run_program("rsvg-convert", {std::string(name) + ".svg", "-o", "picture.png"}, folder);
    EXPECT_TRUE(drawn.absent || drawn.failure.empty()) << name << ": " << drawn.failure;
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace uct::cli::testing
