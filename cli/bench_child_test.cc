#include "cli/bench_child.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace uct::cli {
namespace {

TEST(BenchChild, FiguresAreReadFromTheLastObject) {
  const BenchFigures figures = read_figures(
      "{\"ns_per_packet\":1}\nwarming up\n{\"ns_per_packet\":28.5,\"cores\":2,\"cpu\":\"x\"}\n\n");
  EXPECT_EQ(figures.failure, "");
  EXPECT_EQ(figures.numbers.at("ns_per_packet"), 28.5);
  EXPECT_EQ(figures.numbers.at("cores"), 2);
  EXPECT_EQ(figures.word("cpu", "unknown"), "x");
  EXPECT_EQ(figures.word("commit", "unknown"), "unknown");
}

TEST(BenchChild, NetFiguresAreLessTheDriver) {
  const BenchFigures figures =
      read_figures(R"({"ns_per_packet":28.5,"driver_ns_per_packet":3.5,"ns_per_connection":70})");
  EXPECT_EQ(figures.numbers.at("net_ns_per_packet"), 25);
  EXPECT_EQ(figures.numbers.at("net_ns_per_connection"), 70) << "there is no driver to take off";
  EXPECT_FALSE(read_figures(R"({"p50_ns":1})").numbers.contains("net_ns_per_packet"));
}

TEST(BenchChild, WhoTookTurnsUnderTheSameDriverHasNetFiguresToo) {
  const BenchFigures figures = read_figures(
      R"({"driver_ns_per_packet":3,"plain_ns_per_packet":23.5,)"
      R"("driver_ns_per_connection":2,"rival_ns_per_connection":502,"quiet_ns_per_packet":9})");
  EXPECT_EQ(figures.numbers.at("net_plain_ns_per_packet"), 20.5);
  EXPECT_EQ(figures.numbers.at("net_rival_ns_per_connection"), 500);
  EXPECT_FALSE(figures.numbers.contains("net_plain_ns_per_connection")) << "it was not measured";
  EXPECT_FALSE(figures.numbers.contains("net_quiet_ns_per_packet"));
}

TEST(BenchChild, WhatIsWrongIsAFailure) {
  EXPECT_EQ(read_figures(R"({"ns_per_packet":1,"wrong":"refused"})").failure, "refused");
  for (const char* output : {"", "\n", "no object", "{\"cut\":", "[1,2]", "5"}) {
    EXPECT_EQ(read_figures(output).failure, "printed no JSON object") << output;
  }
}

TEST(BenchChild, TruthsBecomeWords) {
  const BenchFigures figures = read_figures(R"({"slow_build":true,"udp":false,"more":{"a":1}})");
  EXPECT_EQ(figures.word("slow_build", ""), "true");
  EXPECT_EQ(figures.word("udp", "none"), "none");
  EXPECT_TRUE(figures.numbers.empty());
}

TEST(BenchChild, ProgramsRunWhereTheyAreTold) {
  const std::string folder = std::filesystem::canonical(::testing::TempDir()).string();
  const Ended ended = run_program("sh", {"-c", "pwd -P; cat"}, folder);
  EXPECT_EQ(ended.failure, "");
  EXPECT_EQ(ended.output, folder + "\n");
}

TEST(BenchChild, FailuresAreToldInTheProgramsOwnWords) {
  EXPECT_EQ(run_program("sh", {"-c", "echo no room >&2; echo more >&2; exit 1"}).failure,
            "no room");
  EXPECT_EQ(run_program("sh", {"-c", "exit 3"}).failure, "ended with code 3");
  EXPECT_TRUE(run_program("sh", {"-c", "kill -9 $$"}).failure.starts_with("ended by signal 9"));
  EXPECT_EQ(measure("sh", {"-c", "echo '{\"ns_per_packet\":1}'; exit 3"}).failure,
            "ended with code 3");
}

TEST(BenchChild, MoreOutputThanAPipeHoldsIsNoTrouble) {
  const Ended ended = run_program("sh", {"-c", "head -c 300000 /dev/zero"});
  EXPECT_EQ(ended.failure, "");
  EXPECT_EQ(ended.output.size(), 300'000U);
}

TEST(BenchChild, AnAbsentProgramIsSaidToBeAbsent) {
  const Ended ended = run_program("no-such-program-anywhere", {});
  EXPECT_TRUE(ended.absent);
  EXPECT_TRUE(ended.failure.starts_with("cannot start no-such-program-anywhere: "));
}

}  // namespace
}  // namespace uct::cli
