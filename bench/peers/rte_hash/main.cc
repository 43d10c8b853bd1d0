// uct-bench-rte-hash: two workloads of `uct bench` on DPDK's rte_hash, in a program of its own, so
// that uct itself needs no DPDK.
#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdio>
#include <exception>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "bench/peers/rte_hash/dpdk.h"
#include "bench/peers/rte_hash/table.h"
#include "bench/peers/rte_hash/workloads.h"
#include "bench/workloads/options.h"

namespace {

namespace rte_hash = uct::bench::rte_hash;
using uct::bench::Options;
using uct::bench::Result;
using Json = nlohmann::ordered_json;

constexpr int kDone = 0;
constexpr int kWrong = 1;  ///< no figures, or none to believe
constexpr int kUsage = 2;

/// Numbers of connections are kept in 32 bits, and so are rte_hash's, of which it takes 2^30.
const CLI::Range kConnections{1000.0, 1e9};
const CLI::Range kPackets{1000.0, 1e9};
const CLI::Range kRuns{1, 1000};

/// Takes 10k and 1M as it takes 10000 and 1000000.
CLI::AsNumberWithUnit counts() {
  return CLI::AsNumberWithUnit(std::map<std::string, std::uint64_t>{{"k", 1000}, {"M", 1'000'000}},
                               CLI::AsNumberWithUnit::CASE_SENSITIVE, "NUMBER");
}

void define(CLI::App& app, Options& options, bool& json) {
  app.add_option("WORKLOAD", options.workload, "established, or setup")
      ->required()
      ->check(CLI::IsMember({"established", "setup"}));
  app.add_option("--connections", options.connections, "what the table holds; 10k and 1M will do")
      ->transform(counts())
      ->check(kConnections)
      ->capture_default_str();
  app.add_option("--packets", options.packets, "of established, each run; 8M unless told otherwise")
      ->transform(counts())
      ->check(kPackets);
  app.add_option("--runs", options.runs, "their median is shown")
      ->check(kRuns)
      ->capture_default_str();
  app.add_flag("--ipv6", options.ipv6, "keys of 40 bytes, not 16");
  app.add_flag("--json", json, "print one line for programs");
}

Result run(const Options& options) {
  const rte_hash::Dpdk dpdk(
      rte_hash::heap_bytes(options.connections, rte_hash::key_bytes(options)));
  return options.workload == "setup" ? rte_hash::run_setup(options, dpdk.socket())
                                     : rte_hash::run_established(options, dpdk.socket());
}

void set(Json& object, const char* name, const std::optional<double>& value) {
  if (value) object[name] = std::round(*value * 100) / 100;
}

/// Gives     the names that `uct bench --json` has for the same.
Json object_of(const Options& options, const Result& result) {
  Json object;
  object["workload"] = options.workload;
  object["connections"] = options.connections;
  if (options.packets != 0) object["packets"] = options.packets;
  object["threads"] = options.threads;
  object["runs"] = options.runs;
  object["target"] = "rte_hash";
  if (options.ipv6) object["ipv6"] = true;
  set(object, "load", rte_hash::load(options.connections));
  set(object, "ns_per_packet", result.ns_per_packet);
  set(object, "driver_ns_per_packet", result.driver_ns_per_packet);
  set(object, "ns_per_connection", result.ns_per_connection);
  set(object, "driver_ns_per_connection", result.driver_ns_per_connection);
  set(object, "connections_per_second", result.connections_per_second);
  if (!result.wrong.empty()) object["wrong"] = result.wrong;
  return object;
}

/// One name and its value a line.
void print_text(const Json& object) {
  for (const auto& [name, value] : object.items()) {
    const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    std::printf("%-26s%s\n", name.c_str(), text.c_str());
  }
}

/// Runs the workload and prints what it found. Gives the exit code.
int measure(const Options& options, bool json) {
  const Result result = run(options);
  const Json object = object_of(options, result);
  if (json) {
    std::printf("%s\n", object.dump().c_str());
  } else {
    print_text(object);
  }
  if (result.wrong.empty()) return kDone;
  std::fprintf(stderr, "uct-bench-rte-hash: %s\n", result.wrong.c_str());
  return kWrong;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Measures DPDK's rte_hash as `uct bench` measures the tracker.",
               "uct-bench-rte-hash");
  Options options;
  bool json = false;
  define(app, options, json);
  try {
    app.parse(argc, argv);
    return measure(options, json);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kDone : kUsage;
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "uct-bench-rte-hash: there is not enough memory\n");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "uct-bench-rte-hash: %s\n", error.what());
  }
  return kWrong;
}
