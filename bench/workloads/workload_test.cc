#include "bench/workloads/workload.h"

#include <gtest/gtest.h>

#include <ostream>
#include <set>
#include <vector>

namespace uct::bench {

/// Found by GoogleTest where a case is named.
inline void PrintTo(const Workload& workload, std::ostream* out) { *out << workload.name; }

namespace {

using Figure = std::optional<double> Result::*;

/// Figures that a workload always gives.
struct Promise {
  std::string_view workload;
  std::vector<Figure> figures;
};

std::vector<Promise> promises() {
  const std::vector<Figure> packets = {&Result::ns_per_packet, &Result::driver_ns_per_packet,
                                       &Result::mpps_total};
  const std::vector<Figure> connections = {&Result::ns_per_connection,
                                           &Result::driver_ns_per_connection,
                                           &Result::connections_per_second};
  const std::vector<Figure> latencies = {&Result::p50_ns, &Result::p99_ns, &Result::p999_ns,
                                         &Result::p9999_ns, &Result::max_ns};
  std::vector<Figure> both = packets;
  both.insert(both.end(), connections.begin(), connections.end());
  // The bytes of `memory` may be 0: an earlier test's memory, used again.
  return {
      {"established", packets}, {"setup", connections}, {"crr", both},       {"mixed", packets},
      {"sweep", latencies},     {"grow", latencies},    {"memory", {}},      {"flood", packets},
      {"collide", connections}, {"nat", both},          {"replay", packets}, {"floor", packets}};
}

Options tiny(std::string_view workload) {
  Options options;
  options.workload = workload;
  options.connections = 2000;
  // The sweeper makes backlogs until enough packets came in its way, which may take many.
  options.packets = workload == "sweep" ? 2000 : 20'000;
  options.runs = 1;
  options.file = UCT_SOURCE_DIR "/tests/captures/http.pcap";
  return options;
}

/// Runs the workload and expects that it was answered rightly and kept its promise.
void expect_sound(const Options& options) {
  const Workload* workload = find_workload(options.workload);
  ASSERT_NE(workload, nullptr);
  const Result result = workload->run(options);
  EXPECT_EQ(result.wrong, "");
  for (const Promise& promise : promises()) {
    if (promise.workload != options.workload) continue;
    for (std::size_t i = 0; i < promise.figures.size(); ++i) {
      EXPECT_GT((result.*promise.figures[i]).value_or(0), 0) << "figure " << i;
    }
    return;
  }
  ADD_FAILURE() << "nothing is promised of " << options.workload;
}

TEST(Workloads, AreFoundByTheirNames) {
  std::set<std::string_view> names;
  for (const Workload& workload : workloads()) {
    EXPECT_EQ(find_workload(workload.name), &workload);
    EXPECT_TRUE(workload.question.ends_with('?')) << workload.name;
    names.insert(workload.name);
  }
  EXPECT_EQ(names.size(), 12U);
  EXPECT_EQ(find_workload(""), nullptr);
  EXPECT_EQ(find_workload("establishe"), nullptr);
}

/// Every workload, and none of its answers wrong.
class EveryWorkload : public testing::TestWithParam<Workload> {};

INSTANTIATE_TEST_SUITE_P(Workloads, EveryWorkload,
                         testing::ValuesIn(workloads().begin(), workloads().end()),
                         [](const testing::TestParamInfo<Workload>& workload) {
                           return std::string(workload.param.name);
                         });

TEST_P(EveryWorkload, RunsOnTheTracker) { expect_sound(tiny(GetParam().name)); }

TEST_P(EveryWorkload, RunsOnTheRival) {
  Options options = tiny(GetParam().name);
  options.target = TargetKind::design_2016;
  expect_sound(options);
}

TEST_P(EveryWorkload, RunsOverIpv6) {
  Options options = tiny(GetParam().name);
  options.ipv6 = true;
  expect_sound(options);
}

TEST_P(EveryWorkload, RunsWithUdpOrPassesItOver) {
  Options options = tiny(GetParam().name);
  options.udp = true;
  expect_sound(options);
}

TEST_P(EveryWorkload, RunsOnTwoThreads) {
  Options options = tiny(GetParam().name);
  options.threads = 2;
  expect_sound(options);
  options.target = TargetKind::design_2016;
  expect_sound(options);
}

TEST_P(EveryWorkload, RunsOnTwoUnsteeredThreads) {
  Options options = tiny(GetParam().name);
  options.threads = 2;
  options.unsteered = true;
  expect_sound(options);
}

TEST_P(EveryWorkload, RunsOnTwoThreadsWithTrackersOfTheirOwn) {
  Options options = tiny(GetParam().name);
  options.threads = 2;
  options.exclusive = true;
  if (options.workload == "memory") options.threads = 1;  // it fills and drains by one thread
  if (options.workload == "sweep") {                      // its sweeper is a thread of its own
    EXPECT_NE(GetParam().run(options).wrong, "");
    return;
  }
  expect_sound(options);
}

TEST_P(EveryWorkload, RunsSeveralTimes) {
  Options options = tiny(GetParam().name);
  options.runs = 3;
  expect_sound(options);
}

TEST_P(EveryWorkload, RunsWithSizesThatFillNoBurst) {
  Options options = tiny(GetParam().name);
  options.connections = 1001;
  options.packets = 1001;
  expect_sound(options);
}

TEST(Established, TakesZipfAndSingle) {
  Options options = tiny("established");
  options.zipf = true;
  expect_sound(options);
  options.single = true;
  expect_sound(options);
}

// UDP lives for 30 s without traffic: the workload's time must not run away with its packets.
TEST(Established, KeepsUdpAliveHoweverManyPackets) {
  Options options = tiny("established");
  options.udp = true;
  options.zipf = true;
  options.single = true;
  options.packets = 400'000;
  expect_sound(options);
}

TEST(Established, RunsWithASingleConnection) {
  Options options = tiny("established");
  options.connections = 1;
  options.threads = 2;
  expect_sound(options);
}

TEST(Crr, CountsEightPacketsAConnection) {
  const Result result = run_crr(tiny("crr"));
  EXPECT_DOUBLE_EQ(*result.ns_per_connection, *result.ns_per_packet * 8);
}

TEST(Mixed, OpensAboutNineOfAHundred) {
  const Result result = run_mixed(tiny("mixed"));
  ASSERT_EQ(result.extra.size(), 1U);
  EXPECT_EQ(result.extra[0].name, "opened_a_run");
  EXPECT_NEAR(result.extra[0].value, 1800, 200);
}

TEST(Nat, TimesEachLevelUpToTheLastPort) {
  const Result result = run_nat(tiny("nat"));
  std::set<std::string> above_zero;
  for (const Result::Extra& extra : result.extra) {
    if (extra.value > 0) above_zero.insert(extra.name);
    if (extra.name == "first_refusal_percent") {
      EXPECT_EQ(extra.value, 100);
    }
  }
  for (const char* name :
       {"plain_ns_per_packet", "plain_ns_per_connection", "rival_ns_per_connection",
        "new_mapping_10_ns", "new_mapping_50_ns", "new_mapping_90_ns", "new_mapping_99_ns",
        "new_mapping_999_ns", "first_refusal_percent", "ns_per_refused_packet", "kept_percent"}) {
    EXPECT_TRUE(above_zero.contains(name)) << name;
  }
}

TEST(Memory, SaysHowManyBytesAConnectionTakes) {
  EXPECT_TRUE(run_memory(tiny("memory")).bytes_per_connection.has_value());
}

TEST(TrackerTarget, IsNotMadeForNoConnections) {
  Options options = tiny("setup");
  options.connections = 0;
  EXPECT_NE(run_setup(options).wrong, "");
}

}  // namespace
}  // namespace uct::bench
