#include "cli/report.h"

#include <algorithm>
#include <array>
#include <vector>

#include "cli/format_conntrack.h"
#include "cli/format_json.h"
#include "cli/format_ovs.h"
#include "cli/format_table.h"
#include "cli/summary.h"

namespace uct::cli {

namespace {

/// A connection's place in the order of opening, small enough to sort millions.
struct Place {
  std::int64_t start_ns;
  ConnectionHandle handle;
};

/// Calls visit(info) for every live connection.
template <typename Visit>
void for_each_connection(const Tracker& tracker, Timestamp now, Visit&& visit) {
  std::array<ConnectionInfo, 64> chunk;
  for (DumpCursor cursor; !cursor.done();) {
    const std::size_t count = tracker.dump(cursor, chunk, now);
    for (std::size_t i = 0; i < count; ++i) visit(chunk[i]);
  }
}

void sort_by_opening(std::vector<Place>& places) {
  // A dump goes by record number, which grows as connections open while none is used again: a
  // stable sort leaves those of one millisecond in that order.
  std::stable_sort(places.begin(), places.end(),
                   [](const Place& a, const Place& b) { return a.start_ns < b.start_ns; });
}

}  // namespace

std::uint64_t print_connections(Output& out, const Tracker& tracker, Timestamp now,
                                const TrackOptions& options, Style style) {
  const bool tabular = options.form == Form::table || options.form == Form::wide;
  Table table(options.form == Form::wide, style);
  std::vector<Place> places;
  places.reserve(tracker.connection_count());
  for_each_connection(tracker, now, [&](const ConnectionInfo& info) {
    if (tabular) table.measure(info, now);
    places.push_back({info.start.time_since_epoch().count(), info.handle});
  });
  sort_by_opening(places);
  if (tabular && !places.empty()) table.append_heading(out.text());
  for (const Place& place : places) {
    const std::optional<ConnectionInfo> info = tracker.find(place.handle, now);
    if (!info || out.closed()) continue;
    switch (options.form) {
      case Form::table:
      case Form::wide:
        table.append_line(out.text(), *info, now);
        break;
      case Form::json:
        append_json_connection(out.text(), *info, now);
        break;
      case Form::conntrack:
        append_conntrack(out.text(), *info, now);
        break;
      case Form::ovs:
        append_ovs(out.text(), *info, now);
        break;
    }
    out.flush_when_full();
  }
  return places.size();
}

void print_ending(Output& out, const RunFacts& facts, const TrackOptions& options, Style style,
                  std::uint64_t shown) {
  Text& text = out.text();
  if (options.form == Form::json) return append_json_summary(text, facts);
  const bool tabular = options.form == Form::table || options.form == Form::wide;
  if (options.reports() && tabular) {
    if (shown == 0) append(text, "No connection is left at the end.\n");
    append(text, "\n");
    return append_summary(text, facts, style);
  }
  if (options.packets || options.form == Form::ovs) return;
  // As conntrack-tools: on standard error, out of the way of who reads the lines.
  out.flush();
  fmt::print(stderr, "uct v{} (uct track): {} flow {} have been shown.\n", UCT_VERSION, shown,
             options.events ? "events" : "entries");
}

}  // namespace uct::cli
