/// A line for each event, as `conntrack -E` writes it, or in JSON.
///
/// Included by the session, which hands it to the tracker as its EventSink.
/// Threads   one thread at a time: `uct track` has one.
#pragma once

#include <uct/events.h>

#include "cli/output.h"

namespace uct::cli {

class EventLines final : public EventSink {
 public:
  explicit EventLines(bool json) : json_(json) {}

  void on_event(const Event& event) noexcept override;

  /// Gives     the lines since the last call of take(), and forgets them.
  void take(Text& out);

  std::uint64_t count() const { return count_; }

 private:
  bool json_;
  std::uint64_t count_ = 0;
  Text lines_;  ///< kept apart, so that a burst's packet lines come before its events
};

}  // namespace uct::cli
