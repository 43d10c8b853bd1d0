#include "cli/bench_compare.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "cli/bench_compare_report.h"
#include "cli/bench_goals.h"
#include "cli/bench_plots.h"
#include "cli/exit_codes.h"
#include "cli/nearest.h"

namespace uct::cli {

namespace {

constexpr unsigned kRounds = 5;
constexpr unsigned kQuickRounds = 1;
constexpr unsigned kRoundsMax = 1000;

/// A measurement failed: the table has gaps.
constexpr int kIncomplete = 1;

// Begins with a line end, so that every line stands where it is printed.
constexpr std::string_view kHelp = R"(
uct bench compare - uct beside its rivals, all workloads in one run

Usage: uct bench compare [OPTIONS]

Each measurement is a process of its own. The measurements of a group are run
in turn, one run each, and that several times; figures are medians. The rivals:
the design of 2016, DPDK's rte_hash where uct-bench-rte-hash is built, and the
machine's floor. A full run takes ten to twenty minutes and 2 GB of memory.

Written into the folder: results.md (goals, figures, machine), results.json
(every round), and as .svg with .tsv and .gnuplot beside it, drawn by gnuplot:
cost-by-connections, scaling, latency.

  --output DIR     the folder; bench/results if not given
  --rounds N       runs of each measurement; 5 if not given, 1 with --quick
  --quick          fewer sizes and packets, for a look: less than a minute
  --only GROUP     size, setup, crr, scaling, latency, single, memory, flood,
                   collide or nat; the results then hold that group only
  -h, --help       this text

Exit codes: 0 done, whether the goals are met or not; 1 a measurement failed;
2 usage; 5 the results could not be written.
)";

struct Words {
  unsigned rounds = 0;
  std::string only;
};

void complain(const std::string& message) {
  Output errors(STDERR_FILENO);
  fmt::format_to(fmt::appender(errors.text()), "uct bench compare: {}\n", message);
}

ParsedCompare refuse(const std::string& error) {
  ParsedCompare refused;
  refused.exit_code = exit_code::kUsage;
  refused.message = "uct bench compare: " + error + "; see uct bench compare --help";
  return refused;
}

/// Takes the words into the options. Gives the first error, or nothing.
std::string interpret(const CLI::App& app, const Words& words, CompareOptions& options) {
  if (app.count("--rounds") != 0) {
    if (words.rounds == 0 || words.rounds > kRoundsMax) {
      return "--rounds must be between 1 and " + std::to_string(kRoundsMax);
    }
    options.rounds = words.rounds;
  }
  if (options.folder.empty()) return "--output needs the name of a folder";
  if (words.only.empty()) return {};
  const std::span<const std::string_view> names = bench_group_names();
  const auto found = std::find(names.begin(), names.end(), words.only);
  if (found == names.end()) {
    return "--only knows no '" + words.only + "'" + did_you_mean(words.only, names) +
           "; take one of: " + listed(names);
  }
  options.only = static_cast<BenchGroup>(found - names.begin());
  return {};
}

std::string command_of(const CompareOptions& options) {
  std::string command = "uct bench compare --rounds " + std::to_string(options.round_count());
  if (options.quick) command += " --quick";
  if (options.only) command += " --only " + std::string(name(*options.only));
  return command + " --output " + options.folder;
}

std::string kernel() {
  utsname system{};
  if (::uname(&system) != 0) return "unknown";
  return std::string(system.sysname) + " " + system.release + ", " + system.machine;
}

std::string memory() {
  const double pages = static_cast<double>(::sysconf(_SC_PHYS_PAGES));
  const double page_bytes = static_cast<double>(::sysconf(_SC_PAGESIZE));
  return fmt::format("{:.1f} GiB", pages * page_bytes / (1 << 30));
}

double load() {
  double minute = 0;
  return ::getloadavg(&minute, 1) == 1 ? minute : 0;
}

/// Gives     why results cannot be written there, or nothing: better known before an hour's work.
std::string prepare(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return "cannot make the folder " + folder + ": " + error.message();
  if (::access(folder.c_str(), W_OK | X_OK) == 0) return {};
  return "cannot write into " + folder + ": " + std::generic_category().message(errno);
}

/// Writes the two files. Gives the name of the one that could not be written, or nothing.
std::string write_results(const std::string& folder, const Comparison& comparison) {
  using Writer = void (*)(Text&, const Comparison&);
  for (const auto& [file, write] :
       {std::pair<const char*, Writer>("/results.md", append_results_markdown),
        std::pair<const char*, Writer>("/results.json", append_results_json)}) {
    Text text;
    write(text, comparison);
    if (!write_file(folder + file, view(text))) return folder + file;
  }
  return {};
}

void print_results(const Comparison& comparison, const std::string& folder,
                   const PlotsWritten& plots) {
  Output out(STDOUT_FILENO);
  if (!comparison.judged.empty()) {
    append_goals_text(out.text(), comparison.judged);
    append(out.text(), "\n");
  }
  for (const std::string& note : notes_on(comparison)) append(out.text(), note + "\n");
  if (!plots.problem.empty()) append(out.text(), plots.problem + "\n");
  append(out.text(), "written: " + folder + "/results.md, results.json");
  for (const std::string& picture : comparison.pictures) append(out.text(), ", " + picture);
  append(out.text(), "\n");
}

bool is_incomplete(const Measured& measured) {
  return !measured.failure.empty() && measured.failure != kRteHashNotBuilt;
}

}  // namespace

unsigned CompareOptions::round_count() const {
  return rounds.value_or(quick ? kQuickRounds : kRounds);
}

ParsedCompare parse_compare(std::span<const char* const> arguments) {
  ParsedCompare parsed;
  Words words;
  CLI::App app;
  app.add_option("--output", parsed.options.folder);
  app.add_option("--rounds", words.rounds);
  app.add_flag("--quick", parsed.options.quick);
  app.add_option("--only", words.only);
  // CLI11 takes arguments from the back of a vector.
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  try {
    app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    parsed.exit_code = exit_code::kDone;
    parsed.message = kHelp.substr(1);
    return parsed;
  } catch (const CLI::ParseError& error) {
    return refuse(error.what());
  }
  const std::string error = interpret(app, words, parsed.options);
  return error.empty() ? parsed : refuse(error);
}

int compare(const CompareOptions& options, const BenchPrograms& programs) {
  if (const std::string problem = prepare(options.folder); !problem.empty()) {
    complain(problem);
    return exit_code::kUnreadable;
  }
  const double load_before = load();
  const std::vector<Measured> measured =
      run_rounds(plan_measurements(options.quick, options.only), options.round_count(), programs);
  const std::vector<Judged> judged = judge(measured);
  const PlotsWritten plots = write_plots(options.folder, make_plots(measured));
  Comparison comparison{.measured = measured,
                        .judged = judged,
                        .command = command_of(options),
                        .kernel = kernel(),
                        .memory = memory(),
                        .load = load_before,
                        .rounds = options.round_count(),
                        .quick = options.quick,
                        .pictures = {}};
  std::copy_if(plots.files.begin(), plots.files.end(), std::back_inserter(comparison.pictures),
               [](const std::string& file) { return file.ends_with(".svg"); });
  if (const std::string file = write_results(options.folder, comparison); !file.empty()) {
    complain("cannot write " + file);
    return exit_code::kUnreadable;
  }
  print_results(comparison, options.folder, plots);
  const bool incomplete = std::any_of(measured.begin(), measured.end(), is_incomplete);
  return incomplete ? kIncomplete : exit_code::kDone;
}

int bench_compare(std::span<const char* const> arguments) {
  const ParsedCompare parsed = parse_compare(arguments);
  if (!parsed.exit_code) return compare(parsed.options, installed_bench_programs());
  Output out(*parsed.exit_code == exit_code::kDone ? STDOUT_FILENO : STDERR_FILENO);
  append(out.text(), parsed.message);
  if (!parsed.message.ends_with('\n')) append(out.text(), "\n");
  return *parsed.exit_code;
}

}  // namespace uct::cli
