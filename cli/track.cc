#include "cli/track.h"

#include <unistd.h>

#include <optional>
#include <string>

#include "cli/exit_codes.h"
#include "cli/format_json.h"
#include "cli/report.h"
#include "cli/session.h"

namespace uct::cli {

namespace {

void complain(Output& out, const std::string& message) {
  out.flush();  // what was read comes before what could not be
  Output errors(STDERR_FILENO);
  fmt::format_to(fmt::appender(errors.text()), "uct track: {}\n", message);
}

/// What came of one file.
struct FileResult {
  int exit_code = exit_code::kDone;
  std::uint64_t tracked = 0;
};

/// Runs the files one after the other.
class TrackRun {
 public:
  TrackRun(const TrackOptions& options, capture::Filter* filter)
      : options_(options),
        filter_(filter),
        out_(STDOUT_FILENO),
        style_(wants_color(options.color, STDOUT_FILENO)) {}

  int run();

 private:
  FileResult track_file(const std::string& path);
  FileResult track_capture(capture::Reader& reader, const std::string& name);
  void print_heading(const std::string& name);
  void complain_of_end(const RunFacts& facts);

  const TrackOptions& options_;
  capture::Filter* filter_;
  Output out_;
  Style style_;
};

int TrackRun::run() {
  int exit_code = exit_code::kDone;
  std::uint64_t tracked = 0;
  for (const std::string& path : options_.files) {
    const FileResult result = track_file(path);
    if (result.exit_code != exit_code::kDone) exit_code = result.exit_code;
    tracked += result.tracked;
    out_.flush();
    if (out_.closed()) break;
  }
  if (!out_.error().empty()) {
    complain(out_, "cannot write to standard output: " + out_.error() +
                       "; what is printed is not complete");
    return exit_code::kUnreadable;
  }
  if (out_.closed()) return exit_code::kDone;  // who read us had enough
  if (filter_ != nullptr && filter_->error()) {
    complain(out_, *filter_->error() + "; such frames were skipped");
  }
  if (exit_code != exit_code::kDone) return exit_code;
  return tracked == 0 ? exit_code::kNothingMatched : exit_code::kDone;
}

FileResult TrackRun::track_file(const std::string& path) {
  auto opened = capture::Reader::open(path);
  if (!opened) {
    complain(out_, opened.error().message + "; give a pcap or pcapng file, or - for a pipe");
    return {exit_code::kUnreadable, 0};
  }
  capture::Reader reader = std::move(opened).value();
  return track_capture(reader, path == "-" ? "standard input" : path);
}

FileResult TrackRun::track_capture(capture::Reader& reader, const std::string& name) {
  auto started = Session::start({options_, reader, filter_, out_, style_}, name);
  if (!started) {
    complain(out_, "cannot make a tracker: " + std::string(describe(started.error())));
    return {exit_code::kUnreadable, 0};
  }
  Session& session = *started.value();
  print_heading(name);
  const RunFacts facts = session.run();
  std::uint64_t shown = session.event_count();
  if (options_.reports()) {
    shown = print_connections(out_, session.tracker(), session.now(), options_, style_);
  }
  if (!out_.closed()) print_ending(out_, facts, options_, style_, shown);
  if (!facts.error.empty()) complain_of_end(facts);
  if (!facts.write_error.empty()) complain(out_, facts.write_error);
  return {
      facts.error.empty() && facts.write_error.empty() ? exit_code::kDone : exit_code::kUnreadable,
      facts.frames_tracked};
}

void TrackRun::print_heading(const std::string& name) {
  if (options_.form == Form::json) return append_json_metainfo(out_.text(), name, options_);
  if (options_.files.size() == 1) return;
  const bool foreign = options_.form == Form::conntrack || options_.form == Form::ovs;
  const std::string line = "==> " + name + " <==";
  if (foreign) {
    out_.flush();
    fmt::print(stderr, "{}\n", line);
    return;
  }
  if (name != options_.files.front()) append(out_.text(), "\n");
  style_.paint(out_.text(), Color::bold, line);
  append(out_.text(), "\n");
}

void TrackRun::complain_of_end(const RunFacts& facts) {
  const std::string at = "byte " + std::to_string(facts.error_offset_bytes);
  const bool named = facts.error.find(at) != std::string::npos;
  complain(out_, facts.error + (named ? "" : " (at " + at + ")") + "; the " +
                     std::to_string(facts.frames_read) + " packets before it are in the output");
}

}  // namespace

int track(std::span<const char* const> arguments) {
  const ParsedTrack parsed = parse_track(arguments);
  if (parsed.exit_code) {
    const bool help = *parsed.exit_code == exit_code::kDone;
    Output out(help ? STDOUT_FILENO : STDERR_FILENO);
    append(out.text(), parsed.message);
    if (!parsed.message.ends_with('\n')) append(out.text(), "\n");
    return *parsed.exit_code;
  }
  std::optional<capture::Filter> filter;
  if (!parsed.options.filter.empty()) {
    auto compiled = capture::Filter::compile(parsed.options.filter);
    if (!compiled) {
      Output errors(STDERR_FILENO);
      append(errors.text(), "uct track: " + compiled.error() + "; see pcap-filter(7)\n");
      return exit_code::kUsage;
    }
    filter.emplace(std::move(compiled).value());
  }
  return TrackRun(parsed.options, filter ? &*filter : nullptr).run();
}

}  // namespace uct::cli
