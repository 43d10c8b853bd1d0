#include "cli/event_lines.h"

#include "cli/format_conntrack.h"
#include "cli/format_json.h"

namespace uct::cli {

namespace {

/// A sweep comes when the next packet does; the connection ended when its timeout did.
Event at_its_time(const Event& event) {
  Event timed = event;
  if (event.cause == DestroyCause::expired) timed.time = event.connection.expires;
  return timed;
}

}  // namespace

void EventLines::on_event(const Event& event) noexcept {
  ++count_;
  const Event timed = at_its_time(event);
  json_ ? append_json_event(lines_, timed) : append_conntrack(lines_, timed);
}

void EventLines::take(Text& out) {
  append(out, view(lines_));
  lines_.clear();
}

}  // namespace uct::cli
