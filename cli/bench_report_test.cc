#include "cli/bench_report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace uct::cli {
namespace {

bench::Result no_run(const bench::Options&) { return {}; }

const bench::Workload kEstablished{"established", "What does a packet cost?", no_run};
const bench::Workload kMemory{"memory", "How much memory?", no_run};
const BenchMachine kMachine{"abc1234", "GCC 12.2.0", "Some CPU", 2, "2026-11-23T10:00:00Z", false};

bench::Result packet_result() {
  bench::Result result;
  result.ns_per_packet = 15.304;
  result.driver_ns_per_packet = 3.409;
  result.mpps_total = 130.687;
  return result;
}

std::string text_of(const BenchRun& run) {
  Text out;
  append_bench_text(out, run, Style());
  return std::string(view(out));
}

nlohmann::ordered_json json_of(const BenchRun& run) {
  Text out;
  append_bench_json(out, run);
  const std::string line(view(out));
  EXPECT_EQ(line.find('\n'), line.size() - 1) << "one object, one line";
  return nlohmann::ordered_json::parse(line);
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST(BenchReport, TableShowsTheDriverAndTheDifference) {
  bench::Options options;
  options.threads = 2;
  options.udp = true;
  const bench::Result result = packet_result();
  EXPECT_EQ(text_of({kEstablished, options, result, kMachine}),
            "established: What does a packet cost?\n"
            "  machine   Some CPU, 2 cores, 2026-11-23T10:00:00Z\n"
            "  build     abc1234, GCC 12.2.0\n"
            "  run       1,000,000 connections, 2 threads, median of 5 runs, target uct, udp\n"
            "\n"
            "  time a packet on each thread         15.30 ns\n"
            "    the driver by itself                3.41 ns\n"
            "    the difference: net of the driver  11.89 ns\n"
            "  packets, all threads                 130.7 M/s\n");
}

TEST(BenchReport, TableOfAllOtherFigures) {
  bench::Options options;
  bench::Result result;
  result.ns_per_connection = 100;
  result.connections_per_second = 9'999'999.6;
  result.bytes_per_connection = 128;
  result.p50_ns = 400;
  result.p99_ns = 1234.4;
  result.p999_ns = 2000;
  result.p9999_ns = 3000;
  result.max_ns = 1'234'567;
  result.extra = {{"quiet_max_ns", 7},
                  {"kept_percent", 99.5},
                  {"resident_1k_bytes", 4096},
                  {"ns_per_expired", 20},
                  {"backlogs", 3}};
  const std::string text = text_of({kMemory, options, result, kMachine});
  EXPECT_TRUE(contains(text, "  run       1,000,000 connections, 1 thread, target uct\n")) << text;
  EXPECT_EQ(text.substr(text.find("\n\n") + 2),
            "  time a connection                   100.0 ns\n"
            "  connections, all threads       10,000,000 /s\n"
            "  memory a connection                 128.0 bytes\n"
            "  one call of process(), median       400.0 ns\n"
            "    99 % take at most                 1,234 ns\n"
            "    99.9 %                            2,000 ns\n"
            "    99.99 %                           3,000 ns\n"
            "    the longest                   1,234,567 ns\n"
            "  quiet_max_ns                         7.00 ns\n"
            "  kept_percent                        99.50 %\n"
            "  resident_1k_bytes                   4,096 bytes\n"
            "  ns_per_expired                      20.00 ns\n"
            "  backlogs                                3\n");
  EXPECT_FALSE(contains(text, "driver")) << "none was measured";
}

TEST(BenchReport, SaysWhatMakesFiguresTellOfSomethingElse) {
  bench::Options options;
  const bench::Result result = packet_result();
  EXPECT_FALSE(contains(text_of({kEstablished, options, result, kMachine}), "  but "));
  options.threads = 3;
  EXPECT_TRUE(contains(text_of({kEstablished, options, result, kMachine}), "more threads"));
  BenchMachine slow = kMachine;
  slow.slow_build = true;
  EXPECT_TRUE(contains(text_of({kEstablished, options, result, slow}), "not optimised"));
  EXPECT_TRUE(json_of({kEstablished, options, result, slow}).at("slow_build").get<bool>());
}

TEST(BenchReport, JsonHasTheKeysThatApply) {
  bench::Options options;
  options.target = bench::TargetKind::design_2016;
  options.packets = 64'000;
  options.ipv6 = true;
  options.zipf = true;
  const auto object = json_of({kEstablished, options, packet_result(), kMachine});
  std::vector<std::string> keys;
  for (const auto& [key, value] : object.items()) keys.push_back(key);
  EXPECT_EQ(keys, (std::vector<std::string>{"workload", "connections", "packets", "threads", "runs",
                                            "target", "ipv6", "zipf", "ns_per_packet",
                                            "driver_ns_per_packet", "mpps_total", "commit",
                                            "compiler", "cpu", "cores", "date"}));
  EXPECT_EQ(object["workload"], "established");
  EXPECT_EQ(object["connections"], 1'000'000);
  EXPECT_EQ(object["target"], "2016");
  EXPECT_EQ(object["ns_per_packet"], 15.3);
  EXPECT_EQ(object["driver_ns_per_packet"], 3.41);
  EXPECT_EQ(object["commit"], "abc1234");
}

TEST(BenchReport, JsonOfExtrasAndOfWhatWentWrong) {
  bench::Options options;
  options.file = "not \xff utf-8.pcap";
  bench::Result result;
  EXPECT_FALSE(has_figures(result));
  result.extra = {{"kept_percent", 33.333}};
  EXPECT_TRUE(has_figures(result));
  result.wrong = "a \"reason\"";
  const auto object = json_of({kMemory, options, result, kMachine});
  EXPECT_EQ(object["kept_percent"], 33.33);
  EXPECT_EQ(object["wrong"], "a \"reason\"");
  EXPECT_FALSE(object.contains("ns_per_packet"));
  EXPECT_FALSE(object.contains("runs")) << "memory has one";
  EXPECT_TRUE(object.contains("file"));
}

TEST(BenchReport, ThisMachineIsKnown) {
  const BenchMachine machine = this_machine();
  EXPECT_FALSE(machine.commit.empty());
  EXPECT_TRUE(machine.compiler.starts_with("GCC ") || machine.compiler.starts_with("Clang "));
  EXPECT_FALSE(machine.cpu.empty());
  EXPECT_EQ(machine.date.size(), std::string_view("2026-11-23T10:00:00Z").size());
}

}  // namespace
}  // namespace uct::cli
