#include "cli/bench_goals.h"

#include "bench/workloads/workload.h"
#include "cli/bench_measured_test.h"
#include "cli/bench_report.h"

namespace uct::cli::testing {
namespace {

/// The goal with this work and rival, judged by some measurements.
Judged judged(std::string_view work, std::string_view rival, const std::vector<Measured>& all) {
  for (const Judged& one : judge(all)) {
    if (one.goal.work == work && one.goal.rival == rival) return one;
  }
  ADD_FAILURE() << "no goal: " << work << " against " << rival;
  return {};
}

TEST(BenchGoals, EveryFigureIsInThePlan) {
  std::vector<Measured> plan;
  for (const Measurement& what : plan_measurements(false, std::nullopt)) {
    plan.push_back({what, {}, {}});
  }
  for (const Goal& goal : bench_goals()) {
    EXPECT_NE(find(plan, goal.of_uct.group, goal.of_uct.label), nullptr) << goal.of_uct.label;
    if (goal.of_rival.label.empty()) continue;
    EXPECT_NE(find(plan, goal.of_rival.group, goal.of_rival.label), nullptr) << goal.of_rival.label;
  }
  EXPECT_EQ(judge(plan).size(), bench_goals().size());
}

TEST(BenchGoals, CostIsUctOverTheRival) {
  const std::vector<Measured> all = {cost("established uct 1M", 24),
                                     cost("established rte_hash 1M", 40)};
  const Judged goal = judged("established, 1 M", "rte_hash", all);
  EXPECT_DOUBLE_EQ(goal.ratio.value(), 0.6);
  EXPECT_EQ(ratio_text(goal), "0.60x");
  EXPECT_EQ(bound_text(goal.goal, goal.goal.must), "<= 0.75x");
  EXPECT_EQ(met_text(goal), "yes");
}

TEST(BenchGoals, SpeedIsTheRivalOverUct) {
  const auto against_2016 = [](double ns) {
    return judged("established, 1 M", "2016",
                  {cost("established uct 1M", 20), cost("established 2016 1M", ns)});
  };
  EXPECT_EQ(ratio_text(against_2016(450)), "22.5x");
  EXPECT_EQ(met_text(against_2016(450)), "yes, stretch too");
  EXPECT_EQ(met_text(against_2016(200)), "yes") << "the bound itself is enough";
  EXPECT_EQ(met_text(against_2016(190)), "no");
  EXPECT_EQ(bound_text(against_2016(1).goal, 20), ">= 20x");
}

TEST(BenchGoals, TheDriverIsTakenOffBothSides) {
  const std::string with_driver = R"({"ns_per_packet":27,"driver_ns_per_packet":3})";
  const std::vector<Measured> all = {
      measured(BenchGroup::size, "established uct 1M", {with_driver}),
      cost("established rte_hash 1M", 48)};
  EXPECT_DOUBLE_EQ(judged("established, 1 M", "rte_hash", all).ratio.value(), 0.5);
}

TEST(BenchGoals, TwoThreadsAreComparedByWhatBothDo) {
  const auto pair = [](double one, double two) {
    const auto line = [](double ns) {
      return std::vector{"{\"ns_per_packet\":" + std::to_string(ns) + "}"};
    };
    return judged(
        "2 threads, unsteered: established", "1 thread",
        {measured(BenchGroup::scaling, "established uct 1M unsteered 1 thread", line(one)),
         measured(BenchGroup::scaling, "established uct 1M unsteered 2 threads", line(two))});
  };
  EXPECT_DOUBLE_EQ(pair(30, 30).ratio.value(), 2) << "each as fast as one alone";
  EXPECT_DOUBLE_EQ(pair(30, 60).ratio.value(), 1) << "no faster than one";
  EXPECT_EQ(met_text(pair(30, 40)), "yes");
  EXPECT_EQ(bound_text(pair(30, 40).goal, 1.4), ">= 1.40x");
}

TEST(BenchGoals, LimitsHoldWhateverTheRivalDoes) {
  const Judged memory =
      judged("memory a connection, IPv4, all included", "Open vSwitch",
             {measured(BenchGroup::memory, "memory uct 1M", {R"({"bytes_per_connection":123})"})});
  EXPECT_EQ(met_text(memory), "yes");
  EXPECT_EQ(bound_text(memory.goal, memory.goal.must), "<= 128 B");
  EXPECT_NEAR(memory.ratio.value(), 1.0 / 3, 1e-9);
  const Judged longest = judged("the longest call while 1 M connections expire", "at rest",
                                {measured(BenchGroup::latency, "sweep uct 1M",
                                          {R"({"max_ns":1100000,"quiet_max_ns":2200000})"})});
  EXPECT_EQ(met_text(longest), "no");
  EXPECT_EQ(ratio_text(longest), "0.50x");
  EXPECT_EQ(bound_text(longest.goal, longest.goal.must), "<= 1 ms");
  EXPECT_EQ(bound_text(longest.goal, longest.goal.stretch), "-");
}

/// A round of `uct bench nat` as this.
Measured translation(std::string_view label, const std::string& line) {
  return measured(BenchGroup::nat, label, {line});
}

TEST(BenchGoals, TranslationIsJudgedNetOfTheDriver) {
  const std::vector<Measured> all = {
      translation("nat uct 10k",
                  R"({"ns_per_packet":31,"plain_ns_per_packet":23,"driver_ns_per_packet":3})"),
      translation("nat uct 1M",
                  R"({"ns_per_packet":53,"plain_ns_per_packet":33,"driver_ns_per_packet":3,)"
                  R"("ns_per_connection":202,"rival_ns_per_connection":602,)"
                  R"("driver_ns_per_connection":2})")};
  const Judged small = judged("established, translated, 10 k connections", "plain", all);
  EXPECT_EQ(ratio_text(small), "1.40x");
  EXPECT_EQ(met_text(small), "yes") << "the bound itself is enough";
  EXPECT_EQ(bound_text(small.goal, small.goal.stretch), "-");
  const Judged large = judged("established, translated, 1 M", "plain", all);
  EXPECT_EQ(large.of_uct, 50);
  EXPECT_EQ(large.of_rival, 30);
  EXPECT_EQ(met_text(large), "no");
  const Judged opening = judged("opening, translated, 1 M", "2016, plain", all);
  EXPECT_DOUBLE_EQ(opening.ratio.value(), 3);
  EXPECT_EQ(bound_text(opening.goal, opening.goal.must), ">= 3x");
  EXPECT_EQ(met_text(opening), "yes");
  EXPECT_EQ(met_text(judged("a new mapping at 99 % use of the ports", "at 10 %", all)),
            "not measured");
}

TEST(BenchGoals, ANewMappingIsComparedWithOneInAnEmptyRange) {
  const auto mapping = [](std::string_view at_99) {
    const std::string line =
        R"({"new_mapping_10_ns":300,"new_mapping_99_ns":)" + std::string(at_99) + "}";
    return judged("a new mapping at 99 % use of the ports", "at 10 %",
                  {translation("nat uct 1M", line)});
  };
  EXPECT_EQ(met_text(mapping("600")), "yes");
  EXPECT_EQ(met_text(mapping("601")), "no");
  EXPECT_EQ(figure_text(mapping("600").of_uct.value(), "ns"), "600 ns");
}

TEST(BenchGoals, AFigureThatMustNotFallShortHasALeastValue) {
  const auto range = [](std::string_view work, std::string_view line) {
    return judged(work, "", {translation("nat uct 1M", std::string(line))});
  };
  const std::string_view kept = "plain packets beside used up ports: speed kept";
  EXPECT_EQ(met_text(range(kept, R"({"kept_percent":90})")), "yes");
  EXPECT_EQ(met_text(range(kept, R"({"kept_percent":89.9})")), "no");
  const Judged more = range(kept, R"({"kept_percent":102.3})");
  EXPECT_EQ(met_text(more), "yes");
  EXPECT_EQ(bound_text(more.goal, more.goal.must), ">= 90 %");
  EXPECT_EQ(ratio_text(more), "-");
  const std::string_view first = "use of the ports at the first refusal";
  EXPECT_EQ(met_text(range(first, R"({"first_refusal_percent":100})")), "yes");
  EXPECT_EQ(met_text(range(first, R"({"first_refusal_percent":99.99})")), "no");
}

/// A figure that is misspelt in a goal would be "not measured" for ever.
TEST(BenchGoals, TranslationsAreOfFiguresThatTheWorkloadPrints) {
  const bench::Workload* nat = bench::find_workload("nat");
  ASSERT_NE(nat, nullptr);
  bench::Options options;
  options.workload = "nat";
  options.connections = 2000;
  options.packets = 20'000;
  options.runs = 1;
  const bench::Result result = nat->run(options);
  Text line;
  append_bench_json(line, {*nat, options, result, this_machine()});
  const BenchFigures figures = read_figures(view(line));
  EXPECT_EQ(figures.failure, "");
  unsigned goals = 0;
  for (const Goal& goal : bench_goals()) {
    if (goal.of_uct.group != BenchGroup::nat) continue;
    ++goals;
    EXPECT_TRUE(figures.numbers.contains(goal.of_uct.figure)) << goal.of_uct.figure;
    if (goal.of_rival.label.empty()) continue;
    EXPECT_TRUE(figures.numbers.contains(goal.of_rival.figure)) << goal.of_rival.figure;
  }
  EXPECT_EQ(goals, 6U);
}

TEST(BenchGoals, WithoutTheRivalNothingIsClaimed) {
  Measured absent = cost("established rte_hash 1M", 1);
  absent.rounds.clear();
  absent.failure = kRteHashNotBuilt;
  const Judged goal =
      judged("established, 1 M", "rte_hash", {cost("established uct 1M", 24), absent});
  EXPECT_EQ(goal.of_uct, 24);
  EXPECT_EQ(ratio_text(goal), "-");
  EXPECT_EQ(met_text(goal), "not measured");
}

TEST(BenchGoals, NoRatioComesOfNoise) {
  const std::vector<Measured> all = {
      measured(BenchGroup::size, "established uct 10k",
               {R"({"ns_per_packet":3,"driver_ns_per_packet":3.2})"}),
      cost("established rte_hash 10k", 2)};
  EXPECT_EQ(met_text(judged("established, 10 k connections", "rte_hash", all)), "not measured");
}

TEST(BenchGoals, GoalsOfOtherGroupsAreLeftOut) {
  const std::vector<Judged> goals = judge(std::vector{cost("established uct 4M", 30)});
  ASSERT_EQ(goals.size(), 1U);
  EXPECT_EQ(goals[0].goal.work, "established, 4 M");
}

TEST(BenchGoals, FiguresHaveTheUnitThatReadsBest) {
  EXPECT_EQ(figure_text(28.14, "ns"), "28.1 ns");
  EXPECT_EQ(figure_text(9876.5, "ns"), "9876 ns");
  EXPECT_EQ(figure_text(31'400, "ns"), "31.4 us");
  EXPECT_EQ(figure_text(1'250'000, "ns"), "1.2 ms");
  EXPECT_EQ(figure_text(121.4, "B"), "121 B");
  EXPECT_EQ(figure_text(99.6, "B"), "100 B");
  EXPECT_EQ(figure_text(89.94, "%"), "89.9 %") << "not 90 %, which a goal may be";
}

}  // namespace
}  // namespace uct::cli::testing
