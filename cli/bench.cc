#include "cli/bench.h"

#include <unistd.h>

#include <cerrno>
#include <new>
#include <system_error>

#include "cli/bench_compare.h"
#include "cli/bench_machine.h"
#include "cli/bench_options.h"
#include "cli/bench_report.h"
#include "cli/exit_codes.h"

namespace uct::cli {

namespace {

/// The figures are not to be believed, or there are none.
constexpr int kWrong = 1;

void complain(const std::string& message) {
  Output errors(STDERR_FILENO);
  fmt::format_to(fmt::appender(errors.text()), "uct bench: {}\n", message);
}

/// A line on the terminal while a workload runs, which may take minutes.
class RunningLine {
 public:
  explicit RunningLine(const bench::Options& options) : shown_(is_terminal(STDERR_FILENO)) {
    if (!shown_) return;
    Output terminal(STDERR_FILENO);
    fmt::format_to(fmt::appender(terminal.text()), "running {}, {} connections...",
                   options.workload, short_count(options.connections));
  }
  RunningLine(const RunningLine&) = delete;
  RunningLine& operator=(const RunningLine&) = delete;
  ~RunningLine() {
    if (!shown_) return;
    Output terminal(STDERR_FILENO);
    append(terminal.text(), "\r\x1b[K");
  }

 private:
  const bool shown_;
};

bench::Result run_workload(const bench::Workload& workload, const bench::Options& options) {
  const RunningLine line(options);
  try {
    return workload.run(options);
  } catch (const std::bad_alloc&) {
    bench::Result result;
    result.wrong = "there is not enough memory; ask for fewer --connections or --packets";
    return result;
  }
}

/// Runs the workload and prints what it found. Gives the exit code.
int measure(const ParsedBench& parsed) {
  const bench::Options& options = parsed.options;
  if (!options.file.empty() && ::access(options.file.c_str(), R_OK) != 0) {
    complain("cannot open " + options.file + ": " + std::generic_category().message(errno));
    return exit_code::kUnreadable;
  }
  const bench::Result result = run_workload(*parsed.workload, options);
  const BenchMachine machine = this_machine();
  Output out(STDOUT_FILENO);
  const BenchRun run{*parsed.workload, options, result, machine};
  if (parsed.json) {
    append_bench_json(out.text(), run);
  } else if (has_figures(result)) {
    append_bench_text(out.text(), run, Style(wants_color(ColorMode::automatic, STDOUT_FILENO)));
  }
  out.flush();
  if (!result.wrong.empty()) {
    complain(options.workload + ": " + result.wrong);
    return kWrong;
  }
  if (out.error().empty()) return exit_code::kDone;
  complain("cannot write to standard output: " + out.error());
  return exit_code::kUnreadable;
}

}  // namespace

int bench(std::span<const char* const> arguments) {
  if (!arguments.empty() && std::string_view(arguments[0]) == "compare") {
    return bench_compare(arguments.subspan(1));
  }
  const ParsedBench parsed = parse_bench(arguments);
  if (!parsed.exit_code) return measure(parsed);
  const bool asked = *parsed.exit_code == exit_code::kDone;
  Output out(asked ? STDOUT_FILENO : STDERR_FILENO);
  append(out.text(), parsed.message);
  if (!parsed.message.ends_with('\n')) append(out.text(), "\n");
  return *parsed.exit_code;
}

}  // namespace uct::cli
