// The program of tests/system/nat_programs.sh: a gateway between two TAP devices, made of libuct.
//
// SIGTERM or SIGINT ends it. Then it prints what it counted, one "name value" a line: frames by
// the side they came from, and the tracker's verdicts by reason.
#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "gateway/gateway.h"

namespace {

using uct::gateway::Counters;
using uct::gateway::Gateway;
using uct::gateway::Options;
using uct::gateway::Side;
using uct::gateway::SideOptions;

volatile std::sig_atomic_t stop = 0;

void ask_to_stop(int) { stop = 1; }

void add_side(CLI::App& app, const std::string& name, SideOptions& side) {
  app.add_option("--" + name, side.device, "name of the TAP device")->required();
  app.add_option("--" + name + "-mtu", side.mtu, "longest packet that leaves on this side")
      ->check(CLI::Range(1280, 1500));
  app.add_option_function<std::vector<std::string>>(
      "--" + name + "-address",
      [&side](const std::vector<std::string>& texts) {
        for (const std::string& text : texts) {
          if (!uct::parse_address(text, side.addresses.emplace_back())) {
            throw CLI::ValidationError(text, "is no address");
          }
        }
      },
      "the gateway's own addresses on this side");
}

void add_rules(CLI::App& app, Options& options) {
  app.add_option_function<std::vector<std::string>>(
      "--rule",
      [&options](const std::vector<std::string>& texts) {
        for (const std::string& text : texts) {
          const auto parsed = uct::gateway::parse_rule(text);
          if (!parsed.rule) throw CLI::ValidationError(text, parsed.error);
          options.rules.push_back(*parsed.rule);
        }
      },
      "SIDE [PROTOCOL] [MATCH] = SPEC; see gateway/rules.h");
}

void print_side(const char* side, const Counters& count) {
  const std::pair<const char*, std::uint64_t> lines[] = {{"read", count.read},
                                                         {"sent_on", count.sent_on},
                                                         {"cut", count.cut},
                                                         {"answered", count.answered},
                                                         {"hop_limit", count.hop_limit},
                                                         {"too_big", count.too_big},
                                                         {"not_ours", count.not_ours},
                                                         {"for_us", count.for_us},
                                                         {"invalid", count.invalid},
                                                         {"refused", count.refused},
                                                         {"unasked", count.unasked},
                                                         {"held", count.held},
                                                         {"write_failed", count.write_failed}};
  for (const auto& [name, value] : lines) {
    std::printf("%s_%s %llu\n", side, name, static_cast<unsigned long long>(value));
  }
}

void print_statistics(const Gateway& gateway) {
  print_side("inside", gateway.counters(Side::inside));
  print_side("outside", gateway.counters(Side::outside));
  const uct::Stats stats = gateway.tracker().stats();
  std::printf("connections %llu\n", static_cast<unsigned long long>(stats.connections));
  for (std::size_t i = 1; i < uct::kReasonCount; ++i) {
    if (stats.reasons[i] == 0) continue;
    std::printf("reason_%s %llu\n", uct::name(static_cast<uct::Reason>(i)).data(),
                static_cast<unsigned long long>(stats.reasons[i]));
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("A gateway with translation between two TAP devices, for tests.", "tap_gateway");
  Options options;
  add_side(app, "inside", options.sides[0]);
  add_side(app, "outside", options.sides[1]);
  add_rules(app, options);
  CLI11_PARSE(app, argc, argv);

  struct sigaction action {};
  action.sa_handler = ask_to_stop;
  ::sigaction(SIGTERM, &action, nullptr);
  ::sigaction(SIGINT, &action, nullptr);

  Gateway gateway(std::move(options));
  if (!gateway.error().empty()) {
    std::fprintf(stderr, "tap_gateway: %s\n", gateway.error().c_str());
    return 1;
  }
  std::puts("ready");
  std::fflush(stdout);
  gateway.run(stop);
  print_statistics(gateway);
  return 0;
}
