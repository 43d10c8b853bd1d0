#include "cli/bench_options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <bit>
#include <limits>

#include <uct/config.h>

#include "cli/bench_catalogue.h"
#include "cli/bench_help.h"
#include "cli/exit_codes.h"
#include "cli/nearest.h"
#include "cli/numbers.h"
#include "cli/unknown_option.h"

namespace uct::cli {

namespace {

constexpr std::array<std::string_view, 2> kTargets = {"uct", "2016"};

struct Range {
  std::uint64_t min;
  std::uint64_t max;
};

/// Fewer connections than these leave threads without any.
constexpr std::uint64_t kConnectionsMin = 1000;
/// Picks are made beforehand, in 4 bytes each.
constexpr Range kPackets{1000, 1'000'000'000};
/// All begin together by waiting for each other in a loop.
constexpr Range kThreads{1, 256};
constexpr Range kRuns{1, 1000};
constexpr Range kShards{1, kMaxShards};

/// The command line as words, before they are looked at closely.
struct Words {
  std::vector<std::string> names;  ///< the workload, and a file
  std::optional<std::string> connections;
  std::optional<std::string> packets;
  std::optional<std::string> threads;
  std::optional<std::string> runs;
  std::optional<std::string> shards;
  std::string target = "uct";
};

void define(CLI::App& app, ParsedBench& parsed, Words& words) {
  bench::Options& options = parsed.options;
  app.add_option("WORKLOAD", words.names);
  app.add_option("--connections", words.connections);
  app.add_option("--packets", words.packets);
  app.add_option("--threads", words.threads);
  app.add_option("--runs", words.runs);
  app.add_option("--target", words.target);
  app.add_option("--shards", words.shards);
  app.add_flag("--ipv6", options.ipv6);
  app.add_flag("--udp", options.udp);
  app.add_flag("--zipf", options.zipf);
  app.add_flag("--single", options.single);
  app.add_flag("--unsteered", options.unsteered);
  app.add_flag("--exclusive", options.exclusive);
  app.add_flag("--json", parsed.json);
  app.allow_extras();  // unknown options get an error of ours, with a suggestion
}

std::string unknown_workload(std::string_view word) {
  std::vector<std::string_view> names;
  for (const bench::Workload& workload : bench::workloads()) names.push_back(workload.name);
  const std::string known = listed(names);
  names.push_back("compare");
  names.push_back("list");
  return "no workload has the name " + in_quotes(word) + did_you_mean(word, names) +
         "; take one of: " + known;
}

/// Gives     an error that names the first option that the workload does not take, or nothing.
std::string refuse_foreign(const CLI::App& app, const BenchEntry& entry) {
  for (const CLI::Option* option : app.get_options()) {
    if (option->count() == 0 || option->get_lnames().empty()) continue;
    const std::string name = "--" + option->get_lnames().front();
    if (name == "--json" || entry.takes(name)) continue;
    return std::string(entry.workload) + " knows no " + name +
           "; it takes: " + listed(entry.option_names());
  }
  return {};
}

/// Takes a number into `to` when the option was given. Gives an error, or nothing.
template <typename Number>
std::string set_number(std::string_view option, const std::optional<std::string>& word, Range range,
                       Number& to) {
  if (!word) return {};
  const std::optional<std::uint64_t> count = parse_count(*word);
  if (!count || *count < range.min || *count > range.max) {
    return std::string(option) + " cannot be " + in_quotes(*word) + "; write a number from " +
           short_count(range.min) + " to " + short_count(range.max);
  }
  to = static_cast<Number>(*count);
  return {};
}

/// Looks at the words that CLI11 took as plain text. Gives the first error, or nothing.
std::string interpret(const Words& words, const BenchEntry& entry, bench::Options& options) {
  options.connections = entry.connections;
  const Range connections{kConnectionsMin, entry.connections_max};
  std::string error =
      set_number("--connections", words.connections, connections, options.connections);
  if (error.empty()) error = set_number("--packets", words.packets, kPackets, options.packets);
  if (error.empty()) error = set_number("--threads", words.threads, kThreads, options.threads);
  if (error.empty()) error = set_number("--runs", words.runs, kRuns, options.runs);
  if (error.empty()) error = set_number("--shards", words.shards, kShards, options.shards);
  if (!error.empty()) return error;
  if (std::find(kTargets.begin(), kTargets.end(), words.target) == kTargets.end()) {
    return "--target knows no " + in_quotes(words.target) + did_you_mean(words.target, kTargets) +
           "; take one of: " + listed(kTargets);
  }
  if (words.target == "2016") options.target = bench::TargetKind::design_2016;
  return {};
}

/// Gives     what is wrong with options that are well-formed each by itself, or nothing.
std::string check(const Words& words, const bench::Options& options) {
  if (options.shards != 0 && !std::has_single_bit(options.shards)) {
    return "--shards cannot be " + in_quotes(*words.shards) + "; write a power of two up to " +
           std::to_string(kMaxShards);
  }
  const bool rival = options.target != bench::TargetKind::uct;
  if (rival && options.shards != 0) return "--shards goes with --target uct only";
  if (rival && options.exclusive) return "--exclusive goes with --target uct only";
  if (options.exclusive && options.unsteered) {
    return "--exclusive and --unsteered contradict each other: a tracker without locks sees one "
           "thread's connections only";
  }
  return {};
}

/// Takes the words that are no options. Gives an error, or nothing.
std::string take_names(const std::vector<std::string>& names, ParsedBench& parsed) {
  parsed.workload = bench::find_workload(names.front());
  if (parsed.workload == nullptr) return unknown_workload(names.front());
  parsed.options.workload = names.front();
  const bool takes_file = names.front() == "replay";
  if (takes_file && names.size() == 1) return "which capture? name a file: uct bench replay FILE";
  if (takes_file) parsed.options.file = names[1];
  if (takes_file && names[1] == "-") return "replay reads files only; write a capture to one first";
  const std::size_t wanted = takes_file ? 2 : 1;
  if (names.size() == wanted) return {};
  return names.front() + (takes_file ? " takes one file; " : " takes options only; ") +
         in_quotes(names[wanted]) + " is one word too many";
}

ParsedBench answer(int code, std::string message) {
  ParsedBench answered;
  answered.exit_code = code;
  answered.message = std::move(message);
  return answered;
}

ParsedBench refuse(const std::string& error) {
  return answer(exit_code::kUsage, "uct bench: " + error + "; see uct bench --help");
}

/// Goes through what CLI11 found.
ParsedBench look_at(const CLI::App& app, const Words& words, ParsedBench parsed,
                    std::size_t argument_count) {
  if (const auto extra = app.remaining(); !extra.empty()) {
    return refuse(unknown_option(app, extra.front()));
  }
  if (argument_count == 0) return answer(exit_code::kDone, bench_list());
  if (words.names.empty()) return refuse("which workload? uct bench list names them");
  if (words.names.front() == "list") {
    if (argument_count > 1) return refuse("list takes nothing behind it");
    return answer(exit_code::kDone, bench_list());
  }
  std::string error = take_names(words.names, parsed);
  if (!error.empty()) return refuse(error);
  const BenchEntry* entry = find_bench_entry(parsed.workload->name);
  if (entry == nullptr) return refuse(unknown_workload(words.names.front()));
  error = refuse_foreign(app, *entry);
  if (error.empty()) error = interpret(words, *entry, parsed.options);
  if (error.empty()) error = check(words, parsed.options);
  if (!error.empty()) return refuse(error);
  return parsed;
}

}  // namespace

ParsedBench parse_bench(std::span<const char* const> arguments) {
  ParsedBench parsed;
  Words words;
  CLI::App app;
  define(app, parsed, words);
  // CLI11 takes arguments from the back of a vector.
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  try {
    app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    return answer(exit_code::kDone, std::string(bench_help()));
  } catch (const CLI::ParseError& error) {
    return refuse(error.what());
  }
  return look_at(app, words, parsed, arguments.size());
}

std::vector<std::string> bench_option_names() {
  ParsedBench parsed;
  Words words;
  CLI::App app;
  define(app, parsed, words);
  return option_names(app);
}

std::optional<std::uint64_t> parse_count(std::string_view text) {
  std::uint64_t unit = 1;
  if (text.ends_with('k')) unit = 1000;
  if (text.ends_with('M')) unit = 1'000'000;
  if (text.ends_with('G')) unit = 1'000'000'000;
  if (unit != 1) text.remove_suffix(1);
  const auto count = parse_number(text, std::numeric_limits<std::uint64_t>::max() / unit);
  if (!count) return std::nullopt;
  return *count * unit;
}

std::string short_count(std::uint64_t count) {
  constexpr std::array<char, 3> units = {'k', 'M', 'G'};
  std::string unit;
  for (const char next : units) {
    if (count == 0 || count % 1000 != 0) break;
    count /= 1000;
    unit = next;
  }
  return std::to_string(count) + unit;
}

}  // namespace uct::cli
