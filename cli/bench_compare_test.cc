#include "cli/bench_compare.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "cli/bench_compare_report.h"
#include "cli/bench_measured_test.h"

namespace uct::cli::testing {
namespace {

ParsedCompare parse(std::vector<const char*> arguments) { return parse_compare(arguments); }

std::string error_of(std::vector<const char*> arguments) {
  const ParsedCompare parsed = parse(std::move(arguments));
  EXPECT_EQ(parsed.exit_code, 2);
  return parsed.message;
}

TEST(BenchCompare, Options) {
  const CompareOptions plain = parse({}).options;
  EXPECT_EQ(plain.folder, "bench/results");
  EXPECT_EQ(plain.round_count(), 5U);
  EXPECT_EQ(plain.only, std::nullopt);
  EXPECT_EQ(parse({"--quick"}).options.round_count(), 1U);
  const CompareOptions all =
      parse({"--output", "x", "--rounds", "3", "--quick", "--only", "latency"}).options;
  EXPECT_EQ(all.folder, "x");
  EXPECT_EQ(all.round_count(), 3U);
  EXPECT_EQ(all.only, BenchGroup::latency);
  EXPECT_EQ(parse({"--help"}).exit_code, 0);
}

TEST(BenchCompare, ErrorsNameTheNextStep) {
  EXPECT_TRUE(contains(error_of({"--only", "latancy"}), "did you mean 'latency'"));
  EXPECT_TRUE(contains(error_of({"--rounds", "0"}), "between 1 and 1000"));
  EXPECT_TRUE(contains(error_of({"--rounds", "many"}), "see uct bench compare --help"));
  EXPECT_TRUE(contains(error_of({"--output", ""}), "folder"));
  EXPECT_TRUE(contains(error_of({"results"}), "uct bench compare: "));
}

/// The words of a file of the repository from the first `mark` on.
std::string words_behind(const std::string& mark, const std::string& file) {
  std::ostringstream text;
  text << std::ifstream(UCT_SOURCE_DIR + file).rdbuf();
  const std::size_t found = text.str().find(mark);
  EXPECT_NE(found, std::string::npos) << mark << " in " << file;
  return found == std::string::npos ? "" : text.str().substr(found + mark.size());
}

TEST(BenchCompare, HelpManPageAndCompletionNameEveryGroup) {
  std::string help = parse({"--help"}).message;
  help = help.substr(help.find("--only"));
  help = help.substr(0, help.find("the results then"));
  const std::string man = words_behind("*--only* _GROUP_\n", "/docs/man/uct.1.scd");
  std::string listed;
  for (const std::string_view group : bench_group_names()) {
    EXPECT_TRUE(contains(help, group)) << group;
    EXPECT_TRUE(contains(man.substr(0, man.find("\n\n")), "*" + std::string(group) + "*")) << group;
    listed += (listed.empty() ? "" : " ") + std::string(group);
  }
  EXPECT_TRUE(words_behind("--only) _uct_words \"", "/share/completions/uct.bash")
                  .starts_with(listed + "\""));
}

TEST(BenchPlan, LabelsAreUniqueInTheirGroup) {
  for (const bool quick : {false, true}) {
    std::set<std::pair<BenchGroup, std::string>> labels;
    const std::vector<Measurement> plan = plan_measurements(quick, std::nullopt);
    for (const Measurement& one : plan) labels.emplace(one.group, one.label());
    EXPECT_EQ(labels.size(), plan.size());
  }
}

TEST(BenchPlan, ArgumentsAreThoseOfTheProgramThatMeasures) {
  using Words = std::vector<std::string>;
  const auto words = [](const Measurement& what) { return what.arguments(); };
  EXPECT_EQ(words({.workload = "established", .subject = Subject::rte_hash, .ipv6 = true}),
            (Words{"established", "--connections", "1000000", "--ipv6", "--runs", "1", "--json"}));
  EXPECT_EQ(words({.workload = "established", .subject = Subject::floor, .packets = 7}),
            (Words{"bench", "floor", "--connections", "1000000", "--packets", "7", "--runs", "1",
                   "--json"}));
  EXPECT_EQ(
      words({.workload = "crr", .subject = Subject::design_2016, .connections = 5}),
      (Words{"bench", "crr", "--connections", "5", "--target", "2016", "--runs", "3", "--json"}));
  EXPECT_EQ(words({.workload = "established", .threads = 2, .variant = "exclusive"}),
            (Words{"bench", "established", "--connections", "1000000", "--threads", "2",
                   "--exclusive", "--runs", "1", "--json"}));
  EXPECT_EQ(words({.workload = "sweep"}),
            (Words{"bench", "sweep", "--connections", "1000000", "--json"}));
}

TEST(BenchPlan, TranslationIsMeasuredAtBothSizesOfItsGoals) {
  using Words = std::vector<std::string>;
  const std::vector<Measurement> plan = plan_measurements(false, BenchGroup::nat);
  ASSERT_EQ(plan.size(), 2U);
  EXPECT_EQ(plan[0].label(), "nat uct 10k");
  EXPECT_EQ(plan[1].label(), "nat uct 1M");
  // It opens connections while it is timed.
  EXPECT_EQ(plan[1].arguments(),
            (Words{"bench", "nat", "--connections", "1000000", "--runs", "3", "--json"}));
  const std::vector<Measurement> quick = plan_measurements(true, BenchGroup::nat);
  ASSERT_EQ(quick.size(), 2U);
  EXPECT_EQ(quick[0].arguments(), (Words{"bench", "nat", "--connections", "10000", "--packets",
                                         "1000000", "--runs", "3", "--json"}));
}

TEST(BenchRounds, SpreadIsMedianAndRange) {
  const std::vector<std::string> lines = {R"({"p50_ns":5})", R"({"p50_ns":1})", R"({"p50_ns":9})",
                                          R"({"p50_ns":2})"};
  const Measured sweep = measured(BenchGroup::latency, "sweep uct 1M", lines);
  const Spread found = spread(sweep, "p50_ns").value();
  EXPECT_EQ(found.median, 3.5);
  EXPECT_EQ(found.min, 1);
  EXPECT_EQ(found.max, 9);
  EXPECT_EQ(spread(sweep, "p99_ns"), std::nullopt);
}

TEST(BenchCompareReport, GoalsStandInColumns) {
  const std::vector<Measured> all = {cost("established uct 1M", 24),
                                     cost("established rte_hash 1M", 40)};
  Text out;
  append_goals_text(out, judge(all));
  EXPECT_EQ(view(out),
            "work                  uct  rival     its figure  ratio      must   stretch  met\n"
            "established, 1 M  24.0 ns  rte_hash     40.0 ns  0.60x  <= 0.75x  <= 0.50x  yes\n"
            "established, 1 M  24.0 ns  2016               -      -    >= 10x    >= 20x  "
            "not measured\n");
}

TEST(BenchCompareReport, PercentStandBesideTimes) {
  const std::vector<Measured> all = {measured(
      BenchGroup::nat, "nat uct 1M",
      {R"({"ns_per_packet":53,"plain_ns_per_packet":43,"driver_ns_per_packet":3,)"
       R"("ns_per_connection":402,"rival_ns_per_connection":602,"driver_ns_per_connection":2,)"
       R"("new_mapping_10_ns":400,"new_mapping_99_ns":1000,"first_refusal_percent":100,)"
       R"("kept_percent":95.43})"})};
  Text out;
  append_goals_text(out, judge(all));
  EXPECT_EQ(
      view(out),
      "work                                                uct  rival        its figure  ratio"
      "      must  stretch  met\n"
      "established, translated, 1 M                    50.0 ns  plain           40.0 ns  1.25x"
      "  <= 1.40x        -  yes\n"
      "opening, translated, 1 M                         400 ns  2016, plain      600 ns  1.50x"
      "     >= 3x        -  no\n"
      "a new mapping at 99 % use of the ports          1000 ns  at 10 %          400 ns  2.50x"
      "  <= 2.00x        -  no\n"
      "use of the ports at the first refusal             100 %  -                     -      -"
      "  >= 100 %        -  yes\n"
      "plain packets beside used up ports: speed kept   95.4 %  -                     -      -"
      "   >= 90 %        -  yes\n");
}

TEST(BenchCompareReport, MarkdownHasGoalsFiguresAndMachine) {
  const std::vector<Measured> all = {
      measured(BenchGroup::size, "established uct 1M",
               {R"({"ns_per_packet":27,"driver_ns_per_packet":3,"cpu":"C","cores":2})",
                R"({"ns_per_packet":29,"driver_ns_per_packet":3,"cpu":"C","cores":2})"})};
  const std::vector<Judged> judged = judge(all);
  const Comparison comparison{.measured = all,
                              .judged = judged,
                              .command = "uct bench compare",
                              .kernel = "Linux 6",
                              .memory = "4.0 GiB",
                              .load = 0.25,
                              .rounds = 2,
                              .pictures = {"scaling.svg"}};
  Text text;
  append_results_markdown(text, comparison);
  const std::string_view page = view(text);
  EXPECT_TRUE(contains(page, "| processor | C, 2 cores |\n")) << page;
  EXPECT_TRUE(contains(page, "| established, 1 M | 25.0 ns | rte_hash | - | - | <= 0.75x |"));
  EXPECT_TRUE(contains(page,
                       "| established uct 1M | driver_ns_per_packet | 3.00 | 3.00 | 3.00 | 2 "
                       "|\n|  | net_ns_per_packet | 25.00 | 24.00 | 26.00 | 2 |\n"));
  EXPECT_TRUE(contains(page, "![scaling](scaling.svg)"));
  EXPECT_TRUE(contains(page, "| to repeat | `uct bench compare` |"));
}

TEST(BenchCompareReport, NotesSayWhatFiguresAreNotMadeFor) {
  std::vector<Measured> all = {
      measured(BenchGroup::latency, "sweep uct 1M", {R"({"timed_calls":120,"slow_build":true})"})};
  const auto notes = [&](double load, bool quick) {
    return notes_on({.measured = all,
                     .judged = {},
                     .command = {},
                     .kernel = {},
                     .memory = {},
                     .load = load,
                     .rounds = 1,
                     .quick = quick,
                     .pictures = {}});
  };
  const std::vector<std::string> found = notes(3.25, true);
  ASSERT_EQ(found.size(), 4U);
  EXPECT_TRUE(contains(found[0], "sweep uct 1M: a round timed only 120 calls"));
  EXPECT_TRUE(contains(found[1], "busy when the run began (load 3.25)"));
  EXPECT_TRUE(contains(found[2], "a quick run"));
  EXPECT_TRUE(contains(found[3], "not optimised"));
  all[0].rounds = {read_figures(R"({"timed_calls":10000})")};
  EXPECT_TRUE(notes(0.1, false).empty());
}

/// A program that prints figures, or fails at one workload, and counts how often it ran.
class FakeProgram {
 public:
  FakeProgram() : folder_(::testing::TempDir() + "bench_compare." + std::to_string(::getpid())) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    std::ofstream(path()) << "#!/bin/sh\n"
                          << "echo \"$*\" >>" << folder_ << "/calls\n"
                          << "case \"$*\" in *2016*) echo broken >&2; exit 1;; esac\n"
                          << "echo '{\"ns_per_connection\":80,\"driver_ns_per_connection\":5}'\n";
    std::filesystem::permissions(path(), std::filesystem::perms::owner_all);
  }
  FakeProgram(const FakeProgram&) = delete;
  FakeProgram& operator=(const FakeProgram&) = delete;
  ~FakeProgram() { std::filesystem::remove_all(folder_); }

  std::string path() const { return folder_ + "/fake"; }
  std::string results() const { return folder_ + "/results"; }
  std::string content_of(const std::string& file) const {
    std::ostringstream text;
    text << std::ifstream(folder_ + "/" + file).rdbuf();
    return text.str();
  }

 private:
  std::string folder_;
};

TEST(BenchCompare, RunsInRoundsAndSaysWhatIsMissing) {
  const FakeProgram fake;
  CompareOptions options;
  options.folder = fake.results();
  options.rounds = 2;
  options.only = BenchGroup::setup;
  ::testing::internal::CaptureStdout();
  const int code = compare(options, {.uct = fake.path(), .rte_hash = {}});
  const std::string out = ::testing::internal::GetCapturedStdout();
  EXPECT_EQ(code, 1) << "a measurement failed";
  EXPECT_EQ(fake.content_of("calls"),
            "bench setup --connections 1000000 --runs 3 --json\n"
            "bench setup --connections 1000000 --target 2016 --runs 3 --json\n"
            "bench setup --connections 1000000 --runs 3 --json\n")
      << "what failed is not run again";
  EXPECT_TRUE(
      contains(out, "rte_hash: not built: needs libdpdk-dev, configure with -DUCT_DPDK=ON\n"));
  EXPECT_TRUE(contains(out, "setup 2016 1M failed: broken\n"));
  const std::string page = fake.content_of("results/results.md");
  EXPECT_TRUE(contains(page, "| setup 2016 1M | broken |"));
  EXPECT_TRUE(contains(page, "--rounds 2 --only setup --output"));
  const auto json = nlohmann::json::parse(fake.content_of("results/results.json"));
  EXPECT_EQ(json["measurements"][0]["rounds"][1]["net_ns_per_connection"], 75);
  EXPECT_EQ(json["measurements"][1]["failure"], kRteHashNotBuilt);
  EXPECT_EQ(json["goals"][0]["met"], "not measured");
}

TEST(BenchCompare, AFolderThatCannotBeIsKnownBeforeMeasuring) {
  const FakeProgram fake;
  CompareOptions options;
  options.folder = fake.path() + "/below-a-file";
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(compare(options, {.uct = fake.path(), .rte_hash = {}}), 5);
  EXPECT_TRUE(contains(::testing::internal::GetCapturedStderr(), "cannot make the folder"));
  EXPECT_EQ(fake.content_of("calls"), "");
}

}  // namespace
}  // namespace uct::cli::testing
