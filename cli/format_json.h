/// JSON lines: an object a line, the first says which schema follows (docs/json.md).
///
/// Included by report.cc, packet_lines.cc and event_lines.cc.
/// Threads   pure functions.
#pragma once

#include <string_view>

#include <uct/events.h>
#include <uct/explanation.h>

#include "cli/json_writer.h"
#include "cli/run_facts.h"
#include "cli/track_options.h"

namespace uct::cli {

/// The number that goes up when a reader of the lines would have to change.
inline constexpr int kJsonVersion = 1;

void append_json_metainfo(Text& out, std::string_view file, const TrackOptions& options);
void append_json_connection(Text& out, const ConnectionInfo& info, Timestamp now);
void append_json_event(Text& out, const Event& event);
void append_json_summary(Text& out, const RunFacts& facts);

/// Writes the members of one direction into the object that is open.
void write_json_tuple(JsonWriter& json, const Tuple& tuple);

}  // namespace uct::cli
