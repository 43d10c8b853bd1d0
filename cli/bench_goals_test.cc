#include "cli/bench_goals.h"

#include "cli/bench_measured_test.h"

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
}

}  // namespace
}  // namespace uct::cli::testing
