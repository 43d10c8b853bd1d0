#include "cli/bench_options.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

#include <uct/config.h>

#include "cli/bench_catalogue.h"
#include "cli/bench_help.h"
#include "cli/bench_plan.h"

namespace uct::cli {
namespace {

ParsedBench parse(std::vector<const char*> arguments) { return parse_bench(arguments); }

std::string error_of(std::vector<const char*> arguments) {
  const ParsedBench parsed = parse(std::move(arguments));
  EXPECT_EQ(parsed.exit_code, 2);
  return parsed.message;
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::string content_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(std::string(UCT_SOURCE_DIR) + path).rdbuf();
  return text.str();
}

TEST(BenchOptions, Defaults) {
  const ParsedBench parsed = parse({"established"});
  ASSERT_EQ(parsed.exit_code, std::nullopt) << parsed.message;
  ASSERT_NE(parsed.workload, nullptr);
  EXPECT_EQ(parsed.workload->name, "established");
  EXPECT_EQ(parsed.options.workload, "established");
  EXPECT_EQ(parsed.options.connections, 1'000'000U);
  EXPECT_EQ(parsed.options.threads, 1U);
  EXPECT_EQ(parsed.options.runs, 5U);
  EXPECT_EQ(parsed.options.target, bench::TargetKind::uct);
  EXPECT_FALSE(parsed.json);
}

TEST(BenchOptions, EverythingSet) {
  const ParsedBench parsed =
      parse({"established", "--connections", "4M", "--packets=64k", "--threads", "2", "--runs", "3",
             "--target", "uct", "--ipv6", "--udp", "--zipf", "--single", "--unsteered", "--shards",
             "16", "--json"});
  ASSERT_EQ(parsed.exit_code, std::nullopt) << parsed.message;
  const bench::Options& options = parsed.options;
  EXPECT_EQ(options.connections, 4'000'000U);
  EXPECT_EQ(options.packets, 64'000U);
  EXPECT_EQ(options.threads, 2U);
  EXPECT_EQ(options.runs, 3U);
  EXPECT_EQ(options.shards, 16U);
  EXPECT_TRUE(options.ipv6 && options.udp && options.zipf && options.single && options.unsteered);
  EXPECT_FALSE(options.exclusive);
  EXPECT_TRUE(parsed.json);
  EXPECT_TRUE(parse({"setup", "--exclusive"}).options.exclusive);
  EXPECT_EQ(parse({"flood", "--target=2016"}).options.target, bench::TargetKind::design_2016);
  EXPECT_EQ(parse({"replay", "a.pcap"}).options.file, "a.pcap");
}

TEST(BenchOptions, AForeignOptionIsNamedWithItsWorkload) {
  const std::string error = error_of({"setup", "--zipf"});
  EXPECT_TRUE(contains(error, "setup knows no --zipf")) << error;
  EXPECT_TRUE(contains(error, "--connections")) << error;
  EXPECT_TRUE(contains(error_of({"memory", "--runs", "2"}), "memory knows no --runs"));
  EXPECT_TRUE(contains(error_of({"flood", "--threads=2"}), "flood knows no --threads"));
}

TEST(BenchOptions, WrongNumbersNameOptionValueAndWhatIsAllowed) {
  for (const auto& [option, value, allowed] :
       std::vector<std::tuple<const char*, const char*, const char*>>{
           {"--connections", "many", "1k to 400M"},
           {"--connections", "999", "1k to 400M"},
           {"--connections", "", "1k to 400M"},
           {"--packets", "2G", "1k to 1G"},
           {"--threads", "0", "1 to 256"},
           {"--threads", "-1", "1 to 256"},
           {"--runs", "1.5", "1 to 1k"},
           {"--shards", "300", "1 to 256"},
           {"--shards", "3", "power of two"}}) {
    const std::string error = error_of({"established", option, value});
    EXPECT_TRUE(contains(error, std::string(option) + " cannot be '" + value + "'")) << error;
    EXPECT_TRUE(contains(error, allowed)) << error;
  }
  EXPECT_TRUE(contains(error_of({"flood", "--connections", "1M"}), "1k to 100k"));
  EXPECT_TRUE(contains(error_of({"setup", "--target", "206"}), "did you mean '2016'"));
  EXPECT_TRUE(contains(error_of({"setup", "--threads"}), "--threads"));
}

TEST(BenchOptions, ErrorsNameTheThing) {
  EXPECT_TRUE(contains(error_of({"establishd"}), "did you mean 'established'"));
  EXPECT_TRUE(contains(error_of({"compar"}), "did you mean 'compare'"));
  EXPECT_TRUE(contains(error_of({"zzz"}), "established, setup"));
  EXPECT_TRUE(contains(error_of({"setup", "--thread", "2"}), "did you mean '--threads'"));
  EXPECT_TRUE(contains(error_of({"setup", "a.pcap"}), "'a.pcap' is one word too many"));
  EXPECT_TRUE(contains(error_of({"replay"}), "which capture?"));
  EXPECT_TRUE(contains(error_of({"replay", "-"}), "files only"));
  EXPECT_TRUE(contains(error_of({"replay", "a", "b"}), "'b' is one word too many"));
  EXPECT_TRUE(contains(error_of({"--ipv6"}), "which workload?"));
  EXPECT_TRUE(contains(error_of({"list", "--json"}), "list takes nothing"));
}

TEST(BenchOptions, OptionsThatContradictEachOther) {
  EXPECT_TRUE(contains(error_of({"established", "--exclusive", "--unsteered"}), "contradict"));
  EXPECT_TRUE(contains(error_of({"setup", "--target=2016", "--shards=4"}), "--target uct only"));
  EXPECT_TRUE(contains(error_of({"setup", "--target=2016", "--exclusive"}), "--target uct only"));
}

TEST(BenchOptions, Counts) {
  EXPECT_EQ(parse_count("7"), 7U);
  EXPECT_EQ(parse_count("10k"), 10'000U);
  EXPECT_EQ(parse_count("4M"), 4'000'000U);
  EXPECT_EQ(parse_count("1G"), 1'000'000'000U);
  EXPECT_EQ(parse_count("18446744073709551615"), ~std::uint64_t{0});
  for (const char* wrong : {"", "k", "1K", "1m", "-1", "+1", "1.5M", " 1", "1 ", "0x10", "1kk",
                            "18446744073709551616", "18446744073709551615k"}) {
    EXPECT_EQ(parse_count(wrong), std::nullopt) << wrong;
  }
  EXPECT_EQ(short_count(0), "0");
  EXPECT_EQ(short_count(1500), "1500");
  EXPECT_EQ(short_count(10'000), "10k");
  EXPECT_EQ(short_count(4'000'000), "4M");
  EXPECT_EQ(short_count(2'000'000'000'000), "2000G");
}

TEST(BenchOptions, EveryWorkloadIsInTheCatalogueAndItsExampleIsUnderstood) {
  const std::vector<std::string> names = bench_option_names();
  for (const bench::Workload& workload : bench::workloads()) {
    const BenchEntry* entry = find_bench_entry(workload.name);
    ASSERT_NE(entry, nullptr) << workload.name;
    EXPECT_LE(entry->connections_max, kMaxConnectionsLimit);
    for (const std::string_view option : entry->option_names()) {
      EXPECT_EQ(std::count(names.begin(), names.end(), option), 1) << option;
    }
    std::istringstream example{std::string(entry->example)};
    std::vector<std::string> words;
    for (std::string word; example >> word;) words.push_back(word);
    ASSERT_GT(words.size(), 2U) << workload.name;
    EXPECT_EQ(words[2], workload.name);
    std::vector<const char*> arguments;
    for (std::size_t i = 2; i < words.size(); ++i) arguments.push_back(words[i].c_str());
    EXPECT_EQ(parse(arguments).exit_code, std::nullopt) << parse(arguments).message;
  }
}

TEST(BenchOptions, WhatTheComparisonAsksForIsUnderstood) {
  for (const bool quick : {false, true}) {
    for (const Measurement& measurement : plan_measurements(quick, std::nullopt)) {
      if (measurement.subject == Subject::rte_hash) continue;  // a program of its own
      const std::vector<std::string> words = measurement.arguments();
      ASSERT_EQ(words.front(), "bench");
      std::vector<const char*> arguments;
      for (std::size_t i = 1; i < words.size(); ++i) arguments.push_back(words[i].c_str());
      const ParsedBench parsed = parse(arguments);
      EXPECT_EQ(parsed.exit_code, std::nullopt) << measurement.label() << ": " << parsed.message;
    }
  }
}

TEST(BenchOptions, ListHasEveryWorkloadWithItsQuestion) {
  const ParsedBench parsed = parse({});
  EXPECT_EQ(parsed.exit_code, 0);
  EXPECT_EQ(parse({"list"}).message, parsed.message);
  for (const bench::Workload& workload : bench::workloads()) {
    EXPECT_TRUE(contains(parsed.message, workload.question)) << workload.name;
    EXPECT_TRUE(contains(parsed.message, "uct bench " + std::string(workload.name)));
  }
}

TEST(BenchOptions, HelpManPageAndCompletionKnowEveryOptionAndWorkload) {
  const std::string man = content_of("/docs/man/uct.1.scd");
  const std::string completion = content_of("/share/completions/uct.bash");
  std::vector<std::string> names = bench_option_names();
  for (const bench::Workload& workload : bench::workloads()) names.emplace_back(workload.name);
  for (const std::string& name : names) {
    EXPECT_TRUE(contains(std::string(bench_help()), name)) << name;
    EXPECT_TRUE(contains(man, name)) << name;
    EXPECT_TRUE(contains(completion, name)) << name;
  }
}

TEST(BenchOptions, HelpFitsAnOldTerminalAndHasExamples) {
  const ParsedBench parsed = parse({"--help"});
  EXPECT_EQ(parsed.exit_code, 0);
  EXPECT_TRUE(contains(parsed.message, "Examples"));
  std::istringstream lines(parsed.message);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80U) << line;
}

}  // namespace
}  // namespace uct::cli
