/// Lengths and points of time, as text.
///
/// Included by the options and by the formats.
/// Threads   pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <uct/time.h>

#include "cli/output.h"

namespace uct::cli {

/// Reads `500ms`, `30s`, `5m`, `1h`, `2d`, sums of them from large to small such as `1h30m`, and a
/// bare number of seconds, as timeouts are given elsewhere.
///
/// Gives     nothing when `text` is none of these, or longer than 292 years.
std::optional<Duration> parse_duration(std::string_view text);

/// Appends a length in at most six characters or so, never rounded up: `250ms`, `12.3s`, `2m05s`,
/// `3h04m`, `5d03h`.
void append_duration(Text& out, Duration duration);

/// Appends seconds with three decimals: `12.345`.
void append_seconds(Text& out, Duration duration);

/// Reads a point in time: `2026-11-23T10:00:00`, with an optional fraction and `Z`; UTC.
std::optional<Timestamp> parse_time(std::string_view text);

/// Appends `2026-11-23T10:00:00.123Z`.
void append_time(Text& out, Timestamp time);

/// Gives     the millisecond that the tracker takes a time for.
inline std::chrono::milliseconds millisecond_of(Timestamp time) {
  return std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch());
}

/// Gives     the length from one time to another as the tracker sees it, in whole milliseconds.
inline Duration between(Timestamp from, Timestamp to) {
  return millisecond_of(to) - millisecond_of(from);
}

}  // namespace uct::cli
