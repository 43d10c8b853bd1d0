#include "cli/track_options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>

#include "cli/durations.h"
#include "cli/exit_codes.h"
#include "cli/nat_option.h"
#include "cli/nearest.h"
#include "cli/track_help.h"
#include "cli/unknown_option.h"

namespace uct::cli {

namespace {

constexpr std::array<std::string_view, 5> kForms = {"table", "wide", "json", "conntrack", "ovs"};
constexpr std::array<std::string_view, 2> kClocks = {"capture", "frozen"};
constexpr std::array<std::string_view, 3> kColors = {"auto", "always", "never"};

/// The command line as words, before they are looked at closely.
struct Words {
  std::string form = "table";
  std::string clock = "capture";
  std::string color = "auto";
  std::string from;
  std::string to;
  std::vector<std::string> timeouts;
  std::optional<std::string> nat;
  bool no_commit = false;
  bool strict = false;
  bool no_sequence_check = false;
};

void define_output(CLI::App& app, TrackOptions& options, Words& words) {
  app.add_option("-o,--output", words.form);
  app.add_flag("--packets", options.packets);
  app.add_flag("--explain", options.explain);
  app.add_flag("--events", options.events);
  app.add_option("--color", words.color);
}

void define_selection(CLI::App& app, TrackOptions& options, Words& words) {
  app.add_option("--filter", options.filter);
  app.add_option("--from", words.from);
  app.add_option("--to", words.to);
}

void define_tracking(CLI::App& app, TrackOptions& options, Words& words) {
  app.add_option("--clock", words.clock);
  app.add_option("--timeout", words.timeouts)->allow_extra_args(false);
  app.add_option("--zone", options.zone)->check(CLI::Range(0, 65535));
  app.add_option("--max-connections", options.max_connections);
  app.add_flag("--no-commit", words.no_commit);
  app.add_flag("--strict", words.strict);
  app.add_flag("--no-seq-check", words.no_sequence_check);
  app.add_option("--nat", words.nat);
  app.add_option("--write", options.write);
}

void define(CLI::App& app, TrackOptions& options, Words& words) {
  app.add_option("FILE", options.files);
  define_output(app, options, words);
  define_selection(app, options, words);
  define_tracking(app, options, words);
  app.allow_extras();  // unknown options get an error of ours, with a suggestion
}

/// Gives     the place of `word` among `choices`; otherwise an error in `error`.
template <std::size_t kCount>
std::size_t choose(std::string_view option, std::string_view word,
                   const std::array<std::string_view, kCount>& choices, std::string& error) {
  const auto found = std::find(choices.begin(), choices.end(), word);
  if (found != choices.end()) return static_cast<std::size_t>(found - choices.begin());
  error = std::string(option) + " knows no " + in_quotes(word) + did_you_mean(word, choices) +
          "; take one of: " + listed(choices);
  return 0;
}

std::vector<std::string_view> timeout_names() {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < kTimeoutClassCount; ++i) {
    names.push_back(name(static_cast<TimeoutClass>(i)));
  }
  return names;
}

/// Takes `tcp.established=1h` into the policy. Gives an error, or nothing.
std::string set_timeout(std::string_view setting, TimeoutPolicy& policy) {
  const std::size_t equals = setting.find('=');
  if (equals == std::string_view::npos) {
    return "--timeout " + in_quotes(setting) +
           " sets nothing; write a name, = and a time, for "
           "example tcp.established=1h";
  }
  const std::string_view key = setting.substr(0, equals);
  const std::string_view value = setting.substr(equals + 1);
  TimeoutClass timeout_class{};
  if (!parse_timeout_class(key, timeout_class)) {
    const std::vector<std::string_view> names = timeout_names();
    return "no timeout has the name " + in_quotes(key) + did_you_mean(key, names) +
           "; take one of: " + listed(names);
  }
  const std::optional<Duration> time = parse_duration(value);
  if (!time) {
    return "the timeout " + std::string(key) + " cannot be " + in_quotes(value) +
           "; write a time such as 500ms, 30s, 5m, 1h or 2d";
  }
  if (*time < kMinTimeout || *time > kMaxTimeout) {
    return "the timeout " + std::string(key) + " cannot be " + in_quotes(value) +
           "; it must be between 1ms and 20d";
  }
  policy[timeout_class] = *time;
  return {};
}

std::string set_bound(std::string_view option, const std::string& word, Bound& bound) {
  if (word.empty()) return {};
  const std::optional<Bound> parsed = parse_bound(word);
  if (!parsed) {
    return std::string(option) + " cannot be " + in_quotes(word) +
           "; write a packet number (#100), a time since the first packet (90, 12.5, 1h30m) or a "
           "point in time (2026-11-23T10:00:00)";
  }
  bound = *parsed;
  return {};
}

/// Looks at the words that CLI11 took as plain text. Gives the first error, or nothing.
std::string interpret(const Words& words, TrackOptions& options) {
  std::string error;
  options.form = static_cast<Form>(choose("--output", words.form, kForms, error));
  if (!error.empty()) return error;
  options.clock = static_cast<ClockMode>(choose("--clock", words.clock, kClocks, error));
  if (!error.empty()) return error;
  options.color = static_cast<ColorMode>(choose("--color", words.color, kColors, error));
  if (!error.empty()) return error;
  if (words.nat) {
    const ParsedNat parsed = parse_nat(*words.nat);
    if (!parsed.spec) return parsed.error;
    options.nat = parsed.spec;
    options.timeouts = make_nat_timeouts(parsed.profile);
  }
  for (const std::string& setting : words.timeouts) {
    if (error = set_timeout(setting, options.timeouts); !error.empty()) return error;
  }
  if (error = set_bound("--from", words.from, options.range.from); !error.empty()) return error;
  if (error = set_bound("--to", words.to, options.range.to); !error.empty()) return error;
  options.commit = !words.no_commit;
  if (words.strict) options.sequence_check = SequenceCheck::strict;
  if (words.no_sequence_check) options.sequence_check = SequenceCheck::disabled;
  options.packets = options.packets || options.explain;
  return {};
}

/// Gives     what is wrong with options that are well-formed each by itself, or nothing.
std::string check(const Words& words, const TrackOptions& options) {
  if (words.strict && words.no_sequence_check) {
    return "--strict and --no-seq-check contradict each other; give one of them";
  }
  if (options.max_connections == 0 || options.max_connections > kMaxConnectionsLimit) {
    return "--max-connections must be between 1 and " + std::to_string(kMaxConnectionsLimit);
  }
  const bool conntrack_events = options.events && !options.packets && words.form == "conntrack";
  if (!options.reports() && words.form != "table" && words.form != "json" && !conntrack_events) {
    return std::string(options.packets ? "--packets" : "--events") + " has no form " +
           in_quotes(words.form) + "; leave -o out, or take -o json";
  }
  if (options.nat && words.no_commit) {
    return "--nat translates connections as they are entered, and --no-commit enters none; give "
           "one "
           "of them";
  }
  if (!options.write.empty() && options.files.size() > 1) {
    return "--write makes one capture of one; name one file, or write several one by one";
  }
  if (options.files.empty()) return "which capture? name a file, or - for standard input";
  if (std::count(options.files.begin(), options.files.end(), "-") > 1) {
    return "- is named more than once; standard input can be read only once";
  }
  return {};
}

ParsedTrack refuse(const std::string& error) {
  ParsedTrack refused;
  refused.exit_code = exit_code::kUsage;
  refused.message = "uct track: " + error + "; see uct track --help";
  return refused;
}

}  // namespace

ParsedTrack parse_track(std::span<const char* const> arguments) {
  ParsedTrack parsed;
  Words words;
  CLI::App app;
  define(app, parsed.options, words);
  // CLI11 takes arguments from the back of a vector.
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  try {
    app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    parsed.exit_code = exit_code::kDone;
    parsed.message = track_help();
    return parsed;
  } catch (const CLI::ParseError& error) {
    return refuse(error.what());
  }
  if (const auto extra = app.remaining(); !extra.empty()) {
    return refuse(unknown_option(app, extra.front()));
  }
  std::string error = interpret(words, parsed.options);
  if (error.empty()) error = check(words, parsed.options);
  if (!error.empty()) return refuse(error);
  return parsed;
}

std::vector<std::string> track_option_names() {
  TrackOptions options;
  Words words;
  CLI::App app;
  define(app, options, words);
  return option_names(app);
}

}  // namespace uct::cli
