/// What `uct track` was asked to do.
///
/// Included by track.cc and everything it calls. track_options.cc alone sees the command line
/// library, whose header takes seconds to compile.
/// Threads   values only.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <uct/config.h>
#include <uct/nat.h>

#include "cli/capture_range.h"
#include "cli/terminal.h"

namespace uct::cli {

enum class Form : std::uint8_t { table, wide, json, conntrack, ovs };
enum class ClockMode : std::uint8_t {
  capture,  ///< the tracker's time is that of the packets, and never runs backwards
  frozen,   ///< it stands still at the first packet: nothing expires
};

struct TrackOptions {
  std::vector<std::string> files;
  Form form = Form::table;
  ClockMode clock = ClockMode::capture;
  ColorMode color = ColorMode::automatic;
  bool packets = false;  ///< a line for each packet instead of the connections at the end
  bool explain = false;  ///< with what stands behind the verdict
  bool events = false;   ///< a line for each event, likewise
  bool commit = true;
  Zone zone = 0;
  std::uint32_t max_connections = kDefaultMaxConnections;
  SequenceCheck sequence_check = SequenceCheck::normal;
  std::optional<NatSpec> nat;  ///< how connections are translated
  std::string write;           ///< the capture to write; empty for none
  TimeoutPolicy timeouts;
  std::string filter;  ///< empty matches every frame
  CaptureRange range;

  /// Gives     true when connections and a summary are printed at the end.
  bool reports() const { return !packets && !events; }
};

/// A command line, understood or not.
struct ParsedTrack {
  TrackOptions options;
  std::optional<int> exit_code;  ///< set when there is nothing to do but to print `message`
  std::string message;           ///< help for standard output (exit 0), else an error
};

/// Reads what follows `uct track`.
ParsedTrack parse_track(std::span<const char* const> arguments);

/// Gives     the names of the options, for the test that help, man page and completion have them.
std::vector<std::string> track_option_names();

}  // namespace uct::cli
